# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module as Ansible does: arguments as JSON on stdin, the result as JSON on stdout."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ansible.module_utils import _internal

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ansible_collections.diskless.ceph.plugins.modules"
TIMEOUT_SECONDS = 300


class ModuleFailed(Exception):
    """The module called fail_json; the text is its message."""


@dataclass(frozen=True)
class ModuleRun:
    """Runs modules against the cluster behind ``launcher``; see converge() for ``writes_by_bindings``."""

    launcher: list[str]
    writes_by_bindings: bool = True

    def __call__(self, module: str, check_mode: bool = False, bindings: bool = True, **args: Any) -> dict[str, Any]:
        """Run the module once, through Ceph's Python bindings or its command line tools, and return its result.

        :raises ModuleFailed: when the module fails.
        """
        given = dict(args)
        if connects(module):
            given = {"ceph_launcher": self.launcher, "ceph_bindings": "auto" if bindings else "never", **given}
        with tempfile.TemporaryDirectory() as directory:
            given |= {"_ansible_check_mode": check_mode, "_ansible_diff": True, "_ansible_tmpdir": directory}
            stdout, stderr = _run_forked(module, json.dumps({"ANSIBLE_MODULE_ARGS": given}))
        if not stdout:
            raise ModuleFailed(f"{module} died: {stderr}")
        answer: dict[str, Any] = json.loads(stdout)
        if answer.get("failed"):
            raise ModuleFailed(answer["msg"])
        return answer

    def converge(self, module: str, **args: Any) -> dict[str, Any]:
        """Check, apply, apply again, check again, and return what the first apply returned.

        The check has to announce exactly what the apply then does, and what was applied once has to stay. One of
        these two goes through Ceph's Python bindings, the other through its command line tools: they have to agree.
        Which of them changes something is the cluster's fixture to say.
        """
        writes = self.writes_by_bindings
        announced = self(module, check_mode=True, bindings=not writes, **args)
        applied = self(module, bindings=writes, **args)
        again = self(module, **args)
        checked = self(module, check_mode=True, **args)
        return self._converged(announced, applied, again, checked)

    def info(self, module: str, ignore: tuple[str, ...] = (), **args: Any) -> dict[str, Any]:
        """Run an _info module both ways, which have to agree, but for the keys to ``ignore``, and return its result."""
        result = self(module, bindings=True, **args)
        assert without(result, ignore) == without(self(module, bindings=False, **args), ignore)
        assert result["changed"] is False
        return result

    @staticmethod
    def _converged(*runs: dict[str, Any]) -> dict[str, Any]:
        announced, applied, again, checked = runs
        changed = [run["changed"] for run in runs]
        assert changed == [True, True, False, False], changed
        assert announced["diff"] == applied["diff"]
        assert applied["diff"]["before"] != applied["diff"]["after"]
        for run in (again, checked):
            assert run["diff"]["before"] == run["diff"]["after"]
        return applied


def _run_forked(module: str, stdin: str) -> tuple[str, str]:
    """Run the module in a fork of this process, which has imported it: that takes half as long as a new Python."""
    run = importlib.import_module(f"{PACKAGE}.{module}").main
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        given.write(stdin.encode())
        given.seek(0)
        pid = os.fork()
        if pid == 0:
            _become(run, (given.fileno(), stdout.fileno(), stderr.fileno()))
        _wait(pid)
        stdout.seek(0)
        stderr.seek(0)
        return stdout.read().decode(), stderr.read().decode()


def _become(run: Callable[[], None], files: tuple[int, int, int]) -> NoReturn:
    for number, file in enumerate(files):
        os.dup2(file, number)
    # What pytest has put there instead belongs to the parent.
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    sys.argv = ["module"]
    # Other tests may have made this process a controller, which prints warnings instead of returning them.
    _internal.is_controller = False
    try:
        run()
    except SystemExit:
        pass
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _wait(pid: int) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise TimeoutError(f"no result within {TIMEOUT_SECONDS} s")
        time.sleep(0.01)


def connects(module: str) -> bool:
    """Tell whether the module takes the options of the ceph documentation fragment."""
    return "diskless.ceph.ceph\n" in (ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")


def without(value: Any, ignore: tuple[str, ...]) -> Any:
    """Return the value without these keys, and without what the module was called with."""
    if isinstance(value, dict):
        return {key: without(part, ignore) for key, part in value.items() if key not in (*ignore, "invocation")}
    return [without(part, ignore) for part in value] if isinstance(value, list) else value
