# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of another architecture run, and the builder's own registrations stay as they are."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils import _root_filesystem_emulation as emulation
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem import BuildError
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem_binfmt import CPUS
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem_emulation import surroundings
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem_programs import Programs, programs

NATIVE, FOREIGN = ("amd64", "arm64") if os.uname().machine == "x86_64" else ("arm64", "amd64")
OWN_REGISTRATIONS = (6, 7)


SCRIPTS = {
    # Like the real one it becomes the program that holds the namespaces, whose id maps the build then writes.
    "unshare": 'mkdir -p "$FAKE_PROC/$$"; while [ "$1" != sh ]; do shift; done; exec "$@"\n',
    "nsenter": 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"\n',
    "mount": ":\n",
    "chroot": ":\n",
    CPUS[FOREIGN].emulator: ":\n",
}


class Machine:
    """A builder whose programs note how they are called; ``refuse`` makes one fail."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.programs = path / "programs"
        self.proc = path / "proc"
        self.work = path / "work"
        self.log = path / "log"
        for directory in (self.programs, self.proc / "self", self.work):
            directory.mkdir(parents=True)
        for kind in ("uid_map", "gid_map"):
            (self.proc / "self" / kind).write_text("  0  100000  65536\n 70000 1 1\n", encoding="ascii")
        for name, script in SCRIPTS.items():
            self.program(name, script)
        monkeypatch.setenv("PATH", f"{self.programs}:{os.environ['PATH']}")
        monkeypatch.setenv("LOG", str(self.log))
        monkeypatch.setenv("FAKE_PROC", str(self.proc))
        monkeypatch.setattr(emulation, "_PROC", self.proc)

    def program(self, name: str, script: str) -> None:
        path = self.programs / name
        path.write_text(
            f'#!/bin/sh\necho "{name} $*" | tr "\\n" " " >>"$LOG"; echo >>"$LOG"\n{script}', encoding="utf-8"
        )
        path.chmod(0o755)

    def refuse(self, name: str, says: str) -> None:
        self.program(name, f"echo '{says}' >&2; exit 1\n")

    def calls(self, name: str) -> list[str]:
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [line.strip() for line in lines if line.split()[0] == name]


@pytest.fixture(name="machine")
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.fixture(name="outside")
def _outside(tmp_path: Path) -> Iterator[Programs]:
    with programs(tmp_path / "build.log", timeout_seconds=30) as outside:
        yield outside


def test_programs_of_the_builders_own_architecture_need_nothing(machine: Machine, outside: Programs) -> None:
    with surroundings(NATIVE, machine.work, outside) as inside:
        inside.furnish(machine.work)
        assert inside.run(["echo", "hello"]) == "hello\n"
        assert not inside.emulated
    assert not machine.log.exists()


def test_emulator_is_registered_in_the_namespace_of_the_build_alone(machine: Machine, outside: Programs) -> None:
    with surroundings(FOREIGN, machine.work, outside) as inside:
        assert inside.run(["echo", "hello"]) == "hello\n"
        assert inside.emulated
    mount_point = machine.work / "binfmt_misc"
    assert machine.calls("mount") == [f"mount -t binfmt_misc binfmt_misc {mount_point}"]
    registered = (mount_point / "register").read_text(encoding="ascii")
    assert registered.endswith(f":{machine.programs}/{CPUS[FOREIGN].emulator}:FPO")
    entered = machine.calls("nsenter")
    assert len(entered) == len(["register", "try", "echo"])
    assert all(re.match(r"nsenter --target=\d+ --user --mount -- ", call) for call in entered)


def test_user_ids_are_the_same_inside(machine: Machine, outside: Programs) -> None:
    with surroundings(FOREIGN, machine.work, outside) as inside:
        holder = machine.proc / inside.prefix[1].split("=")[1]
        for kind in ("uid_map", "gid_map"):
            assert (holder / kind).read_text(encoding="ascii") == "0 0 65536\n70000 70000 1\n"


def test_namespaces_end_with_the_build(machine: Machine, outside: Programs) -> None:
    with surroundings(FOREIGN, machine.work, outside) as inside:
        holder = Path("/proc", inside.prefix[1].split("=")[1])
        assert holder.exists()
    assert not holder.exists()


def test_root_gets_a_few_device_nodes_and_not_the_builders_disks(machine: Machine, outside: Programs) -> None:
    root = machine.work / "root"
    (root / "dev").mkdir(parents=True)
    with surroundings(FOREIGN, machine.work, outside) as inside:
        inside.furnish(root)
    nodes = ["full", "null", "random", "tty", "urandom", "zero"]
    assert machine.calls("mount")[1:] == [
        f"mount -t tmpfs -o mode=0755 tmpfs {root}/dev",
        *(f"mount --bind /dev/{node} {root}/dev/{node}" for node in nodes),
    ]


@pytest.mark.parametrize("program", ["unshare", "mount"])
def test_registration_for_the_whole_machine_serves_where_a_build_cannot_have_its_own(
    machine: Machine, outside: Programs, program: str
) -> None:
    machine.refuse(program, "Operation not permitted")
    with surroundings(FOREIGN, machine.work, outside) as inside:
        assert (inside.emulated, inside.prefix) == (True, ())


def test_builder_without_any_registration_is_told_what_to_install(machine: Machine, outside: Programs) -> None:
    machine.refuse("mount", "mount: permission denied.")
    machine.refuse("chroot", "chroot: failed to run command '/exit': Exec format error")
    with pytest.raises(BuildError) as caught, surroundings(FOREIGN, machine.work, outside):
        pass
    said = str(caught.value)
    assert said.startswith(f"this builder cannot run programs of {FOREIGN}: install qemu-user-static.")
    assert "systemd-binfmt or binfmt-support" in said
    assert os.uname().release in said
    assert said.endswith(
        "For the build alone it could not be registered: mount ended with status 1:\nmount: permission denied."
    )


def test_missing_emulator_is_named(machine: Machine, outside: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine.programs / CPUS[FOREIGN].emulator).unlink()
    for tool in ("sh", "cat", "mkdir"):
        (machine.programs / tool).symlink_to(shutil.which(tool) or "")
    monkeypatch.setenv("PATH", str(machine.programs))
    machine.refuse("chroot", "Exec format error")
    no_emulator = pytest.raises(BuildError, match=f"there is no {CPUS[FOREIGN].emulator}")
    with no_emulator, surroundings(FOREIGN, machine.work, outside):
        pass


@pytest.mark.skipif(
    os.getuid() != 0
    or tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) < OWN_REGISTRATIONS
    or not shutil.which(CPUS[FOREIGN].emulator),
    reason="needs root, Linux 6.7 and qemu-user-static",
)
def test_real_kernel_runs_a_foreign_program_and_nobody_else_sees_the_registration(
    tmp_path: Path, outside: Programs
) -> None:
    """The program has been run when the namespaces are handed out."""
    with surroundings(FOREIGN, tmp_path, outside) as inside:
        assert inside.prefix
        assert f"diskless-{FOREIGN}" in inside.run(["ls", str(tmp_path / "binfmt_misc")])
        assert list((tmp_path / "binfmt_misc").iterdir()) == []
        (tmp_path / "dev").mkdir()
        inside.furnish(tmp_path)
        assert inside.run(["stat", "--format=%F", str(tmp_path / "dev/null")]) == "character special file\n"
        assert list((tmp_path / "dev").iterdir()) == []
        owner = inside.run(["stat", "--format=%u", "/proc/self"])
        assert owner == "0\n"
