# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel has to be told to run programs of another architecture, and a program to see whether it does."""

from __future__ import annotations

import struct
from dataclasses import dataclass

# e_ident of a 64-bit little-endian ELF file, of any ABI.
_IDENT = b"\x7fELF\x02\x01\x01" + bytes(9)
_ANY_ABI = b"\xff" * 7 + b"\x00" + b"\xff" * 8
_EXECUTABLE = 2
# ET_EXEC (2) and ET_DYN (3): position-independent programs are shared objects.
_EITHER_TYPE = 0xFFFE
_LOAD_ADDRESS = 0x400000


@dataclass(frozen=True)
class Cpu:
    """A processor.

    elf_machine: its number in ELF headers (e_machine).
    emulator: the program of the package qemu-user-static.
    exit_code: machine code of exit(0).
    """

    elf_machine: int
    emulator: str
    exit_code: bytes


# By architecture, in Debian's words.
CPUS = {
    "amd64": Cpu(62, "qemu-x86_64-static", bytes.fromhex("b83c000000 31ff 0f05")),
    "arm64": Cpu(183, "qemu-aarch64-static", bytes.fromhex("a80b80d2 000080d2 010000d4")),
}
# By what the kernel calls it (uname -m).
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def foreign(arch: str, machine: str) -> Cpu | None:
    """Return the processor to emulate for programs of ``arch`` on a ``machine`` (uname -m).

    None if there is nothing to emulate, or if it is not known whether there is.
    """
    if machine not in _ARCHITECTURES or _ARCHITECTURES[machine] == arch:
        return None
    return CPUS.get(arch)


def registration(arch: str, cpu: Cpu, emulator: str) -> str:
    """Return the line for binfmt_misc/register that runs programs of a processor by an emulator, given with its path.

    Flags (Documentation/admin-guide/binfmt-misc.rst): F opens the emulator now, so that it need not be in the root; P
    passes argv[0] on; O opens the program for the emulator.
    """
    magic = _IDENT + struct.pack("<HH", _EXECUTABLE, cpu.elf_machine)
    mask = _ANY_ABI + struct.pack("<HH", _EITHER_TYPE, 0xFFFF)
    return f":diskless-{arch}:M:0:{_escaped(magic)}:{_escaped(mask)}:{emulator}:FPO"


def _escaped(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)


def smallest_program(cpu: Cpu) -> bytes:
    """Return a static ELF program that ends at once with status 0."""
    header_size, segment_size = 64, 56
    start = header_size + segment_size
    size = start + len(cpu.exit_code)
    header = _IDENT + struct.pack(
        "<HHIQQQIHHHHHH",
        _EXECUTABLE,
        cpu.elf_machine,
        1,
        _LOAD_ADDRESS + start,
        header_size,
        0,
        0,
        header_size,
        segment_size,
        1,
        0,
        0,
        0,
    )
    loaded_readable_executable = (1, 5)
    segment = struct.pack(
        "<IIQQQQQQ", *loaded_readable_executable, 0, _LOAD_ADDRESS, _LOAD_ADDRESS, size, size, 1 << 16
    )
    return header + segment + cpu.exit_code
