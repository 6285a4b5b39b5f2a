# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel is told about programs of another architecture."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem_binfmt import (
    CPUS,
    foreign,
    registration,
    smallest_program,
)

NATIVE = {"x86_64": "amd64", "aarch64": "arm64"}


@pytest.mark.parametrize(
    ("arch", "machine", "emulated"),
    [
        ("amd64", "x86_64", None),
        ("arm64", "aarch64", None),
        ("arm64", "x86_64", "arm64"),
        ("amd64", "aarch64", "amd64"),
        # A 32-bit root runs on its 64-bit machine; of others nothing is known.
        ("i386", "x86_64", None),
        ("armhf", "aarch64", None),
        ("arm64", "riscv64", None),
    ],
)
def test_only_a_known_foreign_architecture_is_emulated(arch: str, machine: str, emulated: str | None) -> None:
    assert foreign(arch, machine) == (CPUS[emulated] if emulated else None)


def test_registration_is_the_one_that_debian_makes_but_for_its_name() -> None:
    """As in /usr/lib/binfmt.d/qemu-aarch64.conf of qemu-user-static 1:7.2+dfsg-7+deb12u18."""
    zeros = r"\x00" * 8
    assert registration("arm64", CPUS["arm64"], "/usr/bin/qemu-aarch64-static") == (
        r":diskless-arm64:M:0:\x7f\x45\x4c\x46\x02\x01\x01\x00" + zeros + r"\x02\x00\xb7\x00"
        r":\xff\xff\xff\xff\xff\xff\xff\x00" + r"\xff" * 8 + r"\xfe\xff\xff\xff:/usr/bin/qemu-aarch64-static:FPO"
    )


@pytest.mark.parametrize("arch", sorted(CPUS))
def test_smallest_program_is_of_its_architecture(arch: str) -> None:
    program = smallest_program(CPUS[arch])
    assert struct.unpack_from("<HH", program, 16) == (2, CPUS[arch].elf_machine)
    assert len(program) < 200


def test_smallest_program_runs_and_succeeds(tmp_path: Path) -> None:
    """That of the other architecture is run by the build itself, before anything else."""
    program = tmp_path / "exit"
    program.write_bytes(smallest_program(CPUS[NATIVE[os.uname().machine]]))
    program.chmod(0o755)
    assert subprocess.run([program], timeout=10, check=False).returncode == 0
