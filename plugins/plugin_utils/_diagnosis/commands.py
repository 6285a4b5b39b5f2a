# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to type: commands for the controller, with the names of the inventory in them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LONGEST = 200


@dataclass(frozen=True)
class Commands:
    """How this fleet is reached.

    host: the diskless host. inventory: files of the inventory.
    ceph_admin, boot_server, log_host: their names in the inventory, or a pattern that means them.
    ceph_launcher, ceph_arguments: what goes before C(ceph) and after it.
    boot_trees: directory of the boot trees on the boot server.
    """

    host: str
    inventory: tuple[str, ...] = ()
    ceph_admin: str = "ceph_admin[0]"
    boot_server: str = "boot_servers"
    log_host: str = "log_hosts[0]"
    ceph_launcher: tuple[str, ...] = ()
    ceph_arguments: tuple[str, ...] = ()
    boot_trees: str = "/srv/diskless/boot"

    @classmethod
    def of(cls, controller: Mapping[str, Any], host: str) -> Commands:
        """Read what the playbook knows; what it does not is as in the class."""
        lists = ("inventory", "ceph_launcher", "ceph_arguments")
        given: dict[str, Any] = {name: tuple(map(str, _list(controller.get(name)))) for name in lists}
        names = ("ceph_admin", "boot_server", "log_host", "boot_trees")
        given |= {name: str(controller[name]) for name in names if controller.get(name)}
        return cls(host, **given)

    def playbook(self, name: str, *words: str, limit: bool = True) -> str:
        """Run a playbook of the collection, for this host alone unless it has to see the fleet."""
        limited = ("--limit", self.host) if limit else ()
        return shlex.join(["ansible-playbook", f"diskless.ceph.{name}", *self._inventory, *limited, *words])

    @property
    def site(self) -> str:
        """Make everything as the inventory has it."""
        return self.playbook("site", limit=False)

    def recover(self, **options: str) -> str:
        """Bring the host back in the safe order: off, then its lock and what shuts it out, then on."""
        words = {"power_off": "true", **options}
        extra = [word for name, value in words.items() for word in ("-e", f"recover_host_{name}={_harmless(value)}")]
        return self.playbook("recover_host", *extra)

    def on(self, machine: str, *words: str) -> str:
        """Run a command on a machine of the inventory."""
        return shlex.join(["ansible", machine, *self._inventory, "-a", shlex.join(map(_harmless, words))])

    def on_boot_server(self, *words: str) -> str:
        """Run a command on the boot server."""
        return self.on(self.boot_server, *words)

    @property
    def boot_tree(self) -> str:
        """Where the boot tree of the host is."""
        return f"{self.boot_trees}/{self.host}"

    def seed_again(self, kernel_config: str) -> str:
        """Let the site playbook fill the boot tree anew, which it does where nothing names a kernel."""
        return f"{self.on_boot_server('rm', '--force', f'{self.boot_tree}/{kernel_config}')} && {self.site}"

    def on_host(self, *words: str) -> str:
        """Run a command on the diskless host."""
        return self.on(self.host, *words)

    def ceph(self, *words: str) -> str:
        """Ask or tell Ceph."""
        return self.on(self.ceph_admin, *self.ceph_launcher, "ceph", *self.ceph_arguments, *words)

    def rbd(self, *words: str) -> str:
        """Ask or tell RBD."""
        return self.on(self.ceph_admin, *self.ceph_launcher, "rbd", *self.ceph_arguments, *words)

    def power(self, action: str) -> str:
        """Switch the host, or ask for its state."""
        role = ["-m", "ansible.builtin.include_role", "-a", "name=diskless.ceph.power", "-e", f"power_action={action}"]
        return shlex.join(["ansible", self.host, *self._inventory, *role])

    def log(self) -> str:
        """Show what the boot log knows of the host."""
        return self.on(self.log_host, "diskless-status", "--host", self.host)

    @property
    def _inventory(self) -> list[str]:
        return [word for path in self.inventory for word in ("-i", path)]


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else ()


def _harmless(word: str) -> str:
    """Return a word that a machine has told, such as the name of a unit, so that nobody runs what is in it.

    Ansible fills in templates on its command line, and a terminal obeys control characters.
    """
    plain = word.isprintable() and len(word) <= _LONGEST and not any(mark in word for mark in ("{{", "{%", "{#"))
    return word if plain else "?"
