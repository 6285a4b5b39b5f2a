# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys as Ceph makes them."""

from __future__ import annotations

import base64
import struct
import time

from ansible_collections.diskless.ceph.plugins.module_utils._cephx_key import (
    KeyHeader,
    fingerprint,
    generate_key,
    read_header,
)


def test_key_has_cephs_encoding() -> None:
    raw = base64.b64decode(generate_key(), validate=True)
    kind, seconds, nanoseconds, length = struct.unpack("<HIIH", raw[:12])
    assert (kind, length, len(raw)) == (1, 16, 28)
    assert abs(seconds - time.time()) < 60
    assert nanoseconds < 10**9


def test_key_of_ceph_20() -> None:
    key = generate_key("aes256k")
    kind, _seconds, _nanoseconds, length = struct.unpack("<HIIH", base64.b64decode(key)[:12])
    assert (kind, length, len(key), key[:2]) == (2, 32, 60, "Ag")


def test_key_says_what_it_is() -> None:
    # What Ceph 16 made at that time.
    assert read_header("AQCFKABrRsI8KBAA5GDynI0PROa8vPykAad8cA==") == KeyHeader("aes", 0x6B002885)
    assert read_header(generate_key("aes256k")).key_type == "aes256k"
    assert read_header("none") == read_header("?") == KeyHeader("unknown", 0)


def test_keys_differ() -> None:
    assert len({base64.b64decode(generate_key())[12:] for _key in range(100)}) == 100


def test_fingerprint_is_that_of_the_text() -> None:
    # printf %s KEY | sha256sum | cut -c 1-16
    assert fingerprint("AQCFKABrRsI8KBAA5GDynI0PROa8vPykAad8cA==\n") == "0aa13f4515838ec1"
