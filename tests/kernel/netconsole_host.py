# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests do with a machine that has netconsole."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_target import Target, kernel_features

from .guest import GUEST, HOST, Guest

TARGETS = "/sys/kernel/config/netconsole"
ROUTER_MAC = "52:55:0a:00:02:02"
REMOVE_TARGETS = f"""for t in {TARGETS}/*; do
[ ! -d $t/userdata ] || for u in $t/userdata/*/; do [ ! -d $u ] || rmdir $u; done
[ ! -d $t ] || rmdir $t
done""".replace("\n", "; ").replace("do;", "do")
FOLLOWER = "cd /usr/lib/diskless; python3 -u -m diskless_netconsole"
MODULES = "ansible_collections.diskless.ceph.plugins.modules"


def release(host: Guest) -> str:
    return host.run("uname -r").strip()


def prefix(host: Guest) -> bytes:
    """What stands before each message of an extended target that carries the release, where the kernel can."""
    return f"{release(host)},".encode() if "release" in kernel_features(release(host)) else b""


def early_boot(host: Guest) -> None:
    """What the initramfs does when its card is up."""
    host.run("mkdir -p /run/diskless")
    host.write("/run/diskless/host.conf", f"DISKLESS_NETCONSOLE='{HOST}:{host.port}'\n")
    parts = "for part in report config job network netconsole; do . /usr/lib/diskless/$part.sh; done"
    host.run(f"( {parts}; . /run/diskless/host.conf; netconsole_forget; netconsole_start eth0 )", timeout=60)


def parameter(host: Guest) -> None:
    host.run(f"/bin/modprobe netconsole netconsole=+@{GUEST}/eth0,{host.port}@{HOST}/{ROUTER_MAC}")


def follow(host: Guest) -> None:
    """Start the program that follows links, and wait until it has made its target."""
    host.run(f"( {FOLLOWER} >/tmp/follower.log 2>&1 & echo $! >/tmp/pid )")
    made = f"{TARGETS}/diskless-{HOST}:{host.port}/enabled"
    host.run(
        f'for i in $(seq 100); do [ "$(cat {made} 2>/dev/null)" = 1 ] && break; sleep 0.1; done; cat /tmp/follower.log'
    )


def targets(host: Guest) -> dict[str, Target]:
    names = host.run(f"ls {TARGETS}").split()
    return {name: Target.parse(name, host.tree(f"{TARGETS}/{name}")) for name in names}


def module(host: Guest, called: str, **args: Any) -> dict[str, Any]:
    """Run a module of the collection as Ansible does, and return its result."""
    host.write("/run/args.json", json.dumps({"ANSIBLE_MODULE_ARGS": {**args, "_ansible_diff": True}}))
    printed = host.run(f"cd /opt; python3 -m {MODULES}.{called} </run/args.json || :", timeout=60)
    result: dict[str, Any] = json.loads(printed)
    return result
