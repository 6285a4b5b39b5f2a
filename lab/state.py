# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a lab keeps its files, and what it remembers."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lab.errors import LabError
from lab.patience import patience

FIRST_HOST = 11
LAST_HOST = 99  # the MAC address spells the number in two decimal digits
NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
REPOSITORY = Path(__file__).resolve().parent.parent


def checked_name(kind: str, name: str) -> str:
    """Return ``name`` if it can be a host name, a directory and a part of a namespace's name; else raise LabError."""
    if not NAME.fullmatch(name):
        raise LabError(f"{kind} name {name!r}: expected at most 30 of a-z, 0-9 and '-', beginning with a letter")
    return name


@dataclass(frozen=True)
class Directory:
    """The state directory of one lab."""

    lab: str

    @property
    def path(self) -> Path:
        """Everything that ``down`` deletes."""
        return Path(os.environ.get("DISKLESS_LAB_STATE", "/var/lib/diskless-lab")) / self.lab

    @property
    def inventory(self) -> Path:
        """The generated Ansible inventory."""
        return self.path / "inventory.yml"

    @property
    def key(self) -> Path:
        """The private SSH key of this lab."""
        return self.path / "ssh_key"

    @property
    def ssh(self) -> Path:
        """An ``ssh`` that runs where the hosts are."""
        return self.path / "ssh"

    def served(self, boot_server: str) -> Path:
        """A boot server's /srv: NFS-Ganesha opens files by handle, which overlayfs refuses."""
        return self.path / "boot-servers" / boot_server

    def host(self, name: str) -> Path:
        """Console log, sockets and pid file of one host."""
        return self.path / "hosts" / name

    def remove(self) -> None:
        """Delete the directory, and its parent when this was the last lab."""
        if self.path.exists():
            shutil.rmtree(self.path)
        with contextlib.suppress(OSError):
            self.path.parent.rmdir()


@dataclass(frozen=True)
class Host:
    """A host: its number, from which its addresses follow, and what kind of machine it is (see lab.hardware)."""

    number: int
    kind: str = "bios"


@dataclass(frozen=True)
class State:
    """What must be remembered between two commands: everything else is looked up."""

    release: str = "16"
    objectstore: str = "bluestore"
    hosts: dict[str, Host] = field(default_factory=dict)
    router: bool = False  # whether a router hands out the addresses, beside the boot server
    boot_servers: int = 1  # two have the boot trees in CephFS

    def with_host(self, name: str, kind: str) -> State:
        """Return the state with this host, which gets the lowest free number.

        :raises LabError: when the lab is full, or has the host as another kind of machine.
        """
        if name in self.hosts:
            if self.hosts[name].kind != kind:
                raise LabError(f"host {name} is of kind {self.hosts[name].kind}, not {kind}")
            return self
        taken = {host.number for host in self.hosts.values()}
        free = [number for number in range(FIRST_HOST, LAST_HOST + 1) if number not in taken]
        if not free:
            raise LabError(f"host {name}: the lab is full ({LAST_HOST - FIRST_HOST + 1} hosts)")
        return dataclasses.replace(self, hosts={**self.hosts, name: Host(free[0], kind)})


def load(directory: Directory) -> State | None:
    """Return the remembered state, or None when this lab was never up."""
    try:
        data = json.loads((directory.path / "state.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise LabError(f"{directory.path}/state.json: {error}; 'lab down' removes it") from error
    hosts = {name: Host(**host) for name, host in data["hosts"].items()}
    return State(data["release"], data["objectstore"], hosts, data["router"], data["boot_servers"])


def save(directory: Directory, state: State) -> None:
    """Remember the state; a reader sees the old or the new file, never half of one."""
    directory.path.mkdir(parents=True, exist_ok=True)
    replace(directory.path / "state.json", json.dumps(asdict(state), indent=2) + "\n")


def replace(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file atomically."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.chmod(mode)
    part.replace(path)


@contextlib.contextmanager
def locked(path: Path, what: str, timeout: float = 300) -> Iterator[None]:
    """Hold a lock file; the file may be deleted by its holder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout * patience()
    while True:
        with path.open("a", encoding="utf-8") as handle:
            if _try_lock(handle.fileno(), path):
                yield
                return
        if time.monotonic() >= deadline:
            raise LabError(f"{what}: another command has held {path} for {timeout * patience():.0f} s")
        time.sleep(0.1)


def _try_lock(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        return os.fstat(descriptor).st_ino == path.stat().st_ino  # else its last holder deleted it: take the new one
    except FileNotFoundError:
        return False


def lock_path(lab: str) -> Path:
    """Return the lock file of a lab."""
    return Path("/run/lock") / f"diskless-lab-{lab}.lock"
