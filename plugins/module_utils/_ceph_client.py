# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ceph client: the only code that starts ``ceph`` and ``rbd``."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
from dataclasses import dataclass
from typing import Any, Callable, Mapping, NoReturn, Sequence

ENOENT = 2
# 40 characters for AES keys, 60 for the AES256K keys of Ceph 20.
_CEPHX_KEY = re.compile(r"\bA[Qg][A-Za-z0-9+/]{36,58}={0,2}")
_NOT_CONNECTED = re.compile(r"(couldn't connect|error connecting) to the cluster", re.IGNORECASE)

CEPH_ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "ceph_launcher": {"type": "list", "elements": "str", "default": []},
    "ceph_conf": {"type": "str"},
    "ceph_name": {"type": "str", "default": "client.admin"},
    "ceph_keyring": {"type": "str", "no_log": False},
    "ceph_timeout": {"type": "int", "default": 60},
}


@dataclass(frozen=True)
class Finished:
    """What a process left behind."""

    rc: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Start:
    """One process to start: ``argv``, and ``stdin`` as text or, for bulk data, as the path of a file."""

    argv: tuple[str, ...]
    timeout_seconds: int
    stdin: str = ""
    stdin_file: str | None = None


class CephError(Exception):
    """A command could not be started, failed, or gave an answer that cannot be used.

    ``command`` is what was started, without its stdin; ``rc`` is None if it did not finish.
    """

    def __init__(self, command: Sequence[str], problem: str, rc: int | None = None, stderr: str = "") -> None:
        self.command = shlex.join(command)
        self.rc = rc
        self.stderr = _CEPHX_KEY.sub("(key)", stderr.strip())
        super().__init__(f"{self.command}: {problem}" + (f": {self.stderr}" if self.stderr else ""))


class CephNotFound(CephError):
    """Ceph answered that the object does not exist (ENOENT); the cluster itself was reached."""


class CephTimeout(CephError):
    """The command did not finish in time and was killed."""


def start_process(start: Start) -> Finished:
    """Run one process in a process group of its own and wait for it.

    Raises :class:`CephTimeout` after ``start.timeout_seconds``, having killed the group: a launcher such as
    ``podman exec`` has children that would otherwise live on.
    """
    if start.stdin_file is None:
        return _run(start, None)
    try:
        source = open(start.stdin_file, "rb")  # noqa: PTH123, SIM115 -- closed by the with below
    except OSError as error:
        raise CephError(start.argv, f"cannot read {start.stdin_file}: {error.strerror}") from error
    with source:
        return _run(start, source.fileno())


def _run(start: Start, stdin_fd: int | None) -> Finished:
    try:
        # run_command needs an AnsibleModule and has no time limit.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            start.argv,
            stdin=subprocess.PIPE if stdin_fd is None else stdin_fd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
            start_new_session=True,
        )
    except OSError as error:
        problem = f"cannot start {start.argv[0]}: {error.strerror}; install ceph-common there, or set ceph_launcher"
        raise CephError(start.argv, problem) from error
    try:
        stdout, stderr = process.communicate(
            start.stdin.encode() if stdin_fd is None else None, timeout=start.timeout_seconds
        )
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            problem = f"no answer within {start.timeout_seconds} s, killed; is the cluster reachable from here?"
            raise CephTimeout(start.argv, problem) from error
        raise
    return Finished(process.returncode, stdout.decode(errors="replace"), stderr.decode(errors="replace"))


class CephClient:
    """Runs Ceph's command line tools, on this machine or through a launcher.

    ``launcher`` is put in front of every command: nothing for an installed ceph-common, or for example
    ``["podman", "exec", "-i", "ceph-mon-a"]``. It has to pass stdin on. ``conf`` and ``keyring`` are paths as
    seen behind the launcher; None leaves the search to Ceph.
    """

    def __init__(  # noqa: PLR0913, PLR0917 -- these are what a connection is made of
        self,
        launcher: Sequence[str] = (),
        conf: str | None = None,
        name: str = "client.admin",
        keyring: str | None = None,
        timeout_seconds: int = 60,
        run: Callable[[Start], Finished] = start_process,
    ) -> None:
        self._launcher = tuple(launcher)
        self._identity = {"conf": conf, "name": name, "keyring": keyring}
        self._timeout_seconds = timeout_seconds
        # Below the limit for the whole command, so that it is Ceph that says why.
        self._connect_seconds = max(1, timeout_seconds // 2)
        self._run = run

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> CephClient:
        """The client that the module options of :data:`CEPH_ARGUMENT_SPEC` describe."""
        return cls(
            launcher=params["ceph_launcher"],
            conf=params["ceph_conf"],
            name=params["ceph_name"],
            keyring=params["ceph_keyring"],
            timeout_seconds=params["ceph_timeout"],
        )

    def ceph(self, *args: str, stdin: str = "") -> str:
        """Run ``ceph ARGS`` and return its stdout. Secrets go in through ``stdin`` (``-i -``)."""
        argv = ("ceph", *self._options(), "--connect-timeout", str(self._connect_seconds), *args)
        return self._checked(argv, stdin=stdin).stdout

    def ceph_json(self, *args: str) -> Any:
        """Run ``ceph ARGS -f json`` and return the parsed answer."""
        argv = ("ceph", *self._options(), "--connect-timeout", str(self._connect_seconds), *args, "-f", "json")
        return self._parsed(argv, self._checked(argv).stdout)

    def rbd(self, *args: str, stdin_file: str | None = None, timeout_seconds: int | None = None) -> str:
        """Run ``rbd ARGS`` and return its stdout; ``stdin_file`` is a file of this machine, fed to its stdin."""
        return self._checked(self._rbd_argv(args), stdin_file=stdin_file, timeout_seconds=timeout_seconds).stdout

    def rbd_json(self, *args: str) -> Any:
        """Run ``rbd ARGS --format json`` and return the parsed answer."""
        argv = self._rbd_argv((*args, "--format", "json"))
        return self._parsed(argv, self._checked(argv).stdout)

    def python_json(self, script: str, request: Any) -> Any:
        """Run a Python script next to Ceph's libraries and return the JSON that it prints.

        The script finds the request, any JSON value, as ``REQUEST``. Its ``sys.argv`` is [-, conf, name, keyring,
        connect timeout in seconds]; conf and keyring may be empty.
        """
        script = f"import json\nREQUEST = json.loads({json.dumps(request)!r})\n{script}"
        identity = [self._identity[part] or "" for part in ("conf", "name", "keyring")]
        argv = ("python3", "-", *identity, str(self._connect_seconds))
        return self._parsed(argv, self._checked(argv, stdin=script).stdout)

    def _options(self) -> list[str]:
        return [word for part, value in self._identity.items() if value for word in (f"--{part}", value)]

    def _rbd_argv(self, args: Sequence[str]) -> tuple[str, ...]:
        # rbd has no --connect-timeout: this is the option behind it.
        return ("rbd", *self._options(), "--client-mount-timeout", str(self._connect_seconds), *args)

    def _checked(
        self, argv: Sequence[str], stdin: str = "", stdin_file: str | None = None, timeout_seconds: int | None = None
    ) -> Finished:
        start = Start((*self._launcher, *argv), timeout_seconds or self._timeout_seconds, stdin, stdin_file)
        finished = self._run(start)
        if finished.rc != 0:
            _raise_failure(start.argv, finished)
        return finished

    def _parsed(self, argv: Sequence[str], text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            # The text itself stays out of the message: it may hold keys.
            raise CephError((*self._launcher, *argv), f"the answer is not JSON ({error})") from error


def _raise_failure(argv: Sequence[str], finished: Finished) -> NoReturn:
    """Raise the error for a non-zero rc: :class:`CephNotFound` only if Ceph itself said ENOENT.

    A missing configuration or keyring file also prints "(2) No such file or directory", without any cluster
    having been asked; that must never be taken for "absent".
    """
    said_enoent = "ENOENT" in finished.stderr or "(2) No such file or directory" in finished.stderr
    kind = CephError
    if finished.rc == ENOENT and said_enoent and not _NOT_CONNECTED.search(finished.stderr):
        kind = CephNotFound
    raise kind(argv, f"failed with rc {finished.rc}", finished.rc, finished.stderr)
