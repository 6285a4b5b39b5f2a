# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CephFS client instance of the kernel, from its directory in debugfs. No I/O.

``/sys/kernel/debug/ceph/FSID.clientID`` (fs/ceph/debugfs.c, net/ceph/debugfs.c): ``mds_sessions``, ``mdsc``, ``caps``,
``mdsmap``, ``monmap`` and ``osdc`` in all kernels since 4.9; ``status``, with address and nonce of the instance and
whether it knows that it is blocklisted, since 5.11. Clients of RBD have such a directory without ``mds_sessions``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._kernel_ceph_clients import FSID

SESSIONS = "mds_sessions"
# In the order in which they are read: those that wait for no lock of the client first, "caps" last.
FILES = ("status", "mdsmap", "monmap", SESSIONS, "osdc", "mdsc", "caps")
# Files that grow with what the client does: counted where they are read, never carried around.
COUNTED = ("osdc", "mdsc", "caps")
_DIRECTORY = re.compile(rf"({FSID})\.client(\d+)$")
_INSTANCE = re.compile(r"^instance: (client\.\d+) (?:\(\d+\))?(\S+)$", re.MULTILINE)
_BLOCKLISTED = re.compile(r"^bl[ao]cklisted: (\w+)$", re.MULTILINE)
_GLOBAL_ID = re.compile(r"^global_id (\d+)$", re.MULTILINE)
_USER = re.compile(r'^name "(.*)"$', re.MULTILINE)
_SESSION = re.compile(r"^mds\.(\d+) (\S+)$", re.MULTILINE)
_MONITOR = re.compile(r"^\tmon\d+\t(?:\(\d+\))?(\S+)$", re.MULTILINE)
_MDSMAP = re.compile(r"^(session_timeout|session_autoclose) (\d+)$", re.MULTILINE)
_REQUESTS = re.compile(r"^REQUESTS (\d+) homeless (\d+)")


@dataclass(frozen=True)
class Client:
    """A client instance; None is what the kernel does not tell, or could not be read in time.

    client: ``client.4137``, as Ceph calls it. directory: its name in debugfs.
    address: ``IP:PORT/NONCE``, as it stands in the blocklist.
    blocklisted: whether the kernel knows that it is.
    sessions: rank and state of each session, in the kernel's words.
    mds_requests, osd_requests: how many are under way. homeless: how many of the latter have no OSD to go to.
    caps: capabilities it holds. caps_waiters: processes that wait for one.
    unread: names of files that did not answer in time: something in the kernel holds their lock.
    """

    client: str
    directory: str
    fsid: str
    user: str | None = None
    address: str | None = None
    blocklisted: bool | None = None
    sessions: tuple[tuple[int, str], ...] | None = None
    monitors: frozenset[str] = frozenset()
    session_timeout: int | None = None
    session_autoclose: int | None = None
    mds_requests: int | None = None
    osd_requests: int | None = None
    homeless: int | None = None
    caps: int | None = None
    caps_waiters: int | None = None
    unread: tuple[str, ...] = ()

    def session_states(self) -> set[str]:
        """Return the states that its sessions are in."""
        return {state for dummy, state in self.sessions or ()}


def is_directory(name: str) -> bool:
    """Tell whether a directory of debugfs is that of a client."""
    return _DIRECTORY.match(name) is not None


def counts(name: str, text: str) -> dict[str, int]:
    """Return the figures of a file of :data:`COUNTED`."""
    lines = text.splitlines()
    if name == "mdsc":
        return {"mds_requests": len(lines)}
    if name == "osdc":
        found = _REQUESTS.match(text)
        return {"osd_requests": int(found.group(1)), "homeless": int(found.group(2))} if found else {}
    # One line for each capability ("0xINODE ..."), and below "Waiters:" one for each process that waits.
    waiting = lines.index("Waiters:") if "Waiters:" in lines else len(lines)
    return {
        "caps": sum(line.startswith("0x") for line in lines[:waiting]),
        "caps_waiters": sum(line[:1].isdigit() for line in lines[waiting:]),
    }


def parse_client(directory: str, files: Mapping[str, Any]) -> Client:
    """Return the client of a directory.

    ``files`` are the texts by name, for :data:`COUNTED` what :func:`counts` returns; None for one that did not answer.
    """
    fsid, number = _DIRECTORY.match(directory).groups()  # type: ignore[union-attr] # the caller has asked is_directory
    texts = {name: text for name, text in files.items() if isinstance(text, str)}
    status, sessions = texts.get("status", ""), texts.get(SESSIONS)
    instance, blocklisted = _INSTANCE.search(status), _BLOCKLISTED.search(status)
    # The id may change when the client starts again; the directory keeps its name.
    now = _GLOBAL_ID.search(sessions or "")
    user = _USER.search(sessions or "")
    figures = {key: value for name in COUNTED for key, value in (files.get(name) or {}).items()}
    mdsmap = {key: int(value) for key, value in _MDSMAP.findall(texts.get("mdsmap", ""))}
    return Client(
        client=f"client.{now.group(1) if now else number}",
        directory=directory,
        fsid=fsid,
        user=user.group(1) if user else None,
        address=instance.group(2) if instance else None,
        blocklisted=blocklisted.group(1) == "true" if blocklisted else None,
        sessions=None if sessions is None else tuple((int(rank), state) for rank, state in _SESSION.findall(sessions)),
        monitors=frozenset(_MONITOR.findall(texts.get("monmap", ""))),
        unread=tuple(name for name in FILES if name in files and files[name] is None),
        **mdsmap,
        **figures,
    )
