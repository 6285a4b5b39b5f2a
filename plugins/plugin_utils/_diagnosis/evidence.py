# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence about one host, as modules and the boot log have told it. What they have not told is never made up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .._host_spec import HostSpec
from .commands import Commands

T = TypeVar("T")

# Who tells it, in the words of a report.
SOURCES = {
    "ceph": "Ceph",
    "cluster": "Ceph",
    "boot": "the boot server",
    "services": "the boot server",
    "boot_log": "the boot log",
    "host": "the host",
    "network": "the boot server",
}
# In which part of the evidence it is.
_PARTS = {"cluster": "ceph", "services": "boot"}
_NOT_TOLD = (None, "", "unknown")


class NotKnown(Exception):
    """Something that a rule needs is not known; the text says what, or who could not be asked and why."""


@dataclass(frozen=True)
class Trouble:
    """Why a boot does not go on, in the words of the boot log: the stage that it was about to reach, and the line."""

    stage: str
    reason: str
    text: str

    @property
    def line(self) -> str:
        """As a report quotes it."""
        return f"boot log: {self.stage} not reached: {self.reason}: {self.text}"


class Evidence:
    """What is known about one host.

    given: C(spec), a host spec, which has to be there; C(ceph), C(boot), C(boot_log), C(power), C(host) and C(network)
        as the modules return them or None; C(errors), why a part is not there; C(asked), the seconds since 1970
        C(began) and C(ended) between which the host was asked; C(controller), names for commands (see Commands), and
        C(addresses), the names of the diskless hosts by address. Where there are several boot servers, C(boot_servers)
        has by name what takes the place of C(boot).
    Raises KeyError or ValueError when the spec is not complete.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.spec = HostSpec.from_dict(given["spec"])
        self.name = self.spec.name
        controller = dict(_mapping(given.get("controller")))
        self._boot_servers = _mapping(given.get("boot_servers"))
        self._given = dict(given)
        serving = self._serving()
        if serving:
            self._given["boot"] = self._boot_servers[serving]
            controller["boot_server"] = serving
        self.commands = Commands.of(controller, self.name)

    @property
    def image(self) -> str:
        """The root image, as ``rbd`` takes it."""
        return f"{self.spec.pool}/{self.spec.namespace}/{self.spec.image}"

    def need(self, kind: type[T], source: str, *path: str) -> T:
        """Return what a source has told. Raises NotKnown if it has not, or told something of another type."""
        value: Any = self._source(source)
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value in _NOT_TOLD:
            if source == "host" and path != ("reachable",) and self.runs is False:
                raise NotKnown("the host does not answer by SSH")
            reason = self._partly(source)
            raise NotKnown(f"{SOURCES[source]} does not tell {' '.join(path).replace('_', ' ')}{reason}")
        # Numbers and truth values are different things to everybody but Python.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise NotKnown(f"{SOURCES[source]} tells {value!r} as {' '.join(path)}; expected {kind.__name__}")
        return value

    def get(self, kind: type[T], source: str, *path: str) -> T | None:
        """Return what a source has told, or None: for what makes a finding clearer and does not decide it."""
        try:
            return self.need(kind, source, *path)
        except NotKnown:
            return None

    def number(self, source: str, *path: str) -> float:
        """Return a number that a source has told. Raises NotKnown."""
        whole = self.get(int, source, *path)
        return self.need(float, source, *path) if whole is None else float(whole)

    def trouble(self) -> Trouble | None:
        """Return why the boot does not go on; None if the boot log says that it does. Raises NotKnown."""
        boot_log = self._source("boot_log")
        if "trouble" not in boot_log:
            raise NotKnown("the boot log does not tell trouble")
        if boot_log["trouble"] is None:
            return None
        # Not by need(): "unknown" is a reason as any other.
        told = _mapping(boot_log["trouble"])
        stage, reason, text = told.get("stage"), told.get("reason"), told.get("text")
        if not isinstance(stage, str) or not isinstance(reason, str):
            raise NotKnown("the boot log does not tell what the trouble is about")
        return Trouble(stage, reason, str(text or ""))

    def stopped_before(self) -> str | None:
        """Return the stage that the boot was about to reach when it did not go on; None if it did, or if unknown."""
        try:
            trouble = self.trouble()
        except NotKnown:
            return None
        return trouble.stage if trouble else None

    def boot_servers(self) -> dict[str, Mapping[str, Any] | None]:
        """Return the services of each boot server that may serve the host; None for one that was not reached."""
        told = {name: _mapping(_mapping(said).get("services")) for name, said in self._boot_servers.items()}
        return {name: services or None for name, services in told.items()}

    @property
    def runs(self) -> bool | None:
        """Whether the host answers by SSH; None if unknown."""
        return self.get(bool, "host", "reachable")

    def power(self) -> str:
        """Return C(on) or C(off). Raises NotKnown."""
        power = self._given.get("power")
        if power not in ("on", "off"):
            raise NotKnown(self._error("power") or "no power driver tells (diskless_power)")
        return str(power)

    def asked(self) -> tuple[float, float]:
        """Return between which times of the controller the host was asked, in seconds since 1970. Raises NotKnown."""
        asked = _mapping(self._given.get("asked"))
        began, ended = asked.get("began"), asked.get("ended")
        if not isinstance(began, (int, float)) or not isinstance(ended, (int, float)):
            raise NotKnown("it is not known when the host was asked")
        return float(began), float(ended)

    def _serving(self) -> str | None:
        """Return the boot server to believe: one that serves, else one that answers."""
        answering = {name: states for name, states in self.boot_servers().items() if states is not None}
        whole = [name for name, states in answering.items() if all(state == "active" for state in states.values())]
        return next(iter([*whole, *answering]), None)

    def _source(self, source: str) -> Mapping[str, Any]:
        """Return what a source has told about this host. Raises NotKnown with the reason if it was not asked."""
        part = _PARTS.get(source, source)
        found = self._given.get(part)
        if not isinstance(found, Mapping) or not found:
            raise NotKnown(self._error(part) or f"{SOURCES[source]} was not asked")
        if part == "ceph" and found.get("reached") is not True:
            raise NotKnown(f"Ceph does not answer: {found.get('error') or 'no reason given'}")
        if part == "host" and found.get("reachable") is False:
            return {"reachable": False}
        if source in ("cluster", "services"):
            if not isinstance(found.get(source), Mapping) or not found[source]:
                raise NotKnown(f"{SOURCES[source]} does not tell how it is{self._partly(source)}")
            return _mapping(found[source])
        if source in ("ceph", "boot"):
            told = _mapping(found.get("hosts")).get(self.name)
            if not isinstance(told, Mapping):
                raise NotKnown(f"{SOURCES[source]} has told nothing about {self.name}")
            return told
        return found

    def _partly(self, source: str) -> str:
        """Return why Ceph, which answers, has not told everything."""
        error = _mapping(self._given.get("ceph")).get("error") if _PARTS.get(source, source) == "ceph" else None
        return f": {error}" if error else ""

    def _error(self, part: str) -> str:
        return str(_mapping(self._given.get("errors")).get(part) or "")

    def why_unreachable(self) -> str:
        """Return what SSH has said."""
        return str(_mapping(self._given.get("host")).get("error") or "no answer")

    def cluster_answers(self) -> tuple[bool, str]:
        """Return whether the cluster answers on the Ceph admin host, and what is said instead. Raises NotKnown."""
        found = _mapping(self._given.get("ceph"))
        if not isinstance(found.get("reached"), bool):
            raise NotKnown(self._error("ceph") or "Ceph was not asked")
        return found["reached"], str(found.get("error") or "")

    def name_of(self, address: str) -> str | None:
        """Return the name of the diskless host that has an address."""
        name = _mapping(_mapping(self._given.get("controller")).get("addresses")).get(address)
        return str(name) if name else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
