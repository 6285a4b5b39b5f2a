# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernel and initramfs updates inside a host are what boots next."""

from __future__ import annotations

import shlex

import pytest

from tests.e2e.diskless_host import DisklessHost

MARKER = "initramfs rebuilt by this host"


@pytest.mark.full
def test_initramfs_rebuilt_in_the_host_is_what_boots_next(host: DisklessHost) -> None:
    """update-initramfs writes to the boot tree, and a word that only the new initramfs knows comes up at boot."""
    host.boot_tree()
    script = "/etc/initramfs-tools/scripts/init-top/marker"
    says = f"""#!/bin/sh\n[ "$1" = prereqs ] || echo "<4>{MARKER}" > /dev/kmsg\n"""
    host.ssh(f"printf %s {shlex.quote(says)} > {script}; chmod +x {script}")
    tree = f"/srv/diskless/boot/{host.name}"
    digest = f"sha256sum {tree}/initrd.img-*"
    before = host.lab.ssh("boot", digest)
    neighbour = host.lab.ssh("boot", "sha256sum /srv/diskless/boot/udoo2/initrd.img-*")

    host.ssh("update-initramfs -u", timeout=600)
    assert host.lab.ssh("boot", digest) != before
    assert host.lab.ssh("boot", "sha256sum /srv/diskless/boot/udoo2/initrd.img-*") == neighbour

    since = host.reboot()
    assert MARKER in host.console(since)

    # The site playbook leaves to the host what the host has made.
    after = host.lab.ssh("boot", digest)
    host.lab.site(capture=True)
    assert host.lab.ssh("boot", digest) == after


def test_boot_tree_that_was_lost_is_mounted_again(host: DisklessHost) -> None:
    """As when the boot server did not answer at boot."""
    host.boot_tree()
    host.ssh("umount /boot")
    assert host.boot_tree() == [f"10.77.0.3:/boot/{host.name}", "nfs4"]


def test_update_without_the_boot_tree_is_refused(host: DisklessHost) -> None:
    """An update that would land on the root image instead of the boot tree would silently not boot."""
    host.boot_tree()
    host.ssh("umount /boot")
    try:
        hook = "/etc/initramfs/post-update.d/diskless $(uname -r) /boot/initrd.img-$(uname -r)"
        answer = host.ssh(f"{hook} 2>&1; echo rc=$?")
        assert "/boot" in answer
        assert "rc=0" not in answer
    finally:
        host.ssh("systemctl start boot.mount || systemctl restart boot.mount")
    assert host.ssh("findmnt -no FSTYPE /boot") == "nfs4\n"
