# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""To whom the NFS server of a boot server gives which boot tree: configuration and state of both servers. No I/O.

The role boot_server writes the configuration. Each export is that of one host: C(/boot/NAME) for its address.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_GANESHA_EXPORT = re.compile(r"^\s*EXPORT\s*\{", re.MULTILINE)
_GANESHA_SETTING = re.compile(r"\b(Path|Pseudo|Clients)\s*=\s*\"?([^\s;\"]+)\"?\s*;")
_SHOWN_PATH = re.compile(r'\bstring "(/[^"]*)"')


class Export(NamedTuple):
    """path: where the tree is. pseudo: where clients see it. client: an address."""

    path: str
    pseudo: str
    client: str


def ganesha_exports(text: str) -> set[Export]:
    """Return the exports in a configuration of NFS-Ganesha."""
    blocks = (dict(_GANESHA_SETTING.findall(block)) for block in _GANESHA_EXPORT.split(text)[1:])
    return {Export(found.get("Path", ""), found.get("Pseudo", ""), found.get("Clients", "")) for found in blocks}


def kernel_exports(text: str) -> set[Export]:
    """Return the exports in a file of exports(5), which is also the format of /var/lib/nfs/etab."""
    lines = (line.split() for line in text.splitlines() if not line.lstrip().startswith("#"))
    return {Export(words[0], words[0], client.partition("(")[0]) for words in lines if words for client in words[1:]}


def shown_paths(text: str) -> set[str]:
    """Return the paths that NFS-Ganesha says it exports (dbus-send, method ShowExports)."""
    return set(_SHOWN_PATH.findall(text))
