# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab as an object: what the command line and the end-to-end tests drive."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import console, inventory, ssh
from lab.boot_server import BootServer
from lab.ceph import CephCluster
from lab.errors import LabError
from lab.hardware import KINDS
from lab.machine import Machine
from lab.network import (
    BOOT_SERVER,
    BOOT_SERVERS,
    Network,
    address,
    exists,
    mac,
    namespace_path,
    port,
    serial,
    stations,
    tap,
)
from lab.patience import patience, wait_until
from lab.podman import LABEL, labelled, remove_containers
from lab.processes import run
from lab.router import Router
from lab.state import REPOSITORY, Directory, State, checked_name, load, lock_path, locked, replace, save

POOL = "diskless"  # where the site playbook puts the root images
WITHOUT_POWER = ("exited", "absent")  # a boot server's health


@dataclass(frozen=True)
class HostStatus:
    """What is known of a host without asking it."""

    name: str
    address: str
    mac: str
    power: str  # "off", or QEMU's word such as "running"
    link: str  # "up" or "cut"
    stage: str | None  # the boot stage that its console named last


@dataclass(frozen=True)
class Status:
    """What ``lab status`` shows."""

    lab: str
    ceph: str
    boot_servers: dict[str, str]
    links: dict[str, bool]
    hosts: list[HostStatus]
    inventory: str


class Lab:
    """A cluster, one or two boot servers and hosts, by name; several labs can be up at once."""

    def __init__(self, name: str = "lab", progress: Callable[[str], None] | None = None) -> None:
        """Name a lab; nothing is started.

        :param progress: called with lines for people; by default nobody hears them.
        :raises LabError: when the name cannot be part of a namespace's name.
        """
        self.name = checked_name("lab", name)
        self.directory = Directory(name)
        self.network = Network(name)
        self.cluster = CephCluster(self.network.station("ceph"))
        self.router = Router(self.network, self.directory.path)
        self.say = progress or (lambda _line: None)

    # Life

    def up(self, release: str | None = None, objectstore: str | None = None, boot_servers: int | None = None) -> None:
        """Bring up network, Ceph cluster and boot servers; what is up already stays as it is.

        :param release: Ceph release, 16 by default.
        :param objectstore: ``bluestore`` (default) or ``memstore``.
        :param boot_servers: 1 by default; 2 have the boot trees in CephFS and take turns.
        :raises LabError: also when the lab is up with others than these.
        """
        with self._locked():
            state = self._wanted(release, objectstore, boot_servers)
            save(self.directory, state)
            public_key = ssh.prepare(self.directory, self.network)
            self.say("network: namespaces, bridge, cables")
            self.network.create(stations(state.boot_servers))
            self.network.advertise(self.directory.path / "radvd.pid")
            for host in state.hosts.values():
                self.network.add_tap(tap(host.number))
            if state.router:
                self.router.start()
            self.say(f"ceph {state.release} ({state.objectstore}): starting")
            CephCluster(
                self.cluster.name,
                state.release,
                self._podman_network("ceph"),
                state.objectstore,
                labels={LABEL: self.name},
            ).create(self.say)
            self.say("boot server: starting")
            for server in self.boot_servers.values():
                server.create(self._podman_network(server.name), self.directory, self.say)
            self._write_inventory(state, public_key)
            for server in self.boot_servers.values():
                server.wait_ready()
            self.say("boot server: ready")
            self.cluster.wait_ready()
            self.say("ceph: ready")

    def add(self, *names: str, kind: str = "bios") -> None:
        """Add hosts, switched off; those that exist stay as they are.

        :param kind: what machines they are: ``bios``, ``uefi`` (PCs) or ``cm4``.
        """
        if kind not in KINDS:
            raise LabError(f"no such kind of host: {kind!r}; there are {', '.join(KINDS)}")
        with self._locked():
            state = self._state()
            for name in names:
                state = state.with_host(checked_name("host", name), kind)
                self.network.add_tap(tap(state.hosts[name].number))
                self.directory.host(name).mkdir(parents=True, exist_ok=True)
            save(self.directory, state)
            self._write_inventory(state, ssh.prepare(self.directory, self.network))

    def route(self, router: bool) -> None:
        """Have a router hand out the addresses, and the boot server only say what to boot; or not any more.

        The site playbook has to run afterwards.
        """
        with self._locked():
            state = dataclasses.replace(self._state(), router=router)
            if router:
                self.router.start()
            else:
                self.router.stop()
            save(self.directory, state)
            self._write_inventory(state, ssh.prepare(self.directory, self.network))

    def down(self) -> None:
        """Delete everything that belongs to this lab, whatever state it is in; only cached images stay."""
        with self._locked():
            # One may still be on its way when its creator was killed: look again.
            for _ in range(3):
                if containers := labelled(self.name):
                    self.say(f"removing {len(containers)} containers")
                    remove_containers(containers)
            self.say("removing hosts and network")
            self.network.remove()
            self.say(f"removing {self.directory.path}")
            self.directory.remove()
            lock_path(self.name).unlink(missing_ok=True)

    def site(self, *arguments: str, playbook: str = "playbooks/site.yml", capture: bool = False) -> str:
        """Run a playbook of the collection with the lab's inventory.

        :param arguments: more arguments for ansible-playbook.
        :param capture: return its output instead of showing it.
        :raises LabError: when the playbook fails; with the end of its output if that was captured.
        """
        self._state()
        argv = [_ansible_playbook(), "-i", str(self.directory.inventory), str(REPOSITORY / playbook), *arguments]
        environment = {**os.environ, "ANSIBLE_HOME": str(REPOSITORY / ".ansible")}
        pipe = subprocess.PIPE if capture else None
        merge = subprocess.STDOUT if capture else None
        result = subprocess.run(
            argv, stdout=pipe, stderr=merge, text=True, env=environment, cwd=REPOSITORY, timeout=3600, check=False
        )
        if result.returncode:
            said = f":\n{result.stdout[-4000:]}" if capture else ""
            raise LabError(f"{playbook}: ansible-playbook ended with rc {result.returncode}{said}")
        return result.stdout or ""

    # Power

    def machine(self, host: str) -> Machine:
        """Return the QEMU machine of a host; raise LabError when there is none of that name."""
        hosts = self._state().hosts
        if host not in hosts:
            raise LabError(f"no such host: {host!r}; there are {', '.join(sorted(hosts)) or 'none, see lab add'}")
        number, kind = hosts[host].number, hosts[host].kind
        directory = self.directory.host(host)
        return Machine(host, directory, self.network.switch, tap(number), mac(number), kind, serial(number))

    @property
    def boot_servers(self) -> dict[str, BootServer]:
        """The boot servers: ``boot``, or ``boot1`` and ``boot2``."""
        addresses = BOOT_SERVERS[(load(self.directory) or State()).boot_servers]
        return {name: BootServer(name, self.name, takes_turns=len(addresses) > 1) for name in addresses}

    def power(self, action: str, host: str) -> bool:
        """Act on the power of a host or a boot server; return whether that changed anything.

        :param action: ``on``, ``off`` (pulls the plug), ``cycle`` (off and on), ``reset`` (the button, of a host).
        """
        if host in self.boot_servers:
            return self._power_boot_server(action, self.boot_servers[host])
        machine = self.machine(host)
        if action == "on":
            return machine.power_on()
        if action == "off":
            return machine.power_off()
        if action == "cycle":
            machine.power_off()
            return machine.power_on()
        if action == "reset":
            machine.reset()
            return True
        raise LabError(f"power {action!r}: expected on, off, cycle or reset")

    def has_power(self, host: str) -> bool:
        """Tell whether a host or a boot server has power."""
        if host in self.boot_servers:
            self._state()
            return self.boot_servers[host].health() not in WITHOUT_POWER
        return self.machine(host).is_on()

    def _power_boot_server(self, action: str, server: BootServer) -> bool:
        if action not in ("on", "off", "cycle"):
            raise LabError(f"power {action!r} of a boot server: expected on, off or cycle")
        state = self._state()
        with self._locked():
            changed = False
            if action != "on" and server.health() not in WITHOUT_POWER:
                # The cable first: nobody hears a last word from a machine whose power is cut.
                self.network.unplug(server.name)
                server.kill()
                self.network.remove_namespace(self.network.station(server.name))
                changed = True
            if action != "off" and server.health() in WITHOUT_POWER:
                self.network.create(stations(state.boot_servers))
                server.create(self._podman_network(server.name), self.directory, self.say)
                server.wait_ready()
                changed = True
        return changed

    def wait_off(self, host: str, timeout: float = 120) -> None:
        """Wait until a host has powered itself off; raise LabError with its last words if it does not."""
        machine = self.machine(host)
        if not machine.wait_off(timeout):
            last = "\n".join(console.text(machine.console_log).splitlines()[-25:])
            raise LabError(f"{host}: still on after {timeout * patience():.0f} s; its console ends with:\n{last}")

    # Console and login

    def console_size(self, host: str) -> int:
        """Return how many bytes the console has said so far: the ``since`` of what comes next."""
        return console.size(self.machine(host).console_log)

    def console_text(self, host: str, since: int = 0) -> str:
        """Return what the console said from the byte ``since`` on."""
        return console.text(self.machine(host).console_log, since)

    def wait_for(self, host: str, pattern: str, timeout: float = 180, since: int = 0) -> re.Match[str]:
        """Wait until the console has said something that matches a regular expression; see console.wait_for()."""
        return console.wait_for(self.machine(host).console_log, pattern, timeout, since)

    def ssh_argv(self, host: str) -> list[str]:
        """Return the command that logs in to a host or a boot server; to ``boot``, the one that hosts talk to."""
        if host == "boot":
            target = BOOT_SERVER
        elif host in self.boot_servers:
            target = stations(self._state().boot_servers)[host]
        else:
            self.machine(host)
            target = address(self._state().hosts[host].number)
        return [str(self.directory.ssh), f"root@{target}"]

    def ssh(self, host: str, command: str, timeout: float = 60, check: bool = True) -> str:
        """Run a shell command as root on a host or a boot server, and return its stdout.

        :raises LabError: when it fails (unless ``check`` is off) or does not end.
        """
        return run([*self.ssh_argv(host), command], timeout=timeout, check=check).stdout

    def wait_ssh(self, host: str, timeout: float = 180) -> None:
        """Wait until one can log in; raise LabError when that takes too long."""
        argv = [*self.ssh_argv(host), "true"]
        if not wait_until(lambda: run(argv, check=False).returncode == 0, timeout, interval=1):
            raise LabError(f"{host}: no login within {timeout * patience():.0f} s")

    # Ceph

    def ceph(self, *args: str) -> Any:
        """Run ``ceph`` in the cluster and return its JSON."""
        return self.cluster.ceph(*args)

    def rbd(self, *args: str) -> Any:
        """Run ``rbd`` in the cluster and return its JSON."""
        return self.cluster.rbd(*args)

    # Faults

    def cut(self, component: str) -> None:
        """Take the cable of ``ceph``, a boot server or a host out of the switch."""
        self.network.set_link(self._port(component), up=False)

    def join(self, component: str) -> None:
        """Put the cable back."""
        self.network.set_link(self._port(component), up=True)

    def _port(self, component: str) -> str:
        state = self._state()
        return port(component, stations(state.boot_servers), state.hosts)

    # Report

    def status(self) -> Status:
        """Return what is there; a lab that is down has no hosts."""
        state = load(self.directory) or State()
        links = self.network.links_up()
        hosts = [self._host_status(name, host.number, links) for name, host in sorted(state.hosts.items())]
        cables = {name: up for name, up in links.items() if not name.startswith("tap")}
        boot_servers = {name: server.health() for name, server in self.boot_servers.items()}
        return Status(self.name, self.cluster.health(), boot_servers, cables, hosts, str(self.directory.inventory))

    def _host_status(self, name: str, number: int, links: dict[str, bool]) -> HostStatus:
        machine = self.machine(name)
        link = "up" if links.get(tap(number)) else "cut"
        stage = console.last_stage(machine.console_log)
        return HostStatus(name, address(number), mac(number), machine.status(), link, stage)

    def _locked(self) -> Any:
        if os.geteuid() != 0:
            raise LabError("the lab needs root: it makes network namespaces and containers")
        return locked(lock_path(self.name), f"lab {self.name}")

    def _state(self) -> State:
        state = load(self.directory)
        if state is None or not exists(self.network.switch):
            raise LabError(f"lab {self.name!r} is not up: lab --name {self.name} up")
        return state

    def _wanted(self, release: str | None, objectstore: str | None, boot_servers: int | None) -> State:
        state = load(self.directory)
        if state is None:
            wanted = State(release or State.release, objectstore or State.objectstore)
            return dataclasses.replace(wanted, boot_servers=boot_servers or State.boot_servers)
        for what, asked, found in (
            ("release", release, state.release),
            ("object store", objectstore, state.objectstore),
            ("number of boot servers", boot_servers, state.boot_servers),
        ):
            if asked not in (None, found):
                raise LabError(f"lab {self.name!r} has {what} {found}, not {asked}: take it down first")
        return state

    def _podman_network(self, station: str) -> str:
        return f"ns:{namespace_path(self.network.station(station))}"

    def _write_inventory(self, state: State, public_key: str) -> None:
        text = inventory.render(self.directory, state, self.cluster.launcher, public_key)
        replace(self.directory.inventory, text)


def _ansible_playbook() -> str:
    beside = Path(sys.executable).with_name("ansible-playbook")
    return str(beside) if beside.exists() else "ansible-playbook"
