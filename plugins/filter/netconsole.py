# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters netconsole_parameter, netconsole_parse and netconsole_firmware, documented in YAML files beside this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._nearest import nearest
from ..module_utils._netconsole_parameter import Destination, parse_parameter, render_parameter
from ..module_utils._netconsole_route import parse_endpoint
from ..module_utils._rpi_eeprom_netconsole import NetconsoleKind

FIELDS = {field.name: str(field.type) for field in fields(Destination)}


def netconsole_parameter(targets: Any) -> str:
    """The value of netconsole= for one target or a list of them. Raises AnsibleFilterError with all that is wrong."""
    listed = [targets] if isinstance(targets, Mapping) else targets
    if not isinstance(listed, (list, tuple)) or not listed:
        raise AnsibleFilterError(f"netconsole_parameter: expected a target as a dictionary, or a list; got {targets!r}")
    problems: list[str] = []
    destinations = [_destination(target, problems) for target in listed]
    if problems:
        raise AnsibleFilterError(f"netconsole_parameter: {'; '.join(problems)}")
    try:
        return render_parameter(destinations)
    except ValueError as error:
        raise AnsibleFilterError(f"netconsole_parameter: {error}") from error


def netconsole_parse(text: Any) -> list[dict[str, Any]]:
    """The targets that a value of netconsole= names. Raises AnsibleFilterError."""
    if not isinstance(text, str):
        raise AnsibleFilterError(f"netconsole_parse: expected text such as '+@/eth0,@10.0.0.3/'; got {text!r}")
    try:
        return [asdict(destination) for destination in parse_parameter(text)]
    except ValueError as error:
        raise AnsibleFilterError(f"netconsole_parse: {error}") from error


def netconsole_firmware(spec: Any) -> str:
    """NETCONSOLE of the bootloader of a Raspberry Pi, from a host spec. Raises AnsibleFilterError with the reason."""
    if not isinstance(spec, Mapping) or not {"name", "address", "netconsole"} <= set(spec):
        raise AnsibleFilterError("netconsole_firmware: expected a host spec, as the filter host_specs makes them")
    targets = [parse_endpoint(target) for target in spec["netconsole"]]
    target = next(((address, port) for address, port in targets if ":" not in address), None)
    if target is None:
        found = ", ".join(spec["netconsole"]) or "an empty list"
        raise AnsibleFilterError(
            f"{spec['name']}: diskless_netconsole is {found}; expected an IPv4 target, because the bootloader sends to "
            "no other"
        )
    try:
        return NetconsoleKind().render({"src_ip": spec["address"], "dst_ip": target[0], "dst_port": target[1]})
    except ValueError as error:
        raise AnsibleFilterError(f"{spec['name']}: NETCONSOLE of the bootloader: {error}") from error


def _destination(target: Any, problems: list[str]) -> Destination:
    given = {name: value for name, value in dict(target).items() if value is not None} if _is_dict(target) else {}
    if "remote_address" not in given:
        problems.append(f"{target!r}: expected a dictionary with remote_address at least")
    problems += [f"{name!r} is no part of a target{nearest(str(name), FIELDS)}" for name in set(given) - set(FIELDS)]
    for name in ("remote_port", "local_port"):
        if not isinstance(given.get(name, 0), int):
            problems.append(f"{name} {given.pop(name)!r}: expected a number")
    known = {name: given[name] for name in FIELDS if name in given}
    return Destination(**{"remote_address": "", **known})


def _is_dict(value: Any) -> bool:
    return isinstance(value, Mapping)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {
            "netconsole_firmware": netconsole_firmware,
            "netconsole_parameter": netconsole_parameter,
            "netconsole_parse": netconsole_parse,
        }
