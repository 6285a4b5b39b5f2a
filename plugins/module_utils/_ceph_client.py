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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Callable, Mapping, NoReturn, Sequence, TypeVar

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_batch_script import BATCH_SCRIPT, NO_BINDINGS
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_caps_needed import caps_needed

T = TypeVar("T")

EPERM, ENOENT, EACCES = 1, 2, 13
# 40 characters for AES keys, 60 for the AES256K keys of Ceph 20.
_CEPHX_KEY = re.compile(r"\bA[Qg][A-Za-z0-9+/]{36,58}={0,2}")
_NOT_CONNECTED = re.compile(r"(couldn't connect|error connecting) to (the )?cluster", re.IGNORECASE)
# A ceph command computes for a good part of its time.
_PROCESSES = 4
_SILENT = re.compile(r"timed out|TimedOut")
_REFUSED = re.compile(r"EACCES|EPERM|[Pp]ermission denied|Operation not permitted|errno 13")

CEPH_ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "ceph_launcher": {"type": "list", "elements": "str", "default": []},
    "ceph_conf": {"type": "str"},
    "ceph_name": {"type": "str", "default": "client.admin"},
    "ceph_keyring": {"type": "str", "no_log": False},
    "ceph_timeout": {"type": "int", "default": 60},
    "ceph_bindings": {"type": "str", "choices": ["auto", "never"], "default": "auto"},
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


@dataclass(frozen=True)
class CephCommand:
    """The words after ``ceph``, and what it reads from stdin (``-i -``): the way in for secrets."""

    args: tuple[str, ...]
    stdin: str = ""


class CephError(Exception):
    """A command could not be started, failed, or gave an answer that cannot be used.

    ``command`` is what was started, without its stdin; ``rc`` is None if it did not finish.
    """

    def __init__(self, command: Sequence[str], problem: str, rc: int | None = None, stderr: str = "") -> None:
        self.command = shlex.join(command)
        self.problem = problem
        self.rc = rc
        self.stderr = _CEPHX_KEY.sub("(key)", stderr.strip())
        super().__init__(f"{self.command}: {problem}" + (f": {self.stderr}" if self.stderr else ""))


class CephNotFound(CephError):
    """Ceph answered that the object does not exist (ENOENT); the cluster itself was reached."""


class CephDenied(CephError):
    """The cluster was reached and refused the command: the caps of the cephx user are too small."""


class CephNoBindings(CephError):
    """Ceph's Python bindings cannot be imported where the commands run; nothing was done."""


class CephTimeout(CephError):
    """The cluster did not answer in time, or the command did not finish in time and was killed."""


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
            problem = f"no answer within {start.timeout_seconds} s: can the monitors be reached from there?"
            raise CephTimeout(start.argv, problem) from error
        raise
    return Finished(process.returncode, stdout.decode(errors="replace"), stderr.decode(errors="replace"))


class CephClient:
    """Runs Ceph's command line tools, on this machine or through a launcher.

    ``launcher`` is put in front of every command: nothing for an installed ceph-common, or for example
    ``["podman", "exec", "-i", "ceph-mon-a"]``. It has to pass stdin on. ``conf`` and ``keyring`` are paths as
    seen behind the launcher; None leaves the search to Ceph.

    With ``bindings`` "auto" it works through Ceph's Python bindings where those can be imported behind the launcher,
    many commands in one process; else, and with "never", through the command line tools. What is asked and what
    comes back is the same.
    """

    def __init__(  # noqa: PLR0913, PLR0917 -- these are what a connection is made of
        self,
        launcher: Sequence[str] = (),
        conf: str | None = None,
        name: str = "client.admin",
        keyring: str | None = None,
        timeout_seconds: int = 60,
        bindings: str = "auto",
        run: Callable[[Start], Finished] = start_process,
    ) -> None:
        self._launcher = tuple(launcher)
        self._identity = {"conf": conf, "name": name, "keyring": keyring}
        self._timeout_seconds = timeout_seconds
        # Below the limit for the whole command, so that it is Ceph that says why.
        self._connect_seconds = max(1, timeout_seconds // 2)
        # None: not known before the first try.
        self._bindings = None if bindings == "auto" else False
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
            bindings=params["ceph_bindings"],
        )

    def ceph(self, *args: str, stdin: str = "") -> str:
        """Run ``ceph ARGS`` and return its stdout. Secrets go in through ``stdin`` (``-i -``)."""
        return self.ceph_many([CephCommand(args, stdin)])[0]

    def ceph_json(self, *args: str) -> Any:
        """Run ``ceph ARGS -f json`` and return the parsed answer."""
        return self.ceph_json_many([args])[0]

    def ceph_json_many(self, commands: Sequence[Sequence[str]]) -> list[Any]:
        """Run ``ceph ARGS -f json`` for each ARGS, and return the parsed answers."""
        wanted = [CephCommand((*args, "-f", "json")) for args in commands]
        answers = self.ceph_many(wanted, parallel=True)
        return [self._parsed(self._ceph_argv(command.args), text) for command, text in zip(wanted, answers)]

    def ceph_many(self, commands: Sequence[CephCommand], parallel: bool = False) -> list[str]:
        """Run ``ceph`` commands and return their stdouts.

        They run in order, and the first that fails ends it. With ``parallel`` they must not depend on each other:
        all are run, and if any failed the error is that of the first such, with how many more there were.
        """
        if not commands:
            return []
        finished = self.either(lambda: self._batch(commands, parallel), lambda: self._one_by_one(commands, parallel))
        failures = [(command, end) for command, end in zip(commands, finished) if end.rc != 0]
        if failures:
            command, end = failures[0]
            more = f" (and {len(failures) - 1} more commands failed)" if len(failures) > 1 else ""
            self._raise_failure(self._ceph_argv(command.args), end, more)
        return [end.stdout for end in finished]

    def either(self, with_bindings: Callable[[], T], without: Callable[[], T]) -> T:
        """Do what ``with_bindings`` does, or ``without`` where there are none or none are to be used."""
        if self._bindings is not False:
            try:
                result = with_bindings()
            except CephNoBindings:
                self._bindings = False
            else:
                self._bindings = True
                return result
        return without()

    def _batch(self, commands: Sequence[CephCommand], parallel: bool) -> list[Finished]:
        request = {
            "commands": [{"args": list(command.args), "stdin": command.stdin} for command in commands],
            "parallel": parallel,
        }
        shown = self._ceph_argv(commands[0].args)
        # What bounds one command must not end a thousand.
        timeout = self._timeout_seconds + len(commands) // 4
        return [Finished(**answer) for answer in self.python_json(BATCH_SCRIPT, request, shown, timeout)]

    def _one_by_one(self, commands: Sequence[CephCommand], parallel: bool) -> list[Finished]:
        def run(command: CephCommand) -> Finished:
            return self._finished(self._ceph_argv(command.args), command.stdin)

        if parallel:
            with ThreadPoolExecutor(_PROCESSES) as executor:
                return list(executor.map(run, commands))
        done = []
        for command in commands:
            done.append(run(command))
            if done[-1].rc != 0:
                break
        return done

    def rbd(self, *args: str, stdin_file: str | None = None, timeout_seconds: int | None = None) -> str:
        """Run ``rbd ARGS`` and return its stdout; ``stdin_file`` is a file of this machine, fed to its stdin."""
        return self._checked(self._rbd_argv(args), stdin_file=stdin_file, timeout_seconds=timeout_seconds).stdout

    def rbd_json(self, *args: str) -> Any:
        """Run ``rbd ARGS --format json`` and return the parsed answer."""
        argv = self._rbd_argv((*args, "--format", "json"))
        return self._parsed(argv, self._checked(argv).stdout)

    def python_json(
        self, script: str, request: Any, shown: Sequence[str] = (), timeout_seconds: int | None = None
    ) -> Any:
        """Run a Python script next to Ceph's libraries and return the JSON that it prints.

        The script finds the request, any JSON value, as ``REQUEST``. Its ``sys.argv`` is [-, conf, name, keyring,
        connect timeout in seconds]; conf and keyring may be empty. It ends with ``NO_BINDINGS`` when it cannot
        import them, which raises :class:`CephNoBindings`. ``shown`` is the command that errors name instead.
        """
        script = f"import json\nREQUEST = json.loads({json.dumps(request)!r})\n{script}"
        identity = [self._identity[part] or "" for part in ("conf", "name", "keyring")]
        argv = ("python3", "-", *identity, str(self._connect_seconds))
        try:
            finished = self._finished(argv, stdin=script, timeout_seconds=timeout_seconds)
        except CephTimeout as error:
            raise CephTimeout((*self._launcher, *(shown or argv)), error.problem) from error
        if finished.rc != 0:
            self._raise_failure(argv if finished.rc == NO_BINDINGS or not shown else shown, finished)
        return self._parsed(argv, finished.stdout)

    def _ceph_argv(self, args: Sequence[str]) -> tuple[str, ...]:
        return ("ceph", *self._options(), "--connect-timeout", str(self._connect_seconds), *args)

    def _options(self) -> list[str]:
        return [word for part, value in self._identity.items() if value for word in (f"--{part}", value)]

    def _rbd_argv(self, args: Sequence[str]) -> tuple[str, ...]:
        # rbd has no --connect-timeout: this is the option behind it.
        return ("rbd", *self._options(), "--client-mount-timeout", str(self._connect_seconds), *args)

    def _checked(
        self, argv: Sequence[str], stdin_file: str | None = None, timeout_seconds: int | None = None
    ) -> Finished:
        finished = self._finished(argv, stdin_file=stdin_file, timeout_seconds=timeout_seconds)
        if finished.rc != 0:
            self._raise_failure(argv, finished)
        return finished

    def _finished(
        self, argv: Sequence[str], stdin: str = "", stdin_file: str | None = None, timeout_seconds: int | None = None
    ) -> Finished:
        start = Start((*self._launcher, *argv), timeout_seconds or self._timeout_seconds, stdin, stdin_file)
        return self._run(start)

    def _parsed(self, argv: Sequence[str], text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            # The text itself stays out of the message: it may hold keys.
            raise CephError((*self._launcher, *argv), f"the answer is not JSON ({error})") from error

    def _raise_failure(self, argv: Sequence[str], finished: Finished, more: str = "") -> NoReturn:
        """Raise the error for a non-zero rc.

        :class:`CephNotFound` only if Ceph itself said ENOENT: a missing configuration or keyring file also prints
        "(2) No such file or directory", without any cluster having been asked, and must never be taken for "absent".
        """
        rc, stderr = finished.rc, finished.stderr
        kind, problem = CephError, f"failed with rc {rc}"
        name = self._identity["name"]
        said_enoent = "ENOENT" in stderr or "(2) No such file or directory" in stderr
        if argv[0] == "python3" and rc == NO_BINDINGS:
            kind = CephNoBindings
        elif _SILENT.search(stderr):
            kind = CephTimeout
            problem = f"no answer within {self._connect_seconds} s: can the monitors be reached from there?"
        elif _NOT_CONNECTED.search(stderr):
            if _REFUSED.search(stderr):
                problem = f"the cluster refuses {name}: no key, a wrong key, or no such user"
        elif rc == ENOENT and said_enoent:
            kind = CephNotFound
        elif rc in (EPERM, EACCES) and _REFUSED.search(stderr):
            kind = CephDenied
            words = [word for word in argv if word not in self._options()]
            problem = f"{name} may not do that; its caps have to include {caps_needed(_without_options(words))}"
        raise kind((*self._launcher, *argv), problem + more, rc, stderr)


def _without_options(words: Sequence[str]) -> list[str]:
    """Return the words of a command without the connection options, which come before its own."""
    plain = list(words)
    for option in ("--connect-timeout", "--client-mount-timeout"):
        if option in plain:
            at = plain.index(option)
            del plain[at : at + 2]
    return plain
