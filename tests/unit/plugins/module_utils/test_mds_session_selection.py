# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sessions a task means, and what it may not mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session import Session
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_selection import (
    SELECTION_ARGUMENT_SPEC,
    SelectionError,
    parse_selection,
    refuse_everybody,
)

SESSION = Session(
    client_id=4152,
    address="10.0.0.11:0/2284328471",
    hostname="pi3",
    entity="client.web1",
    kind="fuse",
    kernel_version=None,
    ceph_version="16.2.15",
    root="/web1",
    mount_point="/mnt",
    pid=7,
    state="stale",
    uptime_seconds=100.0,
    caps=2,
    requests_in_flight=0,
    features=None,
    file_system="cephfs",
    rank=0,
    mds="a",
)


def params(**given: Any) -> dict[str, Any]:
    return {**dict.fromkeys(SELECTION_ARGUMENT_SPEC), **given}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"client_ids": [1, 4152]},
        {"addresses": ["10.0.0.11"]},
        {"addresses": ["10.0.0.11:0/2284328471"]},
        {"addresses": ["client.4152 10.0.0.11:0/2284328471"]},
        {"addresses": ["192.168.0.0/16", "10.0.0.0/24"]},
        {"hostnames": ["pi3"]},
        {"entities": ["client.web1"]},
        {"states": ["stale"], "kinds": ["fuse"], "roots": ["/web1"], "older_than_seconds": 99},
    ],
)
def test_selected(given: dict[str, Any]) -> None:
    assert parse_selection(params(**given)).matches(SESSION)


@pytest.mark.parametrize(
    "given",
    [
        {"client_ids": [415]},
        {"addresses": ["10.0.0.1"]},
        {"addresses": ["10.0.0.11:0/1"]},
        {"addresses": ["10.0.1.0/24"]},
        {"addresses": ["fd00::/8"]},
        {"hostnames": ["pi"]},
        {"entities": ["client.web"]},
        {"states": ["open"]},
        {"kinds": ["kernel"]},
        {"roots": ["/"]},
        {"older_than_seconds": 100},
        {"client_ids": [4152], "hostnames": ["pi4"]},
    ],
)
def test_not_selected(given: dict[str, Any]) -> None:
    assert not parse_selection(params(**given)).matches(SESSION)


def problems(**given: Any) -> str:
    with pytest.raises(SelectionError) as caught:
        refuse_everybody(params(**given), parse_selection(params(**given)))
    return str(caught.value)


def test_all_problems_are_told_together() -> None:
    assert problems(hostnames=[], addresses=["pi3", "10.0.0.0/33"], entities=["web1", "diskless.pi3"]) == (
        "hostnames is empty: leave it out, or name at least one; "
        "addresses: 'pi3' is none: expected 10.0.0.1 (all clients there), 10.0.0.1:0/123 (one client) or 10.0.0.0/24; "
        "names of hosts go into hostnames; "
        "addresses: '10.0.0.0/33' is none: expected 10.0.0.1 (all clients there), 10.0.0.1:0/123 (one client) or "
        "10.0.0.0/24; names of hosts go into hostnames; "
        "entities: 'web1' has no type; write client.web1; "
        "entities: 'diskless.pi3' has no type; write client.diskless.pi3"
    )


@pytest.mark.parametrize("option", ["client_ids", "addresses", "hostnames", "entities", "states", "kinds", "roots"])
def test_empty_list_is_refused(option: str) -> None:
    """Beside another selection it would widen it to all."""
    assert f"{option} is empty" in problems(**{"client_ids": [4152], option: []})


def test_empty_name_is_refused() -> None:
    assert "hostnames is empty" in problems(hostnames=[""])


@pytest.mark.parametrize("given", [{}, {"file_system": "cephfs"}, {"states": ["stale"], "older_than_seconds": 60}])
def test_no_client_is_named(given: dict[str, Any]) -> None:
    assert problems(**given) == (
        "no client is selected: give client_ids, addresses, hostnames or entities; all at once are never evicted"
    )


@pytest.mark.parametrize("everywhere", ["0.0.0.0/0", "::/0"])
def test_network_of_all_addresses_is_refused(everywhere: str) -> None:
    assert problems(addresses=["10.0.0.1", everywhere]) == (
        f"addresses: {everywhere} is every client; name the networks that are meant"
    )


def test_manager_is_spared_where_it_merely_runs() -> None:
    manager = replace(SESSION, entity="mgr.a")
    assert parse_selection(params(hostnames=["pi3"])).spares(manager)
    assert not parse_selection(params(hostnames=["pi3"])).spares(SESSION)
    assert not parse_selection(params(client_ids=[4152])).spares(manager)
    assert not parse_selection(params(entities=["mgr.a"])).spares(manager)
