# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What dnsmasq's log tells of a boot before there is a kernel: DHCP and TFTP.

The lines are those of dnsmasq 2.90 with ``log-dhcp``, recorded in tests/fixtures/dnsmasq; 2.89 and 2.91 have the same
messages. dnsmasq finishes one packet before it looks at the next, so the lines of a DHCP message follow one another:
what is said of the client comes before the answer.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import NamedTuple

from .text import shown

LONGEST = 2048  # characters of a line that are looked at; dnsmasq writes 1024 at most
REMEMBERED = 4096  # addresses of which something is remembered; those longest ago are forgotten

# Reasons of troubles.
IGNORED = "ignored"  # dnsmasq does not know the MAC address
NO_ADDRESS = "no-address"  # the host's address is leased to another machine, in use or declined
REFUSED = "refused"  # DHCPNAK
DECLINED = "declined"  # the firmware has found another machine at the address
FILE_MISSING = "file-missing"
FILE_UNREADABLE = "file-unreadable"
TFTP_ERROR = "tftp-error"  # the host has ended a transfer and said why, or asks for what dnsmasq does not know
TFTP_TIMEOUT = "tftp-timeout"  # the host does not acknowledge any more

MAC = r"((?:[0-9a-f]{2}:){5}[0-9a-f]{2})"
ADDRESS = r"(\d{1,3}(?:\.\d{1,3}){3})"
TRANSACTION = re.compile(r"(\d+) ")
DHCP = re.compile(rf"(DHCP[A-Z]+|PXE)\(\S+\) (?:{ADDRESS} )?{MAC}(?: (.*))?")
UNUSED_ADDRESS = re.compile(r"not using configured address .* because .*")
SENT = re.compile(rf"sent (.*) to {ADDRESS}")
MISSING = re.compile(rf"file (.*) not found for {ADDRESS}")
UNREADABLE = re.compile(r"cannot (?:access|read) (/run/diskless/tftp/" + ADDRESS + r"/.*): [^:]*")
ENDED = re.compile(rf"error (\d+) (.*) received from {ADDRESS}")
NOT_SENT = re.compile(rf"failed sending (.*) to {ADDRESS}")
UNSUPPORTED = re.compile(rf"unsupported request from {ADDRESS}")

# How firmware ends a transfer that it began to learn the size: a Raspberry Pi, iPXE and OVMF, PXE ROMs of Intel.
PROBE = re.compile(r"0 .*(?:terminate|abort).*|8 .*", re.IGNORECASE)
# Files that a loader asks for and does without. The paths are relative to what the host sees as the root.
DISPENSABLE = re.compile(
    r"""
    # Raspberry Pi, any directory: other ways to start, parts of other models, self-update. It asks for start.elf when
    # start4.elf is missing, of which the line before has told.
    (?:.*/)?(?:start\.elf | recover(?:y|4)\.(?:elf|bin) | recovery[78l]*\.img | boot\.(?:img|sig) | autoboot\.txt)
    | (?:.*/)?(?:pieeprom\.(?:sig|upd|bin) | vl805\.(?:sig|bin) | dt-blob\.bin | bootcfg\.txt | armstub[^/]*\.bin)
    | (?:.*/)?overlays/overlay_map\.dtb
    # shim: revocations and certificates beside those that are built in
    | revocations[^/]*\.efi | shim_certificate[^/]*\.efi
    # GRUB: lists of modules, which the network does not bring, configurations by address, fonts and languages
    | (?:.*/)?(?:command|fs|crypto|terminal|partmap|parttool|video)\.lst
    | (?:.*/)?(?:grub\.cfg-[0-9A-Fa-f-]+ | grubenv | fonts/[^/]*\.pf2 | unicode\.pf2 | locale/[^/]*\.g?mo(?:\.gz)?)
    # iPXE on UEFI
    | autoexec\.ipxe
    """,
    re.VERBOSE,
)
PI_FIRMWARE = re.compile(r"([^/]+)/start4\.elf")  # below the directory that is named after the board
PI_FALLBACK = ("start4.elf", "config.txt")  # in the root, when that directory has no firmware


class Event(NamedTuple):
    """Something that happened to a host before it had a kernel.

    mac, address: whose; at least one of them. A MAC address is in lower case. Of DHCP the address is what this server
        gives; what a router has given beside a proxy is nobody's name and is left out.
    stage: ``dhcp`` when there was an offer, ``loader`` when a file was sent whole; None when nothing was reached.
    text: what dnsmasq wrote, without the number of the transaction, and with unprintable characters escaped.
    begins_boot: firmware asks for an address; it does so several times in a row.
    trouble: why it does not go on, one of the words above; None when all is well.
    """

    time: float
    kind: str
    stage: str | None
    mac: str | None
    address: str | None
    text: str
    begins_boot: bool = False
    trouble: str | None = None


class _Recent:
    """A set of the addresses that were added last."""

    def __init__(self) -> None:
        self._addresses: OrderedDict[str, None] = OrderedDict()

    def add(self, address: str) -> None:
        self._addresses[address] = None
        self._addresses.move_to_end(address)
        if len(self._addresses) > REMEMBERED:
            self._addresses.popitem(last=False)

    def discard(self, address: str) -> bool:
        """Take it out; return whether it was in."""
        if address not in self._addresses:
            return False
        del self._addresses[address]
        return True

    def __contains__(self, address: str) -> bool:
        return address in self._addresses


class EventReader:
    """Understands the lines of one dnsmasq, in their order. Each boot server needs a reader of its own."""

    def __init__(self) -> None:
        self._transaction = ""
        self._netboot = False  # the message that is being told of comes from firmware
        self._unused = ""  # why the host's address is not offered
        self._ended = _Recent()  # the host itself has ended a transfer; that it was not sent whole is no news
        self._elsewhere = _Recent()  # Raspberry Pis that have found no firmware in their directory

    def read(self, line: str, time: float) -> Event | None:
        """Return what a line means, or None for one that tells of no host.

        line: as in the journal, without the name of the program. It may be anything.
        time: seconds since 1970, passed on.
        """
        line = line[:LONGEST].rstrip()
        transaction = TRANSACTION.match(line)
        if transaction:
            return self._dhcp(transaction[1], line[transaction.end() :], time)
        if UNUSED_ADDRESS.fullmatch(line):
            self._unused = line
            return None
        return self._tftp(line, time) or self._dhcp("", line, time)

    def _dhcp(self, transaction: str, line: str, time: float) -> Event | None:
        # These are the first words about each message; one client may use the same number for all of its messages.
        if line.startswith("available DHCP") or transaction != self._transaction:
            self._transaction, self._netboot, self._unused = transaction, False, ""
        if line.startswith("vendor class: "):
            self._netboot = line.startswith("vendor class: PXEClient")
            return None
        said = DHCP.fullmatch(line)
        if not said:
            return None
        kind, address, mac, rest = said[1], said[2], said[3], (said[4] or "").strip()
        stage, trouble, begins = None, None, False
        if kind == "PXE":
            # A proxy says "proxy" instead of the message's name, or the file when it is asked for that alone.
            stage, trouble, begins, address = "dhcp", None, rest.startswith("proxy"), None
            if rest == "proxy-ignored":
                stage, trouble = None, IGNORED
        elif kind == "DHCPDECLINE":
            trouble = DECLINED
        elif kind in ("DHCPOFFER", "DHCPACK"):
            stage = "dhcp" if self._netboot else None
        elif self._netboot:
            begins = kind == "DHCPDISCOVER"
            trouble = _dhcp_trouble(kind, rest)
        text = shown(line)
        if trouble == NO_ADDRESS and self._unused:
            text += f": {shown(self._unused)}"
        return Event(time, "dhcp", stage, mac, address, text, begins, trouble)

    def _tftp(self, line: str, time: float) -> Event | None:
        """Files are named by their hosts: what follows the name counts, and dnsmasq has written that."""
        stage, trouble = None, None
        if said := SENT.fullmatch(line):
            stage, address = "loader", said[2]
            self._ended.discard(address)
            self._elsewhere.discard(address)
        elif said := MISSING.fullmatch(line):
            address = said[2]
            trouble = self._missing(said[1].removeprefix(f"/run/diskless/tftp/{address}/"), address)
        elif said := ENDED.fullmatch(line):
            address = said[3]
            self._ended.add(address)
            trouble = None if PROBE.fullmatch(f"{said[1]} {said[2]}") else TFTP_ERROR
        elif said := NOT_SENT.fullmatch(line):
            address = said[2]
            trouble = None if self._ended.discard(address) else TFTP_TIMEOUT
        elif said := UNREADABLE.fullmatch(line):
            address, trouble = said[2], FILE_UNREADABLE
        elif said := UNSUPPORTED.fullmatch(line):
            address, trouble = said[1], TFTP_ERROR
        else:
            return None
        return Event(time, "tftp", stage, None, address, shown(line), trouble=trouble)

    def _missing(self, path: str, address: str) -> str | None:
        if PI_FIRMWARE.fullmatch(path):
            self._elsewhere.add(address)
        elif path in PI_FALLBACK and address in self._elsewhere:
            return None  # the line that matters is the one with the name of the directory
        return None if DISPENSABLE.fullmatch(path) else FILE_MISSING


def _dhcp_trouble(kind: str, rest: str) -> str | None:
    if rest == "ignored":
        return IGNORED
    if kind == "DHCPNAK":
        return REFUSED
    if rest in ("no address available", "no leases left", "address in use"):
        return NO_ADDRESS
    return None
