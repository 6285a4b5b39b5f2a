# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A netconsole target as the kernel shows it in configfs. No I/O.

Which files a directory of a target has depends on the kernel (https://docs.kernel.org/networking/netconsole.html).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any, Mapping

# Files of a target that say where and how it sends; they can be written while it is not enabled.
SETTINGS = ("extended", "release", "dev_name", "local_ip", "local_port", "remote_ip", "remote_port", "remote_mac")
FLAGS = ("extended", "release")
SYSDATA = ("cpu_nr", "taskname", "release", "msgid")
USERDATA = "userdata"
# Since which Linux.
SINCE = {
    "extended": (4, 4),
    "release": (6, 6),
    USERDATA: (6, 9),
    "sysdata cpu_nr": (6, 15),
    "sysdata taskname": (6, 15),
    "sysdata release": (6, 15),
    "sysdata msgid": (6, 17),
}
# What a new target has.
DEFAULTS = {
    "extended": "0",
    "release": "0",
    "dev_name": "eth0",
    "local_ip": "0.0.0.0",  # noqa: S104 # what the kernel shows for none
    "local_port": "6665",
    "remote_ip": "0.0.0.0",  # noqa: S104
    "remote_port": "6666",
    "remote_mac": "ff:ff:ff:ff:ff:ff",
}


@dataclass(frozen=True)
class Target:
    """One target.

    settings: of SETTINGS those that the kernel has.
    userdata: None where the kernel has none.
    sysdata: of SYSDATA those that the kernel has, and whether they are on.
    local_mac: of its device; ff:ff:ff:ff:ff:ff while it is not enabled.
    transmit_errors: None where the kernel does not count them.
    """

    name: str
    enabled: bool
    settings: Mapping[str, str]
    userdata: Mapping[str, str] | None = None
    sysdata: Mapping[str, bool] = field(default_factory=dict)
    local_mac: str | None = None
    transmit_errors: int | None = None

    @classmethod
    def parse(cls, name: str, files: Mapping[str, str]) -> Target:
        """Return the target of these files, whose names are relative to its directory."""
        said = {path: content.strip() for path, content in files.items()}
        userdata = {
            path.split("/")[1]: content
            for path, content in said.items()
            if path.startswith(f"{USERDATA}/") and path.endswith("/value")
        }
        sysdata = {
            feature: said[_sysdata_file(feature)] == "1" for feature in SYSDATA if _sysdata_file(feature) in said
        }
        errors = said.get("transmit_errors", "")
        return cls(
            name=name,
            enabled=said.get("enabled") == "1",
            settings={setting: canonical(setting, said[setting]) for setting in SETTINGS if setting in said},
            userdata=userdata if USERDATA in said else None,
            sysdata=sysdata,
            local_mac=said.get("local_mac"),
            transmit_errors=int(errors) if errors.isdigit() else None,
        )

    @property
    def features(self) -> set[str]:
        """What of SINCE this kernel has."""
        named = {f"sysdata {name}" for name in self.sysdata} | {name for name in FLAGS if name in self.settings}
        return named if self.userdata is None else named | {USERDATA}

    def described(self) -> dict[str, Any]:
        """Return it as the modules return it."""
        return {
            "name": self.name,
            "enabled": self.enabled,
            "extended": self.settings.get("extended") == "1",
            "release": _flag(self.settings, "release"),
            "device": self.settings.get("dev_name"),
            "local_address": self.settings.get("local_ip"),
            "local_port": _port(self.settings, "local_port"),
            "local_mac": self.local_mac,
            "remote_address": self.settings.get("remote_ip"),
            "remote_port": _port(self.settings, "remote_port"),
            "remote_mac": self.settings.get("remote_mac"),
            "userdata": None if self.userdata is None else dict(sorted(self.userdata.items())),
            "sysdata": sorted(name for name, on in self.sysdata.items() if on),
            "transmit_errors": self.transmit_errors,
        }


def canonical(setting: str, value: str) -> str:
    """Return a value of a setting as the kernel shows it."""
    if setting in ("local_ip", "remote_ip"):
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            return value
    return value.lower() if setting == "remote_mac" else value


def kernel_features(release: str) -> set[str]:
    """Return what of SINCE a kernel has by its release, such as 6.1.0-32-amd64."""
    numbers = []
    for word in release.replace("-", ".").replace("+", ".").split(".")[:2]:
        numbers.append(int(word) if word.isdigit() else 0)
    return {feature for feature, since in SINCE.items() if tuple(numbers) >= since}


def lacking(feature: str) -> str:
    """Return what to tell the user of a feature that the kernel does not have."""
    return f"this kernel's netconsole has no {feature}, which came with Linux {'.'.join(map(str, SINCE[feature]))}"


def _sysdata_file(feature: str) -> str:
    return f"{USERDATA}/{feature}_enabled"


def _flag(settings: Mapping[str, str], name: str) -> bool | None:
    return settings[name] == "1" if name in settings else None


def _port(settings: Mapping[str, str], name: str) -> int | None:
    return int(settings[name]) if settings.get(name, "").isdigit() else None
