# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded or faithfully written CephFS clients of kernels, see tests/fixtures/cephfs_mount/README.md."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client import Client
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client_reader import read_clients
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mountinfo import CephfsMount, parse_mountinfo

FIXTURES = Path(__file__).parents[3] / "fixtures" / "cephfs_mount"
FSID = "4f1e9a30-7c5e-4f0e-8a56-0e8d3c1f2b11"


def mounts(name: str) -> list[CephfsMount]:
    return parse_mountinfo((FIXTURES / name / "mountinfo").read_text(encoding="utf-8"))


def clients(name: str) -> list[Client]:
    return read_clients(10, str(FIXTURES / name / "debug"))
