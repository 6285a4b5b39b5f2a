# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of values in the Pi bootloader's configuration: how one is written, and when two mean the same. No I/O."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any, Hashable

_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|-?(?:0|[1-9]\d*)")
_MAC = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}")
# What stands in one line and is neither cut off nor taken for something else.
_PRINTABLE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
WORD_MAXIMUM = 0xFFFFFFFF


class Kind:
    """What a key expects: anything that fits into a line."""

    expected = "printable ASCII characters, not empty"

    def render(self, value: Any) -> str:
        """Return how the value, text or number, is written; raises ValueError with what is expected instead."""
        if value == "":
            raise ValueError("empty; to remove the key, set it to null")
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise ValueError(f"expected {self.expected}")
        text = value if isinstance(value, str) else self._spell(value)
        if not _PRINTABLE.fullmatch(text) or not self._fits(text):
            raise ValueError(f"expected {self.expected}")
        return text

    def meaning(self, text: str) -> Hashable:
        """Return what compares equal if and only if two values mean the same; any text will do."""
        return text

    def _spell(self, number: int) -> str:
        return str(number)

    def _fits(self, text: str) -> bool:
        return True


class Unknown(Kind):
    """A key that is not documented: numbers compare as numbers."""

    def meaning(self, text: str) -> Hashable:
        """Return the number, or the text if it is none."""
        number = parse_number(text)
        return text if number is None else number


@dataclass(frozen=True)
class Number(Kind):
    """A number, decimal or with 0x; ``unit`` is for messages."""

    minimum: int
    maximum: int = 0x7FFFFFFF
    unit: str = ""
    hexadecimal: bool = False

    @property
    def expected(self) -> str:  # type: ignore[override]
        """What is expected, for messages."""
        if self.maximum == self.minimum + 1:
            numbers = f"{self.minimum} or {self.maximum}"
        elif self.maximum in (0x7FFFFFFF, WORD_MAXIMUM):
            numbers = f"a number, at least {self.minimum}"
        else:
            numbers = f"a number from {self.minimum} to {self.maximum}"
        return f"{numbers} ({self.unit})" if self.unit else numbers

    def meaning(self, text: str) -> Hashable:
        """Return the number, or the text if it is none."""
        number = parse_number(text)
        return text if number is None else number

    def _spell(self, number: int) -> str:
        return f"{number:#x}" if self.hexadecimal else str(number)

    def _fits(self, text: str) -> bool:
        number = parse_number(text)
        return number is not None and self.minimum <= number <= self.maximum


@dataclass(frozen=True)
class Choice(Kind):
    """One of several numbers."""

    numbers: tuple[int, ...]

    @property
    def expected(self) -> str:  # type: ignore[override]
        """What is expected, for messages."""
        return f"one of {', '.join(map(str, self.numbers))}"

    def meaning(self, text: str) -> Hashable:
        """Return the number, or the text if it is none."""
        number = parse_number(text)
        return text if number is None else number

    def _fits(self, text: str) -> bool:
        return parse_number(text) in self.numbers


@dataclass(frozen=True)
class Text(Kind):
    """Text that matches a pattern as a whole."""

    pattern: str
    expected: str

    def _fits(self, text: str) -> bool:
        return re.fullmatch(self.pattern, text) is not None


class CaseInsensitive(Text):
    """Hexadecimal text, whose case means nothing."""

    def meaning(self, text: str) -> Hashable:
        """Return the text in lower case."""
        return text.lower()


class Address(Kind):
    """An IPv4 address."""

    expected = "an IPv4 address such as 192.168.1.99"

    def _fits(self, text: str) -> bool:
        return parse_address(text) is not None


class Netmask(Kind):
    """An IPv4 netmask."""

    expected = "a netmask such as 255.255.255.0"

    def _fits(self, text: str) -> bool:
        address = parse_address(text)
        if address is None:
            return False
        host_bits = ~int(address) & WORD_MAXIMUM
        return int(address) != 0 and host_bits & (host_bits + 1) == 0


class Mac(Kind):
    """An Ethernet address."""

    expected = "a MAC address such as dc:a6:32:01:36:c2, in quotes"

    def meaning(self, text: str) -> Hashable:
        """Return the address in lower case."""
        return text.lower()

    def _fits(self, text: str) -> bool:
        return is_mac(text)


def parse_number(text: str) -> int | None:
    """Return a decimal number, or a hexadecimal one with 0x; None if it is neither."""
    return int(text, 0) if _NUMBER.fullmatch(text) else None


def parse_address(text: str) -> ipaddress.IPv4Address | None:
    """Return an IPv4 address in dotted decimals, or None if it is none."""
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        return None


def is_mac(text: str) -> bool:
    """Tell whether this is a MAC address with colons."""
    return _MAC.fullmatch(text) is not None
