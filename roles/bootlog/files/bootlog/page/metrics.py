# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .host import STATES, Host

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def text(hosts: Iterable[Host], counters: dict[str, int], last_write: float | None, now: float) -> str:
    """All metrics, with the time of the receiver's last write in seconds since the epoch."""
    return "\n".join(_lines(tuple(hosts), counters, last_write, now)) + "\n"


def _lines(hosts: tuple[Host, ...], counters: dict[str, int], last_write: float | None, now: float) -> Iterator[str]:
    states = {host.name: host.state(now) for host in hosts}
    yield from _head("hosts", "gauge", "Hosts in each state.")
    for state in STATES:
        yield f'diskless_bootlog_hosts{{state="{state}"}} {sum(other == state for other in states.values())}'
    yield from _head("host_state", "gauge", "State and stage of a host; always 1.")
    for host in hosts:
        stage = host.boot.stage.translate(_ESCAPED) if host.boot else ""
        yield (f'diskless_bootlog_host_state{{{_host(host)},state="{states[host.name]}",stage="{stage}"}} 1')
    yield from _head("host_stage_since_seconds", "gauge", "When a host reached its stage, seconds since the epoch.")
    for host in hosts:
        if host.boot:
            yield f"diskless_bootlog_host_stage_since_seconds{{{_host(host)}}} {host.boot.since:.3f}"
    yield from _head("host_boot_seconds", "gauge", "Duration of a host's last boot that became ready.")
    for host in hosts:
        if (ready := host.boot_seconds()) is not None:
            yield f"diskless_bootlog_host_boot_seconds{{{_host(host)}}} {ready:.3f}"
    yield from _head("host_received_total", "counter", "Datagrams received from a host.")
    for host in hosts:
        yield f"diskless_bootlog_host_received_total{{{_host(host)}}} {host.received}"
    yield from _head("host_lost_total", "counter", "Messages of a host that did not arrive.")
    for host in hosts:
        yield f"diskless_bootlog_host_lost_total{{{_host(host)}}} {host.lost}"
    for name, value in sorted(counters.items()):
        if not _NAME.fullmatch(name):
            continue
        gauge = name.endswith("_bytes")
        full = f"receiver_{name}" if gauge else f"receiver_{name}_total"
        yield from _head(full, "gauge" if gauge else "counter", f"Counter {name} of the receiver.")
        yield f"diskless_bootlog_{full} {value}"
    if last_write is not None:
        yield from _head(
            "receiver_last_write_seconds", "gauge", "When the receiver last wrote, seconds since the epoch."
        )
        yield f"diskless_bootlog_receiver_last_write_seconds {last_write:.3f}"


def _head(name: str, kind: str, what: str) -> Iterator[str]:
    yield f"# HELP diskless_bootlog_{name} {what}"
    yield f"# TYPE diskless_bootlog_{name} {kind}"


def _host(host: Host) -> str:
    return f'host="{host.name.translate(_ESCAPED)}"'
