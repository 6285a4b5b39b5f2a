# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The eviction incident: what becomes of a ceph-fuse client that is evicted, by command and by timeout.

The first client is frozen before all else, so that its time runs out while the others are evicted by command.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from lab.ceph import CephCluster
from lab.patience import wait_until
from tests.integration.conftest import Machine
from tests.integration.fuse_client import HANGS, WORKS, FuseMount, fuse_mount
from tests.integration.module_run import ModuleRun

LIST = "os.listdir(path)"
CREATE = "os.close(os.open(path + '/new', os.O_CREAT | os.O_WRONLY))"
RECONNECTS = ("--client_reconnect_stale=true",)
# The least that Ceph accepts; the MDS looks every five seconds.
AUTOCLOSE_SECONDS = 30
TICK_SECONDS = 5
PATIENCE_SECONDS = 60
ENOUGH_SECONDS = 15


@contextmanager
def blocklisting_off(ceph: CephCluster, occasion: str) -> Iterator[None]:
    """Have the MDS not blocklist whom it evicts on that occasion, timeout or evict."""
    word = "blacklist" if ceph.release == "14" else "blocklist"
    option = f"mds_session_{word}_on_{occasion}"

    def in_effect(value: str) -> bool:
        return bool(ceph.ceph("daemon", "mds.a", "config", "get", option)[option] == value)

    ceph.run("ceph", "config", "set", "mds", option, "false")
    assert wait_until(lambda: in_effect("false"), PATIENCE_SECONDS)
    try:
        yield
    finally:
        ceph.run("ceph", "config", "rm", "mds", option)
        assert wait_until(lambda: in_effect("true"), PATIENCE_SECONDS)


def sessions_of(module: ModuleRun, *mounts: FuseMount) -> list[int]:
    """Return which of the clients have a session."""
    found = module("mds_session_info", client_ids=[mount.client_id for mount in mounts])["sessions"]
    return [session["client_id"] for session in found]


def entries_of(module: ModuleRun, mount: FuseMount) -> list[dict[str, Any]]:
    """Return the entries of the blocklist that hit the client."""
    hosts = [{"name": "client's", "address": mount.machine.address}]
    found: list[dict[str, Any]] = module("osd_blocklist_info", address=mount.address, hosts=hosts)["entries"]
    return found


def assert_blocked(module: ModuleRun, mount: FuseMount) -> None:
    """Its calls fail, and the two info modules show why."""
    assert [mount.outcome(code, ENOUGH_SECONDS) for code in (LIST, CREATE)] == ["ESHUTDOWN", "ESHUTDOWN"]
    assert sessions_of(module, mount) == []
    (entry,) = entries_of(module, mount)
    assert (entry["address"], entry["kind"], entry["hosts"]) == (mount.address, "client", ["client's"])
    assert 3000 < entry["seconds_left"] <= 3600


def assert_left_alone(module: ModuleRun, plain: FuseMount, reconnecting: FuseMount) -> None:
    """No entry of the blocklist stands in their way, yet only one of them works again."""
    assert entries_of(module, plain) == entries_of(module, reconnecting) == []
    assert plain.outcome(LIST) == HANGS
    assert [reconnecting.outcome(code, ENOUGH_SECONDS) for code in (LIST, CREATE)] == [WORKS, WORKS]
    assert sessions_of(module, plain, reconnecting) == [reconnecting.client_id]


@dataclass(frozen=True)
class Frozen:
    """A client that does not renew its session any more, since a time of the monotonic clock."""

    mount: FuseMount
    since: float


@pytest.fixture(scope="module", autouse=True)
def frozen(ceph: CephCluster, machines: list[Machine]) -> Iterator[Frozen]:
    """The client whose time runs out with the blocklist on."""
    ceph.run("ceph", "fs", "set", "cephfs", "session_autoclose", str(AUTOCLOSE_SECONDS))
    try:
        with fuse_mount(machines[0], ceph, "frozen") as mount:
            mount.write("frozen", "text")
            mount.freeze()
            yield Frozen(mount, time.monotonic())
    finally:
        ceph.run("ceph", "fs", "set", "cephfs", "session_autoclose", "300")


def test_client_evicted_by_command_is_blocked_until_it_mounts_anew(
    module: ModuleRun, ceph: CephCluster, machines: list[Machine]
) -> None:
    with fuse_mount(machines[0], ceph, "evicted") as mount:
        mount.write("evicted", "text")
        result = module("mds_session", client_ids=[mount.client_id], force=True)
        (client,) = result["clients"]
        assert (client["evicted"], client["reopened"], client["blocklisted"]) == (True, False, True)
        assert [entry["address"] for entry in client["blocklist_entries"]] == [mount.address]
        assert_blocked(module, mount)
        with fuse_mount(machines[0], ceph, "anew") as anew:
            assert anew.outcome(LIST, ENOUGH_SECONDS) == WORKS


@pytest.mark.full
def test_without_blocklisting_an_evicted_client_hangs_unless_it_reconnects_stale_sessions(
    module: ModuleRun, ceph: CephCluster, machines: list[Machine]
) -> None:
    with (
        blocklisting_off(ceph, "evict"),
        fuse_mount(machines[0], ceph, "plain") as plain,
        fuse_mount(machines[1], ceph, "reconnecting", options=RECONNECTS) as reconnecting,
    ):
        clients = [plain.client_id, reconnecting.client_id]
        result = module("mds_session", client_ids=clients, force=True)
        assert [(client["evicted"], client["blocklisted"]) for client in result["clients"]] == [(True, False)] * 2
        assert_left_alone(module, plain, reconnecting)


@pytest.mark.full
def test_client_that_ran_out_of_time_fares_the_same(
    module: ModuleRun, ceph: CephCluster, machines: list[Machine], frozen: Frozen
) -> None:
    with ExitStack() as stack:
        # Their time has to run out when the first client's has, and the option is changed.
        time.sleep(max(0.0, frozen.since + 2 * TICK_SECONDS - time.monotonic()))
        plain = stack.enter_context(fuse_mount(machines[0], ceph, "late-plain"))
        reconnecting = stack.enter_context(fuse_mount(machines[1], ceph, "late-reconnecting", options=RECONNECTS))
        for mount in (plain, reconnecting):
            mount.freeze()
        assert wait_until(lambda: sessions_of(module, frozen.mount) == [], PATIENCE_SECONDS)
        stack.enter_context(blocklisting_off(ceph, "timeout"))
        assert sessions_of(module, plain, reconnecting) == [plain.client_id, reconnecting.client_id], "evicted too soon"

        frozen.mount.thaw()
        assert_blocked(module, frozen.mount)

        assert wait_until(lambda: sessions_of(module, plain, reconnecting) == [], PATIENCE_SECONDS)
        for mount in (plain, reconnecting):
            mount.thaw()
        assert_left_alone(module, plain, reconnecting)
