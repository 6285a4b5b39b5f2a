# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics can be read by Prometheus, whatever is in them."""

from __future__ import annotations

import re
from pathlib import Path

from bootlog.page.database import Database
from bootlog.page.metrics import text

from tests.unit.bootlog.filled_store import Store, path_to

SAMPLE = re.compile(
    r'([a-z_]+)(?:\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? -?[0-9.]+'
)


def metrics(store: Store) -> str:
    fleet = Database(store.database).read()
    assert fleet is not None
    return text(fleet.hosts, fleet.counters, 995.0, 1000.0)


def test_states_boots_and_counters_are_told(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.host("udoo1", received=12, lost=3)
    store.host("udoo2", 2)
    store.boot("udoo1", 900.0, path_to("ready", 900.0))
    store.count(datagrams=40, forward_buffered_bytes=1000)
    told = metrics(store).splitlines()
    for line in (
        'diskless_bootlog_hosts{state="ready"} 1',
        'diskless_bootlog_hosts{state="silent"} 1',
        'diskless_bootlog_hosts{state="failed"} 0',
        'diskless_bootlog_host_state{host="udoo1",state="ready",stage="ready"} 1',
        'diskless_bootlog_host_boot_seconds{host="udoo1"} 22.000',
        'diskless_bootlog_host_received_total{host="udoo1"} 12',
        'diskless_bootlog_host_lost_total{host="udoo1"} 3',
        "diskless_bootlog_receiver_datagrams_total 40",
        "# TYPE diskless_bootlog_receiver_forward_buffered_bytes gauge",
        "diskless_bootlog_receiver_forward_buffered_bytes 1000",
        "diskless_bootlog_receiver_last_write_seconds 995.000",
    ):
        assert line in told


def test_every_line_is_a_sample_or_a_comment_and_every_metric_has_a_type(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.host('evil"} 1\n\\', 1)
    store.boot('evil"} 1\n\\', 900.0, [('sta"ge\n', 900.0)])
    store.count(**{"datagrams": 1, "no metric{}": 2, "": 3})
    typed = set()
    for line in metrics(store).splitlines():
        if line.startswith("# TYPE "):
            typed.add(line.split()[2])
        elif not line.startswith("# HELP "):
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            assert sample[1] in typed
