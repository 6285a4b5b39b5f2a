# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence for the diagnosis: that of a host which is well, in the form in which modules and the boot log tell it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.diskless.ceph.plugins.plugin_utils._host_spec import HostSpec, host_specs

NAME = "udoo2"
BEGAN = 1_763_800_000.0  # of its last boot
NOW = BEGAN + 7200
CLIENT = "10.77.0.12:0/2654949452"
KERNEL = "6.1.0-39-amd64"
STAGES = ("dhcp", "loader", "kernel", "network", "map", "root", "userspace", "ready")
GONE = object()  # instead of a value: the key is not there

_HOSTVARS = {
    NAME: {
        "diskless_board": "udoo_x86",
        "diskless_mac": "52:54:00:77:00:12",
        "diskless_address": "10.77.0.12/24",
        "diskless_boot_network": "10.77.0.0/24",
        "diskless_boot_server": "10.77.0.3",
        "diskless_netconsole": ["10.77.0.3"],
    }
}


def spec() -> HostSpec:
    """Return what the inventory says of the host."""
    return host_specs(_HOSTVARS, [NAME])[0]


def boot(number: int, began: float, stages: Iterable[str], trouble: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return a boot as the boot log tells it."""
    reached = [{"stage": stage, "time": began + second, "seconds": 1.0} for second, stage in enumerate(stages)]
    return {
        **{"number": number, "boot_id": None, "release": KERNEL, "began": began, "ended": None},
        **{"stage": reached[-1]["stage"], "lines": 900, "lost": 0, "trouble": trouble, "stages": reached},
    }


def healthy() -> dict[str, Any]:
    """Return the evidence of a host that runs."""
    found: dict[str, Any] = {
        "spec": spec().as_dict(),
        "controller": {
            **{"inventory": ["inventory.yml"], "ceph_admin": "ceph1", "boot_server": "boot1", "log_host": "log1"},
            **{"addresses": {"10.77.0.11": "udoo1", "10.77.0.12": NAME}},
        },
        "asked": {"began": NOW, "ended": NOW + 3},
        "power": "on",
        "ceph": {"reached": True, "error": None, "cluster": _cluster(), "hosts": {NAME: _storage()}},
        "boot": {"services": _services(), "hosts": {NAME: _tree()}},
        "boot_log": {
            **{"name": NAME, "state": "ready", "stage": "ready", "since": BEGAN + 40, "began": BEGAN, "trouble": None},
            **{"last": {"time": BEGAN + 60, "level": 6, "text": "systemd[1]: Startup finished in 12.3s."}},
            "boots": [boot(7, BEGAN, STAGES), boot(6, BEGAN - 9000, [*STAGES, "shutdown", "unmapped"])],
        },
        "host": {
            **{"reachable": True, "uptime": 7150.0, "state": "running", "failed_units": [], "kernel": KERNEL},
            "root": {
                **{
                    "device": "/dev/rbd0",
                    "read_only": False,
                    "pool": "diskless",
                    "namespace": NAME,
                    "image": "root",
                    "client": CLIENT,
                }
            },
            **{"boot_mounted": True, "clock": NOW + 1.5, "exitrd": True, "kernel_log": [], "mtu": 1500},
        },
        "network": {"monitors": {"10.77.0.1:3300": "ok"}, "mtu": 1500},
    }
    return found


def changed(evidence: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the evidence with other values, or without them, at paths such as ``host.mtu``.

    ``me`` in a path is the host itself, as in ``ceph.me.locks``.
    """
    result = copy.deepcopy(dict(evidence))
    for path, value in changes.items():
        *parents, last = steps(path)
        at = result
        for parent in parents:
            at = at[parent]
        if value is GONE:
            del at[last]
        else:
            at[last] = value
    return result


def steps(path: str) -> list[str]:
    """Return the keys of a path."""
    return [key for word in path.split("/") for key in (["hosts", NAME] if word == "me" else [word])]


def unreachable() -> dict[str, Any]:
    """Return the evidence of a host that does not answer."""
    return changed(
        healthy(), {"host": {"reachable": False, "error": "ssh: connect to host 10.77.0.12 port 22: No route to host"}}
    )


def stopped(stage: str, reason: str, text: str, state: str = "failed") -> dict[str, Any]:
    """Return the evidence of a host that boots and does not reach a stage."""
    reached = STAGES[: STAGES.index(stage)] or STAGES[:1]
    trouble = {"stage": stage, "reason": reason, "text": text}
    log = {
        **{"name": NAME, "state": state, "stage": reached[-1], "since": NOW - 300, "began": NOW - 310},
        **{"trouble": trouble, "last": {"time": NOW - 5, "level": 4, "text": text}},
        "boots": [boot(8, NOW - 310, reached, trouble), boot(7, BEGAN, [*STAGES, "shutdown", "unmapped"])],
    }
    return changed(
        unreachable(), {"boot_log": log, "ceph/me/locks": [], "ceph/me/watchers": [], "ceph/me/owner_alive": None}
    )


def _cluster() -> dict[str, Any]:
    return {
        **{"fsid": "4a06b58e-054b-4e58-b571-c6f05fa8a770", "release": 16, "health": "HEALTH_WARN"},
        "checks": [{"code": "POOL_NO_REDUNDANCY", "severity": "HEALTH_WARN", "summary": "1 pool(s) have no replicas"}],
        **{"flags": ["sortbitwise", "recovery_deletes"], "recovering": False},
        "monitors": [{"name": "a", "v1": "10.77.0.1:6789", "v2": "10.77.0.1:3300", "in_quorum": True}],
    }


def _storage() -> dict[str, Any]:
    return {
        "image": {
            **{"name": f"diskless/{NAME}/root", "exists": True, "size": 8589934592, "wanted_size": 8589934592},
            "features": ["layering", "exclusive-lock", "object-map", "fast-diff"],
            **{"parent": "diskless/golden-bookworm-amd64-0a1b2c3d4e5f@root", "problems": []},
        },
        "locks": [{"owner": "client.4195", "address": CLIENT, "cookie": 18446462598732840961}],
        "watchers": [{"client": "client.4195", "address": CLIENT}],
        "owner_alive": True,
        "user": {
            **{"name": f"client.diskless.{NAME}", "exists": True, "caps_missing": [], "can_blocklist_itself": True},
            "caps": {"mon": "profile simple-rados-client network 10.77.0.12/32, …", "osd": "…"},
            "key_fingerprint": "0f3c9a4b5d6e7f80",
        },
        # That of a former boot, which is nothing to worry about.
        "blocklist": [
            {"address": "10.77.0.12:0/1234567", "kind": "client", "until": "2025-11-22T09:00:00Z", "fence": False}
        ],
    }


def _services() -> dict[str, str]:
    units = ("diskless-dnsmasq", "diskless-guard", "diskless-boot-events", "nfs-ganesha")
    return {
        **{f"{unit}.service": "active" for unit in units},
        **{"run-diskless-boot.mount": "active", "nfs": "active"},
    }


def _tree() -> dict[str, Any]:
    sizes = {
        "grub.cfg": 812,
        "host.cpio": 1536,
        f"initrd.img-{KERNEL}": 14155776,
        "kernel.cfg": 66,
        f"vmlinuz-{KERNEL}": 8167328,
    }
    return {
        "exists": True,
        "files": [{"path": name, "size": size, "mode": "0644", "owner": "root"} for name, size in sizes.items()],
        **{"problems": [], "kernel": f"vmlinuz-{KERNEL}", "initrd": f"initrd.img-{KERNEL}"},
        "host_conf": {
            **{"DISKLESS_HOST": NAME, "DISKLESS_MAC": "52:54:00:77:00:12", "DISKLESS_ADDRESS": "10.77.0.12/24"},
            **{"DISKLESS_GATEWAY": "", "DISKLESS_NAMESERVERS": "", "DISKLESS_MONITORS": "10.77.0.1:3300"},
            **{"DISKLESS_MS_MODE": "prefer-crc", "DISKLESS_USER": f"diskless.{NAME}", "DISKLESS_POOL": "diskless"},
            **{"DISKLESS_NAMESPACE": NAME, "DISKLESS_IMAGE": "root", "DISKLESS_BOOT_SERVER": "10.77.0.3"},
            **{"DISKLESS_BOOT_EXPORT": f"/boot/{NAME}", "DISKLESS_EXITRD": "yes", "DISKLESS_SHUTDOWN_TIMEOUT": "120"},
            **{"DISKLESS_BOOT_TIMEOUT": "600", "DISKLESS_SHELL": "no", "DISKLESS_NETCONSOLE": "10.77.0.3:6666"},
        },
        **{"key_fingerprint": "0f3c9a4b5d6e7f80", "admitted": True, "exported": True, "linked": True},
    }
