# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the programs of a root of another architecture, without touching what the builder has registered for others.

Since Linux 6.7 a user namespace can have registrations of its own (binfmt_misc). The build gets a user and a mount
namespace with the same user ids as outside, and the registration lives and dies with them: nobody else sees it, and
nobody else can take it away in the middle of a build. On older kernels what the builder has registered must do.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Iterator, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem import BuildError, last_lines
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem_binfmt import (
    Cpu,
    foreign,
    registration,
    smallest_program,
)
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem_programs import Programs

_PROC = Path("/proc")
_START_SECONDS = 60
_HOLD = "echo ready && exec cat"
_REGISTER = 'mount -t binfmt_misc binfmt_misc "$1" && printf %s "$2" >"$1/register"'
# A user namespace may not make device nodes. Just these: for the builder's other devices, root in there is root.
_FURNISH = """\
set -e
mkdir -p "$1/dev"
mount -t tmpfs -o mode=0755 tmpfs "$1/dev"
for node in full null random tty urandom zero; do
  : >"$1/dev/$node"
  mount --bind "/dev/$node" "$1/dev/$node"
done
"""


@dataclass(frozen=True)
class Surroundings:
    """Where the programs of the root run.

    emulated: they are of another architecture, and one of them has been tried.
    prefix: the argv that leads there, if it is not here.
    """

    programs: Programs
    emulated: bool = False
    prefix: tuple[str, ...] = ()

    def run(self, argv: Sequence[str], name: str = "") -> str:
        """Run a program as ``Programs.run`` does."""
        return self.programs.run(argv, name, self.prefix)

    def furnish(self, root: Path) -> None:
        """Give the root the device nodes that its programs expect; outside of here it does not have them."""
        if self.prefix:
            self.run(["sh", "-c", _FURNISH, "sh", str(root)], "mount")


@contextmanager
def surroundings(arch: str, work: Path, programs: Programs) -> Iterator[Surroundings]:
    """Provide what it takes to run programs of ``arch``.

    ``work`` is an empty directory for what is needed meanwhile. Raises BuildError when the builder cannot run them.
    """
    cpu = foreign(arch, os.uname().machine)
    with ExitStack() as stack:
        if cpu is None:
            yield Surroundings(programs)
        else:
            yield _emulation(stack, arch, cpu, work, programs)


def _emulation(stack: ExitStack, arch: str, cpu: Cpu, work: Path, programs: Programs) -> Surroundings:
    try:
        own = Surroundings(programs, emulated=True, prefix=stack.enter_context(_namespaces()))
        _register(own, arch, cpu, work)
        _try(own, cpu, work)
        return own
    except BuildError as error:
        why_not_own = error
    shared = Surroundings(programs, emulated=True)
    try:
        _try(shared, cpu, work)
    except BuildError as error:
        raise BuildError(
            f"this builder cannot run programs of {arch}: install qemu-user-static. If its kernel is older than 6.7 (it"
            f" is {os.uname().release}), {cpu.emulator} has to be registered for the whole machine, with the flag F:"
            " let systemd-binfmt or binfmt-support do it (outside, if the builder is a container).\n"
            f"For the build alone it could not be registered: {why_not_own}"
        ) from error
    return shared


@contextmanager
def _namespaces() -> Iterator[tuple[str, ...]]:
    """Hold a user and a mount namespace, and yield the argv that leads into them. They cannot outlive this process."""
    # run_command waits for the end of a program; this one ends when its stdin does.
    with subprocess.Popen(  # pylint: disable=ansible-bad-function
        ["unshare", "--user", "--mount", "--", "sh", "-c", _HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as holder:
        try:
            if _first_line(holder.stdout) != "ready\n":
                holder.kill()
                raise BuildError(f"no user namespace: {last_lines(holder.communicate()[1])}")
            try:
                for kind in ("uid_map", "gid_map"):
                    ids = _identity((_PROC / "self" / kind).read_text(encoding="ascii"))
                    (_PROC / str(holder.pid) / kind).write_text(ids, encoding="ascii")
            except OSError as error:
                raise BuildError(f"no user ids in the user namespace: {error}") from error
            yield ("nsenter", f"--target={holder.pid}", "--user", "--mount", "--")
        finally:
            holder.kill()


def _first_line(stream: IO[str] | None) -> str:
    if stream is None or not select.select([stream], [], [], _START_SECONDS)[0]:
        return ""
    return stream.readline()


def _identity(id_map: str) -> str:
    """Map every id that there is to itself; ``id_map`` as in user_namespaces(7): inside, outside, count."""
    lines = (line.split() for line in id_map.splitlines())
    return "".join(f"{inside} {inside} {count}\n" for inside, dummy, count in lines)


def _register(own: Surroundings, arch: str, cpu: Cpu, work: Path) -> None:
    emulator = shutil.which(cpu.emulator)
    if not emulator:
        raise BuildError(f"there is no {cpu.emulator}")
    mount_point = work / "binfmt_misc"
    mount_point.mkdir()
    line = registration(arch, cpu, emulator)
    own.run(["sh", "-c", _REGISTER, "sh", str(mount_point), line], "mount")


def _try(where: Surroundings, cpu: Cpu, work: Path) -> None:
    """Run a program in an empty root: an emulator that would have to be in the root as well does not help."""
    root = work / "try"
    root.mkdir(exist_ok=True)
    program = root / "exit"
    program.write_bytes(smallest_program(cpu))
    program.chmod(0o755)
    where.run(["chroot", str(root), "/exit"], f"{cpu.emulator} (try)")
