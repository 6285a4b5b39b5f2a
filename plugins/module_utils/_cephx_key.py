# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make cephx keys, as ``ceph-authtool --gen-print-key`` does, and read what they say about themselves."""

from __future__ import annotations

import base64
import hashlib
import os
import struct
import time
from dataclasses import dataclass

_HEADER = "<HIIH"
_HEADER_BYTES = struct.calcsize(_HEADER)
_KINDS = {"aes": (1, 16), "aes256k": (2, 32)}  # number, bytes of the secret

KEY_TYPES = tuple(_KINDS)


@dataclass(frozen=True)
class KeyHeader:
    """What a key says about itself: its type, and when it was created in seconds since 1970; 0 if it does not say."""

    key_type: str
    created: int


def generate_key(key_type: str = "aes") -> str:
    """Return a new key in Ceph's text form.

    Base64 of CryptoKey's encoding (src/auth/Crypto.cc): type, creation time, length, secret. Making keys here lets
    one ``auth import`` create a thousand users; ``auth get-or-create`` would be a thousand commands.
    """
    number, size = _KINDS[key_type]
    created = time.time_ns()
    header = struct.pack(_HEADER, number, created // 10**9, created % 10**9, size)
    return base64.b64encode(header + os.urandom(size)).decode()


def read_header(key: str) -> KeyHeader:
    """Return what a key says about itself; one that cannot be read is of type unknown and without a date."""
    try:
        number, created, _nanoseconds, _size = struct.unpack(_HEADER, base64.b64decode(key)[:_HEADER_BYTES])
    except (ValueError, struct.error):
        return KeyHeader("unknown", 0)
    names = {known: name for name, (known, _size) in _KINDS.items()}
    return KeyHeader(names.get(number, "unknown"), created)


def fingerprint(key: str) -> str:
    """Return 16 hexadecimal digits that tell one key from another and give nothing of it away.

    The first of the SHA-256 of its text form: two places that should have the same key can be compared.
    """
    return hashlib.sha256(key.strip().encode()).hexdigest()[:16]
