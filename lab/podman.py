# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Podman, told what this machine allows."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from pathlib import Path

from lab.processes import run
from lab.state import replace

LABEL = "diskless.lab"


def cache_directory() -> Path:
    """Return where built images and machine facts are kept: ``DISKLESS_CACHE`` or /var/cache/diskless-lab."""
    return Path(os.environ.get("DISKLESS_CACHE", "/var/cache/diskless-lab"))


def configuration() -> Path:
    """Return the containers.conf in use: ``CONTAINERS_CONF``, or one written for this machine.

    Podman's own defaults ask for more open files and processes than a machine without CAP_SYS_RESOURCE may give,
    and crun refuses hybrid cgroup hierarchies, which runc takes.
    """
    given = os.environ.get("CONTAINERS_CONF")
    if given:
        return Path(given).resolve()
    path = cache_directory() / "containers.conf"
    text = _configuration()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, text)
    return path


def _configuration() -> str:
    files = _limit(resource.RLIMIT_NOFILE, 1048576)
    # Podman lowers its own process limit to pid_max before it starts a container, and cannot raise it again.
    processes = _limit(resource.RLIMIT_NPROC, int(Path("/proc/sys/kernel/pid_max").read_text(encoding="ascii")))
    runtime = 'runtime = "runc"\n' if shutil.which("runc") else ""
    return (
        "[containers]\n"
        f'default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]\n'
        'log_driver = "k8s-file"\n'
        "[engine]\n"
        f"{runtime}"
        'cgroup_manager = "cgroupfs"\n'
        'events_logger = "none"\n'
    )


def _limit(kind: int, most: int) -> int:
    hard = resource.getrlimit(kind)[1]
    return most if hard == resource.RLIM_INFINITY else min(hard, most)


def podman(
    *args: str, timeout: float = 60, check: bool = True, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run podman; see run() for the arguments and errors."""
    environment = {"CONTAINERS_CONF": str(configuration())}
    return run(["podman", *args], timeout=timeout, check=check, stdin=stdin, env=environment)


def container_state(name: str) -> str | None:
    """Return podman's word for the state of a container (``running``, ``exited``…), or None when there is none."""
    result = podman("container", "inspect", "--format", "{{.State.Status}}", name, check=False)
    return result.stdout.strip() if result.returncode == 0 else None


def ensure_running(name: str, options: list[str], command: list[str]) -> bool:
    """Start the container ``name``: as it is, if it exists, or from its options; return whether it was created."""
    state = container_state(name)
    if state == "running":
        return False
    if state == "exited":
        podman("start", name)
        return False
    if state is not None:  # a half-made one: its creator was killed
        remove_containers([name])
    podman("run", "--detach", "--name", name, *options, *command, timeout=120)
    return True


def labelled(lab: str) -> list[str]:
    """Return the ids of all containers of a lab, whatever their state."""
    return podman("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={LABEL}={lab}").stdout.split()


def remove_containers(names: list[str]) -> None:
    """Remove containers with their anonymous volumes, running or not."""
    if names:
        # Killed at once: podman fails when a container ends by itself just as the time for that is over.
        podman("rm", "--force", "--volumes", "--time", "0", *names, timeout=120)
