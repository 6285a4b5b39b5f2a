# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action boot_tree: what it sends to the boot server, and what it refuses to send."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any
from unittest.mock import MagicMock

import pytest
import yaml
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible_collections.diskless.ceph.plugins.action import boot_tree
from ansible_collections.diskless.ceph.plugins.filter.host_specs import RETURN
from ansible_collections.diskless.ceph.plugins.modules.boot_tree import DOCUMENTATION

KEY = "AQBlAAAAAAAAABAAMDEyMzQ1Njc4OWFiY2RlZg=="
SPEC = yaml.safe_load(RETURN)["_value"]["sample"][0]
ARGS = {
    "hosts": [SPEC],
    "cephx_keys": {"udoo1": KEY},
    "monitors": [{"name": "a", "v1": None, "v2": "10.77.0.1:3300"}],
    "golden_boot": {"amd64": "/srv/boot.tar"},
}


def _run(monkeypatch: pytest.MonkeyPatch, **args: Any) -> dict[str, Any]:
    """The arguments with which the action starts the module. An argument None is left out."""
    given = {name: value for name, value in {**ARGS, **args}.items() if value is not None}
    task = MagicMock(args=given, async_val=0, check_mode=False, no_log=False)
    connection = MagicMock()
    connection._shell.tmpdir = "/tmp/unused"  # noqa: S108
    action = boot_tree.ActionModule(task, connection, MagicMock(), MagicMock(), MagicMock(), MagicMock())
    calls: list[dict[str, Any]] = []

    def execute(**call: Any) -> dict[str, Any]:
        calls.append(call)
        return {"changed": True}

    monkeypatch.setattr(action, "_execute_module", execute)
    assert action.run(task_vars={}) == {"changed": True}
    assert [call["module_name"] for call in calls] == ["diskless.ceph.boot_tree"]
    arguments: dict[str, Any] = calls[0]["module_args"]
    return arguments


def test_module_runs_once_with_everything_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = _run(monkeypatch, root="/srv/x", prune=True)
    rendered = json.loads(zlib.decompress(base64.b64decode(sent.pop("rendered"))))
    assert sent == {
        "hosts": [],
        "cephx_keys": {},
        "monitors": [],
        "golden_boot": {"amd64": "/srv/boot.tar"},
        "root": "/srv/x",
        "prune": True,
    }
    archive, config = base64.b64decode(rendered[0].pop("host_cpio")), rendered[0].pop("files")["grub.cfg"]
    assert rendered == [
        {
            "name": "udoo1",
            "mac": "52:54:00:77:00:11",
            "board": "udoo_x86",
            "arch": "amd64",
            "loader": "grub",
            "views": ["grub"],
            "firmware": None,
        }
    ]
    assert KEY.encode() in archive
    assert "udoo1" in config


def test_module_is_told_what_the_firmware_of_a_pi_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    pi = {**SPEC, "board": "cm4", "arch": "arm64", "loader": "pi", "serial": "abcd1234"}
    rendered = json.loads(zlib.decompress(base64.b64decode(_run(monkeypatch, hosts=[pi])["rendered"])))
    assert rendered[0]["firmware"] == {
        "model": "cm4",
        "dtb": "bcm2711-rpi-cm4.dtb",
        "files": ["start4.elf", "fixup4.dat"],
    }
    assert rendered[0]["views"] == ["abcd1234", "52-54-00-77-00-11"]


def test_key_is_in_no_argument_but_the_secret_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEY not in repr(_run(monkeypatch))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"hosts": []}, "hosts is empty; expected the host specs of the whole fleet"),
        (
            {"hosts": [{"name": "udoo1"}]},
            "hosts holds something that is no host spec: 'board' is missing;"
            " expected the output of the filter diskless.ceph.host_specs",
        ),
        (
            {"cephx_keys": {}},
            "Boot trees cannot be rendered:\n"
            "  udoo1: no cephx key in cephx_keys; expected that of client.diskless.udoo1",
        ),
    ],
)
def test_nothing_is_sent_when_something_is_missing(
    monkeypatch: pytest.MonkeyPatch, args: dict[str, Any], message: str
) -> None:
    with pytest.raises(AnsibleActionFail) as raised:
        _run(monkeypatch, **args)
    assert str(raised.value) == message


@pytest.mark.parametrize("args", [{"cephx_keys": [KEY]}, {"cephx_keys": {"udoo1": f"{KEY} "}}])
def test_errors_show_no_key(monkeypatch: pytest.MonkeyPatch, args: dict[str, Any]) -> None:
    with pytest.raises(AnsibleError) as raised:
        _run(monkeypatch, **args)
    assert KEY not in str(raised.value)


def test_host_to_remove_needs_neither_key_nor_monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    task_args = {"state": "absent", "cephx_keys": None, "monitors": None, "golden_boot": None}
    sent = _run(monkeypatch, **task_args)
    assert sent == {"hosts": [], "cephx_keys": {}, "monitors": [], "state": "absent", "rendered": '["udoo1"]'}


def test_hosts_to_seed_again_are_sent_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = _run(monkeypatch, reseed=True)
    assert sent["reseed"] is True
    assert json.loads(zlib.decompress(base64.b64decode(sent["rendered"])))[0]["name"] == "udoo1"


@pytest.mark.parametrize(
    "args", [{"reseed": True, "prune": True}, {"state": "absent", "prune": True}, {"state": "absent", "reseed": True}]
)
def test_prune_is_for_the_whole_fleet_and_the_others_are_for_some_hosts(
    monkeypatch: pytest.MonkeyPatch, args: dict[str, Any]
) -> None:
    """With a few hosts in the list, prune would remove the trees of all others."""
    with pytest.raises(AnsibleActionFail, match="prune, reseed and state=absent exclude each other"):
        _run(monkeypatch, **args)


@pytest.mark.parametrize("missing", ["cephx_keys", "monitors", "golden_boot"])
def test_what_a_tree_is_made_of_is_required(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    with pytest.raises(AnsibleError, match=missing):
        _run(monkeypatch, **{missing: None})


def test_options_are_those_of_the_documentation() -> None:
    documented = yaml.safe_load(DOCUMENTATION)["options"]
    assert set(boot_tree.ARGUMENT_SPEC) == set(documented) - {"rendered"}
    for name, option in boot_tree.ARGUMENT_SPEC.items():
        assert option["type"] == documented[name]["type"]
        assert option.get("required", False) == documented[name].get("required", False)
