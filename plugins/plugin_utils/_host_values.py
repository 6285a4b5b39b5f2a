# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of diskless_* variables: one function per kind turns what the user wrote into what the collection uses.

A function that cannot raises C(Unacceptable), whose text says what is expected.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils._rbd_features import SELECTABLE, feature_problems, parse_kernel
from ..module_utils._rbd_size import parse_size

try:
    import netaddr
except ImportError as error:
    NETADDR_IMPORT_ERROR: ImportError | None = error  # reported by whoever is about to use the library
else:
    NETADDR_IMPORT_ERROR = None

MEBIBYTE = 1024**2
MAC_DIGITS = 12
MINIMUM_ROOT_SIZE = 1024**3
MS_MODES = ("legacy", "crc", "secure", "prefer-crc", "prefer-secure")

SERIAL = 'a quoted serial number of 8 or 16 hexadecimal digits such as "10000000abcd1234"'
SERIAL_DIGITS = 8
# The firmware ignores the rest of a longer line.
CONFIG_TXT_LINE = 98
# What would boot something else than kernel.txt names, or nothing.
RESERVED_CONFIG_TXT = (
    *("kernel", "kernel_address", "kernel_old", "initramfs", "ramfsfile", "ramfsaddr", "auto_initramfs"),
    *("device_tree", "device_tree_address", "device_tree_end", "cmdline", "include", "os_prefix", "upstream_kernel"),
    *("start_file", "fixup_file", "arm_64bit", "arm_control", "boot_ramdisk", "tryboot_a_b"),
)
# The string that the module netconsole takes is limited, too.
NETCONSOLE_TARGETS = 4
NETCONSOLE_PORT = 6666
OTHER_FIRMWARE = ("start_x", "start_debug", "start_cd")
RESERVED_KERNEL_OPTIONS = ("root", "rootfstype", "ro", "rw", "initrd", "console")

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SEPARATOR = re.compile(r"[:.-]")
_POOL = re.compile(r"[A-Za-z0-9_.-]+")
_WORD = re.compile(r"[!-~]+")
_SERIAL = re.compile(r"[0-9A-Fa-f]{8}|[0-9A-Fa-f]{16}")
_SETTING = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(:\d)?=(?P<value>[ -~]*)")
_CONSOLE = re.compile(r"[A-Za-z0-9]+(,[A-Za-z0-9]+)?")
_MONITOR = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<v4>[0-9.]+)):(?P<port>[1-9]\d{0,4})")
_NETCONSOLE = re.compile(
    r"(?:\[(?P<bracketed>[0-9A-Fa-f:.]+)\]|(?P<v4>[0-9.]+))(?::(?P<port>[1-9]\d{0,4}))?|(?P<v6>[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)"
)
_CEPHX_KEY = re.compile(r"\bA[Qg][A-Za-z0-9+/]{36,}={0,2}")
_SECRET_NAME = re.compile(r"(^|[._-])(key|secret|token|passwd|password|passphrase)=", re.IGNORECASE)


class Unacceptable(ValueError):
    """The value cannot be used.

    expected: what would be accepted instead.
    shown: the value as it may be shown to the user; None for the value itself.
    """

    def __init__(self, expected: str, shown: str | None = None) -> None:
        super().__init__(expected)
        self.expected = expected
        self.shown = shown


def netaddr_missing() -> str | None:
    """What to tell the user when netaddr is not there."""
    if NETADDR_IMPORT_ERROR is None:
        return None
    return (
        f"diskless.ceph needs the Python library netaddr on the controller ({NETADDR_IMPORT_ERROR})."
        f" Install it for {sys.executable}: '{sys.executable} -m pip install netaddr' or the package python3-netaddr."
    )


def host_name(value: object) -> str:
    """A host name that is one label of RFC 1123, in lower case as DNS, Ceph and paths are compared."""
    if not isinstance(value, str) or not _LABEL.fullmatch(value):
        raise Unacceptable(
            "an inventory name of 1 to 63 lower-case letters, digits and inner hyphens"
            " (it becomes host name, directory and cephx user; the address to log in at belongs in ansible_host)"
        )
    return str(value)


def mac(value: object) -> str:
    """A MAC address in lower case with colons."""
    expected = 'a quoted MAC address such as "52:54:00:77:00:11"'
    if isinstance(value, int):
        raise Unacceptable(expected + "; YAML has read it as a base-60 number because the quotes are missing")
    # netaddr fills up what is missing: 52:54:00 would be 00:00:00:52:54:00.
    if not isinstance(value, str) or len(_SEPARATOR.sub("", value)) != MAC_DIGITS:
        raise Unacceptable(expected)
    try:
        parsed = netaddr.EUI(value, version=48, dialect=netaddr.mac_unix_expanded)
    except (netaddr.AddrFormatError, ValueError):
        raise Unacceptable(expected) from None
    if int(parsed) == 0 or int(parsed) >> 40 & 1:
        raise Unacceptable(expected + " of one network card, not of a group and not all zero")
    return str(parsed)


def serial(value: object) -> str | None:
    """The serial number of a Raspberry Pi as its firmware writes it in the path of files: the last 8 digits.

    An empty string, which templates produce, means none.
    """
    if value == "":
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise Unacceptable(SERIAL + "; YAML has read it as a number because the quotes are missing")
    if not isinstance(value, str) or not _SERIAL.fullmatch(value):
        raise Unacceptable(SERIAL)
    digits = value[-SERIAL_DIGITS:].lower()
    if not digits.strip("0"):
        raise Unacceptable(SERIAL + " of one board, not all zero")
    return digits


def config_txt(value: object) -> tuple[str, ...]:
    """Lines for config.txt of a Raspberry Pi.

    https://www.raspberrypi.com/documentation/computers/config_txt.html
    """
    expected = 'a list of lines such as ["dtparam=watchdog=on"]'
    lines: list[str] = []
    for line in _list(value, expected):
        if not isinstance(line, str):
            raise Unacceptable(expected)
        shown = f"a list with {line!r}"
        if len(line) > CONFIG_TXT_LINE:
            raise Unacceptable(f"lines of at most {CONFIG_TXT_LINE} characters: the firmware ignores the rest", shown)
        found = _SETTING.fullmatch(line)
        if not found:
            raise Unacceptable(
                "lines of the form name=value, in printable ASCII, and neither sections nor include", shown
            )
        name, setting = found["name"], found["value"].strip()
        if name in RESERVED_CONFIG_TXT:
            raise Unacceptable(f"lines without {name}, because the collection decides what is booted", shown)
        if (name in OTHER_FIRMWARE and setting not in ("", "0")) or (name.startswith("gpu_mem") and setting == "16"):
            raise Unacceptable(f"lines without {line}, which asks for another firmware than start4.elf", shown)
        lines.append(str(line))
    return tuple(lines)


def interface(value: object) -> netaddr.IPNetwork:
    """An IPv4 address with its prefix length."""
    expected = "an IPv4 address with prefix length such as 10.77.0.11/24"
    if not isinstance(value, str) or "/" not in value:
        raise Unacceptable(expected)
    try:
        parsed = netaddr.IPNetwork(value, version=4)
    except (netaddr.AddrFormatError, ValueError):
        raise Unacceptable(expected) from None
    if str(parsed.ip) != value.partition("/")[0]:
        raise Unacceptable(expected)
    return parsed


def network(value: object) -> netaddr.IPNetwork:
    """An IPv4 network with room for a boot server and a host."""
    try:
        parsed = interface(value)
    except Unacceptable:
        raise Unacceptable("an IPv4 network such as 10.77.0.0/24") from None
    if parsed.ip != parsed.network:
        raise Unacceptable(f"an IPv4 network; the one of this address is {parsed.cidr}")
    if parsed.prefixlen > 30:  # noqa: PLR2004
        raise Unacceptable("an IPv4 network of at least four addresses (/30 or shorter)")
    return parsed


def ipv4(value: object) -> netaddr.IPAddress:
    """An IPv4 address."""
    return _address(value, 4, "an IPv4 address such as 10.77.0.3")


def gateway(value: object) -> netaddr.IPAddress | None:
    """An IPv4 address; an empty string, which templates produce, means none."""
    return None if value == "" else ipv4(value)


def nameservers(value: object) -> tuple[str, ...]:
    """IP addresses of DNS servers."""
    expected = "a list of IP addresses such as [10.77.0.1]"
    return tuple(str(_address(item, None, expected)) for item in _list(value, expected))


def pool(value: object) -> str:
    """A Ceph pool name that needs no quoting in an image specification."""
    if not isinstance(value, str) or not _POOL.fullmatch(value):
        raise Unacceptable("a pool name of letters, digits, dots, hyphens and underscores")
    return str(value)


def root_size(value: object) -> int:
    """Bytes."""
    expected = "a size in bytes or such as 32GiB, at least 1GiB and a whole number of MiB"
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise Unacceptable(expected)
    try:
        size = parse_size(str(value))
    except ValueError:
        raise Unacceptable(expected) from None
    if size < MINIMUM_ROOT_SIZE or size % MEBIBYTE:
        raise Unacceptable(expected)
    return size


def features(value: object) -> tuple[str, ...]:
    """RBD features of a clone."""
    expected = f"a list of RBD features ({', '.join(SELECTABLE)})"
    wanted = tuple(dict.fromkeys(str(item) for item in _list(value, expected)))
    problems = feature_problems(wanted)
    if problems:
        raise Unacceptable(f"{expected}: {'; '.join(problems)}")
    if "layering" not in wanted:
        raise Unacceptable("a list with layering, because a root image is a clone")
    return wanted


def kernel(value: object) -> str:
    """Major and minor version of a kernel."""
    expected = 'a quoted kernel version such as "6.1" (without quotes, YAML reads 6.10 as the number 6.1)'
    if not isinstance(value, str):
        raise Unacceptable(expected)
    try:
        return "{}.{}".format(*parse_kernel(value))
    except ValueError:
        raise Unacceptable(expected) from None


def monitors(value: object) -> tuple[str, ...]:
    """Addresses with ports. No names: the initramfs maps the root before it has a resolver."""
    expected = 'a list of monitor addresses with port such as ["10.77.0.1:3300", "[2001:db8::1]:3300"]'
    return tuple(_monitor(item, expected) for item in _list(value, expected))


def ms_mode(value: object) -> str:
    """A value of the kernel client's option ms_mode."""
    if value not in MS_MODES:
        raise Unacceptable(f"one of {', '.join(MS_MODES)}")
    return str(value)


def kernel_options(value: object) -> tuple[str, ...]:
    """Words for the kernel command line, which every user of the host can read in /proc/cmdline."""
    expected = "a list of words without whitespace, quotes and backslashes"
    words: list[str] = []
    for number, word in enumerate(_list(value, expected), start=1):
        if not isinstance(word, str):
            raise Unacceptable(expected)
        if _CEPHX_KEY.search(word) or _SECRET_NAME.search(word):
            raise Unacceptable(
                "no secret, because every user of the host can read /proc/cmdline",
                shown=f"a list whose word {number} looks like a secret",
            )
        if not _WORD.fullmatch(word) or set(word) & set("\\'\""):
            raise Unacceptable(expected)
        if word.partition("=")[0] in RESERVED_KERNEL_OPTIONS:
            hint = " (use diskless_console)" if word.startswith("console=") else ""
            raise Unacceptable(f"a list without {word.partition('=')[0]}, which the collection sets itself{hint}")
        words.append(str(word))
    return tuple(words)


def console(value: object) -> tuple[str, ...]:
    """Values of console=, the last of which becomes /dev/console."""
    expected = 'a list of consoles such as ["tty0", "ttyS0,115200"]'
    words = [value] if isinstance(value, str) else _list(value, expected)
    if not words or not all(isinstance(word, str) and _CONSOLE.fullmatch(word) for word in words):
        raise Unacceptable(expected)
    return tuple(str(word) for word in words)


def netconsole(value: object) -> tuple[str, ...]:
    """Where the kernel log goes: addresses with ports, canonical, each once."""
    expected = 'a list of targets such as ["10.77.0.3", "10.77.0.3:6666", "[2001:db8::1]:6666"]'
    targets = tuple(dict.fromkeys(_netconsole_target(item, expected) for item in _list(value, expected)))
    if len(targets) > NETCONSOLE_TARGETS:
        raise Unacceptable(f"at most {NETCONSOLE_TARGETS} targets")
    return targets


def netconsole_address(target: str) -> netaddr.IPAddress:
    """The address of a target as C(netconsole) returns it."""
    return netaddr.IPAddress(target.rpartition(":")[0].strip("[]"))


def flag(value: object) -> bool:
    """A boolean, also as the text that a variable from the command line is."""
    try:
        return bool(boolean(value))
    except TypeError:
        raise Unacceptable("true or false") from None


def seconds(value: object) -> int:
    """A positive whole number."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Unacceptable("a whole number of seconds, 1 at least")
    return int(value)


def monitor_in_network(monitor: str, boot_network: str) -> bool:
    """Whether a monitor, given with its port, has an address in the network."""
    return netaddr.IPAddress(monitor.rpartition(":")[0].strip("[]")) in netaddr.IPNetwork(boot_network)


def _list(value: object, expected: str) -> Sequence[object]:
    if not isinstance(value, (list, tuple)):
        raise Unacceptable(expected)
    return value


def _address(value: object, version: int | None, expected: str) -> netaddr.IPAddress:
    if not isinstance(value, str):
        raise Unacceptable(expected)
    try:
        parsed = netaddr.IPAddress(value)
    except (netaddr.AddrFormatError, ValueError):
        raise Unacceptable(expected) from None
    if version not in (None, parsed.version) or (parsed.version == 4 and str(parsed) != value):  # noqa: PLR2004
        raise Unacceptable(expected)
    return parsed


def _monitor(value: object, expected: str) -> str:
    found = _MONITOR.fullmatch(value) if isinstance(value, str) else None
    if not found or int(found["port"]) > 65535:  # noqa: PLR2004
        raise Unacceptable(expected)
    address = _address(found["v4"] or found["v6"], 4 if found["v4"] else 6, expected)
    return f"{address}:{found['port']}" if found["v4"] else f"[{address}]:{found['port']}"


def _netconsole_target(value: object, expected: str) -> str:
    found = _NETCONSOLE.fullmatch(value) if isinstance(value, str) else None
    port = int(found["port"] or NETCONSOLE_PORT) if found else 0
    if not found or not 0 < port <= 65535:  # noqa: PLR2004
        raise Unacceptable(expected)
    address = _address(found["v4"] or found["bracketed"] or found["v6"], 4 if found["v4"] else 6, expected)
    if address.is_multicast() or address.is_loopback() or int(address) in (0, 2**32 - 1):
        raise Unacceptable(f"{expected}, each the address of one host")
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"  # noqa: PLR2004
