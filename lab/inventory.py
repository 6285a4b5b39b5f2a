# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory that the site playbook runs with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from lab import network
from lab.state import Directory

TEMPLATES = Path(__file__).resolve().parent


def render(directory: Directory, hosts: Mapping[str, int], launcher: Sequence[str], public_key: str) -> str:
    """Return the text of inventory.yml.

    :param hosts: host name -> number.
    :param launcher: the words before ``ceph`` and ``rbd``.
    """
    prefix = network.NETWORK.partition("/")[2]
    host = _template("host.yml.template")
    entries = [
        host.substitute(name=name, address=network.address(number), prefix=prefix, mac=network.mac(number)).rstrip("\n")
        for name, number in sorted(hosts.items())
    ]
    return _template("inventory.yml.template").substitute(
        hosts="".join(entries) or " {}",
        network=network.NETWORK,
        boot_server=network.BOOT_SERVER,
        ssh=_quoted(directory.ssh),
        key=_quoted(directory.key),
        control=_quoted(directory.path / "control"),
        public_key=_quoted(public_key),
        launcher=json.dumps(list(launcher)),  # JSON is YAML
    )


def _quoted(value: object) -> str:
    return json.dumps(str(value))


def _template(name: str) -> Template:
    return Template((TEMPLATES / name).read_text(encoding="utf-8"))
