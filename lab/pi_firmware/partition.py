# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The boot partition: what is on the boot server under the prefix of this board."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Protocol


class Files(Protocol):
    """Somewhere to get files from. None: there is no such file."""

    def probe(self, name: str) -> int | None:
        """Return the size of a file in bytes, as the bootloader looks for one."""

    def peek(self, name: str) -> int | None:
        """Return the size of a file in bytes, as start4.elf looks for one."""

    def get(self, name: str) -> bytes | None:
        """Return the content of a file."""


@dataclass(frozen=True)
class Partition:
    """Files under a prefix, which is put before their names as it is."""

    files: Files
    prefix: str

    def probe(self, name: str) -> int | None:
        """Return the size of a file in bytes, as the bootloader looks for one."""
        return self.files.probe(self.prefix + name)

    def peek(self, name: str) -> int | None:
        """Return the size of a file in bytes, as start4.elf looks for one."""
        return self.files.peek(self.prefix + name)

    def get(self, name: str) -> bytes | None:
        """Return the content of a file."""
        return self.files.get(self.prefix + name)

    def load(self, name: str) -> bytes | None:
        """Return the content of a file as start4.elf gets it: a look for it first."""
        return None if self.peek(name) is None else self.get(name)

    def without_prefix(self) -> Partition:
        """Return the same boot server from its root."""
        return dataclasses.replace(self, prefix="")
