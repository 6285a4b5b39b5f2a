# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All known hosts, and who of them has sent a datagram or is meant by an event."""

from __future__ import annotations

import json
from collections.abc import Iterable

from .dnsmasq import Event, EventReader
from .files import LogFiles
from .hostlog import Batch, HostLog, Written
from .hosts import Host, source_keys, source_text
from .restore import restore
from .store import Store
from .unknown import UnknownSenders


class Fleet:
    """The logs of all hosts."""

    def __init__(self, store: Store, files: LogFiles, batch: Batch, unknown: UnknownSenders, written: Written) -> None:
        """Begin with no host."""
        self.logs: dict[str, HostLog] = {}
        self.by_source: dict[bytes, HostLog] = {}
        self._by_address: dict[str, HostLog] = {}
        self._by_mac: dict[str, HostLog] = {}
        self._store = store
        self._files = files
        self._batch = batch
        self._unknown = unknown
        self._written = written
        self._readers: dict[bytes, EventReader] = {}

    def set_boot_servers(self, addresses: Iterable[str]) -> None:
        """Believe the events of these addresses."""
        for address in addresses:
            reader = EventReader()
            for key in source_keys(address):
                self._readers[key] = reader

    def set_hosts(self, hosts: Iterable[Host]) -> None:
        """Know exactly these hosts. Those that stay go on as if nothing had happened."""
        hosts = list(hosts)
        self._store.set_hosts(hosts)
        logs = {}
        for host in hosts:
            log = self.logs.pop(host.name, None)
            if log is None:
                log = self._restored(host)
            log.host = host
            logs[host.name] = log
        for gone in self.logs.values():
            gone.finish()
            gone.flush()
            self._batch.held.discard(gone)
        self.logs = logs
        self.by_source = {key: logs[host.name] for host in hosts for key in source_keys(host.address)}
        self._by_address = {host.address: logs[host.name] for host in hosts}
        self._by_mac = {host.mac: logs[host.name] for host in hosts if host.mac is not None}

    def _restored(self, host: Host) -> HostLog:
        kept, last_time = restore(self._store, self._files, host.name)
        log = HostLog(host, self._batch, self._store, self._written)
        log.restore(kept.boot, kept.received, kept.lost, kept.last)
        log.order.last_time = last_time
        self._batch.changed.add(log)  # the files may have told more than the store had
        return log

    def hear(self, received: float, source: bytes, datagram: bytes) -> bool:
        """Take an event of a boot server; return False if it is none, or of someone else."""
        reader = self._readers.get(source)
        if reader is None:
            self._unknown.hear(received, "bootlog", source_text(source), "sends events and is no boot server")
            return False
        try:
            data = json.loads(datagram)
            time = float(data["time"])
            text = data["message"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return False
        if not isinstance(text, str):
            return False
        event = reader.read(text, time)
        if event is not None:
            self._hear(event, received)
        return True

    def _hear(self, event: Event, received: float) -> None:
        log = self._by_mac.get(event.mac or "") or self._by_address.get(event.address or "")
        if log is None:
            self._unknown.hear(received, event.kind, event.mac or event.address or "", event.text)
        else:
            log.hear(event, received)

    def repeated(self) -> int:
        """Return how many messages were dropped because they had been heard before."""
        return sum(log.order.repeated for log in self.logs.values())
