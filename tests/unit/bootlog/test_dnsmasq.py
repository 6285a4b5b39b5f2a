# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is understood of lines that a real dnsmasq has written (tests/fixtures/dnsmasq/record)."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from bootlog.dnsmasq import Event, EventReader

FIXTURES = Path(__file__).parents[2] / "fixtures" / "dnsmasq"
PC, UEFI, PI, STRANGER = (f"52:54:00:77:00:{end}" for end in ("11", "12", "13", "99"))
RECORDED = sorted(path.stem for path in FIXTURES.glob("*.log"))


def lines(name: str) -> list[str]:
    text = (FIXTURES / f"{name}.log").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("# ")]


def events(name: str, reader: EventReader | None = None) -> list[Event]:
    reader = reader or EventReader()
    return [event for line in lines(name) if (event := reader.read(line, 1.5))]


def troubles(name: str) -> list[tuple[str | None, str]]:
    return [(event.trouble, event.text) for event in events(name) if event.trouble]


def files(name: str) -> list[str]:
    """Return the files that were sent, without the directory of the host."""
    return [event.text.split()[1].split("/", 5)[-1] for event in events(name) if event.stage == "loader"]


@pytest.mark.parametrize(
    ("name", "mac"),
    [
        ("full_bios", PC),
        ("full_uefi", UEFI),
        ("full_pi", PI),
        ("proxy_bios", PC),
        ("proxy_uefi", UEFI),
        ("proxy_pi", PI),
    ],
)
def test_boot_begins_once_and_is_answered(name: str, mac: str) -> None:
    seen = [event for event in events(name) if event.kind == "dhcp"]
    assert [event.mac for event in seen if event.begins_boot] == [mac]
    assert seen[0].begins_boot
    assert {event.mac for event in seen} == {mac}
    assert "dhcp" in {event.stage for event in seen}


@pytest.mark.parametrize(
    "name", ["full_bios", "full_uefi", "full_pi", "proxy_bios", "proxy_uefi", "proxy_pi", "lab_proxy_pcs"]
)
def test_nothing_is_wrong_with_a_boot_that_works(name: str) -> None:
    """Though it asks for many files that are not there, and breaks transfers off."""
    assert troubles(name) == []


def test_offer_and_acknowledgement_name_the_address() -> None:
    seen = [
        (event.text.split("(")[0], event.stage, event.address, event.begins_boot) for event in events("full_bios")[:4]
    ]
    assert seen == [
        ("DHCPDISCOVER", None, None, True),
        ("DHCPOFFER", "dhcp", "10.77.0.11", False),
        ("DHCPREQUEST", None, "10.77.0.11", False),
        ("DHCPACK", "dhcp", "10.77.0.11", False),
    ]


def test_address_that_a_router_has_given_names_nobody() -> None:
    """It may be what another host is known by."""
    asked = [event for event in events("proxy_bios") if event.text.endswith("grub.pxe") and event.kind == "dhcp"]
    assert [(event.text, event.address, event.mac, event.stage, event.begins_boot) for event in asked] == [
        (f"PXE(eth0) 10.77.0.204 {PC} grub.pxe", None, PC, "dhcp", False)
    ]


@pytest.mark.parametrize("name", ["full_system", "proxy_system"])
def test_running_system_that_asks_for_an_address_does_not_boot(name: str) -> None:
    seen = events(name)
    assert {event.mac for event in seen} == {PC}
    assert [event for event in seen if event.begins_boot or event.stage or event.trouble] == []


def test_files_of_a_raspberry_pi() -> None:
    assert list(dict.fromkeys(files("proxy_pi"))) == [
        f"1000000d/{name}"
        for name in (
            *("start4.elf", "config.txt", "fixup4.dat", "kernel.txt", "initrd.img", "host.cpio", "cm4.dtb"),
            *("cmdline.txt", "vmlinuz"),
        )
    ]
    assert {event.address for event in events("proxy_pi") if event.kind == "tftp"} == {"10.77.0.13"}


def test_files_of_two_pcs_in_a_lab() -> None:
    seen = [event for event in events("lab_proxy_pcs") if event.stage == "loader"]
    assert [event.text for event in seen if event.address == "10.77.0.11"] == [
        f"sent /run/diskless/tftp/10.77.0.11/{name} to 10.77.0.11"
        for name in (
            *("grub.pxe", "grub/grub.cfg", "grub/kernel.cfg", "grub/vmlinuz-6.1.0-56-amd64", "grub/host.cpio"),
            "grub/initrd.img-6.1.0-56-amd64",
        )
    ]
    assert "sent /run/diskless/tftp/10.77.0.13/grubx64.efi to 10.77.0.13" in [event.text for event in seen]


@pytest.mark.parametrize("name", ["full_stranger", "proxy_stranger"])
def test_machine_that_dnsmasq_does_not_know(name: str) -> None:
    (event,) = events(name)
    assert (event.trouble, event.mac, event.begins_boot, event.stage) == ("ignored", STRANGER, True, None)


@pytest.mark.parametrize(
    ("name", "why"),
    [("full_address_leased", f"it is leased to {STRANGER}"), ("full_declined", "it was previously declined")],
)
def test_address_that_is_taken(name: str, why: str) -> None:
    """The line that says it does not say why; the one before does."""
    *_dummy, event = events(name)
    assert event.trouble == "no-address"
    assert event.mac == PC
    assert event.text == (
        f"DHCPDISCOVER(eth0) {PC} no address available: not using configured address 10.77.0.11 because {why}"
    )


def test_reason_of_one_machine_is_not_told_of_the_next() -> None:
    reader = EventReader()
    reader.read("7 available DHCP subnet: 10.77.0.0/255.255.255.0", 0)
    reader.read("not using configured address 10.77.0.11 because it was previously declined", 0)
    reader.read("8 available DHCP subnet: 10.77.0.0/255.255.255.0", 0)
    reader.read("8 vendor class: PXEClient:Arch:00000:UNDI:002001", 0)
    event = reader.read(f"8 DHCPDISCOVER(eth0) {UEFI} no address available", 0)
    assert event
    assert event.text == f"DHCPDISCOVER(eth0) {UEFI} no address available"


def test_firmware_of_one_machine_is_not_taken_for_the_system_of_the_next() -> None:
    """The scripted firmwares all use one transaction number, and so do some real ones."""
    reader = EventReader()
    reader.read("7 available DHCP subnet: 10.77.0.0/255.255.255.0", 0)
    reader.read("7 vendor class: PXEClient:Arch:00000:UNDI:002001", 0)
    reader.read("7 available DHCP subnet: 10.77.0.0/255.255.255.0", 0)
    event = reader.read(f"7 DHCPDISCOVER(eth0) {UEFI} ", 0)
    assert event
    assert not event.begins_boot


def test_line_that_was_lost_on_the_way_mixes_no_machines() -> None:
    reader = EventReader()
    reader.read("7 available DHCP subnet: 10.77.0.0/255.255.255.0", 0)
    reader.read("7 vendor class: PXEClient:Arch:00000:UNDI:002001", 0)
    event = reader.read(f"8 DHCPDISCOVER(eth0) {UEFI} ", 0)
    assert event
    assert not event.begins_boot


def test_system_that_says_what_it_is_does_not_boot() -> None:
    reader = EventReader()
    reader.read("7 available DHCP subnet: 10.77.0.0/255.255.255.0", 0)
    reader.read("7 vendor class: dhcpcd-9.4.1:Linux-6.1.0-56-amd64:x86_64:GenuineIntel", 0)
    event = reader.read(f"7 DHCPDISCOVER(eth0) {PC} no address available", 0)
    assert event
    assert (event.begins_boot, event.trouble) == (False, None)


def test_declined_address() -> None:
    assert [text for trouble, text in troubles("full_declined") if trouble == "declined"] == [
        f"DHCPDECLINE(eth0) 10.77.0.11 {PC}"
    ]


def test_refused_address() -> None:
    ((trouble, text),) = troubles("full_wrong_address")
    assert trouble == "refused"
    assert text.startswith(f"DHCPNAK(eth0) 10.77.0.77 {PC} ")


def test_troubles_of_tftp() -> None:
    tree = "/run/diskless/tftp/10.77.0.11"
    assert troubles("full_tftp_troubles") == [
        ("file-missing", f"file {tree}/grub.pxe.missing not found for 10.77.0.11"),
        ("file-unreadable", f"cannot read {tree}/grub/host.cpio: Is a directory"),
        # That the transfer ended early as well is not told a second time.
        ("tftp-error", "error 3 Disk full received from 10.77.0.11"),
        ("tftp-error", "unsupported request from 10.77.0.11"),
        ("tftp-error", "unsupported request from 10.77.0.11"),
        # A name that a host has made up to look like a line about another one.
        ("file-missing", f"file {tree}/grub.pxe file /x not found for 10.77.0.11 not found for 10.77.0.11"),
        ("tftp-timeout", f"failed sending {tree}/grub/vmlinuz-6.1.0-56-amd64 to 10.77.0.11"),
    ]
    assert {event.address for event in events("full_tftp_troubles")} == {"10.77.0.11"}


def test_board_of_another_serial_number() -> None:
    """What matters is the name of the directory that it has asked for, not what it tries after that."""
    assert troubles("full_pi_wrong_serial") == [
        ("file-missing", "file /run/diskless/tftp/10.77.0.13/1000000e/start4.elf not found for 10.77.0.13")
    ]


def test_board_that_uses_no_directory() -> None:
    event = EventReader().read("file /run/diskless/tftp/10.77.0.13/start4.elf not found for 10.77.0.13", 0)
    assert event
    assert event.trouble == "file-missing"


def test_file_that_matters_is_missed_beside_those_that_do_not() -> None:
    reader = EventReader()
    for path, trouble in {
        "1000000d/config.txt": "file-missing",
        "1000000d/vmlinuz": "file-missing",
        "1000000d/vl805.sig": None,
        "grub/grub.cfg": "file-missing",
        "grub/grub.cfg-01-52-54-00-77-00-11": None,
        "grub/x86_64-efi/normal.mod": "file-missing",
        "grub/x86_64-efi/fs.lst": None,
        "revocations_sbat.efi": None,
        "grubx64.efi": "file-missing",
    }.items():
        event = reader.read(f"file /run/diskless/tftp/10.77.0.11/{path} not found for 10.77.0.11", 0)
        assert event
        assert (path, event.trouble) == (path, trouble)


@pytest.mark.parametrize("name", RECORDED)
def test_lines_without_a_transaction_number_mean_the_same(name: str) -> None:
    """As of a dnsmasq without log-dhcp; it does not tell the vendor class, so there only a proxy sees boots begin."""
    reader = EventReader()
    bare = [reader.read(line.split(" ", 1)[-1] if line[0].isdigit() else line, 1.5) for line in lines(name)]
    assert [(event.mac, event.address, event.kind) for event in bare if event] == [
        (event.mac, event.address, event.kind) for event in events(name)
    ]


def test_times_are_passed_on() -> None:
    assert {event.time for event in events("full_bios")} == {1.5}


def test_what_is_not_printable_is_shown() -> None:
    event = EventReader().read("file /run/diskless/tftp/10.77.0.11/\x1b[2J\u202e not found for 10.77.0.11", 0)
    assert event
    assert event.text == "file /run/diskless/tftp/10.77.0.11/\\x1b[2J\\u202e not found for 10.77.0.11"


def test_any_line_is_survived_in_bounded_memory() -> None:
    """Recorded lines, cut, mixed and damaged; and a reader that has seen very many addresses."""
    dice = random.Random(5)  # noqa: S311
    known = [line for name in RECORDED for line in lines(name)]
    reader = EventReader()
    for _dummy in range(20_000):
        line = dice.choice(known)
        cut = dice.randrange(len(line) + 1)
        reader.read(line[:cut] + dice.choice(["", "\0", "\ud800", "é", "\n"]) + dice.choice(known)[cut:], 0)
    for number in range(20_000):
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        reader.read(f"file /run/diskless/tftp/{address}/x/start4.elf not found for {address}", 0)
        reader.read(f"error 0 Early terminate received from {address}", 0)
    assert sum(sys.getsizeof(recent._addresses) for recent in (reader._elsewhere, reader._ended)) < 1_500_000
    reader.read("file " + "/" * 10_000_000 + " not found for 10.77.0.11", 0)
