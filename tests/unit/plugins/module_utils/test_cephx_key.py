# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys as Ceph makes them."""

from __future__ import annotations

import base64
import struct
import time

from ansible_collections.diskless.ceph.plugins.module_utils._cephx_key import generate_key


def test_key_has_cephs_encoding() -> None:
    raw = base64.b64decode(generate_key(), validate=True)
    kind, seconds, nanoseconds, length = struct.unpack("<HIIH", raw[:12])
    assert (kind, length, len(raw)) == (1, 16, 28)
    assert abs(seconds - time.time()) < 60
    assert nanoseconds < 10**9


def test_keys_differ() -> None:
    assert len({base64.b64decode(generate_key())[12:] for _key in range(100)}) == 100
