# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running daemons, and what each has in effect: its configuration file and overrides count as well."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Callable, Collection, Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, CephDenied, CephError
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config import Daemon, Target
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_option import CephOption, shown
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_option_value import as_text

DAEMON_TYPES = ("mds", "mgr", "mon", "osd")
# From the weakest to the strongest; ConfSource in Ceph's src/common/config_values.h.
_SOURCES = ("default", "mon", "file", "env", "cmdline", "override")
LOCAL_SOURCES = ("file", "env", "cmdline", "override")
_FIRST_TELL_RELEASE = 16
_PAUSE_SECONDS = 0.25
_READS = {
    "mds": ("mds metadata",),
    "mgr": ("mgr metadata", "mgr dump"),
    "mon": ("mon metadata", "quorum_status"),
    "osd": (),
}


@dataclass(frozen=True)
class EffectiveValue:
    """A value that a daemon runs with, and its source: default, mon, file, env, cmdline or override."""

    value: str
    source: str


# What each daemon runs with: values by option by daemon. What is missing from a daemon's values is at its default.
Effective = Mapping[str, Mapping[str, EffectiveValue]]


def read_daemons(client: CephClient, types: Iterable[str], release: int) -> list[Daemon]:
    """Return the running daemons of these types: monitors in quorum, the active mgr, every MDS, OSDs that are up."""
    wanted = [kind for kind in DAEMON_TYPES if kind in set(types)]
    commands = sorted({command for kind in wanted for command in ("osd tree", *_READS[kind])})
    answers = client.ceph_json_many([command.split() for command in commands])
    return parse_daemons(dict(zip(commands, answers)), release, wanted)


def parse_daemons(answers: Mapping[str, Any], release: int, types: Sequence[str]) -> list[Daemon]:
    """Return the running daemons from the answers of the commands that :func:`read_daemons` asks.

    ``location`` is what the monitors compare masks with (ConfigMonitor::refresh_config): where CRUSH has the bucket
    that is named as the daemon's host, without that host itself; before Ceph 16 for an OSD too.
    """
    nodes = answers["osd tree"]["nodes"] if types else []
    places = _locations(nodes)
    daemons = []
    for kind in types:
        if kind == "osd":
            daemons += [_osd(node, places, release) for node in nodes if node.get("status") == "up"]
            continue
        daemons += [
            Daemon(kind, entry["name"], places.get(entry.get("hostname", ""), {}))
            for entry in answers[f"{kind} metadata"]
            if _runs(kind, entry["name"], answers)
        ]
    return daemons


def _runs(kind: str, name: str, answers: Mapping[str, Any]) -> bool:
    if kind == "mon":
        return name in answers["quorum_status"]["quorum_names"]
    # A standby manager runs no module and cannot be asked; a standby MDS can.
    return kind == "mds" or bool(name == answers["mgr dump"]["active_name"])


def _osd(node: Mapping[str, Any], places: Mapping[str, Mapping[str, str]], release: int) -> Daemon:
    place = places.get(node["name"], {})
    if release < _FIRST_TELL_RELEASE:
        place = places.get(place.get("host", ""), {})
    return Daemon("osd", str(node["id"]), place, node.get("device_class", ""))


def _locations(nodes: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return what lies above each node of the CRUSH tree: names by type."""
    by_id = {node["id"]: node for node in nodes}
    parents = {child: node["id"] for node in nodes for child in node.get("children", ())}
    found = {}
    for node in nodes:
        above, at = {}, node["id"]
        while at in parents:
            at = parents[at]
            above[by_id[at]["type"]] = by_id[at]["name"]
        found[node["name"]] = above
    return found


def concerned(daemons: Iterable[Daemon], target: Target, option: CephOption) -> list[Daemon]:
    """Return the daemons that a value of the option may reach if it is set for this target, whatever the mask.

    What the modules of the mgr have in effect nobody can ask.
    """
    if option.name.startswith("mgr/"):
        return []
    users = _users(option)
    return [
        daemon
        for daemon in daemons
        if (target.section == "global" and daemon.type in users) or f"{daemon.name}.".startswith(f"{target.section}.")
    ]


def concerned_types(target: Target, option: CephOption) -> set[str]:
    """Return the types of those daemons."""
    one_of_each = [Daemon(kind, "") for kind in DAEMON_TYPES]
    return {daemon.type for daemon in concerned(one_of_each, Target(target.type), option)}


def _users(option: CephOption) -> set[str]:
    """Return the types of daemons that use the option: by its own account, else by its name, else all."""
    if option.services and "common" not in option.services:
        return set(option.services) & set(DAEMON_TYPES)
    return set(option.name.split("_")[:2]) & set(DAEMON_TYPES) or set(DAEMON_TYPES)


def read_effective(client: CephClient, release: int, daemons: Sequence[Daemon]) -> Effective:
    """Ask every daemon what it runs with that is not its default; one that does not answer is missing.

    From Ceph 16 on each is asked itself. Before, the mgr answers for it, with what it heard some seconds ago.
    """

    def command(daemon: Daemon) -> tuple[str, ...]:
        if release >= _FIRST_TELL_RELEASE:
            return ("tell", daemon.name, "config", "diff")
        return ("config", "show", daemon.name)

    parse = parse_config_diff if release >= _FIRST_TELL_RELEASE else parse_config_show
    try:
        answers = client.ceph_json_many([command(daemon) for daemon in daemons])
        return {daemon.name: parse(answer) for daemon, answer in zip(daemons, answers)}
    except CephDenied:
        raise
    except CephError:
        return {daemon.name: parse(answer) for daemon, answer in _one_by_one(client, daemons, command)}


def _one_by_one(
    client: CephClient, daemons: Iterable[Daemon], command: Callable[[Daemon], Sequence[str]]
) -> Iterable[tuple[Daemon, Any]]:
    for daemon in daemons:
        try:
            yield daemon, client.ceph_json(*command(daemon))
        except CephError:  # it went away, or hangs: there is nothing to say of it
            continue


def parse_config_diff(answer: Mapping[str, Any]) -> dict[str, EffectiveValue]:
    """Parse ``ceph tell DAEMON config diff``."""
    return {
        name: EffectiveValue(as_text(values[source]), source)
        for name, values in answer["diff"].items()
        for source in [source for source in _SOURCES if source in values][-1:]
    }


def parse_config_show(answer: Iterable[Mapping[str, Any]]) -> dict[str, EffectiveValue]:
    """Parse ``ceph config show DAEMON -f json``."""
    return {entry["name"]: EffectiveValue(entry["value"], entry["source"]) for entry in answer}


def effective_value(effective: Effective, daemon: Daemon, option: CephOption) -> EffectiveValue | None:
    """Return what the daemon runs with, None if it did not answer."""
    if daemon.name not in effective:
        return None
    found = effective[daemon.name].get(option.name, EffectiveValue(option.default, "default"))
    return EffectiveValue(shown(option, found.value), found.source)


def wait_effective(
    read: Callable[[], Effective], pending: Callable[[Effective], Collection[Any]], timeout_seconds: float
) -> Effective:
    """Read until nothing is pending any more or the time is over, and return what was read last."""
    deadline = time.monotonic() + timeout_seconds
    effective = read()
    while pending(effective) and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
        effective = read()
    return effective
