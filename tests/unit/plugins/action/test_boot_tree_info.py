# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action boot_tree_info: what it tells the module to expect."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from unittest.mock import MagicMock

import pytest
import yaml
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible_collections.diskless.ceph.plugins.action import boot_tree_info
from ansible_collections.diskless.ceph.plugins.filter.host_specs import RETURN
from ansible_collections.diskless.ceph.plugins.modules.boot_tree_info import DOCUMENTATION
from ansible_collections.diskless.ceph.plugins.plugin_utils._grub_cfg import grub_cfg
from ansible_collections.diskless.ceph.plugins.plugin_utils._host_spec import HostSpec

SPEC = yaml.safe_load(RETURN)["_value"]["sample"][0]
PI = {**SPEC, "board": "cm4", "arch": "arm64", "loader": "pi", "serial": "abcd1234"}


def _run(monkeypatch: pytest.MonkeyPatch, **args: Any) -> dict[str, Any]:
    """The arguments with which the action starts the module."""
    task = MagicMock(args={"hosts": [SPEC], **args}, async_val=0, check_mode=False, no_log=False)
    connection = MagicMock()
    connection._shell.tmpdir = "/tmp/unused"  # noqa: S108
    action = boot_tree_info.ActionModule(task, connection, MagicMock(), MagicMock(), MagicMock(), MagicMock())
    calls: list[dict[str, Any]] = []

    def execute(**call: Any) -> dict[str, Any]:
        calls.append(call)
        return {"changed": False}

    monkeypatch.setattr(action, "_execute_module", execute)
    assert action.run(task_vars={}) == {"changed": False}
    assert [call["module_name"] for call in calls] == ["diskless.ceph.boot_tree_info"]
    arguments: dict[str, Any] = calls[0]["module_args"]
    return arguments


def test_module_is_told_what_the_site_playbook_would_write(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = grub_cfg(HostSpec.from_dict(SPEC))
    assert _run(monkeypatch, directory="/srv/x", tftp_user="tftp") == {
        "hosts": [],
        "directory": "/srv/x",
        "tftp_user": "tftp",
        "expected": [
            {
                "name": "udoo1",
                "mac": "52:54:00:77:00:11",
                "address": "10.77.0.11",
                "loader": "grub",
                "views": ["grub"],
                "firmware": None,
                "digests": {"grub.cfg": sha256(rendered.encode()).hexdigest()},
            }
        ],
    }


def test_module_is_told_what_the_firmware_of_a_pi_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    (expected,) = _run(monkeypatch, hosts=[PI])["expected"]
    assert (expected["firmware"]["model"], expected["views"]) == ("cm4", ["abcd1234", "52-54-00-77-00-11"])
    assert set(expected["digests"]) == {"config.txt", "cmdline.txt"}


def test_boot_server_without_hosts_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(monkeypatch, hosts=[])["expected"] == []


def test_what_is_no_host_spec_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleActionFail, match=r"^hosts holds something that is no host spec: 'board' is missing; "):
        _run(monkeypatch, hosts=[{"name": "udoo1"}])


def test_unknown_options_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleError, match="Unsupported parameters"):
        _run(monkeypatch, expected=[])


def test_options_are_those_that_the_module_documents() -> None:
    documented = set(yaml.safe_load(DOCUMENTATION)["options"])
    assert documented - set(boot_tree_info.ARGUMENT_SPEC) == {"expected"}
