# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of the user's, and what holds for all drivers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Program = Callable[[str, str], str]
# A PDU whose outlets are files; what it is asked for by is its first word.
PDU = """
import pathlib, sys
verb, host = sys.argv[1:]
outlet = pathlib.Path(__file__).parent / host
state = outlet.read_text() if outlet.exists() else "off"
if verb == "status":
    print(f"{host} is {state}")
    sys.exit({"on": 0, "off": 2, "lost": 1}[state])
elif not (outlet.parent / "stuck").exists():
    outlet.write_text(verb)
"""
# One that tells what it read and where else that could be read.
NOSY = """
import os, pathlib, sys
secret = sys.stdin.read().strip()
seen = [path.parent.name for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")
        if secret.encode() in (path.read_bytes() if path.exists() else b"")]
environment = [name for name, value in os.environ.items() if secret in value]
pathlib.Path(__file__).with_suffix(".seen").write_text(f"{len(secret)} {seen} {environment}")
print("complaint about", secret, file=sys.stderr)
sys.exit(9)
"""


def power(program: str, **more: Any) -> dict[str, Any]:
    """The diskless_power of something that takes a verb and a host."""
    words = {f"{verb}_command": [program, verb, "{host}"] for verb in ("on", "off", "status")}
    told = {} if "on_exit" in more else {"on_pattern": "^udoo1 is on$", "off_pattern": "is off$"}
    return {"driver": "command", **words, **told, "timeout": 3, "pause": 0, **more}


@pytest.mark.parametrize("told", [{}, {"on_exit": 0, "off_exit": 2}])
def test_state_is_told_by_the_output_or_by_the_exit_status(role: Any, program: Program, told: dict[str, int]) -> None:
    # With patterns, a status that fails tells nothing, whatever it prints.
    pdu = program("pdu", PDU if told else PDU.replace('"off": 2', '"off": 0'))
    assert role("status", power(pdu, **told)).answers["udoo1"] == ("off", True, "")
    assert role("cycle", power(pdu, **told)).state == "on"
    assert role("off", power(pdu, **told)).state == "off"


@pytest.mark.full
def test_status_that_fails_is_no_state(role: Any, program: Program) -> None:
    pdu = program("pdu", PDU)
    (Path(pdu).parent / "udoo1").write_text("lost", encoding="utf-8")
    done = role("status", power(pdu, on_exit=0, off_exit=2))
    assert done.answers["udoo1"] == ("unknown", False, "exit status 1: udoo1 is lost")


@pytest.mark.full
def test_program_that_is_missing_is_no_state(role: Any) -> None:
    """Ansible reports a program that is not there with the error number 2, which may be the exit status for off."""
    nowhere = power("/nowhere/pdu", on_exit=0, off_exit=2)
    assert role("status", nowhere).answers["udoo1"][:2] == ("unknown", False)
    assert not role("off", nowhere).succeeded
    assert role("status", nowhere, "-e", "ansible_remote_tmp=/dev/null/x").answers["udoo1"][:2] == ("unknown", False)


def test_host_that_stays_on_is_an_error_and_a_cycle_does_not_go_on(role: Any, program: Program) -> None:
    pdu = program("pdu", PDU)
    outlets = Path(pdu).parent
    (outlets / "udoo1").write_text("on", encoding="utf-8")
    (outlets / "stuck").touch()
    done = role("cycle", power(pdu, on_exit=0, off_exit=2))
    assert not done.succeeded
    assert f"udoo1: not proven to be off within 3 s: {pdu} says on; expected off" in done.output
    assert "TASK [diskless.ceph.power : Power is on]" not in done.output


def test_secret_is_given_by_stdin_and_seen_nowhere(role: Any, program: Program) -> None:
    nosy = program("nosy", NOSY)
    done = role("status", power(nosy, on_exit=0, off_exit=2, stdin="geheimnis-\u00e4"), "-vvvv")
    assert Path(nosy).with_suffix(".seen").read_text(encoding="utf-8") == "11 [] []"
    assert done.answers["udoo1"][2] == "exit status 9: it had a secret, so what it says is not shown"
    assert "geheimnis" not in done.output


def test_password_of_ipmi_is_in_the_environment_of_ipmitool_alone(
    role: Any, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    nosy = NOSY.replace("sys.stdin.read().strip()", 'os.environ["IPMI_PASSWORD"]')
    ipmitool = Path(program("ipmitool", nosy))
    monkeypatch.setenv("PATH", str(ipmitool.parent), prepend=":")
    bmc = {"driver": "ipmi", "address": "127.0.0.1", "user": "admin", "password": "geheim"}
    done = role("status", bmc, "-vvvv")
    assert ipmitool.with_suffix(".seen").read_text(encoding="utf-8") == "6 [] ['IPMI_PASSWORD']"
    assert "geheim" not in done.output.replace("complaint about geheim", "")


def test_all_that_is_wrong_is_told_before_anything_is_done(role: Any, program: Program) -> None:
    pdu = program("pdu", PDU)
    wrong = {"udoo2": {"driver": "ipmi", "address": "-x"}, "udoo3": {"driver": "turing_pi", "node": 5}}
    done = role("on", {"udoo1": power(pdu), **wrong})
    assert not done.succeeded
    assert "udoo2: diskless_power.address is '-x'; expected a host name" in done.output
    assert "udoo3: diskless_power.node is 5; expected the number of a slot" in done.output
    assert not (Path(pdu).parent / "udoo1").exists()


@pytest.mark.full
def test_host_without_a_driver_is_unknown_and_cannot_be_switched(role: Any) -> None:
    assert role("status", {"udoo1": {}}).answers["udoo1"] == ("unknown", False, "diskless_power is missing")
    done = role("off", {"udoo1": {}})
    assert not done.succeeded
    assert "udoo1: diskless_power is missing, so its power cannot be switched off" in done.output
