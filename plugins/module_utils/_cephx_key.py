# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make cephx keys, as ``ceph-authtool --gen-print-key`` does."""

from __future__ import annotations

import base64
import os
import struct
import time

_AES = 1
_SECRET_BYTES = 16


def generate_key() -> str:
    """Return a new AES key in Ceph's text form.

    Base64 of CryptoKey's encoding (src/auth/Crypto.cc): type, creation time, length, secret. Making keys here lets
    one ``auth import`` create a thousand users; ``auth get-or-create`` would be a thousand commands.
    """
    created = time.time_ns()
    header = struct.pack("<HIIH", _AES, created // 10**9, created % 10**9, _SECRET_BYTES)
    return base64.b64encode(header + os.urandom(_SECRET_BYTES)).decode()
