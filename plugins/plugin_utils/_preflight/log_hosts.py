# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Will the log hosts hear of the hosts?"""

from __future__ import annotations

from collections.abc import Iterable

from .fleet import Fleet
from .problem import NotKnown, Problem, Said


def heard(fleet: Fleet) -> Iterable[Said]:
    """A host says how its boot goes to those that diskless_netconsole names, and to nobody else."""
    if not fleet.groups["log_hosts"]:
        return
    machines = fleet.group("log_hosts")
    if any(machine.addresses is None for machine in machines) or len(machines) < len(fleet.groups["log_hosts"]):
        yield NotKnown("not-heard", "not all log hosts tell their addresses")
        return
    ports = {machine.name: str(fleet.setting(machine.name, "netconsole_port")) for machine in machines}
    own = {f"{address}:{ports[machine.name]}" for machine in machines for address in machine.addresses or ()}
    for host in fleet.hosts:
        # The address of boot servers that take turns may be elsewhere for now.
        turns = {f"{host.boot_server}:{port}" for port in ports.values()}
        if not {target.replace("[", "").replace("]", "") for target in host.netconsole} & (own | turns):
            yield Problem(
                "not-heard",
                "No log host hears of the host: its boot log stays empty once its kernel runs.",
                (f"diskless_netconsole: {', '.join(host.netconsole) or 'none'}",),
                f"an address of {' or '.join(ports)} with port {' or '.join(sorted(set(ports.values())))}",
                "Add the log host to diskless_netconsole.",
                host=host.name,
                stops=False,
            )


CHECKS = (heard,)
