# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Will Ceph let the hosts in? The rules of the diagnosis say so, over what there will be after the site playbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._osd_blocklist_address import parse_instance, parse_ip
from ...module_utils._rbd_size import format_size, parse_size
from .._diagnosis.evidence import Evidence
from .._diagnosis.rules import blocklist, cluster, image
from .._diagnosis.verdict import POSSIBLE, Finding, Unknown
from .._host_spec import HostSpec
from .._reboot import SETTINGS
from .._rendered_tree import RenderError, rendered_trees
from .fleet import Fleet
from .problem import NotKnown, Problem, Said

# What decides about a boot and is not made by the site playbook: no user, no image and no boot tree.
_OF_HOSTS = ("monitors", "features", "lock", "fences")
_LOOKED_AT = ("cluster", "osds", "pause", "space", "data", "health", "monitor-clocks", *_OF_HOSTS)
RULES = tuple(rule for part in (cluster, image, blocklist) for rule in part.RULES if rule.name in _LOOKED_AT)
# A pool that was made a moment ago has placement groups that do not serve yet.
_PASSING = ("data-unavailable",)
# The site playbook gives the user these rights before a host needs them.
_USER_TO_BE = {"exists": True, "caps_missing": [], "can_blocklist_itself": True}
_NO_KEY = f"{'A' * 38}=="
_FLAGS = {"noup": "OSDs that start are not let in", "noin": "OSDs that are added get no data"}


def rules(fleet: Fleet) -> Iterable[Said]:
    """What the rules of the diagnosis find, for each host."""
    addresses = {host.address: host.name for host in fleet.all_hosts}
    for host in fleet.hosts:
        evidence = Evidence(_evidence(fleet, host, addresses))
        exists = (_of(fleet, host).get("image") or {}).get("exists")
        verdicts = [(rule, rule(evidence)) for rule in RULES if rule.name != "features" or exists is not False]
        causes = {verdict.cause for _rule, verdict in verdicts if isinstance(verdict, Finding)}
        for rule, verdict in verdicts:
            if isinstance(verdict, Unknown):
                yield NotKnown(rule.name, verdict.why)
            elif isinstance(verdict, Finding) and not causes.intersection(verdict.explained_by):
                yield Problem(
                    verdict.cause,
                    verdict.text,
                    verdict.evidence,
                    rule.question,
                    verdict.remedy,
                    verdict.command,
                    host.name if rule.name in _OF_HOSTS else "",
                    stops=verdict.likelihood >= POSSIBLE and verdict.cause not in _PASSING,
                )


def _evidence(fleet: Fleet, host: HostSpec, addresses: Mapping[str, str]) -> dict[str, Any]:
    """What the diagnosis would be told once the site playbook has been there."""
    told = {**_of(fleet, host), "user": _USER_TO_BE}
    asked = host.monitors or fleet.monitors(host)
    server = next(iter(fleet.servers_of(host)), "")
    return {
        "spec": host.as_dict(),
        "ceph": {**fleet.ceph, "hosts": {host.name: told}} if fleet.ceph else None,
        "boot": {"hosts": {host.name: {"host_conf": {"DISKLESS_MONITORS": ",".join(asked)}}}},
        "network": fleet.network_of(host),
        "errors": {"ceph": fleet.ceph_error, "network": "no boot server could ask the monitors"},
        "controller": {**fleet.controller, **({"boot_server": server} if server else {}), "addresses": addresses},
    }


def understood(fleet: Fleet) -> Iterable[Said]:
    """A cluster may answer and yet not tell: its release is too old, or the user may not ask."""
    if fleet.ceph.get("reached") is True and fleet.cluster.get("release") is None:
        yield Problem(
            "cluster-refuses",
            "Ceph answers, and does not tell what has to be known.",
            (str(fleet.ceph.get("error") or "no reason given"),),
            "a cluster of Nautilus (14) or newer, and a user that may do everything (diskless_ceph_name, client.admin)",
            "Upgrade Ceph, or name a user with its keyring that may do everything.",
            fleet.commands().ceph("auth", "ls"),
        )


def quorum(fleet: Fleet) -> Iterable[Said]:
    """Hosts boot as long as there is a quorum."""
    out = [str(each["name"]) for each in fleet.cluster.get("monitors") or () if each.get("in_quorum") is False]
    if out:
        yield Problem(
            "monitor-out",
            "A monitor is not in the quorum.",
            tuple(f"monitor {name}" for name in out),
            "all monitors in the quorum",
            "Bring it back, or take it out of the cluster: hosts lose time with it at each boot.",
            fleet.commands().ceph("quorum_status"),
            stops=False,
        )


def warnings(fleet: Fleet) -> Iterable[Said]:
    """What Ceph warns of, but for how it is set up; flags that make the next outage worse."""
    seen: Sequence[Mapping[str, Any]] = fleet.cluster.get("checks") or ()
    told = [
        f"{check['code']}: {check['summary']}"
        for check in seen
        if check["severity"] == "HEALTH_WARN" and check["code"] not in SETTINGS
    ]
    if told:
        command = fleet.commands().ceph("health", "detail")
        text, remedy = "Ceph warns.", "Cure what it names; nothing here depends on it."
        yield Problem("cluster-warning", text, tuple(told), "HEALTH_OK", remedy, command, stops=False)
    for flag, meaning in _FLAGS.items():
        if flag in (fleet.cluster.get("flags") or ()):
            text, remedy = f"The cluster has the flag {flag}: {meaning}.", "Ask who has set it, and have it removed."
            command = fleet.commands().ceph("osd", "unset", flag)
            yield Problem(f"flag-{flag}", text, (f"flags: {flag}",), f"no {flag}", remedy, command, stops=False)


def pools(fleet: Fleet) -> Iterable[Said]:
    """The module rbd_pool has been asked in check mode."""
    for pool, error in fleet.pools.items():
        yield Problem(
            "pool-unusable",
            f"Pool {pool} cannot hold root images.",
            (error,),
            "a pool for RBD, or none of this name: then it is made",
            "Give the hosts another pool (diskless_pool).",
            fleet.commands().ceph("osd", "pool", "ls", "detail"),
        )


def renderable(fleet: Fleet) -> Iterable[Said]:
    """What the controller would say when it renders the boot tree, with a key that is none."""
    for host in fleet.hosts:
        if not fleet.cluster.get("monitors") and not host.monitors:
            continue
        try:
            rendered_trees([host], {host.name: _NO_KEY}, fleet.cluster.get("monitors") or ())
        except RenderError as error:
            yield Problem(
                "no-monitor-for-host",
                "There is no monitor that the host could ask.",
                tuple(problem.removeprefix(f"{host.name}: ") for problem in error.problems),
                "a monitor that speaks the protocol of the host, in its boot network or behind a gateway",
                "Set diskless_gateway, diskless_ms_mode or diskless_monitors, or enable msgr2 in the cluster.",
                fleet.commands(host.name).ceph("mon", "dump"),
                host.name,
            )


def monitors_of_inventory(fleet: Fleet) -> Iterable[Said]:
    """A client that asks a monitor at another address than the cluster's map has breaks off."""
    for host in fleet.hosts:
        found = fleet.monitors(host)
        foreign = [monitor for monitor in host.monitors if monitor not in found]
        if found and foreign:
            yield Problem(
                "monitors-not-of-cluster",
                "The inventory names monitors that the cluster does not have.",
                (f"diskless_monitors: {', '.join(foreign)}",),
                f"some of {', '.join(found)}",
                "Correct diskless_monitors, or leave it out: then hosts get those of the cluster.",
                fleet.commands(host.name).ceph("mon", "dump"),
                host.name,
                stops=len(foreign) == len(host.monitors),
            )


def strangers(fleet: Fleet) -> Iterable[Said]:
    """Whoever has the image open from elsewhere writes to it, or will break the lock of the host."""
    for host in fleet.hosts:
        told = _of(fleet, host)
        owners = {parse_instance(lock["address"]).ip for lock in told.get("locks") or ()}
        found = [each for each in told.get("watchers") or () if _foreign(each, host) and _ip(each) not in owners]
        if found:
            yield Problem(
                "image-open-elsewhere",
                "Another machine has the root image of the host open.",
                tuple(f"{each['client']} at {each['address']}" for each in found),
                f"no client but one at {host.address}",
                "Find that machine, and what there has mapped or mounted it: two that write destroy it.",
                fleet.commands(host.name).rbd("status", f"{host.pool}/{host.namespace}/{host.image}"),
                host.name,
            )


def sizes(fleet: Fleet) -> Iterable[Said]:
    """Images grow, and are never made smaller."""
    golden = _bytes(fleet.golden_size)
    for host in fleet.hosts:
        found = _of(fleet, host).get("image") or {}
        wanted = format_size(host.root_size)
        if found.get("exists") is False and golden is not None and host.root_size < golden:
            yield Problem(
                "root-too-small",
                "The root of the host would be smaller than the golden image.",
                (f"diskless_root_size: {wanted}",),
                f"{format_size(golden)} (root_image_size) or more",
                "Raise diskless_root_size.",
                host=host.name,
            )
        if isinstance(found.get("size"), int) and found["size"] > host.root_size:
            yield Problem(
                "root-larger",
                "The root image of the host is larger than the inventory says. It stays so.",
                (f"{found['name']}: {format_size(found['size'])}", f"diskless_root_size: {wanted}"),
                "the same size",
                f"Set diskless_root_size: {format_size(found['size'])}.",
                host=host.name,
                stops=False,
            )


def lost_images(fleet: Fleet) -> Iterable[Said]:
    """A user without an image is that of a host that had one."""
    for host in fleet.hosts:
        told = _of(fleet, host)
        user = told.get("user") or {}
        if (told.get("image") or {}).get("exists") is False and user.get("exists") is True:
            place = f"{host.pool}/{host.namespace}"
            yield Problem(
                "image-gone",
                "The host has a user in Ceph and no root image: it had one, and would get a new, empty one.",
                (f"{host.cephx_user} exists", f"no image {place}/{host.image}"),
                "both, or neither",
                "If its root is missed, look first whether it has another name or is in the trash.",
                fleet.commands(host.name).rbd("trash", "ls", place),
                host.name,
                stops=False,
            )


def _of(fleet: Fleet, host: HostSpec) -> Mapping[str, Any]:
    told = (fleet.ceph.get("hosts") or {}).get(host.name)
    return told if isinstance(told, Mapping) else {}


def _foreign(watcher: Mapping[str, Any], host: HostSpec) -> bool:
    return bool(_ip(watcher) != parse_ip(host.address))


def _ip(watcher: Mapping[str, Any]) -> Any:
    return parse_instance(str(watcher["address"])).ip


def _bytes(size: Any) -> int | None:
    """A size as the role root_image takes it; what is wrong with it is the role's to say."""
    try:
        return parse_size(str(size)) if size else None
    except ValueError:
        return None


CHECKS = (understood, rules, quorum, warnings, pools, renderable, monitors_of_inventory, strangers, sizes, lost_images)
