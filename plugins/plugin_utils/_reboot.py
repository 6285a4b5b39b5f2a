# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""May a diskless host be rebooted, and has it come back as it was? Both are asked of the rules of the diagnosis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..module_utils._osd_blocklist_address import parse_instance
from ._diagnosis.diagnose import diagnose
from ._diagnosis.verdict import POSSIBLE

# What hits the system that runs, and not the next one.
CURED = ("client-blocklisted", "lock-lost", "root-read-only", "kernel-client-shut-out")
# Health checks that say how a cluster is set up, and not how it is.
# https://docs.ceph.com/en/latest/rados/operations/health-checks/
SETTINGS = (
    *("POOL_NO_REDUNDANCY", "POOL_APP_NOT_ENABLED", "POOL_PG_NUM_NOT_POWER_OF_TWO", "TOO_FEW_PGS", "TOO_MANY_PGS"),
    *("AUTH_INSECURE_GLOBAL_ID_RECLAIM", "AUTH_INSECURE_GLOBAL_ID_RECLAIM_ALLOWED", "MON_MSGR2_NOT_ENABLED"),
    *("OSD_NO_SORTBITWISE", "OLD_CRUSH_TUNABLES", "OLD_CRUSH_STRAW_CALC_VERSION", "TELEMETRY_CHANGED", "RECENT_CRASH"),
)
# What has to be known before a host goes down: each of them alone can keep it from coming back.
ESSENTIAL = (
    *("boot-services", "nfs", "admitted", "linked", "exported"),
    *("boot-tree", "whole-files", "named-files", "versions", "host-cpio", "loader-configuration"),
    *("host-network", "host-monitors", "host-image", "host-key"),
    *("cluster", "osds", "pause", "space", "data", "health"),
    *("user", "caps", "own-fence", "image", "features", "lock", "fences", "answers"),
)


@dataclass(frozen=True)
class Judgement:
    """problems: why not, as sentences. notes: what is worth knowing and stops nothing."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, list[str]]:
        """The judgement in the types of JSON."""
        return {name: list(texts) for name, texts in asdict(self).items()}


def preflight(evidence: Mapping[str, Any], accepted: Sequence[str] = ()) -> Judgement:
    """Judge whether a host that goes down now would come back.

    evidence: as the filter C(diagnose) takes it.
    accepted: causes of findings, names of checks that could not be made, and codes of Ceph's health checks: what the
        user knows about.
    Raises KeyError or ValueError when there is no complete host spec among the evidence.
    """
    diagnosis = diagnose(evidence)
    problems = [*_cluster(evidence.get("ceph"), accepted), *_reached(evidence.get("host"))]
    notes: list[str] = []
    for finding in diagnosis["findings"]:
        text = f"{finding['cause']}: {finding['text']} {finding['remedy']}"
        stops = finding["likelihood"] >= POSSIBLE and finding["cause"] not in (*CURED, *accepted)
        (problems if stops else notes).append(text)
    for check in diagnosis["unknown"]:
        if check["check"] in ESSENTIAL and check["check"] not in accepted:
            problems.append(f"{check['check']}: not known whether this holds: {check['question']} ({check['why']})")
    return Judgement(tuple(problems), tuple(notes))


def _cluster(ceph: Mapping[str, Any] | None, accepted: Sequence[str]) -> Iterable[str]:
    """Yield why now is no time for a reboot; what keeps all hosts from booting are findings."""
    cluster = (ceph or {}).get("cluster") or {}
    if cluster.get("recovering") and "recovering" not in accepted:
        yield "recovering: Ceph repairs or moves data. Wait until it has done so."
    out = [monitor["name"] for monitor in cluster.get("monitors") or () if not monitor["in_quorum"]]
    if out and "monitors" not in accepted:
        yield f"monitors: {', '.join(out)} is not in the quorum. Bring it back first."
    for check in cluster.get("checks") or ():
        if check["code"] not in (*SETTINGS, *accepted):
            said = f"{check['code']}: Ceph says {check['severity']}, {check['summary']}."
            yield f"{said} Cure it, mute it in Ceph, or accept it (reboot_accepted)."


def _reached(host: Mapping[str, Any] | None) -> Iterable[str]:
    if (host or {}).get("reachable") is False:
        yield "unreachable: it does not answer by SSH, so it cannot be asked to reboot. recover_host is for such hosts."


def verification(evidence: Mapping[str, Any], before: Mapping[str, Any], forced: bool = False) -> Judgement:
    """Judge whether a host has come back: another boot, its own root and lock, and nothing worse than before.

    evidence: as it is now, before: as it was; both as the filter C(diagnose) takes them.
    forced: whether it was switched off instead of shut down. Then it had to break the lock of its former self, and the
        blocklist has that.
    Raises KeyError or ValueError when there is no complete host spec among the evidence.
    """
    host, ceph = _host(evidence), _ceph(evidence)
    if not host.get("reachable"):
        return Judgement((f"unreachable: {host.get('error') or 'it does not answer by SSH'}",), ())
    if host.get("boot_id") == _host(before).get("boot_id"):
        return Judgement(("same-boot: it has not rebooted: its boot id is still the same.",), ())
    problems = [*_root(host, evidence["spec"]), *_owner(host, ceph)]
    notes: list[str] = []
    known = {finding["cause"] for finding in diagnose(before)["findings"]} - {"failed-units"}
    for finding in diagnose(evidence)["findings"]:
        text = f"{finding['cause']}: {finding['text']} {' '.join(finding['evidence'])}"
        old = finding["cause"] in known and finding["likelihood"] < POSSIBLE
        if finding["cause"] == "failed-units":
            old = set(host["failed_units"]) <= set(_host(before).get("failed_units") or ())
        (notes if old else problems).append(f"{text} It was so before." if old else text)
    entries = {entry["address"] for entry in _ceph(before).get("blocklist") or ()}
    added = [entry["address"] for entry in ceph.get("blocklist") or () if entry["address"] not in entries]
    if added:
        expected = forced or not evidence["spec"]["exitrd"]
        text = f"blocklisted: {', '.join(added)}: it had to break the lock of its former self"
        (notes if expected else problems).append(
            f"{text}." if expected else f"{text}, because the shutdown has not released it."
        )
    return Judgement(tuple(problems), tuple(notes))


def _root(host: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterable[str]:
    root = host.get("root") or {}
    if not root.get("client"):
        wanted = f"{spec['pool']}/{spec['namespace']}/{spec['image']}"
        yield f"root: it is {root.get('device') or 'not known'}; expected {wanted}."
    for key, what in (("failed_units", "which units have failed"), ("boot_mounted", "whether /boot is mounted")):
        if host.get(key) is None:
            yield f"{key}: the host does not tell {what}."


def _owner(host: Mapping[str, Any], ceph: Mapping[str, Any]) -> Iterable[str]:
    """Yield what is wrong with who has the image: the one client that has it open is the host's, and owns the lock."""
    client = (host.get("root") or {}).get("client")
    image = ceph.get("image") or {}
    if not image.get("exists"):
        yield "image: Ceph does not tell who has it."
        return
    watchers = [watcher["address"] for watcher in ceph.get("watchers") or ()]
    if not _only(client, watchers):
        yield f"watchers: the image is open at {', '.join(watchers) or 'no client'}; expected {client} alone."
    owners = [lock["address"] for lock in ceph.get("locks") or ()]
    if "exclusive-lock" in (image.get("features") or ()) and not _only(client, owners):
        yield f"lock: it belongs to {', '.join(owners) or 'nobody'}; expected {client}, the client of the host."


def _only(client: str | None, addresses: Sequence[str]) -> bool:
    """Tell whether one client is there and no other; Ceph writes its address in more than one way."""
    return client is not None and {parse_instance(address) for address in addresses} == {parse_instance(client)}


def _host(evidence: Mapping[str, Any]) -> Mapping[str, Any]:
    return evidence.get("host") or {}


def _ceph(evidence: Mapping[str, Any]) -> Mapping[str, Any]:
    hosts = (evidence.get("ceph") or {}).get("hosts") or {}
    return hosts.get(evidence["spec"]["name"]) or {}
