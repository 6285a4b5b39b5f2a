# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""host.cpio as it lies in a boot tree: what it tells a host, without ever giving away the key.

The controller makes it (plugin_utils/_host_conf), but the host can replace it.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Mapping

from ._cephx_key import fingerprint, read_header
from ._newc import NewcError, members

HOST_CONF = "etc/diskless/host.conf"
KEY = "etc/diskless/key"

_SETTING = re.compile(r"(DISKLESS_[A-Z_]+)=([^\n]*)")
_CEPHX_KEY = re.compile(r"\bA[Qg][A-Za-z0-9+/]{36,}={0,2}")


@dataclass(frozen=True)
class HostCpio:
    """What an archive holds.

    settings: what host.conf assigns, by name; None without a host.conf.
    key_fingerprint: of the key, see C(_cephx_key.fingerprint); None without a key.
    problems: why a host could not boot with it.
    """

    settings: Mapping[str, str] | None
    key_fingerprint: str | None
    problems: tuple[str, ...] = ()


def read_host_cpio(archive: bytes) -> HostCpio:
    """Return what the archive holds, as far as it can be read."""
    files: dict[str, str] = {}
    problems = []
    try:
        for name, data in members(archive):
            files[name] = data.decode(errors="replace")
    except NewcError as error:
        problems.append(str(error))
    if not problems:
        problems += [f"it lacks {name}" for name in (HOST_CONF, KEY) if not files.get(name)]
    key = files.get(KEY, "").strip()
    is_key = read_header(key).key_type != "unknown"
    if key and not is_key:
        problems.append(f"{KEY} in it holds no cephx key")
    conf = files.get(HOST_CONF)
    return HostCpio(
        None if conf is None else {name: _word(value) for name, value in assignments(conf)},
        fingerprint(key) if is_key else None,
        tuple(problems),
    )


def assignments(conf: str) -> list[tuple[str, str]]:
    """Return names and values, as they are written, of what a host.conf assigns, without keys.

    Only assignments, because whatever else stands in the file a host may have put there.
    """
    return [(name, without_keys(value)) for name, value in _SETTING.findall(conf)]


def without_keys(text: str) -> str:
    """Return the text with the word (key) in place of every cephx key."""
    return _CEPHX_KEY.sub("(key)", text)


def _word(value: str) -> str:
    try:
        return " ".join(shlex.split(value))
    except ValueError:
        return value
