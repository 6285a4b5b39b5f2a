# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A queue on disk that never grows beyond its limit."""

from __future__ import annotations

import contextlib
import re
import threading
from dataclasses import dataclass
from pathlib import Path

NAME = re.compile(r"(\d{12})-(\d{1,9})\.chunk")


@dataclass(frozen=True)
class Chunk:
    """A file of the queue: its number in the order of arrival, the lines and the bytes in it."""

    number: int
    lines: int
    size: int

    @property
    def name(self) -> str:
        """Return the name of the file."""
        return f"{self.number:012d}-{self.lines}.chunk"


class DiskBuffer:
    """Chunks of lines, the oldest first, in files that survive the process.

    One thread may append while another takes. A chunk is a whole file or none. It is not forced to the disk: what a
    power cut takes is also missing in whatever else the process has written in the last seconds.
    """

    def __init__(self, directory: Path, max_bytes: int) -> None:
        """Take over what is in the directory, which is made when it is missing.

        :raises OSError: the directory cannot be made or read.
        """
        self.directory = directory
        self.max_bytes = max_bytes
        self.dropped = 0  # lines
        self._lock = threading.Lock()
        self._taken: Chunk | None = None
        directory.mkdir(parents=True, exist_ok=True)
        for part in directory.glob("*.part"):
            part.unlink()
        found = ((NAME.fullmatch(path.name), path.stat().st_size) for path in directory.glob("*.chunk"))
        chunks = (Chunk(int(name[1]), int(name[2]), size) for name, size in found if name)
        self._chunks = sorted(chunks, key=lambda chunk: chunk.number)
        self._next = self._chunks[-1].number + 1 if self._chunks else 0
        self._size = sum(chunk.size for chunk in self._chunks)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._size

    def append(self, content: bytes, lines: int) -> None:
        """Add a chunk. What is more than the limit is dropped, the oldest first, and counted.

        :raises OSError: it cannot be written; nothing was added.
        """
        with self._lock:
            chunk = Chunk(self._next, lines, len(content))
            self._next += 1
        path = self.directory / chunk.name
        part = path.with_suffix(".part")
        try:
            part.write_bytes(content)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        with self._lock:
            self._chunks.append(chunk)
            self._size += chunk.size
            # What is being sent just now may have arrived; it is not dropped, and not counted as such.
            while self._size > self.max_bytes and (old := self._oldest_untaken()):
                self.dropped += old.lines
                self._delete(old)

    def take(self) -> tuple[Chunk, bytes] | None:
        """Return the oldest chunk and its content, or None; it stays until it is removed."""
        while True:
            with self._lock:
                if not self._chunks:
                    return None
                self._taken = self._chunks[0]
            try:
                return self._taken, (self.directory / self._taken.name).read_bytes()
            except OSError:  # somebody has deleted the file, or the disk is broken
                self.drop(self._taken)

    def remove(self, chunk: Chunk) -> None:
        """Forget a chunk that was taken: it has arrived."""
        with self._lock:
            self._taken = None
            self._delete(chunk)

    def drop(self, chunk: Chunk) -> None:
        """Forget a chunk that was taken and is of no use; its lines count as dropped."""
        self.remove(chunk)
        self.dropped += chunk.lines

    def _oldest_untaken(self) -> Chunk | None:
        return next((chunk for chunk in self._chunks if chunk != self._taken), None)

    def _delete(self, chunk: Chunk) -> None:
        self._chunks.remove(chunk)
        self._size -= chunk.size
        with contextlib.suppress(OSError):  # on a broken disk it comes back with the next start
            (self.directory / chunk.name).unlink()
