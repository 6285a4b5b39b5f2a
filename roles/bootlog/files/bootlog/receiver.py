# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m bootlog receive``: takes what hosts and boot servers send, and keeps it.

One thread. It receives for at most ``FLUSH_SECONDS`` or ``FLUSH_DATAGRAMS``, then writes each host's lines with one
call, and once a second the store. So a kill at any moment loses what was received since the last flush, and what is
held because a message before it is missing; what has not been received waits in the socket, which belongs to systemd.

Memory: the lines of one flush (``FLUSH_DATAGRAMS`` of at most 2 KiB, in JSON up to five times that; ordinary ones
take 3 MiB together), 1.1 MiB of buffers per socket, and per host what ``hostlog`` says, which is 5 KiB when all is
well. What waits in the sockets is the kernel's memory.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import resource
import select
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from .config import PATH, Config, ConfigError, read_config
from .datagrams import COUNT, Datagram, Datagrams
from .files import LogFiles
from .fleet import Fleet
from .hostlog import Batch
from .hosts import HostsError, read_hosts
from .line import Output
from .notify import notify, watchdog_seconds
from .outputs import outputs
from .sockets import EVENTS, NETCONSOLE, SocketsError, dropped, inherited, opened
from .store import Store
from .unknown import UnknownSenders

FLUSH_SECONDS = 0.2
FLUSH_DATAGRAMS = 8192
SAVE_SECONDS = 1.0
IDLE_SAVE_SECONDS = 10.0  # so that the page sees that we live
PRUNE_SECONDS = 300.0
PRUNED_AT_ONCE = 200  # boots, so that deleting many does not stop the receiving
EXPIRE_SECONDS = 0.1
GATHER_SECONDS = 0.005  # between calls that brought few datagrams: then they bring more
DRAIN_SECONDS = 2.0  # at the end, while more keeps coming
COMPLAINT_SECONDS = 60.0  # between complaints about the same thing

LOG = logging.getLogger(__name__)


class Receiver:
    """The service."""

    def __init__(self, config: Config, sockets: Sequence[tuple[str, socket.socket]], sinks: Sequence[Output]) -> None:
        """Restore the state of the last run. Raises HostsError, OSError and sqlite3.Error."""
        self._config = config
        self._sinks = sinks
        self._store = Store(Path(config.database))
        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        directory = Path(config.log_directory)
        self._files = LogFiles(directory, config.max_file_bytes, config.max_boot_bytes, max(64, min(hard // 2, 4096)))
        self._store.number_after(self._files.last_boot())
        self._batch = Batch(collect=bool(sinks))
        self._unknown = UnknownSenders(config.unknown.rate_per_second, self._store.load_senders())
        self._counters = self._store.load_counters()
        self._repeated_before = self._counters.get("repeated", 0)
        self.fleet = Fleet(self._store, self._files, self._batch, self._unknown, self._written)
        self.fleet.set_boot_servers(config.boot_servers)
        self.fleet.set_hosts(read_hosts(Path(config.hosts_file)))
        self._sockets = {own.fileno(): (purpose, Datagrams(own)) for purpose, own in sockets}
        self._dropped = {number: dropped(each.socket) for number, (_purpose, each) in self._sockets.items()}
        self._poll = select.poll()
        for number in self._sockets:
            self._poll.register(number, select.POLLIN)
        self._unflushed = 0
        self._complained: dict[str, float] = {}
        self._stopping = False
        self._reloading = False

    def stop(self) -> None:
        """End ``run`` soon."""
        self._stopping = True

    def reload(self) -> None:
        """Read the hosts again soon."""
        self._reloading = True

    def wake_by(self, descriptor: int) -> None:
        """Have another descriptor that ends a wait when there is something to read."""
        self._poll.register(descriptor, select.POLLIN)

    def run(self) -> None:
        """Receive until ``stop``, then take what has arrived and write everything."""
        now = time.monotonic()
        flushed = saved = expired = watched = now
        pruned = now - PRUNE_SECONDS
        watchdog = watchdog_seconds()
        while not self._stopping:
            waiting = bool(self._unflushed or self._batch.held)
            count = self._receive(0.05 if waiting else 0.5)
            now = time.monotonic()
            if self._batch.held and now - expired >= EXPIRE_SECONDS:
                self._expire()
                expired = now
            if self._unflushed >= FLUSH_DATAGRAMS or now - flushed >= FLUSH_SECONDS:
                self.flush()
                flushed = now
            if now - saved >= (SAVE_SECONDS if self._batch.changed else IDLE_SAVE_SECONDS):
                self.save()
                saved = now
            if watchdog is not None and now - watched >= watchdog:
                notify("WATCHDOG=1")
                watched = now
            if now - pruned >= PRUNE_SECONDS:
                pruned = now if self._prune() < PRUNED_AT_ONCE else now - PRUNE_SECONDS + SAVE_SECONDS
            if self._reloading:
                self._reload()
            if 0 < count < COUNT // 2:
                time.sleep(GATHER_SECONDS)
        self._drain()
        for log in self.fleet.logs.values():
            log.finish()
        self.flush()
        self.save()

    def close(self) -> None:
        """Close everything but the sockets."""
        for sink in self._sinks:
            sink.close()
        self._count_outputs()
        self._store.save_counters(self._counters)
        self._store.close()
        self._files.close()

    # Receiving

    def _receive(self, timeout: float) -> int:
        """Wait for datagrams and take them; return how many there were."""
        total = 0
        # What boot servers tell was before what the kernel says.
        for number in sorted((number for number, _events in self._poll.poll(timeout * 1000)), key=self._is_netconsole):
            entry = self._sockets.get(number)
            if entry is None:
                with suppress(BlockingIOError):
                    os.read(number, 512)
                continue
            purpose, datagrams = entry
            received = datagrams.receive()
            total += len(received)
            if purpose == NETCONSOLE:
                self._take(received)
            elif purpose == EVENTS:
                self._take_events(received)
        return total

    def _is_netconsole(self, number: int) -> bool:
        return number in self._sockets and self._sockets[number][0] == NETCONSOLE

    def _take(self, received: list[Datagram]) -> None:
        by_source = self.fleet.by_source
        for when, source, data in received:
            log = by_source.get(source)
            if log is None:
                self._count("unknown")
                self._unknown.receive(when, source, data)
            else:
                log.receive(when, data)
        self._count("datagrams", len(received))
        self._unflushed += len(received)

    def _take_events(self, received: list[Datagram]) -> None:
        for when, source, data in received:
            self._count("events" if self.fleet.hear(when, source, data) else "events_rejected")
        self._unflushed += len(received)

    def _expire(self) -> None:
        now = time.time()
        for log in list(self._batch.held):
            if not log.expire(now):
                self._batch.held.discard(log)
        self._unflushed += 1

    def _drain(self) -> None:
        until = time.monotonic() + DRAIN_SECONDS
        while self._receive(0) and time.monotonic() < until:
            if self._unflushed >= FLUSH_DATAGRAMS:
                self.flush()

    # Writing

    def flush(self) -> None:
        """Write all lines to the files and hand them to the outputs."""
        batch = self._batch
        for log in batch.spoke:
            log.flush()
        batch.spoke.clear()
        self._unflushed = 0
        self._commit_boots()
        for host, boot, lines in batch.chunks:
            try:
                self._files.append(host, boot, lines)
            except OSError as error:
                self._count("unwritten", len(lines))
                self._complain("files", f"{self._config.log_directory}/{host}: {error.strerror}; lines are lost")
        batch.chunks.clear()
        self._flush_unknown()
        if batch.lines:
            for sink in self._sinks:
                sink.send(batch.lines)
            batch.lines = []

    def _commit_boots(self) -> None:
        """Have boots that began in the store before they have files, and those before them as they ended."""
        try:
            if self._batch.ended:
                self._store.save((), self._batch.ended)
            self._store.commit()
            self._batch.ended.clear()
        except sqlite3.Error as error:
            self._complain("database", f"{self._config.database}: {error}")

    def _flush_unknown(self) -> None:
        lines = self._unknown.lines
        if lines:
            try:
                self._files.append_unknown([line.json() for line in lines], self._config.unknown.max_bytes)
            except OSError as error:
                self._complain("files", f"{self._config.log_directory}: {error.strerror}; lines are lost")
            self._batch.lines += lines if self._batch.collect else []
            self._unknown.lines = []

    def _written(self, host: str, boot: int) -> Mapping[int, float]:
        self.flush()
        return self._files.uptimes(host, boot)

    def save(self) -> None:
        """Write the state of all hosts that have changed to the store. What fails now is tried again later."""
        try:
            for number, (_purpose, datagrams) in self._sockets.items():
                before, self._dropped[number] = self._dropped[number], dropped(datagrams.socket)
                self._count("dropped", (self._dropped[number] - before) % 2**32)
            self._counters["repeated"] = self._repeated_before + self.fleet.repeated()
            self._count_outputs()
            changed = self._batch.changed
            self._store.save((log for log in changed if log.host.name in self.fleet.logs), self._batch.ended)
            self._store.save_senders(self._unknown.senders)
            self._store.save_counters(self._counters)
            self._store.commit()
            changed.clear()
            self._batch.ended.clear()
        except sqlite3.Error as error:
            self._complain("database", f"{self._config.database}: {error}")

    def _prune(self) -> int:
        self.flush()  # or lines of a boot that is deleted now would make its file again
        before = time.time() - self._config.keep_days * 86400
        old = self._store.old_boots(self._config.keep_boots, before)[:PRUNED_AT_ONCE]
        for number, host in old:
            try:
                self._files.forget(host, number)
            except OSError as error:
                self._complain("files", f"{self._config.log_directory}/{host}: {error.strerror}")
        self._store.forget(number for number, _host in old)
        self._store.commit()
        return len(old)

    def _reload(self) -> None:
        self._reloading = False
        try:
            hosts = read_hosts(Path(self._config.hosts_file))
        except HostsError as error:
            LOG.error("%s; the hosts stay as they are", error)
            return
        self.flush()
        self.save()
        self.fleet.set_hosts(hosts)
        LOG.info("%d hosts", len(hosts))

    # Counting

    def _count(self, name: str, number: int = 1) -> None:
        self._counters[name] = self._counters.get(name, 0) + number

    def _count_outputs(self) -> None:
        for sink in self._sinks:
            self._counters.update(sink.counters())

    def _complain(self, what: str, text: str) -> None:
        now = time.monotonic()
        if now - self._complained.get(what, -COMPLAINT_SECONDS) >= COMPLAINT_SECONDS:
            self._complained[what] = now
            LOG.error("%s", text)


def main(argv: Sequence[str]) -> int:
    """Run the service; return its exit status."""
    parser = argparse.ArgumentParser(prog="bootlog receive", description="Receive what hosts say while they boot.")
    parser.add_argument("--config", type=Path, default=PATH, help="default: %(default)s")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        config = read_config(arguments.config)
        sockets = inherited()
        if not sockets:
            sockets = opened(NETCONSOLE, config.listen) + opened(EVENTS, config.listen_events)
        if not sockets:
            raise SocketsError(
                f"{arguments.config}: listen: []; expected ADDRESS:PORT, as systemd has opened no socket"
            )
        receiver = Receiver(config, sockets, outputs(config))
    except (ConfigError, HostsError, SocketsError, OSError, sqlite3.Error) as error:
        LOG.error("%s", error)
        return 1
    _serve(receiver, sockets)
    return 0


def _serve(receiver: Receiver, sockets: Sequence[tuple[str, socket.socket]]) -> None:
    reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    reader.setblocking(False)
    writer.setblocking(False)
    receiver.wake_by(reader.fileno())
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, lambda *dummy: receiver.stop())
    signal.signal(signal.SIGINT, lambda *dummy: receiver.stop())
    signal.signal(signal.SIGHUP, lambda *dummy: receiver.reload())
    # Lines and datagrams are no cycles: looking for garbage among them costs time and finds none.
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    addresses = ", ".join(f"{purpose} {own.getsockname()[0]} port {own.getsockname()[1]}" for purpose, own in sockets)
    LOG.info("%d hosts; receiving %s", len(receiver.fleet.logs), addresses)
    notify("READY=1")
    receiver.run()
    notify("STOPPING=1")
    receiver.close()
