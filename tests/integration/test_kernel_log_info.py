# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kernel_log_info on this machine. It asks no cluster, so it is the same on every release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.module_run import ModuleFailed, ModuleRun

pytestmark = pytest.mark.once(reason="it asks no cluster")

FSID = "4f1e9a30-7c5e-4f0e-8a56-0e8d3c1f2b11"
# A CephFS client that was away for too long, on a kernel with the prefix of Linux 6.7, in a syslog file.
EVICTION = f"""\
2026-11-21T08:00:00.100000+00:00 pi3 kernel: [ 100.000001] libceph: mon0 (1)10.76.0.1:6789 session established
2026-11-21T08:00:00.200000+00:00 pi3 kernel: [ 100.000101] libceph: client4137 fsid {FSID}
2026-11-21T08:58:21.120128+00:00 pi3 kernel: [ 3601.120128] ceph: [{FSID} 4137]: mds0 caps stale
2026-11-21T09:03:21.128919+00:00 pi3 kernel: [ 3901.128919] ceph: [{FSID} 4137]: mds0 closed our session
2026-11-21T09:03:21.138019+00:00 pi3 kernel: [ 3901.138019] ceph: [{FSID} 4137]: mds0 reconnect start
2026-11-21T09:03:21.193378+00:00 pi3 kernel: [ 3901.193378] ceph: [{FSID} 4137]: mds0 reconnect denied
2026-11-21T09:03:21.198525+00:00 pi3 kernel: [ 3901.198525] ceph: [{FSID} 4137]:  dropping dirty Fw state for 1 10.fffe
2026-11-21T09:03:22.196747+00:00 pi3 kernel: [ 3902.196747] ceph: [{FSID} 4137]: mds0 rejected session
"""


@pytest.fixture
def read_log() -> ModuleRun:
    """Run the module on this machine."""
    return ModuleRun([])


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is the whole PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_log_of_this_machine(read_log: ModuleRun) -> None:
    result = read_log("kernel_log_info")
    assert result["changed"] is False
    assert result["source"] in ("journal", "dmesg")
    assert result["lines_read"] > 0
    assert read_log("kernel_log_info", check_mode=True)["source"] == result["source"]


def test_log_file_of_another_host(read_log: ModuleRun, tmp_path: Path) -> None:
    log = tmp_path / "pi3.log"
    log.write_text(EVICTION, encoding="utf-8")
    result = read_log("kernel_log_info", path=str(log))
    assert (result["source"], result["lines_read"]) == ("file", 8)
    assert result["incidents"] == ["caps_stale", "data_lost", "evicted", "rejected"]
    assert result["clients"] == [{"client": "client.4137", "fsid": FSID}]
    assert [finding["signature"] for finding in result["findings"]] == [
        "caps_stale",
        "session_closed",
        "reconnect_denied",
        "data_dropped",
        "session_rejected",
    ]
    denied = result["findings"][2]
    assert (denied["first_time"], denied["first_uptime_seconds"]) == ("2026-11-21T09:03:21.193Z", 3901.193378)
    assert (denied["fsid"], denied["client"], denied["subject"]) == (FSID, "client.4137", "mds0")
    later = read_log("kernel_log_info", path=str(log), since="2026-11-21T09:03:22Z")
    assert [finding["signature"] for finding in later["findings"]] == ["session_rejected"]


def test_log_without_a_word_of_ceph(read_log: ModuleRun, tmp_path: Path) -> None:
    log = tmp_path / "quiet.log"
    log.write_text("[    0.000000] Linux version 6.1.0\n", encoding="utf-8")
    result = read_log("kernel_log_info", path=str(log))
    assert (result["findings"], result["incidents"], result["lines_read"]) == ([], [], 1)


def test_journal_of_several_boots(read_log: ModuleRun, programs: Path) -> None:
    def entry(boot: str, text: str) -> str:
        times = {"__REALTIME_TIMESTAMP": "1000000000", "__MONOTONIC_TIMESTAMP": "9000000"}
        return json.dumps({"MESSAGE": text, "_BOOT_ID": boot, **times})

    (programs / "0").write_text(entry("new", "ceph: mds0 hung"), encoding="utf-8")
    (programs / "-1").write_text(entry("old", "rbd: rbd0: failed to reregister watch: -108"), encoding="utf-8")
    boots = (f'*" --boot={boot} "*) exec /bin/cat {programs}/{boot};;' for boot in ("0", "-1"))
    program(programs / "journalctl", f'case " $* " in {" ".join(boots)} esac\nexit 1')
    assert [finding["boot"] for finding in read_log("kernel_log_info")["findings"]] == ["new"]
    result = read_log("kernel_log_info", boots=5)
    assert result["source"] == "journal"
    assert [(finding["boot"], finding["incident"]) for finding in result["findings"]] == [
        ("old", "fenced"),
        ("new", "mds_unresponsive"),
    ]


def test_journal_without_kernel_log_falls_back_to_dmesg(read_log: ModuleRun, programs: Path) -> None:
    program(programs / "journalctl", "exit 0")
    program(programs / "dmesg", "echo '[    5.000000] ceph: mds0 hung'")
    result = read_log("kernel_log_info")
    assert (result["source"], result["incidents"]) == ("dmesg", ["mds_unresponsive"])
    assert result["findings"][0]["first_uptime_seconds"] == 5.0
    assert result["findings"][0]["first_time"].endswith("Z")


@pytest.mark.parametrize(
    ("dmesg", "message"),
    [
        (
            None,
            "^the journal has no kernel log, and there is no dmesg: run the task as root .*, or name a log file with",
        ),
        (
            "echo 'dmesg: read kernel buffer failed: Operation not permitted' >&2; exit 1",
            "and dmesg failed: dmesg: read kernel buffer failed: Operation not permitted: run the task as root",
        ),
    ],
)
def test_log_that_may_not_be_read(read_log: ModuleRun, programs: Path, dmesg: str | None, message: str) -> None:
    if dmesg:
        program(programs / "dmesg", dmesg)
    # get_bin_path looks beyond PATH too: a program that fails stands for one that is missing there.
    with pytest.raises(ModuleFailed, match=message):
        read_log("kernel_log_info")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"path": "/nonexistent"}, "cannot read the log file /nonexistent: No such file or directory"),
        ({"since": "yesterday"}, "since 'yesterday': expected a time such as 2026-11-21T08:30:00Z, or an age such as"),
        ({"boots": 0}, "boots is 0: at least the running one has to be read"),
    ],
)
def test_options_that_cannot_be_met(read_log: ModuleRun, args: dict[str, Any], message: str) -> None:
    with pytest.raises(ModuleFailed, match=message):
        read_log("kernel_log_info", **args)
