# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host specs: the validated description of every diskless host, from which everything else is derived."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ansible.errors import AnsibleError
from jinja2 import Undefined
from jinja2.exceptions import UndefinedError

from ..module_utils._rbd_features import parse_kernel, unmappable
from . import _host_values as values
from ._board import boards
from ._command_line import LONGEST, command_line

PREFIX = "diskless_"
REQUIRED = object()
FIRST_KERNEL_WITH_MS_MODE = (5, 11)
HOSTS_SHOWN = 5
VALUE_SHOWN = 80


@dataclass(frozen=True)
class HostSpec:
    """One diskless host. Sizes are bytes, timeouts are seconds, addresses are canonical text."""

    name: str
    board: str
    arch: str
    loader: str
    modules: tuple[str, ...]
    mac: str
    serial: str | None
    address: str
    prefix: int
    network: str
    gateway: str | None
    nameservers: tuple[str, ...]
    boot_server: str
    pool: str
    namespace: str
    image: str
    cephx_user: str
    root_size: int
    features: tuple[str, ...]
    kernel: str
    monitors: tuple[str, ...]
    ms_mode: str
    kernel_options: tuple[str, ...]
    console: tuple[str, ...]
    config_txt: tuple[str, ...]
    exitrd: bool
    shutdown_timeout: int
    boot_timeout: int
    shell: bool
    netconsole: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The spec in the types of JSON."""
        spec = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in spec.items()}

    @classmethod
    def from_dict(cls, spec: Mapping[str, Any]) -> HostSpec:
        """The spec that C(as_dict) has written. Raises KeyError when it is not complete."""
        given: dict[str, Any] = {field.name: spec[field.name] for field in fields(cls)}
        for name, value in given.items():
            if isinstance(value, list):
                given[name] = tuple(value)
        return cls(**given)


@dataclass(frozen=True, order=True)
class Problem:
    """Something in the inventory that has to be put right."""

    host: str
    variable: str
    value: str
    expected: str


class InventoryError(ValueError):
    """All problems of the fleet."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__(_report(self.problems))


@dataclass(frozen=True)
class _Variable:
    parse: Callable[[object], Any]
    default: object = REQUIRED


def _board_name(value: object) -> str:
    if value not in boards():
        raise values.Unacceptable(f"one of the boards {', '.join(boards())}")
    return str(value)


VARIABLES: dict[str, _Variable] = {
    "board": _Variable(_board_name),
    "mac": _Variable(values.mac),
    "serial": _Variable(values.serial, None),
    "address": _Variable(values.interface),
    "boot_network": _Variable(values.network),
    "boot_server": _Variable(values.ipv4),
    "gateway": _Variable(values.gateway, None),
    "nameservers": _Variable(values.nameservers, []),
    "pool": _Variable(values.pool, "diskless"),
    "root_size": _Variable(values.root_size, "8GiB"),
    "features": _Variable(values.features, ["layering", "exclusive-lock", "object-map", "fast-diff"]),
    "kernel": _Variable(values.kernel, "6.1"),
    "monitors": _Variable(values.monitors, []),
    "ms_mode": _Variable(values.ms_mode, "prefer-crc"),
    "kernel_options": _Variable(values.kernel_options, []),
    "console": _Variable(values.console, None),
    "config_txt": _Variable(values.config_txt, []),
    "exitrd": _Variable(values.flag, True),
    "shutdown_timeout": _Variable(values.seconds, 120),
    "boot_timeout": _Variable(values.seconds, 600),
    "shell": _Variable(values.flag, False),
    "netconsole": _Variable(values.netconsole, []),
}


def host_specs(hostvars: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> list[HostSpec]:
    """The specs of the hosts, sorted by name.

    Raises InventoryError with every problem of every host.
    """
    if not names:
        raise InventoryError([Problem("", "diskless_hosts", "an empty group", "at least one diskless host")])
    problems: list[Problem] = []
    hosts: list[_Host] = []
    specs: list[HostSpec] = []
    for name in sorted(set(names)):
        if name not in hostvars:
            problems.append(Problem(name, "the host", "not in the inventory", "a host of the inventory"))
            continue
        host = _Host(name, hostvars[name])
        spec = host.spec()
        hosts.append(host)
        if spec:
            specs.append(spec)
    problems += [problem for host in hosts for problem in host.problems]
    problems += _duplicates("mac", {host.name: host.mac for host in hosts})
    problems += _duplicates("serial", {host.name: host.serial for host in hosts})
    problems += _duplicates("address", {host.name: host.address for host in hosts})
    if problems:
        raise InventoryError(problems)
    return specs


class _Host:
    """Reads the variables of one host, each of them once, because reading a host variable means templating it."""

    def __init__(self, name: str, hostvars: Mapping[str, Any]) -> None:
        self.name = str(name)
        self.problems: list[Problem] = []
        self.mac: str | None = None
        self.serial: str | None = None
        self.address: str | None = None
        self._raw: dict[str, object] = {}
        self._hostvars = hostvars

    def spec(self) -> HostSpec | None:
        """The spec, or None when something is wrong, which is in C(problems)."""
        try:
            values.host_name(self.name)
        except values.Unacceptable as error:
            self._problem("inventory_hostname", repr(self.name), error.expected)
        self._report_misspelt()
        read = {name: self._read(name, variable) for name, variable in VARIABLES.items()}
        self.mac = read["mac"]
        self.serial = read["serial"]
        self.address = str(read["address"].ip) if read["address"] else None
        self._check_addresses(read)
        self._check_netconsole(read)
        self._check_kernel(read)
        self._check_board(read)
        if self.problems:
            return None
        board = boards()[read["board"]]
        return HostSpec(
            name=self.name,
            board=board.name,
            arch=board.arch,
            loader=board.loader,
            modules=board.modules,
            mac=read["mac"],
            serial=read["serial"],
            address=str(read["address"].ip),
            prefix=read["address"].prefixlen,
            network=str(read["boot_network"].cidr),
            gateway=str(read["gateway"]) if read["gateway"] else None,
            nameservers=read["nameservers"],
            boot_server=str(read["boot_server"]),
            pool=read["pool"],
            namespace=self.name,
            image="root",
            cephx_user=f"client.diskless.{self.name}",
            root_size=read["root_size"],
            features=read["features"],
            kernel=read["kernel"],
            monitors=read["monitors"],
            ms_mode=read["ms_mode"],
            kernel_options=read["kernel_options"],
            console=read["console"] or board.console,
            config_txt=read["config_txt"],
            exitrd=read["exitrd"],
            shutdown_timeout=read["shutdown_timeout"],
            boot_timeout=read["boot_timeout"],
            shell=read["shell"],
            netconsole=read["netconsole"],
        )

    def _read(self, name: str, variable: _Variable) -> Any:
        value = None
        try:
            if PREFIX + name in self._hostvars:
                value = self._hostvars[PREFIX + name]
                if isinstance(value, Undefined):
                    str(value)  # raises UndefinedError, which says what is undefined
            if value is None:
                value = variable.default
            if value is None:
                return None
            self._raw[name] = value
            return variable.parse(None if value is REQUIRED else value)
        except values.Unacceptable as error:
            self._problem(PREFIX + name, error.shown or _shown(value), error.expected)
        except (AnsibleError, UndefinedError) as error:
            self._problem(PREFIX + name, f"a template that fails ({error})", "one that works")
        return None

    def _problem(self, variable: str, value: str, expected: str) -> None:
        self.problems.append(Problem(self.name, variable, value, expected))

    def _wrong(self, name: str, expected: str) -> None:
        self._problem(PREFIX + name, _shown(self._raw[name]), expected)

    def _report_misspelt(self) -> None:
        """Report variables that are nearly one of ours; other roles may well have diskless_* variables of their own."""
        for variable in self._hostvars:
            if not variable.startswith(PREFIX) or variable[len(PREFIX) :] in VARIABLES:
                continue
            near = difflib.get_close_matches(variable[len(PREFIX) :], VARIABLES, n=1, cutoff=0.8)
            if near:
                self._problem(variable, "a variable that nothing reads", f"{PREFIX}{near[0]}")

    def _check_addresses(self, read: Mapping[str, Any]) -> None:
        address, network, server, gateway = (read[key] for key in ("address", "boot_network", "boot_server", "gateway"))
        if network is None:
            return
        reserved = (network[0], network[-1])
        if address is not None:
            if address.cidr != network.cidr:
                self._wrong("address", f"an address of the boot network, with its prefix length ({network.cidr})")
            elif address.ip in reserved:
                self._wrong(
                    "address", f"an address of a host; this one is {network.cidr}'s network or broadcast address"
                )
            elif address.ip == server:
                self._wrong("address", "another address than the boot server's")
            elif address.ip == gateway:
                self._wrong("address", "another address than the gateway's")
        for name, other in (("boot_server", server), ("gateway", gateway)):
            if other is not None and (other not in network or other in reserved):
                self._wrong(name, f"an address of a host in the boot network ({network.cidr})")

    def _check_netconsole(self, read: Mapping[str, Any]) -> None:
        address, network, gateway = (read[key] for key in ("address", "boot_network", "gateway"))
        if network is None:
            return
        for target in map(values.netconsole_address, read["netconsole"] or ()):
            if target in (network[0], network[-1]) or (address is not None and target == address.ip):
                self._wrong("netconsole", f"addresses of log hosts; {target} is none")
            elif target.version == network.version and target not in network and gateway is None:
                self._wrong(
                    "netconsole", f"targets in the boot network ({network.cidr}), or diskless_gateway for {target}"
                )

    def _check_kernel(self, read: Mapping[str, Any]) -> None:
        features, kernel, ms_mode, monitors = (read[key] for key in ("features", "kernel", "ms_mode", "monitors"))
        if kernel and features:
            reasons = unmappable(features, kernel)
            if reasons:
                self._wrong("features", f"features that kernel {kernel} (diskless_kernel) maps: {'; '.join(reasons)}")
        if kernel and ms_mode not in (None, "legacy") and parse_kernel(kernel) < FIRST_KERNEL_WITH_MS_MODE:
            self._wrong("ms_mode", f"legacy, because kernel {kernel} (diskless_kernel) knows no other; 5.11 does")
        wrong, right = (3300, 6789) if ms_mode == "legacy" else (6789, 3300)
        if ms_mode and any(monitor.endswith(f":{wrong}") for monitor in monitors or ()):
            self._wrong("monitors", f"port {right} instead of {wrong}, because diskless_ms_mode is {ms_mode}")

    def _check_board(self, read: Mapping[str, Any]) -> None:
        if not read["board"]:
            return
        board = boards()[read["board"]]
        if (
            board.loader == "pi"
            and not read["serial"]
            and not any(p.variable == "diskless_serial" for p in self.problems)
        ):
            self._problem(
                "diskless_serial",
                "missing",
                f"{values.SERIAL}, because the firmware of board {board.name} asks for its files by it",
            )
        if board.loader != "pi" and read["config_txt"]:
            self._wrong("config_txt", f"no lines, because board {board.name} reads no config.txt")
        if read["kernel_options"] is not None:
            words = command_line(read["console"] or board.console, read["kernel_options"])
            if len(" ".join(words)) > LONGEST:
                self._wrong(
                    "kernel_options",
                    f"so few that the kernel command line has at most {LONGEST} characters with them, instead of"
                    f" {len(' '.join(words))}: the kernel ignores the end of a longer one",
                )


def _shown(value: object) -> str:
    if value is None or value is REQUIRED:
        return "missing"
    text = repr(value)
    return text if len(text) <= VALUE_SHOWN else text[:VALUE_SHOWN] + "…"


def _duplicates(variable: str, by_host: Mapping[str, str | None]) -> list[Problem]:
    count = Counter(by_host.values())
    return [
        Problem(name, PREFIX + variable, repr(value), "a value that no other host has")
        for name, value in by_host.items()
        if value and count[value] > 1
    ]


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - HOSTS_SHOWN
    return ", ".join(listed[:HOSTS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _report(problems: Sequence[Problem]) -> str:
    """One line per problem; hosts that share one, as with a wrong group variable, share the line."""
    hosts: dict[tuple[str, str, str], list[str]] = {}
    for problem in problems:
        hosts.setdefault((problem.variable, problem.value, problem.expected), []).append(problem.host)
    lines = [
        f"{_some(names)}: {variable} is {value}; expected {expected}".removeprefix(": ")
        for (variable, value, expected), names in hosts.items()
    ]
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    return "\n  ".join([f"{count} in the inventory of the diskless hosts:", *lines])
