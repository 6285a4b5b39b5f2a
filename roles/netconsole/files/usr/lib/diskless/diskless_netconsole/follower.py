# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep one target per log host on the device that leads to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ._netconsole_configfs import NetconsoleDirectory, NetconsoleError
from ._netconsole_plan import Step, Wanted, plan
from ._netconsole_route import RouteError, Run, Way, find_way, parse_endpoint
from ._netconsole_target import Target
from .backlog import Backlog

PREFIX = "diskless-"


class Follower:
    """The targets that this host is to have.

    :param release: of the kernel.
    :param say: takes a line for the journal.
    """

    def __init__(
        self,
        log_hosts: Iterable[str],
        directory: NetconsoleDirectory,
        run: Run,
        release: str,
        say: Callable[[str], None] = print,
    ) -> None:
        self._backlogs = {log_host: Backlog() for log_host in log_hosts}
        self._directory = directory
        self._run = run
        self._release = release
        self._say = say
        self._complaints: dict[str, str] = {}

    def follow(self, adopted: Iterable[Target] = ()) -> None:
        """Look at everything once, and put right what is wrong.

        :param adopted: targets of the module's parameter; those that are ours go when ours are there.
        """
        self._remove_others()
        for log_host, backlog in self._backlogs.items():
            try:
                self._keep(log_host, backlog)
            except (RouteError, NetconsoleError, OSError) as error:
                self._complain(log_host, str(error))
                continue
            self._complaints.pop(log_host, None)
            self._retire(log_host, adopted)

    def _keep(self, log_host: str, backlog: Backlog) -> None:
        address, port = parse_endpoint(log_host)
        way = find_way(self._run, address)
        name = PREFIX + log_host
        if self._directory.target(name) is None:
            self._directory.apply([Step("mkdir", name)])
        found = self._directory.target(name)
        wanted = _wanted(name, address, port, way, found)
        steps = plan(found, wanted)
        if not steps:
            backlog.skip()
            return
        self._directory.apply(steps)
        has_release = (wanted.settings or {}).get("release") == "1"
        sent = backlog.send(way.source, address, port, self._release if has_release else "")
        self._say(
            f"{log_host}: from {way.source} through {way.device} to {way.hop} ({way.mac}); sent {sent} earlier lines"
        )

    def _retire(self, log_host: str, adopted: Iterable[Target]) -> None:
        address, port = parse_endpoint(log_host)
        for target in adopted:
            same = (target.settings["remote_ip"], target.settings["remote_port"]) == (address, str(port))
            left = self._directory.target(target.name)
            if same and left:
                self._directory.apply(plan(left, Wanted(target.name, present=False)))

    def _remove_others(self) -> None:
        wanted = {PREFIX + log_host for log_host in self._backlogs}
        for name, target in self._directory.read().items():
            if name.startswith(PREFIX) and name not in wanted:
                self._directory.apply(plan(target, Wanted(name, present=False)))
                self._say(f"{name[len(PREFIX) :]}: no log host any more")

    def _complain(self, log_host: str, complaint: str) -> None:
        if self._complaints.get(log_host) != complaint:
            self._say(f"{log_host}: {complaint}")
        self._complaints[log_host] = complaint


def _wanted(name: str, address: str, port: int, way: Way, found: Target | None) -> Wanted:
    settings = {
        "extended": "1",
        "dev_name": way.device,
        "local_ip": way.source,
        "remote_ip": address,
        "remote_port": str(port),
        "remote_mac": way.mac or "",
    }
    if found and "release" in found.features:
        settings["release"] = "1"
    return Wanted(name, settings=settings)
