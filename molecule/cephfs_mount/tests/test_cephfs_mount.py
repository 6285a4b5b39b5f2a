# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role puts on the disk, and what it leaves alone."""

from __future__ import annotations

from testinfra.host import Host

WEB, CACHE = "/etc/systemd/system/srv-web.mount", r"/etc/systemd/system/srv-my\x2dcache.mount"
PODS, VOLUME = "/var/lib/kubelet/pods", "volumes/kubernetes.io~csi/pvc-1"


def test_unit_names_the_file_with_the_key_and_not_the_key(host: Host) -> None:
    unit = host.file(WEB).content_string
    assert "What=10.0.0.1,10.0.0.2:6789:/web\n" in unit
    assert (
        "Options=name=web1,secretfile=/etc/ceph/cephfs_mount/srv-web.secret,mds_namespace=cephfs,recover_session=clean,_netdev\n"
        in unit
    )
    assert "AQD2Z0xn" not in unit


def test_key_is_readable_by_root_alone(host: Host) -> None:
    secret = host.file("/etc/ceph/cephfs_mount/srv-web.secret")
    assert (secret.mode, secret.user, secret.content_string) == (
        0o600,
        "root",
        "AQD2Z0xnAAAAABAAq3cV0bq8m2JpJ7x9n1dGWg==\n",
    )
    assert host.file("/etc/ceph/cephfs_mount").mode == 0o700


def test_units_are_valid_and_systemd_reads_them_as_meant(host: Host) -> None:
    for unit in (WEB, CACHE):
        verified = host.run("systemd-analyze verify %s", unit)
        assert (verified.rc, verified.stderr) == (0, "")
    shown = host.check_output("systemctl show --property=What,Where,TimeoutUSec,Wants %s", r"srv-my\x2dcache.mount")
    assert "What=10.0.0.1,10.0.0.2:6789:/100%" in shown
    assert "Where=/srv/my-cache" in shown
    assert "TimeoutUSec=1min 15s" in shown
    assert "cachefilesd.service" in shown


def test_mount_comes_with_every_boot_and_after_the_network(host: Host) -> None:
    assert host.check_output("systemctl is-enabled srv-web.mount") == "enabled"
    after = host.check_output("systemctl show --property=After srv-web.mount").split()
    assert {"network-online.target", "remote-fs-pre.target"} <= {word.removeprefix("After=") for word in after}


def test_cache_only_where_it_was_asked_for(host: Host) -> None:
    assert "fsc" not in host.file(WEB).content_string
    assert ",fsc,_netdev,ro\n" in host.file(CACHE).content_string
    assert "recover_session" not in host.file(CACHE).content_string
    assert host.file("/etc/default/cachefilesd").content_string == "RUN=yes\n"
    assert host.check_output("systemctl is-enabled cachefilesd.service") == "enabled"


def test_unwanted_mount_is_gone(host: Host) -> None:
    assert not host.file("/etc/systemd/system/srv-old.mount").exists


def test_only_the_directory_of_the_dead_pod_is_cleaned(host: Host) -> None:
    assert not host.file(f"{PODS}/dead/{VOLUME}").exists
    assert host.file(f"{PODS}/dead/volumes").is_directory
    for pod in ("mounted", "running"):
        assert host.file(f"{PODS}/{pod}/{VOLUME}/mount").is_directory
