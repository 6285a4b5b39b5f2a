# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an MDS blocklists whom it is told to evict."""

from __future__ import annotations

from typing import Any, Iterable

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect

_FIRST_ASKABLE_RELEASE = 16


def option_name(dialect: Dialect) -> str:
    """Return the option's name in this cluster."""
    return dialect.option("mds_session_blocklist_on_evict")


def read_blocklist_on_evict(client: CephClient, dialect: Dialect, mds: Iterable[str]) -> dict[str, bool]:
    """Return the option's value in effect by name of the MDS.

    An MDS of Ceph 14 cannot be asked for its configuration; then it is what the monitors have configured for it.
    """
    names = sorted(set(mds))
    option = option_name(dialect)
    commands: list[tuple[str, ...]]
    if dialect.release >= _FIRST_ASKABLE_RELEASE:
        commands = [("tell", f"mds.{name}", "config", "get", option) for name in names]
    else:
        commands = [("config", "get", f"mds.{name}", option) for name in names]
    return {name: parse_value(answer, option) for name, answer in zip(names, client.ceph_json_many(commands))}


def parse_value(answer: Any, option: str) -> bool:
    """Parse the JSON answer of either command."""
    value = answer[option] if isinstance(answer, dict) else answer
    return str(value).lower() == "true"
