# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all viewers share: the fleet is read and rendered once per change, however many look at it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from .database import Database, DatabaseAway, Fleet
from .view import View, view

# Seconds from one view to the next, which become more as long as views take more than this part of a processor's time.
SHORTEST = 1.0
_LONGEST = 5.0
_SHARE = 0.2
_KEEPALIVE = 15.0
_MOST_MADE = 64


_T = TypeVar("_T")


class Updates:
    """The newest view. Viewers who are slow skip views, and cost no memory."""

    def __init__(self, database: Path) -> None:
        self._path = database
        self._database = Database(database)
        self._thread = ThreadPoolExecutor(1, "database")
        self._lock = asyncio.Lock()
        self._next = asyncio.Event()
        self._view: View | None = None
        self._error = ""
        self._read_at = float("-inf")
        self._cost = 0.0
        self._made: dict[Hashable, bytes] = {}
        self._stopping = False
        self.followers = 0

    async def current(self) -> View:
        """The view, at most about a second old. Raises DatabaseAway."""
        async with self._lock:
            if time.monotonic() - self._read_at >= self.interval():
                await self._refresh()
            if self._view is None or self._error:
                raise DatabaseAway(self._error)
            return self._view

    def interval(self) -> float:
        """Seconds from one view to the next."""
        return max(SHORTEST, min(self._cost / _SHARE, _LONGEST))

    async def follow(self, seen: int) -> AsyncGenerator[tuple[int, View | None], None]:
        """Pairs (version seen before, newest view), or (version, None) now and then while nothing changes.

        All hosts have changed since version 0, and since a version of a former process.
        """
        self.followers += 1
        try:
            while not self._stopping:
                following = self._next
                with contextlib.suppress(DatabaseAway):
                    newest = await self.current()
                    if newest.version > seen:
                        yield seen, newest
                        seen = newest.version
                        continue
                try:
                    await asyncio.wait_for(following.wait(), _KEEPALIVE)
                except TimeoutError:
                    yield seen, None
        finally:
            self.followers -= 1

    def made(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """What ``make`` returns, which is called once per key and view."""
        if key not in self._made:
            if len(self._made) >= _MOST_MADE:
                self._made.clear()
            began = time.process_time()
            self._made[key] = make()
            self._cost += time.process_time() - began
        return self._made[key]

    async def run(self) -> None:
        """Look for changes as long as somebody follows them."""
        while True:
            await asyncio.sleep(self.interval())
            if self.followers:
                with contextlib.suppress(DatabaseAway):
                    await self.current()

    async def in_thread(self, work: Callable[[Database], _T]) -> _T:
        """The result of a function that reads the database."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._database)

    def stop(self) -> None:
        """End what follows."""
        self._stopping = True
        self._next.set()

    async def close(self) -> None:
        """Let go of the database."""
        await self.in_thread(lambda database: database.close())
        self._thread.shutdown(wait=False)

    async def _refresh(self) -> None:
        began = time.process_time()
        before = self._view
        try:
            fleet = await asyncio.get_running_loop().run_in_executor(self._thread, self._database.read)
            self._error = ""
        except DatabaseAway as error:
            self._error = str(error)
            self._read_at = time.monotonic()
            return
        self._view = view(fleet or _fleet(before), time.time(), _last_write(self._path), before)
        self._read_at = time.monotonic()
        # The first view takes long, because it reads all earlier boots.
        self._cost = time.process_time() - began if before else 0.0
        self._made.clear()
        if before is None or self._view.version > before.version:
            self._next.set()
            self._next = asyncio.Event()


def _fleet(before: View | None) -> Fleet:
    return before.fleet if before else Fleet((), (), {})


def _last_write(path: Path) -> float | None:
    """When the receiver last wrote: into the database or into what will be merged into it."""
    times = []
    for file in (path, path.with_name(path.name + "-wal")):
        with contextlib.suppress(OSError):
            times.append(file.stat().st_mtime)
    return max(times, default=None)
