# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values in diskless_power: one function per kind turns what the user wrote into what a driver uses.

A function that cannot raises C(Unacceptable), whose text says what is expected.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from ansible.module_utils.parsing.convert_bool import boolean

from ._host_values import Unacceptable

# IPMI 2.0, 22.30 Set User Password.
IPMI_PASSWORD = 20
# What most programs, timeout(1) and every shell end with when they could not do what they were asked to.
EXITS_OF_ERRORS = (1, 124, 125, 126, 127, 137)
LARGEST_EXIT = 255
LARGEST_PORT = 65535

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:_-]*[A-Za-z0-9])?")
_SYSTEM = re.compile(r"(/[A-Za-z0-9._~:-]+)+")


def text(value: object) -> str:
    """A text that is not empty, on one line."""
    if not isinstance(value, str) or not value or not value.isprintable():
        raise Unacceptable("a text of one line")
    return str(value)


def password(value: object) -> str:
    """A secret, which is never shown."""
    hidden = None if value is None else "a value that is not shown here"
    if isinstance(value, (int, float)):
        raise Unacceptable("a password in quotes; YAML has read it as a number or as true or false", hidden)
    if not isinstance(value, str) or not value or not value.isprintable():
        raise Unacceptable("a password of one line", hidden)
    return str(value)


def ipmi_password(value: object) -> str:
    """A secret that IPMI can carry."""
    secret = password(value)
    if len(secret.encode()) > IPMI_PASSWORD:
        raise Unacceptable(f"a password of at most {IPMI_PASSWORD} bytes, which is what IPMI takes", "longer")
    return secret


def optional_secret(value: object) -> str:
    """A secret of any number of lines, or none."""
    if not isinstance(value, str):
        raise Unacceptable("a text", "a value that is not shown here")
    return str(value)


def machine(value: object) -> str:
    """A name or an address of a machine, which a program does not take for an option."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Unacceptable("a host name or an IP address such as 192.0.2.20")
    return str(value)


def broadcast(value: object) -> str:
    """The IPv4 address that a magic packet goes to."""
    expected = "an IPv4 address, such as the broadcast address of the host's network"
    if not isinstance(value, str):
        raise Unacceptable(expected)
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise Unacceptable(expected) from None


def url(value: object) -> str:
    """Scheme, host and port of a web service, without a slash at the end."""
    expected = "the root of a web service such as https://bmc.example.org"
    if not isinstance(value, str):
        raise Unacceptable(expected)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise Unacceptable(expected) from None
    if "@" in parts.netloc:
        raise Unacceptable(f"{expected}, with user and password in keys of their own", "one with a user in it")
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or parts.query or parts.fragment:
        raise Unacceptable(expected)
    if parts.path not in ("", "/"):
        raise Unacceptable(f"{expected}, without a path")
    return f"{parts.scheme}://{parts.netloc}"


def path_of_system(value: object) -> str:
    """The path of a Redfish system; empty for the only one that there is."""
    if value == "":
        return ""
    if not isinstance(value, str) or not _SYSTEM.fullmatch(value):
        raise Unacceptable("the path of a system such as /redfish/v1/Systems/1")
    return str(value)


def path(value: object) -> str:
    """A file on the machine that asks; empty for none."""
    if not isinstance(value, str) or (value and not value.startswith("/")):
        raise Unacceptable("an absolute path")
    return str(value)


def flag(value: object) -> bool:
    """A boolean, also as the text that a variable from the command line is."""
    try:
        return bool(boolean(value))
    except TypeError:
        raise Unacceptable("true or false") from None


def whole(value: object, smallest: int, largest: int, what: str) -> int:
    """A whole number, also as text."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not smallest <= value <= largest:
        raise Unacceptable(f"{what}, a whole number from {smallest} to {largest}")
    return int(value)


def node(value: object) -> int:
    """A slot of a Turing Pi 2."""
    return whole(value, 1, 4, "the number of a slot")


def port(value: object) -> int:
    """A port of UDP."""
    return whole(value, 1, LARGEST_PORT, "a port")


def timeout(value: object) -> int:
    """Seconds for a change of power."""
    return whole(value, 1, 3600, "seconds")


def pause(value: object) -> int:
    """Seconds without power."""
    return whole(value, 0, 600, "seconds")


def interface(value: object) -> str:
    """How ipmitool talks to a BMC."""
    if value not in ("lanplus", "lan"):
        raise Unacceptable("lanplus, or lan for a BMC of before 2004")
    return str(value)


def cipher_suite(value: object) -> int | None:
    """A cipher suite of IPMI 2.0; None is what ipmitool chooses."""
    if value is None:
        return None
    # Suite 0 asks for no password at all.
    return whole(value, 1, 17, "a cipher suite")


def words(value: object) -> tuple[str, ...]:
    """The words of a command."""
    expected = "a list of words, the program first, such as [pdu, status, '{host}']"
    if not isinstance(value, (list, tuple)) or not value:
        raise Unacceptable(expected)
    if not all(isinstance(word, str) for word in value):
        raise Unacceptable(
            f"{expected}, with quotes around what is no text for YAML", "a list with something else in it"
        )
    if not value[0]:
        raise Unacceptable(expected)
    return tuple(str(word) for word in value)


def pattern(value: object) -> str | None:
    """A regular expression; None for none."""
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise Unacceptable("a regular expression")
    try:
        matches_nothing = re.search(value, "")
    except re.error as error:
        raise Unacceptable(f"a regular expression ({error})") from None
    if matches_nothing:
        raise Unacceptable("a regular expression that an empty output does not match")
    return str(value)


def exit_status(value: object) -> int | None:
    """An exit status that means on or off; None for none."""
    if value is None:
        return None
    status = whole(value, 0, LARGEST_EXIT, "an exit status")
    if status in EXITS_OF_ERRORS:
        raise Unacceptable(
            f"another exit status than {status}: programs that fail end with it, and a failure is no state"
        )
    return status
