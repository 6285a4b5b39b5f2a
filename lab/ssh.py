# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SSH into the lab's namespace: the key pair, and an ``ssh`` for people and for Ansible."""

from __future__ import annotations

import shlex

from lab.network import Network
from lab.processes import run
from lab.state import Directory, replace

# Root images make host keys of their own at first boot, and only the lab's machines are on that network.
OPTIONS = (
    "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "
    "-o ConnectTimeout=30 -o ServerAliveInterval=5 -o ServerAliveCountMax=6"
)


def prepare(directory: Directory, network: Network) -> str:
    """Make the key pair and the wrapper when missing, and return the public key."""
    directory.path.mkdir(parents=True, exist_ok=True)
    public = directory.key.with_suffix(".pub")
    if not public.exists():
        part = directory.path / "ssh_key.part"
        for stale in (part, part.with_suffix(".part.pub")):
            stale.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"diskless-lab-{directory.lab}", "-f", str(part)])
        part.replace(directory.key)
        part.with_suffix(".part.pub").replace(public)
    enter = shlex.join(network.enter(["ssh", "-i", str(directory.key)]))
    wrapper = f'#!/bin/sh\n# ssh to the hosts of the lab "{directory.lab}"\nexec {enter} {OPTIONS} "$@"\n'
    replace(directory.ssh, wrapper, mode=0o755)
    return public.read_text(encoding="utf-8").strip()
