# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the boots: one directory per host, ``NUMBER.jsonl`` for a boot, then ``NUMBER.1.jsonl`` and so on."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .line import Line, parse_json

HEAD = 256 * 1024  # bytes of a boot's first file in which repeated messages are looked for
TAIL = 256 * 1024  # bytes at the end of its last file that are read at a restart
UNKNOWN = "unknown.jsonl"
_UPTIME = re.compile(rb'"seq": (\d{1,19}), "uptime": (\d{1,19}\.\d{6}), ')
_PART = re.compile(r"(\d{8,})(?:\.(\d{1,6}))?\.jsonl")


@dataclass
class _Open:
    """A file that is written to."""

    boot: int
    descriptor: int
    part: int  # 0 is the first of its boot
    size: int  # bytes


class LogFiles:
    """The directory of all logs.

    Open files: one per host and at most ``max_open``, those written to last. A write is one system call, so of what was
    handed over to ``append`` nothing is lost when the process is killed.
    """

    def __init__(self, directory: Path, max_file_bytes: int, max_boot_bytes: int, max_open: int = 256) -> None:
        """Use a directory, and make it if there is none."""
        self._directory = directory
        self._max_file_bytes = max_file_bytes
        self._max_boot_bytes = max_boot_bytes
        self._max_open = max_open
        self._open: OrderedDict[str, _Open] = OrderedDict()
        directory.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Close all files."""
        for host in list(self._open):
            self._close(host)

    def _close(self, host: str) -> None:
        file = self._open.pop(host, None)
        if file is not None:
            os.close(file.descriptor)

    def append(self, host: str, boot: int, lines: Sequence[str]) -> None:
        """Write lines of a boot. Raises OSError; then some of them may have been written."""
        file = self._open.get(host)
        if file is None or file.boot != boot:
            file = self._reopen(host, boot)
        else:
            self._open.move_to_end(host)
        data = "".join(lines).encode()
        if file.size and file.size + len(data) > self._max_file_bytes:
            file = self._next_part(host, boot, file)
        _write_all(file.descriptor, data)
        file.size += len(data)

    def append_unknown(self, lines: Sequence[str], max_bytes: int) -> None:
        """Write lines of senders that are no known host; beyond ``max_bytes`` the file becomes ``unknown.1.jsonl``."""
        path = self._directory / UNKNOWN
        if path.exists() and path.stat().st_size > max_bytes:
            path.replace(path.with_suffix(".1.jsonl"))
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            _write_all(descriptor, "".join(lines).encode())
        finally:
            os.close(descriptor)

    def forget(self, host: str, boot: int) -> None:
        """Delete the files of a boot, and the directory of a host without any."""
        file = self._open.get(host)
        if file is not None and file.boot == boot:
            self._close(host)
        for part in self.parts(host, boot):
            self._path(host, boot, part).unlink(missing_ok=True)
        directory = self._directory / host
        if directory.is_dir() and not any(directory.iterdir()):
            directory.rmdir()

    def uptimes(self, host: str, boot: int) -> dict[int, float]:
        """Return the uptimes of the first messages of a boot by their numbers."""
        try:
            with self._path(host, boot, 0).open("rb") as handle:
                return {int(seq): float(uptime) for seq, uptime in _UPTIME.findall(handle.read(HEAD))}
        except FileNotFoundError:
            return {}

    def recover(self, host: str, boot: int) -> list[Line]:
        """Return the last lines of a boot. A line that was not written whole is cut off."""
        parts = self.parts(host, boot)
        if not parts:
            return []
        path = self._path(host, boot, parts[-1])
        with path.open("r+b") as handle:
            size = handle.seek(0, os.SEEK_END)
            start = handle.seek(max(0, size - TAIL))
            data = handle.read()
            whole, line_feed, torn = data.rpartition(b"\n")
            if torn:
                handle.truncate(start + len(whole) + len(line_feed))
        lines = whole.split(b"\n")[1 if start else 0 :]
        return [line for text in lines if (line := _line(text)) is not None]

    def last_boot(self) -> int:
        """Return the largest number of a boot with a file, 0 if there is none."""
        matches = (_PART.fullmatch(path.name) for path in self._directory.glob("*/*.jsonl"))
        return max((int(match[1]) for match in matches if match), default=0)

    def parts(self, host: str, boot: int) -> list[int]:
        """Return the numbers of the files of a boot; 0 is the first."""
        matches = (_PART.fullmatch(path.name) for path in (self._directory / host).glob(f"{boot:08d}.*"))
        return sorted(int(match[2] or 0) for match in matches if match)

    def _path(self, host: str, boot: int, part: int) -> Path:
        return self._directory / host / (f"{boot:08d}.{part}.jsonl" if part else f"{boot:08d}.jsonl")

    def _reopen(self, host: str, boot: int) -> _Open:
        parts = self.parts(host, boot)
        return self._open_part(host, boot, parts[-1] if parts else 0)

    def _next_part(self, host: str, boot: int, file: _Open) -> _Open:
        parts = [*self.parts(host, boot), file.part + 1]
        sizes = {part: self._path(host, boot, part).stat().st_size for part in parts[:-1]}
        for part in parts[1:-1]:  # the first tells how the boot began
            if sum(sizes.values()) + self._max_file_bytes <= self._max_boot_bytes:
                break
            self._path(host, boot, part).unlink()
            del sizes[part]
        return self._open_part(host, boot, file.part + 1)

    def _open_part(self, host: str, boot: int, part: int) -> _Open:
        self._close(host)
        while len(self._open) >= self._max_open:
            self._close(next(iter(self._open)))
        path = self._path(host, boot, part)
        path.parent.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        file = self._open[host] = _Open(boot, descriptor, part, os.fstat(descriptor).st_size)
        return file


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _line(text: bytes) -> Line | None:
    try:
        return parse_json(text)
    except ValueError:
        return None
