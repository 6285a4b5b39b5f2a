# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemctl prints."""

from __future__ import annotations

from ansible_collections.diskless.ceph.plugins.module_utils._systemd_units import parse_failed, parse_units, show

# systemd 252, of a unit that runs, one that has failed, one that is not there and one that is masked.
SHOWN = """\
Id=diskless-dnsmasq.service
LoadState=loaded
ActiveState=active

Id=nfs-ganesha.service
LoadState=loaded
ActiveState=failed

Id=diskless-cephfs.service
LoadState=not-found
ActiveState=inactive

Id=keepalived.service
LoadState=masked
ActiveState=inactive
"""
FAILED = """\
systemd-networkd-wait-online.service loaded failed failed Wait for Network to be Configured
data.mount                           loaded failed failed /data
"""


def test_units_are_asked_for_in_one_call() -> None:
    assert show(["a.service", "b.mount"])[-3:] == ["--", "a.service", "b.mount"]


def test_states_of_units() -> None:
    assert parse_units(SHOWN) == {
        "diskless-dnsmasq.service": "active",
        "nfs-ganesha.service": "failed",
        "diskless-cephfs.service": "not-found",
        "keepalived.service": "masked",
    }


def test_garbage_is_no_unit() -> None:
    assert parse_units("") == {}
    assert parse_units("Failed to connect to bus\n\nLoadState=loaded\n") == {}


def test_failed_units() -> None:
    assert parse_failed(FAILED) == ["data.mount", "systemd-networkd-wait-online.service"]
    assert parse_failed("") == []
