# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the session policy, in every spelling, and what may not be turned off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._mds_options import (
    POLICY,
    all_names,
    argument_spec,
    find_part,
    options_of_release,
    risk_problems,
    typed,
)

from tests.unit.plugins.module_utils.conftest import RELEASES


@pytest.mark.parametrize("release", RELEASES)
def test_every_part_has_the_kind_that_ceph_gives_it(recorded: Callable[..., Any], release: str) -> None:
    helps = {answer["name"]: answer for answer in recorded("mds_config_help", release)}
    found = options_of_release(Dialect(int(release)), helps)
    missing = {part.name for part in POLICY} - found.keys()
    assert missing == ({"defer_client_eviction_on_laggy_osds", "deny_all_reconnect"} if release == "14" else set())
    kinds = {"bool": {"bool"}, "float": {"float"}, "int": {"uint", "int"}}
    for part in POLICY:
        if part.name in found:
            answer = helps[found[part.name]]
            assert answer["type"] in kinds[part.kind], part.name
            assert answer["services"] == [part.daemon]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("session_blacklist_on_evict", "session_blocklist_on_evict"),
        ("mds_session_blacklist_on_evict", "session_blocklist_on_evict"),
        ("mds-session-blocklist-on-evict", "session_blocklist_on_evict"),
        ("mds reconnect timeout", "reconnect_timeout"),
        ("mds_blacklist_interval", "blocklist_interval"),
        ("mon_mds_blocklist_interval", "blocklist_interval"),
        ("osd_blacklist_default_expire", "client_blocklist_duration"),
    ],
)
def test_either_spelling_is_understood(given: str, name: str) -> None:
    part = find_part(given)
    assert part is not None
    assert part.name == name


def test_what_is_no_part_is_not_found() -> None:
    assert find_part("mds_beacon_grace") is None


def test_names_are_unambiguous() -> None:
    names = all_names()
    assert len(names) == len(set(names))
    assert not {alias for option in argument_spec().values() for alias in option["aliases"]} & {p.name for p in POLICY}


def test_cluster_is_spoken_to_in_its_own_words() -> None:
    known = ["mds_session_blacklist_on_evict", "mds_session_blocklist_on_timeout", "mds_reconnect_timeout"]
    assert options_of_release(Dialect(14), known) == {
        "session_blocklist_on_evict": "mds_session_blacklist_on_evict",
        "reconnect_timeout": "mds_reconnect_timeout",
    }


@pytest.mark.parametrize(
    ("kind", "text", "value"), [("bool", "false", False), ("float", "45.000000", 45.0), ("int", "1048576", 1048576)]
)
def test_values_are_typed(kind: str, text: str, value: object) -> None:
    assert typed(kind, text) == value
    assert type(typed(kind, text)) is type(value)


def test_only_turning_blocklisting_off_is_a_risk() -> None:
    off = {"session_blocklist_on_timeout": False, "session_blocklist_on_evict": True, "defer_session_stale": False}
    (problem,) = risk_problems(off, accepted=False)
    assert problem.startswith("session_blocklist_on_timeout: false needs accept_data_loss_risk: true")
    assert risk_problems(off, accepted=True) == []
