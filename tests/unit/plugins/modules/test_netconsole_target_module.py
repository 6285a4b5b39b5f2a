# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""netconsole_target and netconsole_target_info on recorded files of configfs: a task, and the same task again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.diskless.ceph.plugins.modules import netconsole_target, netconsole_target_info

from ..module_utils.fake_configfs import FakeConfigfs

WAY = {
    "route": '[{"dst":"10.0.0.3","dev":"br0","prefsrc":"10.0.0.11","flags":[]}]',
    "neigh": '[{"dst":"10.0.0.3","lladdr":"52:54:00:77:00:03","state":["REACHABLE"]}]',
}
LOG1 = {"name": "log1", "remote_address": "10.0.0.3"}


class Task:
    """Runs the module on one made-up machine."""

    def __init__(self, directory: FakeConfigfs, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self._capsys = capsys

    def __call__(self, module: Any = netconsole_target, **args: Any) -> dict[str, Any]:
        with patch_module_args(args), pytest.raises(SystemExit):
            module.main()
        result: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        return result


@pytest.fixture(params=["6.1", "7.3"])
def task(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Task:
    directory = FakeConfigfs(tmp_path, request.param)
    release = {"6.1": "6.1.0-50-amd64", "7.3": "7.3.4+deb13-amd64"}[request.param]
    for module in (netconsole_target, netconsole_target_info):
        monkeypatch.setattr(module, "NetconsoleDirectory", lambda _root: directory)
        monkeypatch.setattr(module.platform, "release", lambda: release)
    monkeypatch.setattr(
        AnsibleModule, "run_command", lambda _module, argv: (0, WAY[argv[3 if "-4" in argv else 2]], "")
    )
    return Task(directory, capsys)


def test_check_apply_apply_check(task: Task) -> None:
    assert task(**LOG1, _ansible_check_mode=True)["changed"] is True
    assert task.directory.done == []
    made = task(**LOG1, _ansible_diff=True)
    assert made["changed"] is True
    assert made["diff"]["before"] == {"log1": {}}
    (target,) = made["targets"]
    expected = {
        "name": "log1",
        "enabled": True,
        "extended": True,
        "device": "br0",
        "local_address": "10.0.0.11",
        "local_port": 6665,
        "remote_address": "10.0.0.3",
        "remote_port": 6666,
        "remote_mac": "52:54:00:77:00:03",
    }
    assert {name: target[name] for name in expected} == expected
    done = len(task.directory.done)
    assert task(**LOG1)["changed"] is False
    assert task(**LOG1, _ansible_check_mode=True)["changed"] is False
    assert len(task.directory.done) == done


def test_forecast_of_check_mode_is_what_comes(task: Task) -> None:
    forecast = task(**LOG1, _ansible_check_mode=True, _ansible_diff=True)["diff"]["after"]["log1"]
    came = task(**LOG1, _ansible_diff=True)["diff"]["after"]["log1"]
    known = (
        "device",
        "enabled",
        "extended",
        "local_address",
        "local_port",
        "remote_address",
        "remote_mac",
        "remote_port",
    )
    assert {name: forecast[name] for name in known} == {name: came[name] for name in known}


def test_many_targets_share_what_they_do_not_say(task: Task) -> None:
    result = task(targets=[LOG1, {"name": "log2", "remote_address": "10.0.0.3", "remote_port": 9}], remote_port=514)
    assert [target["remote_port"] for target in result["targets"]] == [514, 9]
    removed = task(targets=[{"name": "log1"}, {"name": "log2"}], state="absent")
    assert (removed["changed"], removed["targets"], task.directory.read()) == (True, [], {})
    assert task(name="log1", state="absent")["changed"] is False


def test_what_was_given_is_not_looked_up(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_module: AnsibleModule, argv: list[str]) -> tuple[int, str, str]:
        pytest.fail(f"{argv} was started")

    monkeypatch.setattr(AnsibleModule, "run_command", nothing)
    given = {"device": "eth0", "local_address": "10.0.0.12", "remote_mac": "52:54:00:AA:BB:CC"}
    (target,) = task(**LOG1, **given)["targets"]
    assert (target["device"], target["remote_mac"]) == ("eth0", "52:54:00:aa:bb:cc")


def test_feature_of_a_newer_kernel_is_refused_before_anything_changes(task: Task) -> None:
    result = task(**LOG1, release=True, userdata={"host": "pi3"}, sysdata=["msgid"])
    if "release" in task.directory.files:
        (target,) = result["targets"]
        assert (target["release"], target["userdata"], target["sysdata"]) == (True, {"host": "pi3"}, ["msgid"])
    else:
        assert result["msg"] == "; ".join(
            f"log1: this kernel's netconsole has no {feature}, which came with Linux {version}"
            for feature, version in {"release": "6.6", "sysdata msgid": "6.17", "userdata": "6.9"}.items()
        )
        assert task.directory.done == []


def test_all_problems_come_together(task: Task) -> None:
    result = task(
        targets=[{"name": "a"}, {"name": "b", "remote_address": "x"}, {"name": "b", "remote_address": "10.0.0.3"}]
    )
    assert result["msg"] == (
        "b: is named more than once; a: remote_address is missing; b: remote_address 'x': expected an IP address"
    )


def test_release_without_extended_is_refused(task: Task) -> None:
    assert "release: expected extended as well" in task(**LOG1, extended=False, release=True)["msg"]


def test_info_tells_targets_and_features(task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "printk").write_text("8\t4\t1\t7\n", encoding="ascii")
    (tmp_path / "consoles").write_text("ttyS0 -W- (EC p a) 4:64\nnetcon_ext0 -W- (E  p  )\n", encoding="ascii")
    monkeypatch.setattr(netconsole_target_info, "PRINTK", str(tmp_path / "printk"))
    monkeypatch.setattr(netconsole_target_info, "CONSOLES", str(tmp_path / "consoles"))
    task(targets=[LOG1, {**LOG1, "name": "log2"}])
    read = task(netconsole_target_info)
    assert [target["name"] for target in read["targets"]] == ["log1", "log2"]
    assert (read["available"], read["missing"], read["console_level"]) == (True, None, 8)
    assert read["consoles"] == ["netcon_ext0"]
    assert ("release" in read["features"]) == ("release" in task.directory.files)
    assert [target["name"] for target in task(netconsole_target_info, name="log2")["targets"]] == ["log2"]


def test_container_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(netconsole_target, "CONFIGFS", str(tmp_path / "none"))
    with patch_module_args(LOG1), pytest.raises(SystemExit):
        netconsole_target.main()
    assert "this is a container, or a kernel without configfs" in json.loads(capsys.readouterr().out)["msg"]
