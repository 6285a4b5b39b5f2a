# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that keeps a host's netconsole targets: whom it serves, what it makes, and what it sends afterwards."""

from __future__ import annotations

import errno
import importlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ..plugins.module_utils.fake_configfs import FakeConfigfs

NEIGHBOUR = '[{"dst":"10.77.0.3","lladdr":"52:54:00:77:00:03","state":["REACHABLE"]}]'
RECORDS = [b"6,1,5,-;one\n", b"5,2,9,-;two\n SUBSYSTEM=pci\n"]


def part(name: str) -> Any:
    return importlib.import_module(f"diskless_netconsole.{name}")


class Host:
    """Answers ip and modprobe. ``device`` leads to every log host."""

    def __init__(self, device: str = "eth0", source: str = "127.0.0.1") -> None:
        self.device, self.source = device, source
        self.asked: list[str] = []

    def __call__(self, argv: Sequence[str]) -> tuple[int, str, str]:
        self.asked.append(" ".join(argv))
        if "route" in argv:
            if not self.device:
                return 2, "", "RTNETLINK answers: Network is unreachable"
            return 0, f'[{{"dst":"x","dev":"{self.device}","prefsrc":"{self.source}","flags":[]}}]', ""
        return 0, NEIGHBOUR, ""


@pytest.fixture
def log_host() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        yield receiver


@pytest.fixture
def kmsg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes | OSError]:
    """What /dev/kmsg will say next; an exception is raised."""
    (tmp_path / "kmsg").write_bytes(b"")
    backlog = part("backlog")
    coming: list[bytes | OSError] = []

    def read(_descriptor: int, _length: int) -> bytes:
        if not coming:
            raise BlockingIOError
        record = coming.pop(0)
        if isinstance(record, OSError):
            raise record
        return record

    def seek(_descriptor: int, _offset: int, _whence: int) -> int:
        coming.clear()
        return 0

    monkeypatch.setattr(backlog.Backlog.__init__, "__defaults__", (str(tmp_path / "kmsg"),))
    monkeypatch.setattr(backlog.os, "read", read)
    monkeypatch.setattr(backlog.os, "lseek", seek)
    return coming


def address(log_host: socket.socket) -> str:
    return "{}:{}".format(*log_host.getsockname())


def followed(log_host: socket.socket, directory: Any, host: Host) -> tuple[Any, list[str]]:
    said: list[str] = []
    return part("follower").Follower([address(log_host)], directory, host, "7.3.4", said.append), said


def test_configuration_comes_before_what_the_host_booted_with(tmp_path: Path) -> None:
    log_hosts = part("log_hosts").log_hosts
    config, host_conf = tmp_path / "netconsole.json", tmp_path / "host.conf"
    assert log_hosts(str(config), str(host_conf)) == []
    host_conf.write_text("DISKLESS_HOST='it'\\''s'\nDISKLESS_NETCONSOLE='10.77.0.3:6666 [fd00::3]:6666'\n")
    assert log_hosts(str(config), str(host_conf)) == ["10.77.0.3:6666", "[fd00::3]:6666"]
    config.write_text('{"targets": ["10.77.0.4", "FD00::4", "10.77.0.4:6666"]}')
    assert log_hosts(str(config), str(host_conf)) == ["10.77.0.4:6666", "[fd00::4]:6666"]


@pytest.mark.parametrize("text", ["{", "[]", '{"targets": "10.77.0.3"}', '{"targets": ["log1"]}', '{"targets": [5]}'])
def test_wrong_configuration_is_named(tmp_path: Path, text: str) -> None:
    config = tmp_path / "netconsole.json"
    config.write_text(text)
    with pytest.raises(ValueError, match=str(config)):
        part("log_hosts").log_hosts(str(config))


def test_role_can_check_a_configuration(tmp_path: Path, package: Path) -> None:
    config = tmp_path / "netconsole.json"
    argv = [sys.executable, "-m", "diskless_netconsole", "--check", str(config)]
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    for text, result in (('{"targets": ["10.77.0.3"]}', 0), ('{"targets": ["log1"]}', 1)):
        config.write_text(text)
        checked = subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=30, check=False)
        assert (checked.returncode, "log1" in checked.stdout) == (result, bool(result))


@pytest.mark.parametrize("kernel", ["6.1", "7.3"])
def test_target_is_made_once_and_the_log_so_far_is_sent(
    log_host: socket.socket, kmsg: list[bytes | OSError], tmp_path: Path, kernel: str
) -> None:
    directory = FakeConfigfs(tmp_path, kernel)
    follower, said = followed(log_host, directory, Host())
    kmsg += RECORDS
    follower.follow()
    head = b"7.3.4," if kernel == "7.3" else b""
    assert [log_host.recv(9999) for dummy in RECORDS] == [head + record for record in RECORDS]
    (target,) = directory.read().values()
    assert (target.enabled, target.settings["dev_name"], target.settings["local_ip"]) == (True, "eth0", "127.0.0.1")
    done = len(directory.done)
    kmsg += RECORDS
    follower.follow()
    assert len(directory.done) == done
    assert kmsg == []  # The kernel has sent these itself.
    assert len(said) == 1


def test_target_moves_with_the_route_and_what_was_said_meanwhile_follows(
    log_host: socket.socket, kmsg: list[bytes | OSError], tmp_path: Path
) -> None:
    directory, host = FakeConfigfs(tmp_path, "6.1"), Host()
    follower, _dummy = followed(log_host, directory, host)
    follower.follow()
    (name,) = directory.read()
    (tmp_path / "netconsole" / name / "enabled").write_text("0\n")  # As the kernel does when eth0 joins br0.
    host.device = "br0"
    kmsg += [*RECORDS[:1], OSError(errno.EPIPE, "overwritten"), *RECORDS[1:]]
    follower.follow()
    (target,) = directory.read().values()
    assert (target.enabled, target.settings["dev_name"]) == (True, "br0")
    assert [log_host.recv(9999) for dummy in RECORDS] == RECORDS


def test_host_without_a_way_keeps_its_target_and_says_so_once(
    log_host: socket.socket, kmsg: list[bytes | OSError], tmp_path: Path
) -> None:
    directory, host = FakeConfigfs(tmp_path, "6.1"), Host()
    follower, said = followed(log_host, directory, host)
    follower.follow()
    before = directory.read()
    host.device = ""
    kmsg += RECORDS
    follower.follow()
    follower.follow()
    assert directory.read() == before
    assert [line for line in said if "no route" in line] == said[1:]
    assert len(said) == 2
    assert kmsg == RECORDS


def test_target_that_is_not_wanted_any_more_is_removed_and_others_are_left(
    log_host: socket.socket, kmsg: list[bytes | OSError], tmp_path: Path
) -> None:
    directory = FakeConfigfs(tmp_path, "6.1")
    step = part("_netconsole_plan").Step
    directory.apply([step("mkdir", "diskless-10.77.0.99:6666"), step("mkdir", "somebody-elses")])
    follower, _dummy = followed(log_host, directory, Host())
    follower.follow()
    assert sorted(directory.read()) == [f"diskless-{address(log_host)}", "somebody-elses"]
    assert kmsg == []


def test_target_of_early_boot_goes_when_ours_is_there(
    log_host: socket.socket, kmsg: list[bytes | OSError], tmp_path: Path
) -> None:
    directory = FakeConfigfs(tmp_path, "7.3")
    host_address, port = log_host.getsockname()
    step = part("_netconsole_plan").Step
    writes = {"remote_ip": host_address, "remote_port": str(port), "enabled": "1"}
    directory.apply(
        [step("mkdir", "cmdline0"), *(step("write", f"cmdline0/{name}", text) for name, text in writes.items())]
    )
    directory.apply([step("mkdir", "cmdline1"), step("write", "cmdline1/remote_ip", "192.0.2.1")])
    host = Host(device="")
    follower, _dummy = followed(log_host, directory, host)
    adopted = part("parameter").adopt(directory)
    assert [target.name for target in adopted] == ["cmdline0", "cmdline1"]
    follower.follow(adopted)
    assert directory.read()["cmdline0"].enabled is True
    host.device = "eth0"
    follower.follow(adopted)
    # The other is somebody's own.
    assert list(directory.read()) == ["cmdline1", f"diskless-{address(log_host)}"]
    assert kmsg == []


@pytest.mark.parametrize(
    ("consoles", "targets", "loaded"),
    [("netcon_ext0", [], True), ("ttyS0", [], False), ("netcon_ext0", ["diskless-10.77.0.3:6666"], False)],
    ids=["hidden target", "no target", "ours"],
)
def test_module_is_loaded_again_only_for_a_target_that_nobody_can_change(
    tmp_path: Path, consoles: str, targets: list[str], loaded: bool
) -> None:
    directory, host = FakeConfigfs(tmp_path, "6.1"), Host()
    directory.apply([part("_netconsole_plan").Step("mkdir", name) for name in targets])
    (tmp_path / "consoles").write_text(f"{consoles} -W- (E  p  )\n")
    assert part("parameter").reload_if_hidden(directory, host, str(tmp_path / "consoles")) is loaded
    assert host.asked == (["modprobe -r netconsole", "modprobe netconsole"] if loaded else [])
