# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The initramfs that a host with this role builds, and what lies in a golden image."""

from __future__ import annotations

import pytest
from testinfra.host import Host

HALF_OF_MODULES_MOST = 18_000_000


@pytest.fixture(scope="module")
def kernel(host: Host) -> str:
    return str(host.check_output("ls /lib/modules"))


@pytest.fixture(scope="module")
def content(host: Host, kernel: str) -> set[str]:
    return {line.removeprefix("usr/") for line in host.check_output(f"lsinitramfs /boot/initrd.img-{kernel}").split()}


@pytest.mark.parametrize(
    "module", ["rbd", "libceph", "ext4", "r8169", "realtek", "virtio_net", "gcm", "ctr", "netconsole", "configfs"]
)
def test_initramfs_has_what_reaches_the_root(content: set[str], module: str) -> None:
    assert [name for name in content if name.endswith(f"/{module}.ko")]


def test_initramfs_is_small(host: Host, kernel: str) -> None:
    assert host.file(f"/boot/initrd.img-{kernel}").size < HALF_OF_MODULES_MOST


def test_initramfs_is_the_same_for_every_host(content: set[str]) -> None:
    assert not [name for name in content if name.startswith("etc/diskless")]


@pytest.mark.parametrize("script", ["init-top", "local-top", "init-bottom", "panic"])
def test_adapter_is_called(host: Host, kernel: str, script: str) -> None:
    host.check_output(f"rm -rf /tmp/unpacked && unmkinitramfs /boot/initrd.img-{kernel} /tmp/unpacked")
    assert f"/scripts/{script}/diskless" in host.check_output(
        f"cat $(find /tmp/unpacked -path '*/scripts/{script}/ORDER')"
    )


def test_boot_loader_is_told_of_the_kernel(host: Host, kernel: str) -> None:
    assert (
        host.file("/boot/kernel.cfg").content_string == f"set kernel=vmlinuz-{kernel}\nset initrd=initrd.img-{kernel}\n"
    )


def test_module_that_the_kernel_lacks_stops_the_build(host: Host, kernel: str) -> None:
    host.check_output("cp /etc/diskless/modules /tmp/modules && echo no_such_nic >>/etc/diskless/modules")
    built = host.run(f"mkinitramfs -o /tmp/initrd {kernel}")
    host.check_output("cp /tmp/modules /etc/diskless/modules")
    assert built.rc != 0
    assert f"E: diskless: kernel {kernel} has no module no_such_nic" in built.stderr


@pytest.mark.parametrize("root", ["", "/srv/golden"])
def test_units_are_enabled(host: Host, root: str) -> None:
    for unit in ("userspace", "ready", "shutdown", "waiting"):
        assert host.check_output(f"systemctl --root={root or '/'} is-enabled diskless-{unit}.service") == "enabled"
    for action in ("reboot", "poweroff", "halt", "kexec"):
        assert (
            host.check_output(f"systemctl --root={root or '/'} is-enabled diskless-guard@{action}.service") == "enabled"
        )


def test_units_are_valid(host: Host) -> None:
    # The guard starts what early boot puts into memory.
    host.check_output("mkdir -p /run/initramfs/bin && ln -sf /bin/busybox /run/initramfs/bin/busybox")
    verified = host.run("systemd-analyze verify /etc/systemd/system/diskless-*.service")
    host.check_output("rm -r /run/initramfs/bin")
    assert (verified.rc, verified.stderr) == (0, "")


def test_golden_image_gets_the_same_files(host: Host) -> None:
    # Its list of modules differs: the host above asks for two more.
    host.check_output("cd /srv/golden && find . ! -type d ! -path ./etc/diskless/modules -exec cmp {} /{} \\;")
    assert host.check_output("find /srv/golden ! -user root -o ! -group root") == ""
    assert host.file("/srv/golden/usr/lib/diskless/guard").mode == 0o755


def test_host_with_a_disk_reports_nothing(host: Host) -> None:
    host.check_output("systemctl start diskless-ready.service")
    assert host.service("diskless-ready.service").is_running is False
