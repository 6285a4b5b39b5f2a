# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of Ceph's options: read as Ceph reads them, written as its monitors store them."""

from __future__ import annotations

import ipaddress
import math
import re
from typing import Any, Callable, Iterable
from uuid import UUID

from ansible_collections.diskless.ceph.plugins.module_utils._rbd_features import feature_bits

_INT_RANGE = (-(2**63), 2**63 - 1)
_UINT_RANGE = (0, 2**64 - 1)
_C_INT = 2**31
_MOST_VERBOSE = 99

_BOOL_NUMBER = re.compile(r"\s*[+-]?\d+")
_SI = re.compile(r"([+-]?\d+)([KMGTPE]?)")
_IEC = re.compile(r"([+-]?\d+)(?:B|([KMGTPE])i?B?)?")
_FLOAT = re.compile(r"\s*[+-]?(?:inf(?:inity)?|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)", re.IGNORECASE)
_HEX = re.compile(r"\s*[+-]?0x[0-9a-f]+", re.IGNORECASE)
_TIME = re.compile(r"\s*(\d+)\s*([A-Za-z]*)")
_VERBOSITY = re.compile(r"(\d+)(?:/(\d*))?")
_ADDRESS = re.compile(
    r"(?:(v1|v2|any):)?(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[^:/]+)|(?P<bare>[^/]+))(?P<rest>(?::\d+)?(?:/\d+)?)"
)

_UNITS = "KMGTPE"
_SECONDS = {
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "wk", "week", "weeks"), 7 * 86400),
    **dict.fromkeys(("mo", "month", "months"), 30 * 86400),
    **dict.fromkeys(("y", "yr", "year", "years"), 365 * 86400),
}


def as_text(value: Any) -> str:
    """Return a value as YAML gives it as the text that Ceph takes: true and false for a boolean.

    Raises ValueError for a list or a dict.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueError(f"expected one value, got a {type(value).__name__}")


def canonical(kind: str, text: str) -> str:
    """Return the text as the monitors store a value of this type; two texts that mean the same come out equal.

    As ``Option::parse_value`` and ``to_str`` in Ceph's src/common/options.cc. ``4GiB`` is taken for every release,
    although the older ones want it written ``4Gi`` or ``4G``. Raises ValueError saying what is expected.
    """
    reader = _READERS.get(kind)
    return text if reader is None else reader(text)


def canonical_verbosity(text: str) -> str:
    """Return the level of a ``debug_*`` option, ``5`` or ``5/20``, as Ceph stores it (src/common/config.cc)."""
    match = _VERBOSITY.fullmatch(text)
    levels = [int(level) for level in match.groups() if level] if match else []
    if not match or max(levels) > _MOST_VERBOSE:
        raise ValueError("expected N or N/M, levels between 0 and 99")
    return text if len(levels) > 1 else f"{levels[0]}/{levels[0]}"


def canonical_features(text: str) -> str:
    """Return RBD features, names or a bit mask, as the bit mask that Ceph stores (src/common/options/rbd)."""
    if text.strip().isdigit():
        return str(int(text))
    try:
        return str(feature_bits(name.strip() for name in text.split(",")))
    except ValueError as error:
        raise ValueError("expected names of RBD features, separated by commas, or their bit mask") from error


def _bool(text: str) -> str:
    if text.lower() in ("true", "false"):
        return text.lower()
    if not _BOOL_NUMBER.fullmatch(text) or not -_C_INT <= int(text) < _C_INT:
        raise ValueError("expected true or false")
    return "true" if int(text) else "false"


def _integer(text: str, limits: tuple[int, int]) -> str:
    match = _SI.fullmatch(text)
    if not match:
        raise ValueError("expected a whole number, such as 1000 or 1K")
    digits, unit = match.groups()
    return _within(int(digits) * (1000 ** (_UNITS.index(unit) + 1) if unit else 1), limits)


def _size(text: str) -> str:
    match = _IEC.fullmatch(text)
    if not match:
        raise ValueError("expected bytes, or a size such as 4G (4294967296 bytes)")
    digits, unit = match.groups()
    return _within(int(digits) << (10 * (_UNITS.index(unit) + 1) if unit else 0), _UINT_RANGE)


def _within(number: int, limits: tuple[int, int]) -> str:
    least, most = limits
    if not least <= number <= most:
        raise ValueError(f"expected a number between {least} and {most}")
    return str(number)


def _float(text: str) -> str:
    if _HEX.fullmatch(text):
        return f"{float.fromhex(text.strip()):f}"
    if not _FLOAT.fullmatch(text) or (math.isinf(float(text)) and "inf" not in text.lower()):
        raise ValueError("expected a number")
    return f"{float(text):f}"


def _seconds(text: str) -> str:
    parts = _TIME.findall(text)
    # Only the last number may go without a unit.
    units = [unit for number, unit in parts]
    if _TIME.sub("", text).strip() or "" in units[:-1] or not set(units) <= set(_SECONDS):
        raise ValueError("expected seconds, or a time such as 90s, 1h or 1d")
    return str(sum(int(number) * _SECONDS[unit] for number, unit in parts))


def _milliseconds(text: str) -> str:
    if not re.fullmatch(r"\d+", text):
        raise ValueError("expected milliseconds, a whole number")
    return str(int(text))


def _uuid(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", text):
        raise ValueError("expected a UUID")
    return str(UUID(text))


def _address(text: str) -> str:
    if text == "-":
        return text
    match = _ADDRESS.fullmatch(text)
    try:
        ip = ipaddress.ip_address((match["v6"] or match["v4"] or match["bare"]) if match else "")
    except ValueError as error:
        raise ValueError("expected an address such as 10.0.0.1, v2:10.0.0.1:3300/0 or [fd00::1]:0/0") from error
    kind = match[1] if match and match[1] in ("v1", "v2") else ""
    port, nonce = re.fullmatch(r"(?::(\d+))?(?:/(\d+))?", match["rest"]).groups() if match else (None, None)  # type: ignore[union-attr]
    host = f"[{ip}]" if ip.version == 6 else str(ip)  # noqa: PLR2004 -- IPv6
    return f"{kind}{':' if kind else ''}{host}:{port or 0}/{nonce or 0}"


def _addresses(text: str) -> str:
    if not text.startswith("[") or not re.match(r"\[v[12]:", text):
        return _address(text)
    return f"[{','.join(_address(part) for part in text[1:-1].split(','))}]"


_READERS: dict[str, Callable[[str], str]] = {
    "bool": _bool,
    "int": lambda text: _integer(text, _INT_RANGE),
    "uint": lambda text: _integer(text, _UINT_RANGE),
    "size": _size,
    "float": _float,
    "secs": _seconds,
    "millisecs": _milliseconds,
    "uuid": _uuid,
    "addr": _address,
    "addrvec": _addresses,
}


def same_address(one: str, other: str) -> bool:
    """Tell whether two canonical addresses are the same; one without v1 or v2 stands for both."""

    def parts(text: str) -> Iterable[str]:
        return text.strip("[]").split(",") if text.startswith("[v") else [text]

    first, second = list(parts(one)), list(parts(other))
    return len(first) == len(second) and all(map(_same_entity, first, second))


def _same_entity(one: str, other: str) -> bool:
    typed = [re.match(r"v[12]:", text) for text in (one, other)]
    return one == other if all(typed) else re.sub(r"^v[12]:", "", one) == re.sub(r"^v[12]:", "", other)
