# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The boot log of a lab, as its log host tells it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lab.api import Lab
from lab.patience import wait_until

PAGE = "10.77.0.3:6680"
STAGES = ["dhcp", "loader", "kernel", "network", "map", "root", "userspace", "ready"]


def stages(boot: dict[str, Any]) -> list[str]:
    """Return the stages of a boot in the order in which they began."""
    return [stage["stage"] for stage in boot["stages"]]


@dataclass(frozen=True)
class BootLog:
    """What the page of the boot log shows, as JSON."""

    lab: Lab

    def get(self, path: str) -> Any:
        """Return the JSON behind a view."""
        fetch = f"import urllib.request as r; print(r.urlopen('http://{PAGE}{path}', timeout=10).read().decode())"
        return json.loads(self.lab.ssh("boot", f'python3 -c "{fetch}"'))

    def host(self, name: str) -> dict[str, Any]:
        """Return what is known of a host, its boots included (latest first)."""
        found: dict[str, Any] = self.get(f"/api/hosts/{name}")
        return found

    def lines(self, name: str, boot: int, search: str = "") -> list[dict[str, Any]]:
        """Return the latest lines of a boot."""
        found: list[dict[str, Any]] = self.get(f"/api/hosts/{name}/log?boot={boot}&search={quote(search)}")["lines"]
        return found

    def wait(self, name: str, accept: Callable[[dict[str, Any]], bool], timeout: float) -> dict[str, Any]:
        """Return what is known of a host once it is accepted, or at the end of the time."""
        last: dict[str, Any] = {}

        def accepted() -> bool:
            last.update(self.host(name))
            return accept(last)

        wait_until(accepted, timeout, interval=2)
        return last
