# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounts, clients, probes and the kernel log in one list."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mount_survey import survey, to_probe
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mountinfo import parse_mountinfo
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_probe import Probe, Step
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_ceph_clients import parse_mounts
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log import parse_file
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log_findings import find_incidents

from .cephfs_fixture import FIXTURES, clients, mounts

REFUSED = Probe((Step("statfs", None, 0.001), Step("mds", "EACCES", 0.003)))


def look(name: str, probes: dict[str, Probe], text: str = "") -> list[dict[str, Any]]:
    listed = mounts(name)
    known = parse_mounts("".join(f"{mount.source} {mount.path} ceph rw 0 0\n" for mount in listed))
    findings = find_incidents(parse_file(text, datetime(2026, 11, 21, tzinfo=UTC)), known)

    def local_address(monitors: Iterable[str]) -> str:
        return f"route to {next(iter(monitors))}"

    return survey(listed, clients(name), probes, findings, lambda path: f"unit of {path}", local_address)


def test_incident_on_6_1() -> None:
    text = (FIXTURES / "6.1/blocklisted/kernel.log").read_text(encoding="utf-8")
    (client,) = look("6.1/blocklisted", {"0:46": REFUSED}, text)
    assert (client["state"], client["client"], client["candidates"]) == ("blocklisted", "client.4137", ["client.4137"])
    assert (client["address"], client["ip"], client["blocklisted"]) == ("10.77.0.11:0/2284328471", "10.77.0.11", True)
    assert client["sessions"] == [{"rank": 0, "state": "rejected"}]
    assert client["mounts"] == [{"path": "/srv/web", "root": "/", "read_only": False, "unit": "unit of /srv/web"}]
    assert client["options"].items() >= {"name": "web1", "acl": None}.items()
    assert (client["recover_session"], client["fsc"], client["session_autoclose"]) == (False, False, 300)
    assert {finding["incident"] for finding in client["findings"]} == {"caps_stale", "evicted", "rejected"}
    assert client["probe"]["steps"][1] == {"name": "mds", "error": "EACCES", "seconds": 0.003, "done": True}


def test_incident_on_5_10_where_the_kernel_says_less() -> None:
    (client,) = look("5.10/rejected", {"0:46": REFUSED})
    assert (client["state"], client["client"], client["address"]) == ("rejected", "client.4137", None)
    assert (client["ip"], client["blocklisted"]) == ("route to 10.77.0.2:6789", None)


def test_client_that_is_mounted_nowhere_any_more_is_listed_as_well() -> None:
    listed = survey([], clients("6.1/blocklisted"), {}, [], lambda _path: None, lambda _monitors: None)
    (client,) = listed
    assert (client["device"], client["client"], client["mounts"], client["source"]) == (None, "client.4137", [], None)
    assert (client["state"], client["user"], client["probe"]) == ("blocklisted", "web1", None)


def test_mount_without_any_client_in_debugfs() -> None:
    """As for whoever is not root."""
    (client,) = survey(mounts("6.1/healthy"), [], {"0:46": REFUSED}, [], lambda _path: None, lambda _monitors: None)
    assert (client["client"], client["candidates"], client["state"]) == (None, [], "failed")
    assert (client["fsid"], client["sessions"], client["caps"]) == (None, [], None)


def test_superblock_is_probed_once_where_it_is_writable_and_whole() -> None:
    listed = parse_mountinfo(
        "1 0 0:46 / /a ro - ceph 10.0.0.1:/ rw\n"
        "2 0 0:46 /part /b rw - ceph 10.0.0.1:/ rw\n"
        "3 0 0:46 / /c rw - ceph 10.0.0.1:/ rw\n"
        "4 0 0:47 / /d ro - ceph 10.0.0.1:/ rw\n"
    )
    assert {device: mount.path for device, mount in to_probe(listed).items()} == {"0:46": "/c", "0:47": "/d"}
