# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines with the oldest and the newest kernel that Debian's hosts may have, and with the product's own files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import ansible
import pytest

from .debian_kernel import kernel
from .guest import Guest, guest
from .netconsole_host import REMOVE_TARGETS

REPOSITORY = Path(__file__).parents[2]
BOOT_LOGIC = REPOSITORY / "roles/initramfs/files/usr/lib/diskless"
PROGRAM = REPOSITORY / "roles/netconsole/files/usr/lib/diskless/diskless_netconsole"
PLUGINS = REPOSITORY / "plugins"
ANSIBLE = Path(ansible.__file__).parent
# Debian 12's is that of the lab's hosts, too.
SUITES = (pytest.param("bookworm", marks=pytest.mark.full), "trixie-backports")


def installed(directory: Path) -> Path:
    """The program as the role installs it."""
    package = directory / "diskless_netconsole"
    shutil.copytree(PROGRAM, package, ignore=shutil.ignore_patterns("__pycache__"))
    for module in (PLUGINS / "module_utils").glob("_netconsole_*.py"):
        shutil.copy2(module, package)
    return package


@pytest.fixture(scope="package", params=SUITES)  # not longer: an idle machine takes a quarter of a processor
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    directory = tmp_path_factory.mktemp("guest")
    files = [(BOOT_LOGIC, "/usr/lib/diskless"), (installed(directory), "/usr/lib/diskless/diskless_netconsole")]
    # As Ansible itself sends them: without what is the controller's.
    (directory / "__init__.py").touch()
    files += [(directory / "__init__.py", "/opt/ansible/__init__.py")]
    files += [(ANSIBLE / name, f"/opt/ansible/{name}") for name in ("release.py", "module_utils")]
    for name in ("modules", "module_utils"):
        files.append((PLUGINS / name, f"/opt/ansible_collections/diskless/ceph/plugins/{name}"))
    with guest(kernel(request.param), directory, files) as made:
        made.run("/bin/modprobe configfs; mount -t configfs none /sys/kernel/config")
        yield made


@pytest.fixture
def host(machine: Guest) -> Iterator[Guest]:
    """The machine with one network card and no netconsole, whatever a test did before."""
    machine.run("echo 8 >/proc/sys/kernel/printk")
    yield machine
    machine.run("[ ! -e /tmp/pid ] || kill $(cat /tmp/pid); rm -f /tmp/pid /run/diskless/host.conf")
    machine.run(REMOVE_TARGETS)
    machine.run("[ ! -d /sys/module/netconsole ] || /bin/modprobe -r netconsole")
    machine.run("for b in br0 bond0; do [ ! -d /sys/class/net/$b ] || /bin/ip link delete $b; done")
    machine.run("ip addr flush dev eth0; ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0")
    machine.run("ip route add default via 10.0.2.2")
    machine.pending()
