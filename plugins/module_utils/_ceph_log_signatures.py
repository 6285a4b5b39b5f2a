# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel's Ceph clients log about evictions, blocklistings and fences, and what that means.

The texts are those of fs/ceph, net/ceph and drivers/block/rbd.c of Linux 4.9 to 6.18.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Pattern


@dataclass(frozen=True)
class Signature:
    """A kind of line. ``healed_by`` is what the kernel logs when it is over, None if it never says so."""

    name: str
    pattern: Pattern[str]
    incident: str
    severity: str
    meaning: str
    remedy: str
    healed_by: Pattern[str] | None = None


def _signature(  # noqa: PLR0913, PLR0917 -- a row of the table
    name: str, pattern: str, incident: str, severity: str, meaning: str, remedy: str, healed_by: str | None = None
) -> Signature:
    healing = None if healed_by is None else re.compile(healed_by)
    return Signature(name, re.compile(pattern), incident, severity, meaning, remedy, healing)


_REMOUNT = (
    "Unmount and mount again (a lazy unmount keeps the dead client, and a new mount may share it: if the unmount is "
    "busy, reboot). Mounted with recover_session=clean a client does this by itself."
)
_POLICY = (
    "Look at the client with mds_session_info and osd_blocklist_info; if the host was only slow or away, raise "
    "session_autoclose with cephfs_settings."
)

# The first that matches a line counts.
SIGNATURES = (
    _signature(
        "auto_reconnect",
        r"auto reconnect after bl[ao]cklisted",
        "blocklisted",
        "warning",
        "This CephFS client was blocklisted and has started again as a new client, because it is mounted with "
        "recover_session=clean. What it had not written was dropped, and files open at the time return errors.",
        f"Restart the programs that had files open. {_POLICY}",
    ),
    _signature(
        "blocklist_refused",
        r"bl[ao]cklist of client\d+ failed|failed to bl[ao]cklist|failed to break header lock",
        "lock_not_broken",
        "error",
        "This host wanted to take the lock of an RBD image from a dead owner, and the cluster refused: the image "
        "cannot be written.",
        "Give the host's user the monitor caps 'profile rbd' (cephx_user), or break the lock with rbd_lock.",
    ),
    _signature(
        "watch_refused",
        r"result -108\b|failed to .*: -108\b",
        "fenced",
        "error",
        "The cluster answers this RBD client with ESHUTDOWN (108): its client instance is blocklisted, for example "
        "because another host took the lock. Every write fails.",
        "Find out who took the lock (rbd_lock_info, osd_blocklist_info). Reboot this host, or unmap the image with "
        "force and map it again: a new instance is not blocklisted. Do not remove the entry while this one runs.",
    ),
    _signature(
        "blocklisted",
        r"bl[ao]cklisted",
        "blocklisted",
        "error",
        "The cluster has put this client instance on the blocklist: nothing that it writes is accepted any more.",
        f"{_REMOUNT} {_POLICY}",
        r"auto reconnect after bl[ao]cklisted",
    ),
    _signature(
        "reconnect_denied",
        r"mds\d+ reconnect denied",
        "evicted",
        "error",
        "The MDS did not take this client back after the connection was lost: it had evicted the client in the "
        "meantime, or the client came too late after a restart of the MDS. What it had not written is lost.",
        f"{_REMOUNT} {_POLICY}",
        r"auto reconnect after bl[ao]cklisted",
    ),
    _signature(
        "session_rejected",
        r"mds\d+ rejected session",
        "rejected",
        "error",
        "The MDS refuses to open a session: the client is blocklisted, its key lacks the caps, or it lacks a feature "
        "that the file system requires.",
        "Look for its address with osd_blocklist_info; if it is not there, check the user's caps with cephx_user_info "
        f"and required_client_features with cephfs_settings. {_REMOUNT}",
        r"auto reconnect after bl[ao]cklisted",
    ),
    _signature(
        "session_closed",
        r"mds\d+ closed our session",
        "evicted",
        "warning",
        "The MDS ended the session of this client: it evicted the client, or was restarted. The client tries to "
        "reconnect.",
        f"If it could not reconnect: {_REMOUNT[0].lower()}{_REMOUNT[1:]} {_POLICY}",
        r"mds\d+ reconnect success",
    ),
    _signature(
        "caps_stale",
        r"mds\d+ caps (?:went |still )?stale",
        "caps_stale",
        "warning",
        "The client has not heard from the MDS for session_timeout, so it no longer trusts its caps: access to files "
        "waits. Eviction follows when session_autoclose has passed.",
        "Check the network and the clock of this host, and the load of the MDS.",
        r"mds\d+ (?:caps renewed|reconnect success)",
    ),
    _signature(
        "mds_hung",
        r"mds\d+ hung\b",
        "mds_unresponsive",
        "warning",
        "The MDS has not answered for longer than session_autoclose: whatever needs it waits, and it may have evicted "
        "this client.",
        "Check the network and the MDS (ceph fs status), then the session with mds_session_info.",
        r"mds\d+ (?:came back|caps renewed|reconnect success)",
    ),
    _signature(
        "null_snap_realm",
        r"null i_snap_realm",
        "evicted",
        "error",
        "The client works on a directory for which it no longer has any caps, which happens after an eviction. Some "
        "kernels loop over this line and use a whole CPU.",
        f"{_REMOUNT} Update a kernel before 5.3: it loops for ever.",
    ),
    _signature(
        "data_dropped",
        r"dropping (?:dirty|unsafe request)|forced umount|inode \S+ is shut down",
        "data_lost",
        "error",
        "The client threw away changes that it had in memory and could not write to the cluster any more.",
        "Check the files that were written at that time; restore or write them again. Programs that did not call "
        "fsync have seen no error.",
    ),
    _signature(
        "file_locks_dropped",
        r"dropping file locks",
        "data_lost",
        "error",
        "The client lost the file locks that its programs hold: others may have changed the same files since.",
        "Restart the programs that rely on file locks, after checking their files.",
    ),
    _signature(
        "monitor_lost",
        r"mon\d+.* session lost, hunting for new mon",
        "session_lost",
        "warning",
        "The connection to a monitor was lost, and the client looks for another one. Harmless when it finds one within "
        "seconds.",
        "If it repeats: check the network between this host and the monitors, and the clock of this host.",
        r"mon\d+.* session established",
    ),
    _signature(
        "lock_broken",
        r"breaking (?:header|object map) lock|seems dead, breaking lock",
        "lock_broken",
        "warning",
        "This host took the lock of an RBD image from an owner that no longer watched it, and had that client instance "
        "blocklisted. After a power cut the owner is this host's own former boot.",
        "Nothing, if the former owner is dead. If it is another host that still runs, stop it: it can no longer write.",
    ),
    _signature(
        "watch_lost",
        r"encountered watch error: -\d+",
        "session_lost",
        "warning",
        "The RBD client lost its watch on the image: the OSD was restarted, did not hear from this host for 30 "
        "seconds, or the client is blocklisted.",
        "If it repeats: check the network between this host and the OSDs.",
    ),
    _signature(
        "device_io_error",
        r"I/O error.* dev(?:ice)? rbd\d+",
        "io_error",
        "error",
        "Reading or writing an RBD device failed. File systems on it turn read-only or are shut down.",
        "Look for a fence of the same device among the findings; otherwise check the cluster's health.",
    ),
)
