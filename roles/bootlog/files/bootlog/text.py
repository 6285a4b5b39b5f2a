# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from the wire, made safe to show on a terminal."""

from __future__ import annotations

import re

_ESCAPED = re.compile(rb"\\x([0-9a-fA-F]{2})")


def decode(raw: bytes) -> str:
    r"""Return the text of a message: ``\xNN`` undone, UTF-8 where it is, and safe as ``shown`` makes it.

    The kernel escapes whatever is not printable ASCII, and the backslash itself (kernel/printk/printk.c).
    """
    if b"\\" in raw:
        raw = _ESCAPED.sub(_unescape, raw)
    text = raw.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else shown(text)


def shown(text: str) -> str:
    r"""Return the text with everything that is not printable written as ``\xNN`` or ``\uNNNN``.

    That is control characters, and in Unicode also what reverses the direction of text, and lone surrogates. A tab
    becomes a blank. Line feeds between lines stay, the only control character that may be left: callers make them
    lines.
    """
    return "".join(map(_shown, text.rstrip("\r\n")))


def _unescape(match: re.Match[bytes]) -> bytes:
    return bytes((int(match[1], 16),))


def _shown(character: str) -> str:
    if character.isprintable() or character == "\n":
        return character
    if character == "\t":
        return " "
    code = ord(character)
    if code < 0x100:  # noqa: PLR2004  # two digits are enough
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004
