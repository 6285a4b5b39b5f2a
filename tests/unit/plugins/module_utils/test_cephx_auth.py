# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of Ceph about users, and how often."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, CephError, Finished, Start
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_auth import apply_plans, unreadable_caps
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user import CephxUser
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user_plan import UserPlan

from tests.unit.plugins.module_utils.conftest import RELEASES

OWN = "client.admin"


class Ceph:
    """Stands in for the command line tools: refuses caps as recorded."""

    def __init__(self, recorded: dict[str, Any], bad: str = "alow r") -> None:
        self.recorded = recorded
        self.bad = bad
        self.commands: list[tuple[str, ...]] = []
        self.stdin = ""

    @property
    def client(self) -> CephClient:
        return CephClient(run=self, bindings="never")

    def __call__(self, start: Start) -> Finished:
        words = start.argv[start.argv.index("auth") :]
        self.commands.append(words)
        self.stdin += start.stdin
        if words[1] != "get-or-create":
            return Finished(0, "", "")
        unreadable = any(self.bad in word for word in words[3:])
        answer = self.recorded["cephx_unreadable" if unreadable else "cephx_readable"]
        return Finished(answer["rc"], "", answer["stderr"])


@pytest.fixture(params=RELEASES)
def ceph(request: pytest.FixtureRequest, recorded: Callable[..., Any]) -> Ceph:
    return Ceph(recorded("cephx_failures", request.param))


def users(count: int, **caps: str) -> list[CephxUser]:
    return [
        CephxUser(f"client.{number}", {service: text.format(number) for service, text in caps.items()}, "K")
        for number in range(count)
    ]


def test_readable_caps_cost_one_question(ceph: Ceph) -> None:
    assert unreadable_caps(ceph.client, OWN, users(100, mon="allow r", osd="allow r pool=p{}")) == []
    assert len(ceph.commands) == 1
    words = ceph.commands[0]
    assert words[:5] == ("auth", "get-or-create", OWN, "mon", "allow r")
    assert words[6].count("allow r pool=") == 100


def test_question_fits_a_command_line(ceph: Ceph) -> None:
    assert unreadable_caps(ceph.client, OWN, users(1000, mon="allow r " + "x" * 200 + "{}")) == []
    assert 2 <= len(ceph.commands) <= 5
    assert max(len(shlex.join(words)) for words in ceph.commands) < 128 << 10


def test_unreadable_caps_are_named(ceph: Ceph) -> None:
    bad = [*users(2, mon="alow r"), CephxUser("client.good", {"mon": "allow r"}, "K")]
    assert unreadable_caps(ceph.client, OWN, bad) == [
        "client.0, client.1: Ceph cannot read mon caps 'alow r': stopped at 'alow r' of 'alow r'"
    ]


def test_no_caps_no_question(ceph: Ceph) -> None:
    assert unreadable_caps(ceph.client, OWN, users(3)) == []
    assert ceph.commands == []


def test_other_failures_are_failures() -> None:
    refused = {"cephx_readable": {"rc": 13, "stderr": "Error EACCES: access denied"}}
    with pytest.raises(CephError, match="access denied"):
        unreadable_caps(Ceph(refused).client, OWN, users(1, mon="allow r"))


def test_changes_are_one_import_with_keys_on_stdin(ceph: Ceph) -> None:
    plans = [UserPlan(user.name, None, user) for user in users(100, mon="allow r")]
    apply_plans(ceph.client, plans)
    assert ceph.commands == [("auth", "import", "-i", "-")]
    assert ceph.stdin.count("key = K") == 100


def test_nothing_to_do_asks_nothing(ceph: Ceph) -> None:
    same = users(2, mon="allow r")
    apply_plans(ceph.client, [UserPlan(user.name, user, user) for user in same])
    assert ceph.commands == []


def test_removals(ceph: Ceph) -> None:
    apply_plans(ceph.client, [UserPlan(user.name, user, None) for user in users(2)])
    assert ceph.commands == [("auth", "rm", "client.0"), ("auth", "rm", "client.1")]
