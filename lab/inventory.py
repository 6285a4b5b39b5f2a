# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory that the site playbook runs with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from string import Template

from lab import network
from lab.hardware import KINDS
from lab.state import REPOSITORY, Directory, Host, State

TEMPLATES = Path(__file__).resolve().parent


def render(directory: Directory, state: State, launcher: Sequence[str], public_key: str) -> str:
    """Return the text of inventory.yml.

    :param launcher: the words before ``ceph`` and ``rbd``.
    """
    boot_servers = network.BOOT_SERVERS[state.boot_servers]
    # Of two boot servers each may lose its power, and the lab has no other machine.
    log_hosts = list(boot_servers) if len(boot_servers) == 1 else []
    return _template("inventory.yml.template").substitute(
        hosts="".join(_host(name, host) for name, host in sorted(state.hosts.items())) or " {}",
        boot_servers="".join(_boot_server(name, address) for name, address in boot_servers.items()),
        nfs="ganesha" if len(boot_servers) == 1 else "ganesha_cephfs",
        members=json.dumps(list(boot_servers.values()) if len(boot_servers) > 1 else []),
        dhcp="proxy" if state.router else "full",
        log_hosts=json.dumps(dict.fromkeys(log_hosts)),
        netconsole=json.dumps([boot_servers[name] for name in log_hosts]),
        network=network.NETWORK,
        boot_server=network.BOOT_SERVER,
        ssh=_quoted(directory.ssh),
        key=_quoted(directory.key),
        control=_quoted(directory.path / "control"),
        public_key=_quoted(public_key),
        launcher=json.dumps(list(launcher)),  # JSON is YAML
        command=_quoted(REPOSITORY / "lab" / "lab"),
        lab=_quoted(directory.lab),
    )


def _boot_server(name: str, address: str) -> str:
    return _template("boot_server.yml.template").substitute(name=name, address=address).rstrip("\n")


def _host(name: str, host: Host) -> str:
    kind = KINDS[host.kind]
    text = _template("host.yml.template").substitute(
        name=name,
        address=network.address(host.number),
        prefix=network.NETWORK.partition("/")[2],
        mac=network.mac(host.number),
        board=kind.board,
        console=kind.console,
    )
    if not kind.is_pc:
        text += f'          diskless_serial: "{network.serial(host.number)}"\n'
    return text.rstrip("\n")


def _quoted(value: object) -> str:
    return json.dumps(str(value))


def _template(name: str) -> Template:
    return Template((TEMPLATES / name).read_text(encoding="utf-8"))
