# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signatures of evicted, blocklisted and fenced clients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_log_signatures import SIGNATURES
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_ceph_clients import Device, Mount
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log import KernelLine
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log_findings import ceph_clients, find_incidents

FSID = "4f1e9a30-7c5e-4f0e-8a56-0e8d3c1f2b11"
OTHER = "00000000-7c5e-4f0e-8a56-0e8d3c1f2b11"
# One cluster in the older mount syntax, whose fsid only the log tells, and another in the newer one.
HOME = Mount("/home", None, frozenset({"10.0.0.1:6789"}))
OTHER_MOUNT = Mount("/mnt", OTHER, frozenset({"10.9.0.1:3300"}))
ROOT = Device("rbd0", "diskless/pi3/root", FSID, "4137", ("/",))


def found(*texts: str, mounts: tuple[Mount, ...] = (), devices: tuple[Device, ...] = ()) -> list[dict[str, Any]]:
    lines = [KernelLine(text, time=1000.0 + number, uptime=float(number)) for number, text in enumerate(texts)]
    return find_incidents(lines, mounts, devices)


@pytest.mark.parametrize("prefix", ["", f"[{FSID} 4137]: "])
@pytest.mark.parametrize(
    ("text", "signature", "incident", "subject"),
    [
        ("mds0 closed our session", "session_closed", "evicted", "mds0"),
        ("mds1 reconnect denied", "reconnect_denied", "evicted", "mds1"),
        ("mds0 rejected session", "session_rejected", "rejected", "mds0"),
        ("mds0 caps stale", "caps_stale", "caps_stale", "mds0"),
        ("mds0 caps went stale, renewing", "caps_stale", "caps_stale", "mds0"),
        ("mds0 caps still stale", "caps_stale", "caps_stale", "mds0"),
        ("mds0 hung", "mds_hung", "mds_unresponsive", "mds0"),
        ("get_quota_realm: ino (10000000000.fffffffffffffffe) null i_snap_realm", "null_snap_realm", "evicted", None),
        ("00000000a9c4e2f1 1.fffffffffffffffe null i_snap_realm", "null_snap_realm", "evicted", None),
        (" dropping dirty Fw state for 00000000a9c4e2f1 1099935956631", "data_dropped", "data_lost", None),
        (" dropping dirty+flushing Fx state for 0000000064778286 2199046848012", "data_dropped", "data_lost", None),
        (" dropping unsafe request 1106187", "data_dropped", "data_lost", None),
        (" dropping file locks for 0000000064778286 2199046848012", "file_locks_dropped", "data_lost", None),
        ("auto reconnect after blacklisted", "auto_reconnect", "blocklisted", None),
        ("auto reconnect after blocklisted", "auto_reconnect", "blocklisted", None),
        ("client is blacklisted", "blocklisted", "blocklisted", None),
        ("client is blocklisted", "blocklisted", "blocklisted", None),
    ],
)
def test_cephfs_lines_with_and_without_the_prefix_of_newer_kernels(
    prefix: str, text: str, signature: str, incident: str, subject: str | None
) -> None:
    (finding,) = found(f"ceph: {prefix}{text}")
    assert (finding["signature"], finding["incident"], finding["subject"]) == (signature, incident, subject)
    assert (finding["fsid"], finding["client"]) == ((FSID, "client.4137") if prefix else (None, None))
    assert finding["sample"] == f"ceph: {prefix}{text}"


@pytest.mark.parametrize(
    ("text", "signature", "incident", "subject"),
    [
        ("rbd: rbd0: breaking header lock owned by client4195", "lock_broken", "lock_broken", "rbd0"),
        ("rbd: rbd0: breaking object map lock owned by client4195", "lock_broken", "lock_broken", "rbd0"),
        ("rbd: rbd0: client4195 seems dead, breaking lock", "lock_broken", "lock_broken", "rbd0"),
        ("rbd: image root: breaking header lock owned by client4195", "lock_broken", "lock_broken", "root"),
        ("rbd: rbd0: blacklist of client4195 failed: -13", "blocklist_refused", "lock_not_broken", "rbd0"),
        ("rbd: rbd0: blocklist of client4195 failed: -13", "blocklist_refused", "lock_not_broken", "rbd0"),
        ("rbd: rbd0: encountered watch error: -107", "watch_lost", "session_lost", "rbd0"),
        ("rbd: rbd0: failed to reregister watch: -108", "watch_refused", "fenced", "rbd0"),
        ("rbd: rbd0: write at objno 12 0~4096 result -108", "watch_refused", "fenced", "rbd0"),
        ("rbd: rbd0: failed to acquire lock: -108", "watch_refused", "fenced", "rbd0"),
        ("blk_update_request: I/O error, dev rbd0, sector 2048 op 0x1:(WRITE)", "device_io_error", "io_error", "rbd0"),
        ("Buffer I/O error on dev rbd0, logical block 1, lost sync page write", "device_io_error", "io_error", "rbd0"),
    ],
)
def test_rbd_lines_name_their_device(text: str, signature: str, incident: str, subject: str) -> None:
    (finding,) = found(text, mounts=(HOME,), devices=(ROOT,))
    assert (finding["signature"], finding["incident"], finding["subject"]) == (signature, incident, subject)
    assert finding["devices"] == [{"device": "rbd0", "image": "diskless/pi3/root"}]
    assert finding["mounts"] == ["/"]


@pytest.mark.parametrize(
    "text",
    [
        "libceph: mon0 10.0.0.1:6789 session lost, hunting for new mon",
        "libceph: mon0 (1)10.0.0.1:6789 session lost, hunting for new mon",
        f"libceph: mon0 (1)10.0.0.1:6789 session lost, hunting for new mon (fsid {FSID} client4137)",
        f"libceph: [{FSID} 4137]: mon0 (1)10.0.0.1:6789 session lost, hunting for new mon",
    ],
)
def test_lost_monitor_hits_who_uses_that_cluster(text: str) -> None:
    (finding,) = found(
        "libceph: mon0 (1)10.0.0.1:6789 session established",
        f"libceph: client4137 fsid {FSID}",
        text,
        mounts=(HOME, OTHER_MOUNT),
        devices=(ROOT,),
    )
    assert (finding["incident"], finding["subject"], finding["fsid"]) == ("session_lost", "mon0", FSID)
    assert finding["mounts"] == ["/", "/home"]
    assert finding["devices"] == [{"device": "rbd0", "image": "diskless/pi3/root"}]


def test_client_id_tells_the_device() -> None:
    other = replace(ROOT, name="rbd1", client="9")
    (finding,) = found(
        f"libceph: [{FSID} 4137]: mon0 10.0.0.1:6789 session lost, hunting for new mon", devices=(ROOT, other)
    )
    assert [device["device"] for device in finding["devices"]] == ["rbd0"]


def test_prefix_tells_the_mount() -> None:
    (finding,) = found(f"ceph: [{OTHER} 7]: mds0 hung", mounts=(OTHER_MOUNT, Mount("/x", FSID, frozenset())))
    assert finding["mounts"] == ["/mnt"]


def test_line_that_names_no_cluster_may_be_about_any_cephfs_mount() -> None:
    (finding,) = found("ceph: mds0 hung", mounts=(HOME, OTHER_MOUNT), devices=(ROOT,))
    assert (finding["mounts"], finding["devices"]) == (["/home", "/mnt"], [])


def test_lines_of_a_kind_are_one_finding_with_first_and_last_time() -> None:
    (finding,) = found(*["ceph: mds0 caps stale", "unrelated", "ceph: mds0 caps stale"])
    assert finding["count"] == 2
    assert (finding["first_time"], finding["last_time"]) == ("1970-01-01T00:16:40.000Z", "1970-01-01T00:16:42.000Z")
    assert (finding["first_uptime_seconds"], finding["last_uptime_seconds"]) == (0.0, 2.0)


def test_boots_ranks_and_clusters_are_told_apart() -> None:
    texts = ["ceph: mds0 hung", "ceph: mds1 hung", f"ceph: [{FSID} 1]: mds0 hung", f"ceph: [{OTHER} 1]: mds0 hung"]
    assert [finding["count"] for finding in found(*texts)] == [1, 1, 1, 1]
    boots = find_incidents([KernelLine(texts[0], boot="a"), KernelLine(texts[0], boot="b")])
    assert [finding["boot"] for finding in boots] == ["a", "b"]


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("ceph: mds0 caps stale", "ceph: mds0 caps renewed"),
        ("ceph: mds0 hung", "ceph: mds0 came back"),
        ("ceph: mds0 closed our session", "ceph: mds0 reconnect success"),
        ("ceph: mds0 reconnect denied", "ceph: auto reconnect after blocklisted"),
        ("ceph: mds0 rejected session", "ceph: auto reconnect after blacklisted"),
        (
            "libceph: mon0 (1)10.0.0.1:6789 session lost, hunting for new mon",
            "libceph: mon1 (1)10.0.0.2:6789 session established",
        ),
    ],
)
def test_what_is_over_is_marked_until_it_happens_again(bad: str, good: str) -> None:
    assert found(bad)[0]["recovered"] is False
    assert found(bad, good)[0]["recovered"] is True
    assert found(bad, good, bad)[0]["recovered"] is False


def test_recovery_of_another_is_none() -> None:
    stale = f"ceph: [{FSID} 1]: mds0 caps stale"
    for other in (f"ceph: [{OTHER} 1]: mds0 caps renewed", f"ceph: [{FSID} 1]: mds1 caps renewed"):
        assert found(stale, other)[0]["recovered"] is False
    lines = [KernelLine("ceph: mds0 caps stale", boot="a"), KernelLine("ceph: mds0 caps renewed", boot="b")]
    assert find_incidents(lines)[0]["recovered"] is False


def test_log_without_a_word_of_ceph() -> None:
    assert (
        found("Linux version 6.18.44", "nfs: server 10.0.0.1 not responding", "I/O error, dev sda, sector 1", "") == []
    )


def test_ordinary_life_of_a_client_is_no_finding() -> None:
    assert not found(
        "libceph: loaded (mon/osd proto 15/24)",
        "ceph: loaded (mds proto 32)",
        "libceph: mon0 (1)10.0.0.1:6789 session established",
        f"libceph: client4137 fsid {FSID}",
        "rbd: rbd0: capacity 8589934592 features 0x3d",
        "libceph: osd2 (1)10.0.0.1:6801 socket closed (con state OPEN)",
        "ceph: mds0 reconnect start",
    )


def test_client_instances_that_the_kernel_has_had() -> None:
    lines = [KernelLine(f"libceph: client{number} fsid {FSID}") for number in (7, 9, 7)]
    assert ceph_clients(lines) == [{"client": "client.7", "fsid": FSID}, {"client": "client.9", "fsid": FSID}]


def test_every_signature_says_what_it_means_and_what_to_do() -> None:
    assert len({signature.name for signature in SIGNATURES}) == len(SIGNATURES)
    for signature in SIGNATURES:
        assert signature.severity in ("warning", "error")
        assert signature.meaning.endswith(".")
        assert signature.remedy.endswith(".")
