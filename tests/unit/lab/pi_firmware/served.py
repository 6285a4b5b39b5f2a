# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A boot tree, and a boot server that serves it without a network."""

from __future__ import annotations

from lab.pi_firmware.board import Board, board

CM4 = board("cm4", "dc:a6:32:01:36:c2", "9ffefdef")
PI4 = board("pi4", "e4:5f:01:09:02:f7", "91cdf03d")

START = b"\x7fELF" + bytes(14) + b"\x89\0" + bytes(32)
KERNEL = bytes(56) + b"ARMd" + bytes(4) + b"kernel"
DEVICE_TREE = bytes.fromhex("d00dfeed") + b"device tree"


def tree() -> dict[str, bytes]:
    """Return the smallest tree that boots on every board that a section names."""
    return {
        "start4.elf": START,
        "fixup4.dat": b"fixup",
        "config.txt": b"arm_64bit=1\ninclude kernel.txt\n",
        "kernel.txt": b"kernel=vmlinuz\ninitramfs initrd.img,host.cpio followkernel\n"
        b"[cm4]\ndevice_tree=cm4.dtb\n[pi4]\n[all]\n",
        "cmdline.txt": b"console=ttyAMA0 boot=diskless\n",
        "vmlinuz": KERNEL,
        "initrd.img": b"initrd",
        "host.cpio": b"key of the host",
        "cm4.dtb": DEVICE_TREE,
    }


class Served:
    """Serves files and remembers what was asked of it: ``(how, name)``."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[tuple[str, str]] = []

    def probe(self, name: str) -> int | None:
        return self._size("probe", name)

    def peek(self, name: str) -> int | None:
        return self._size("peek", name)

    def get(self, name: str) -> bytes | None:
        self.asked.append(("get", name))
        return self.files.get(name)

    def _size(self, how: str, name: str) -> int | None:
        self.asked.append((how, name))
        return len(self.files[name]) if name in self.files else None

    def fetched(self) -> list[str]:
        """Return the names of the files that were fetched whole."""
        return [name for how, name in self.asked if how == "get" and name in self.files]


def under(prefix: str, files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files with a prefix before their names."""
    return {prefix + name: content for name, content in files.items()}


def directory(this: Board) -> str:
    """Return the prefix of a board by its serial number."""
    return f"{this.serial}/"
