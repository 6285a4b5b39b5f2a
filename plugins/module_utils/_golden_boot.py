# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""boot.tar: the content of /boot that a golden image brings, from which new boot trees are seeded."""

from __future__ import annotations

import re
import tarfile
from typing import IO, Iterator

from ._boot_tree import HOST_CPIO, KERNEL_CONFIG, LOADER, LOADER_CONFIG

_NAME = re.compile(r"[A-Za-z0-9_+~-][A-Za-z0-9._+~-]*")
_SETTING = re.compile(r"^set (kernel|initrd)=(\S+)$", re.MULTILINE)
_RESERVED = (LOADER, LOADER_CONFIG, HOST_CPIO)


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
        """The files in the order of writing: kernel.cfg, which makes the others count, is the last."""
        return [*sorted(name for name in self._members if name != KERNEL_CONFIG), KERNEL_CONFIG]

    def files(self) -> Iterator[tuple[str, IO[bytes]]]:
        """Yield names and contents in that order."""
        for name in self.names:
            yield name, self._open(name)

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
        if KERNEL_CONFIG not in members:
            raise GoldenBootError(f"no {KERNEL_CONFIG}, which names the kernel and the initramfs to boot")
        settings = dict(_SETTING.findall(self._open(KERNEL_CONFIG).read().decode(errors="replace")))
        for setting in ("kernel", "initrd"):
            if settings.get(setting) not in members:
                raise GoldenBootError(f"{KERNEL_CONFIG} sets {setting} to {settings.get(setting)}, which is not there")
        return members

    def _open(self, name: str) -> IO[bytes]:
        content = self._archive.extractfile(self._members[name])
        if content is None:
            raise GoldenBootError(f"member {name!r} is not a regular file")
        return content
