# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ceph client: what it starts, and how it tells failures apart."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CephClient,
    CephCommand,
    CephDenied,
    CephError,
    CephNotFound,
    CephTimeout,
    Finished,
    Start,
    start_process,
)

KEY = "AQCFKABrRsI8KBAA5GDynI0PROa8vPykAad8cA=="


class Runner:
    """Stands in for the processes: notes what was started, and answers the same to all."""

    def __init__(self, stdout: str = "", rc: int = 0, stderr: str = "") -> None:
        self.finished = Finished(rc, stdout, stderr)
        self.started: list[Start] = []

    def __call__(self, start: Start) -> Finished:
        self.started.append(start)
        return self.finished


class Bindings:
    """Stands in for Ceph's Python bindings: answers commands with what ``answers`` holds for their first word."""

    def __init__(self, **answers: tuple[int, str, str]) -> None:
        self.answers = answers
        self.requests: list[Any] = []

    def __call__(self, start: Start) -> Finished:
        request = json.loads(eval(start.stdin.splitlines()[1].partition("json.loads(")[2][:-1]))  # noqa: S307 -- a literal
        self.requests.append(request)
        ends = [self.answers[command["args"][0]] for command in request["commands"]]
        answer = [{"rc": rc, "stdout": out, "stderr": err} for rc, out, err in ends]
        return Finished(0, json.dumps(answer), "")


def without_bindings(start: Start) -> Finished:
    """A machine whose Python has no Ceph."""
    if "python3" in start.argv:
        return Finished(96, "", "No module named 'rados'")
    return Finished(0, json.dumps(list(start.argv[-4:])), "")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "podman exec -i mon",
        "cephadm shell --",
        "kubectl -n rook-ceph exec -i deploy/rook-ceph-tools --",
    ],
)
def test_launcher_conf_name_and_keyring_are_part_of_every_command(words: str) -> None:
    run = Runner("{}")
    launcher = tuple(words.split())
    client = CephClient(launcher, "/c", "client.x", "/k", 30, "never", run)
    client.ceph_json("mon", "dump")
    client.rbd("ls", "p")
    client.python_json("print()", [])
    options = ("--conf", "/c", "--name", "client.x", "--keyring", "/k")
    assert [start.argv for start in run.started] == [
        (*launcher, "ceph", *options, "--connect-timeout", "15", "mon", "dump", "-f", "json"),
        (*launcher, "rbd", *options, "--client-mount-timeout", "15", "ls", "p"),
        (*launcher, "python3", "-", "/c", "client.x", "/k", "15"),
    ]
    assert {start.timeout_seconds for start in run.started} == {30}


def test_conf_and_keyring_are_left_to_ceph_when_not_given() -> None:
    run = Runner("")
    client = CephClient(bindings="never", run=run)
    client.ceph("auth", "import", "-i", "-", stdin="secret")
    assert run.started[0].argv == (
        "ceph", "--name", "client.admin", "--connect-timeout", "30", "auth", "import", "-i", "-",
    )  # fmt: skip
    assert run.started[0].stdin == "secret"


def test_options_of_a_module_make_a_client() -> None:
    params = {"ceph_launcher": ["x"], "ceph_conf": None, "ceph_name": "client.a", "ceph_keyring": None}
    client = CephClient.from_params({**params, "ceph_timeout": 5, "ceph_bindings": "never"})
    with pytest.raises(CephError, match=r"^x rbd --name client\.a --client-mount-timeout 2 ls: cannot start x"):
        client.rbd("ls")


def test_request_reaches_the_script_whatever_is_in_it() -> None:
    client = CephClient(["env", "PYTHONPATH="])
    request = ["it's", 'a "name"', "back\\slash", None, "ü"]
    assert client.python_json("import json, sys; json.dump([REQUEST, sys.argv[1:]], sys.stdout)", request) == [
        request,
        ["", "client.admin", "", "30"],
    ]


@pytest.mark.parametrize("name", ["no_image", "no_pool", "no_user"])
def test_enoent_is_a_kind_of_its_own(name: str, recorded: Callable[[str], Any]) -> None:
    failure = recorded("failures")[name]
    with pytest.raises(CephNotFound) as caught:
        CephClient(run=Runner(rc=failure["rc"], stderr=failure["stderr"])).rbd("info", "p/i")
    assert caught.value.rc == 2
    assert caught.value.stderr == failure["stderr"].strip()


@pytest.mark.parametrize("name", ["no_keyring", "no_keyring_ceph", "no_conf", "bad_command", "unreachable", "in_use"])
def test_no_other_failure_means_absent(name: str, recorded: Callable[[str], Any]) -> None:
    """Also those whose stderr says "(2) No such file or directory", of a keyring."""
    failure = recorded("failures")[name]
    with pytest.raises(CephError) as caught:
        CephClient(run=Runner(rc=failure["rc"], stderr=failure["stderr"])).rbd("info", "p/i")
    assert not isinstance(caught.value, CephNotFound)
    assert caught.value.rc == failure["rc"]


def test_enoent_of_an_unreached_cluster_is_not_absence() -> None:
    stderr = "unable to find a keyring: (2) No such file or directory\n[errno 2] error connecting to the cluster"
    with pytest.raises(CephError) as caught:
        CephClient(bindings="never", run=Runner(rc=2, stderr=stderr)).ceph("auth", "get", "client.x")
    assert not isinstance(caught.value, CephNotFound)


def test_error_names_command_rc_and_stderr_but_no_key() -> None:
    client = CephClient(bindings="never", run=Runner(rc=22, stderr=f"bad line: key = {KEY}\n"))
    with pytest.raises(CephError) as caught:
        client.ceph("auth", "import", "-i", "-", stdin=f"[client.x]\n\tkey = {KEY}\n")
    assert str(caught.value) == (
        "ceph --name client.admin --connect-timeout 30 auth import -i -: failed with rc 22: bad line: key = (key)"
    )


def test_answer_that_is_not_json_is_an_error_without_the_answer() -> None:
    with pytest.raises(CephError, match="the answer is not JSON") as caught:
        CephClient(bindings="never", run=Runner(f"key = {KEY}")).ceph_json("auth", "ls")
    assert KEY not in str(caught.value)


def test_missing_program_names_the_remedy() -> None:
    with pytest.raises(CephError, match="cannot start /no/such: No such file or directory; install ceph-common"):
        start_process(Start(("/no/such",), 5))


def test_stdin_can_be_a_file(tmp_path: Path) -> None:
    source = tmp_path / "raw"
    source.write_bytes(b"image")
    assert start_process(Start(("cat",), 5, stdin_file=str(source))) == Finished(0, "image", "")
    with pytest.raises(CephError, match=f"cannot read {tmp_path}/none: No such file or directory"):
        start_process(Start(("cat",), 5, stdin_file=str(tmp_path / "none")))


def test_messages_are_asked_for_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert start_process(Start(("sh", "-c", "echo $LC_ALL"), 5)).stdout == "C\n"


def test_command_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"sleep 60 & echo $! >{pid_file}; wait"
    with pytest.raises(CephTimeout, match="no answer within 1 s: can the monitors be reached from there"):
        start_process(Start(("sh", "-c", script), 1))
    child = int(pid_file.read_text())
    for _attempt in range(50):
        if not _runs(child):
            return
        time.sleep(0.1)
    pytest.fail(f"the child {child} is still there")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # Killed, but not yet collected by whoever inherited it.
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_many_commands_are_one_process_with_bindings() -> None:
    run = Bindings(mon=(0, '{"a": 1}', ""), osd=(0, "\n[]", ""))
    assert CephClient(run=run).ceph_json_many([("mon", "dump"), ("osd", "dump")]) == [{"a": 1}, []]
    assert run.requests == [
        {
            "commands": [
                {"args": ["mon", "dump", "-f", "json"], "stdin": ""},
                {"args": ["osd", "dump", "-f", "json"], "stdin": ""},
            ],
            "parallel": True,
        }
    ]


def test_secret_goes_in_by_stdin_with_bindings_too() -> None:
    starts: list[Start] = []

    def run(start: Start) -> Finished:
        starts.append(start)
        return Finished(0, '[{"rc": 0, "stdout": "", "stderr": ""}]', "")

    CephClient(run=run).ceph("auth", "import", "-i", "-", stdin=KEY)
    assert KEY not in str(starts[0].argv)
    assert KEY in starts[0].stdin


def test_without_bindings_the_command_line_does_it() -> None:
    started = []

    def run(start: Start) -> Finished:
        started.append(start.argv[0])
        return without_bindings(start)

    client = CephClient(run=run)
    for _number in range(2):
        assert client.ceph_json("mon", "dump") == ["mon", "dump", "-f", "json"]
    assert started == ["python3", "ceph", "ceph"], "it is tried once"


def test_bindings_are_not_tried_when_they_are_not_wanted() -> None:
    run = Runner("{}")
    client = CephClient(bindings="never", run=run)
    client.ceph_json("mon", "dump")
    assert [start.argv[0] for start in run.started] == ["ceph"]


@pytest.mark.parametrize("bindings", ["auto", "never"])
def test_first_failure_ends_what_runs_in_order(bindings: str) -> None:
    def run(start: Start) -> Finished:
        if start.argv[0] == "python3":
            return Finished(0, '[{"rc": 2, "stdout": "", "stderr": "Error ENOENT: no"}]', "")
        return Finished(2, "", "Error ENOENT: no")

    with pytest.raises(
        CephNotFound, match=r"^ceph --name client\.admin --connect-timeout 30 a: failed with rc 2: Error"
    ):
        CephClient(bindings=bindings, run=run).ceph_many([CephCommand(("a",)), CephCommand(("b",))])


def test_failures_of_what_runs_together_are_counted() -> None:
    run = Bindings(a=(0, "", ""), b=(22, "", "Error EINVAL: bad"), c=(22, "", "Error EINVAL: worse"))
    commands = [CephCommand((word,)) for word in "abc"]
    with pytest.raises(CephError, match=r"30 b: failed with rc 22 \(and 1 more commands failed\): Error EINVAL: bad"):
        CephClient(run=run).ceph_many(commands, parallel=True)


def test_refused_command_names_the_cap_that_allows_it() -> None:
    run = Bindings(osd=(13, "", "Error EACCES: access denied"))
    with pytest.raises(CephDenied) as caught:
        CephClient(name="client.x", run=run).ceph("osd", "blocklist", "add", "10.0.0.1:0/12345")
    assert str(caught.value) == (
        "ceph --name client.x --connect-timeout 30 osd blocklist add 10.0.0.1:0/12345: client.x may not do that; its "
        "caps have to include mon 'allow r, allow command \"osd blocklist\"': Error EACCES: access denied"
    )


def test_refused_key_is_told_from_too_small_caps() -> None:
    stderr = "[errno 13] RADOS permission denied (error connecting to the cluster)"
    with pytest.raises(
        CephError, match=r"the cluster refuses client\.x: no key, a wrong key, or no such user"
    ) as caught:
        CephClient(name="client.x", run=Runner(rc=1, stderr=stderr)).rbd("ls", "p")
    assert not isinstance(caught.value, CephDenied)
