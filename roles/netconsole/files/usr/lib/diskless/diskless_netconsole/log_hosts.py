# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which log hosts this host has."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from ._netconsole_route import endpoint_text, parse_endpoint

CONFIG = "/etc/diskless/netconsole.json"
HOST_CONF = "/run/diskless/host.conf"


def log_hosts(config: str = CONFIG, host_conf: str = HOST_CONF) -> list[str]:
    """Return them as ADDRESS:PORT or [ADDRESS]:PORT, each once.

    The configuration comes first; without one, a diskless host has those that it booted with. Raises ValueError that
    names the file and what is wrong in it.
    """
    if Path(config).exists():
        return _checked(config, _configured(config))
    if Path(host_conf).exists():
        return _checked(host_conf, _booted_with(host_conf))
    return []


def _configured(path: str) -> list[object]:
    try:
        read = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from error
    targets = read.get("targets") if isinstance(read, dict) else None
    if not isinstance(targets, list):
        raise ValueError(f'{path}: expected {{"targets": ["ADDRESS:PORT", ...]}}')
    return targets


def _booted_with(path: str) -> list[object]:
    for word in shlex.split(Path(path).read_text(encoding="utf-8"), comments=True):
        name, equals, value = word.partition("=")
        if name == "DISKLESS_NETCONSOLE" and equals:
            return list(value.split())
    return []


def _checked(path: str, targets: list[object]) -> list[str]:
    try:
        return list(dict.fromkeys(endpoint_text(*parse_endpoint(str(target))) for target in targets))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
