# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Power specs: how the power of each host is switched, as the role C(power) needs it, from C(diskless_power)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleError
from jinja2 import Undefined
from jinja2.exceptions import UndefinedError

from . import _host_values, _power_values
from ._host_spec import InventoryError, Problem
from ._host_values import Unacceptable

VARIABLE = "diskless_power"
CONTROLLER = "localhost"
REQUIRED = object()
VALUE_SHOWN = 80

_PLACE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class _Key:
    parse: Callable[[Any], Any]
    default: object = REQUIRED


_COMMON = {
    "via": _Key(_power_values.machine, CONTROLLER),
    "timeout": _Key(_power_values.timeout, 60),
    "pause": _Key(_power_values.pause, 5),
}
_HTTP = {
    "url": _Key(_power_values.url),
    "user": _Key(_power_values.text),
    "password": _Key(_power_values.password),
    "validate_certs": _Key(_power_values.flag, True),
    "ca_path": _Key(_power_values.path, ""),
}
DRIVERS: dict[str, dict[str, _Key]] = {
    "turing_pi": {**_HTTP, "user": _Key(_power_values.text, "root"), "node": _Key(_power_values.node)},
    "wake_on_lan": {
        "mac": _Key(_host_values.mac, None),
        "address": _Key(_power_values.broadcast, None),
        "port": _Key(_power_values.port, 9),
    },
    "ipmi": {
        "address": _Key(_power_values.machine),
        "port": _Key(_power_values.port, 623),
        "user": _Key(_power_values.text),
        "password": _Key(_power_values.ipmi_password),
        "interface": _Key(_power_values.interface, "lanplus"),
        "cipher_suite": _Key(_power_values.cipher_suite, None),
    },
    "redfish": {**_HTTP, "system": _Key(_power_values.path_of_system, "")},
    "command": {
        "on_command": _Key(_power_values.words),
        "off_command": _Key(_power_values.words),
        "status_command": _Key(_power_values.words),
        "stdin": _Key(_power_values.optional_secret, ""),
        "on_pattern": _Key(_power_values.pattern, None),
        "off_pattern": _Key(_power_values.pattern, None),
        "on_exit": _Key(_power_values.exit_status, None),
        "off_exit": _Key(_power_values.exit_status, None),
    },
}


def power_specs(hostvars: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> dict[str, dict[str, Any] | None]:
    """The power spec of each host, by its name; None where nothing is known of its power.

    A spec has C(driver), all keys of this driver, and C(at), which says to people where it switches.
    Raises InventoryError with every problem of every host. No text of it shows a secret.
    """
    specs: dict[str, dict[str, Any] | None] = {}
    problems: list[Problem] = []
    for name in names:
        host = _Host(str(name), hostvars)
        specs[str(name)] = host.spec()
        problems += host.problems
    if problems:
        raise InventoryError(problems)
    return specs


class _Host:
    """Reads C(diskless_power) of one host."""

    def __init__(self, name: str, hostvars: Mapping[str, Mapping[str, Any]]) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self._fleet = hostvars
        # Not get(): for a host that is not there it returns something that is neither nothing nor variables.
        self._variables: Mapping[str, Any] = {}
        if name in hostvars:
            self._variables = hostvars[name]

    def spec(self) -> dict[str, Any] | None:
        """The spec; None when there is none, or when something is wrong, which is in C(problems)."""
        given = self._value("", lambda: self._variables.get(VARIABLE))
        if self.problems or given in (None, {}, ""):
            return None
        if not isinstance(given, Mapping):
            # It may well be a secret that somebody put in the wrong place.
            self._problem("", "no dictionary", "a dictionary such as {driver: wake_on_lan}")
            return None
        driver = self._value("driver", lambda: given.get("driver"))
        if driver not in DRIVERS:
            if not self.problems:
                self._problem("driver", _shown(driver), f"one of {', '.join(DRIVERS)}")
            return None
        keys = {**_COMMON, **DRIVERS[driver]}
        self._report_unknown(given, driver, keys)
        read = {name: self._read(given, name, key) for name, key in keys.items()}
        self._check_via(read["via"])
        if driver == "wake_on_lan":
            self._complete_wake_on_lan(read)
        if driver == "command":
            self._complete_command(read)
        if self.problems:
            return None
        return {"driver": driver, **read, "at": _at(driver, read)}

    def _read(self, given: Mapping[str, Any], name: str, key: _Key) -> Any:
        value = self._value(name, lambda: given.get(name))
        if value is None and key.default is not REQUIRED:
            return key.default
        if any(problem.variable == f"{VARIABLE}.{name}" for problem in self.problems):
            return None
        try:
            return key.parse(value)
        except Unacceptable as error:
            self._problem(name, error.shown or _shown(value), error.expected)
        return None

    def _value(self, key: str, read: Callable[[], Any]) -> Any:
        """Read a variable, which means templating it."""
        try:
            value = read()
            if isinstance(value, Undefined):
                str(value)  # raises UndefinedError, which says what is undefined
            return value
        except (AnsibleError, UndefinedError) as error:
            self._problem(key, f"a template that fails ({error})", "one that works")
        return None

    def _problem(self, key: str, value: str, expected: str) -> None:
        self.problems.append(Problem(self.name, f"{VARIABLE}.{key}" if key else VARIABLE, value, expected))

    def _report_unknown(self, given: Mapping[Any, Any], driver: str, keys: Mapping[str, _Key]) -> None:
        for key in given:
            if key == "driver" or key in keys:
                continue
            near = difflib.get_close_matches(str(key), keys, n=1, cutoff=0.6)
            expected = near[0] if near else f"keys of {driver}: {', '.join(keys)}"
            self._problem(str(key), "a key that nothing reads", expected)

    def _check_via(self, via: str | None) -> None:
        if via not in (None, CONTROLLER) and via not in self._fleet:
            self._problem("via", repr(via), f"a host of the inventory, or {CONTROLLER}, which is the controller")

    def _complete_wake_on_lan(self, read: dict[str, Any]) -> None:
        if read["mac"] is None and not self._has_problem("mac"):
            read["mac"] = self._of_the_host("mac", "diskless_mac", _host_values.mac)
        if read["address"] is None and not self._has_problem("address"):
            network = self._of_the_host("address", "diskless_boot_network", _host_values.network)
            read["address"] = str(network[-1]) if network is not None else None

    def _of_the_host(self, key: str, variable: str, parse: Callable[[object], Any]) -> Any:
        """What is not in diskless_power but follows from another variable of the host."""
        value = self._value(key, lambda: self._variables.get(variable))
        try:
            return parse(value)
        except Unacceptable:
            if not self._has_problem(key):
                self._problem(key, "missing", f"a value here or a correct {variable}")
        return None

    def _complete_command(self, read: dict[str, Any]) -> None:
        for key in ("on_command", "off_command", "status_command"):
            if read[key] is not None:
                read[key] = [self._filled(key, word) for word in read[key]]
        told = {kind: (read[f"on_{kind}"], read[f"off_{kind}"]) for kind in ("pattern", "exit")}
        given = [kind for kind, values in told.items() if values != (None, None)]
        if any(self._has_problem(f"{state}_{kind}") for state in ("on", "off") for kind in told):
            return
        if read["status_command"] is None:
            return
        if len(given) != 1 or None in told[given[0]]:
            self._problem(
                "status_command",
                "a command whose answer nobody can read",
                "either on_pattern and off_pattern, or on_exit and off_exit",
            )
        elif len(set(told[given[0]])) == 1:
            self._problem(f"off_{given[0]}", _shown(told[given[0]][0]), f"another one than on_{given[0]}")

    def _filled(self, key: str, word: str) -> str:
        return _PLACE.sub(lambda found: self._place(key, found[1]), word)

    def _place(self, key: str, place: str) -> str:
        if place == "host":
            return self.name
        if place not in ("address", "mac", "serial"):
            self._problem(key, f"a command with {{{place}}}", "{host}, {address}, {mac} or {serial}")
            return ""
        variable = f"diskless_{place}"
        value = self._value(key, lambda: self._variables.get(variable))
        if value is None:
            self._problem(key, f"a command with {{{place}}}", f"a host that has {variable}")
        return str(value).partition("/")[0]

    def _has_problem(self, key: str) -> bool:
        return any(problem.variable == f"{VARIABLE}.{key}" for problem in self.problems)


def _shown(value: object) -> str:
    if value is None:
        return "missing"
    shown = repr(value)
    return shown if len(shown) <= VALUE_SHOWN else shown[:VALUE_SHOWN] + "…"


def _at(driver: str, read: Mapping[str, Any]) -> str:
    """Where a driver switches, for people."""
    return {
        "turing_pi": "slot {node} of the Turing Pi at {url}",
        "wake_on_lan": "network card {mac}",
        "ipmi": "BMC {address} (IPMI)",
        "redfish": "BMC {url} (Redfish)",
        "command": "{on_command[0]}",
    }[driver].format(**read)
