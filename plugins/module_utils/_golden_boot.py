# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""boot.tar: the content of /boot that a golden image brings, from which new boot trees are seeded."""

from __future__ import annotations

import re
import tarfile
from typing import IO, Iterator

from ._boot_tree import HOST_CPIO
from ._kernel_cfg import KERNEL_CFG
from ._kernel_cfg import problems as kernel_cfg_problems
from ._kernel_txt import KERNEL_TXT, Firmware, problems

_NAME = re.compile(r"[A-Za-z0-9_+~-][A-Za-z0-9._+~-]*")
_RESERVED = (HOST_CPIO, "grub.cfg", "config.txt", "cmdline.txt")
# What makes the other files count is written when they are complete.
_LAST = (KERNEL_CFG, KERNEL_TXT)


class GoldenBootError(ValueError):
    """The archive cannot seed a boot tree."""


class GoldenBoot:
    """An uncompressed tar archive of regular files without directories.

    Raises GoldenBootError when the archive is unreadable, holds names that do not belong into a boot tree, or lacks
    what its kernel.cfg names. Raises FileNotFoundError when it is not there.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._archive = tarfile.open(path, "r:")  # noqa: SIM115 -- closed by close()
        except tarfile.TarError as error:
            raise GoldenBootError(f"{path} is no uncompressed tar archive: {error}") from error
        try:
            self._members = self._checked_members()
        except (tarfile.TarError, GoldenBootError) as error:
            self._archive.close()
            raise GoldenBootError(f"{path}: {error}") from error

    @property
    def names(self) -> list[str]:
        """The files in the order of writing."""
        last = [name for name in _LAST if name in self._members]
        return [*sorted(name for name in self._members if name not in last), *last]

    def files(self) -> Iterator[tuple[str, IO[bytes]]]:
        """Yield names and contents in that order."""
        for name in self.names:
            yield name, self._open(name)

    def problems(self, firmware: Firmware) -> list[str]:
        """Return why a Raspberry Pi would not boot from a tree with these files; nothing if it would."""
        if KERNEL_TXT not in self._members:
            return [f"no {name}" for name in (*firmware.files, KERNEL_TXT) if name not in self._members]
        text = self._open(KERNEL_TXT).read().decode(errors="replace")
        return problems(text, firmware, self._members, HOST_CPIO)

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()

    def _checked_members(self) -> dict[str, tarfile.TarInfo]:
        members = {}
        for member in self._archive:
            name = member.name[2:] if member.name.startswith("./") else member.name
            if not member.isreg():
                continue  # directories, and symbolic links such as vmlinuz.old, which TFTP would not follow
            if not _NAME.fullmatch(name) or name in _RESERVED:
                raise GoldenBootError(f"member {member.name!r} does not belong into a boot tree")
            members[name] = member
        self._members = members
        if KERNEL_CFG not in members:
            raise GoldenBootError(f"no {KERNEL_CFG}, which names the kernel and the initramfs to boot")
        found = kernel_cfg_problems(self._open(KERNEL_CFG).read().decode(errors="replace"), members)
        if found:
            raise GoldenBootError("; ".join(found))
        return members

    def _open(self, name: str) -> IO[bytes]:
        content = self._archive.extractfile(self._members[name])
        if content is None:
            raise GoldenBootError(f"member {name!r} is not a regular file")
        return content
