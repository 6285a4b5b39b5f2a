# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The boot log names the stage at which a boot stands and the line that says why; once cured, the boot goes on."""

from __future__ import annotations

import base64
import os
import re
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.api import Lab
from lab.patience import wait_until
from tests.e2e.boot_log import PAGE, STAGES, BootLog, stages
from tests.e2e.browser.chromium import Browser, chromium
from tests.e2e.diskless_host import BOOT, DisklessHost


@pytest.fixture
def boot_log(lab: Lab) -> BootLog:
    """The boot log of the lab."""
    return BootLog(lab)


@pytest.fixture
def browser(lab: Lab, tmp_path: Path) -> Iterator[Browser]:
    """A browser in the network of the lab."""
    with chromium(tmp_path / "profile", lab.network.switch) as started:
        yield started


def test_boot_and_shutdown_are_seen_from_the_first_request_to_the_last_line(
    boot_log: BootLog, neighbour: DisklessHost, browser: Browser
) -> None:
    """Also what the kernel said before it had a network; and nothing of it is lost. The page follows."""
    browser.open(f"http://{PAGE}/")
    browser.until("return document.getElementById('live').textContent === 'Live'")
    neighbour.boot()
    boot_id = neighbour.ssh("cat /proc/sys/kernel/random/boot_id").strip()
    shows = "return document.getElementById('host-' + arguments[0]).dataset.state === arguments[1]"
    browser.until(shows, neighbour.name, "ready", seconds=20)
    neighbour.power_off()
    browser.until(shows, neighbour.name, "down", seconds=20)
    seen = boot_log.wait(neighbour.name, lambda host: host["stage"] == "unmapped", 20)
    boot = seen["boots"][0]
    assert (boot["boot_id"], seen["state"]) == (boot_id, "down")
    assert stages(boot) == [*STAGES, "shutdown", "unmapped"]
    assert boot["lost"] == 0
    assert boot_log.lines(neighbour.name, boot["number"], "unmounting filesystem")
    browser.open(f"http://{PAGE}/hosts/{neighbour.name}?search=Linux+version")
    assert "Linux version 6.1" in browser.run("return document.getElementById('lines').innerText")
    # Which header browsers heed by HTTPS and on the machine itself alone.
    assert [text for text in browser.complaints() if "Cross-Origin-Opener-Policy" not in text] == []


# Faults: each is there until its context ends.


@contextmanager
def unknown_to_dhcp(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """The boot server does not have the host in its list."""
    lab.ssh("boot", f"cp -p /etc/diskless/dhcp-hosts /root/ && sed -i /{host.name}/d /etc/diskless/dhcp-hosts")
    lab.ssh("boot", "systemctl restart diskless-dnsmasq")
    try:
        yield
    finally:
        lab.ssh("boot", "mv /root/dhcp-hosts /etc/diskless/ && systemctl restart diskless-dnsmasq")


@contextmanager
def kernel_missing(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """The boot tree lacks the kernel that its configuration names."""
    tree = f"/srv/diskless/boot/{host.name}"
    lab.ssh("boot", f"mkdir /root/away && mv {tree}/vmlinuz-* /root/away/")
    try:
        yield
    finally:
        lab.ssh("boot", f"mv /root/away/* {tree}/ && rmdir /root/away")


@contextmanager
def without_network(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """The initramfs is told of a network card that the host has not."""
    archive = f"/srv/diskless/boot/{host.name}/host.cpio"
    address = next(status.mac for status in lab.status().hosts if status.name == host.name)
    replace = f"sed -i s/{address}/{address[:-2]}ee/ {archive}"  # of the same length, so the archive stays one
    lab.ssh("boot", f"cp -p {archive} /root/host.cpio && {replace} && chown --reference=/root/host.cpio {archive}")
    try:
        yield
    finally:
        lab.ssh("boot", f"mv /root/host.cpio {archive}")


@contextmanager
def ceph_away(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """No monitor answers."""
    lab.cut("ceph")
    try:
        yield
    finally:
        lab.join("ceph")


@contextmanager
def key_refused(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """The key in Ceph is not the one in host.cpio; the site playbook makes them one again."""
    key = base64.b64encode(struct.pack("<HIIH", 1, int(time.time()), 0, 16) + os.urandom(16)).decode()
    caps = lab.ceph("auth", "get", host.user)[0]["caps"]
    quoted = {what: cap.replace("\\", "\\\\").replace('"', '\\"') for what, cap in caps.items()}
    lines = [f"[{host.user}]", f"key = {key}", *(f'caps {what} = "{cap}"' for what, cap in quoted.items())]
    lab.cluster.run("ceph", "auth", "import", "-i", "-", stdin="\n".join(lines) + "\n")
    try:
        yield
        assert key not in host.console(0)
    finally:
        lab.site(capture=True)
        lab.power("cycle", host.name)


@contextmanager
def image_missing(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """The image is away under another name."""
    lab.cluster.run("rbd", "rename", host.image, f"{host.image}.away")
    try:
        yield
    finally:
        lab.cluster.run("rbd", "rename", f"{host.image}.away", host.image)


@contextmanager
def journaling_enabled(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """No kernel maps an image with this feature."""
    lab.cluster.run("rbd", "feature", "enable", host.image, "journaling")
    try:
        yield
    finally:
        lab.cluster.run("rbd", "feature", "disable", host.image, "journaling")


@contextmanager
def root_damaged(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """The first MiB of the image, where the superblock is, is lost; the snapshot brings it back."""
    snapshot = f"{host.image}@before"
    overwrite = (
        "import rados, rbd\n"
        "with rados.Rados(conffile='/etc/ceph/ceph.conf') as cluster, cluster.open_ioctx('{pool}') as pool:\n"
        "    pool.set_namespace('{namespace}')\n"
        "    with rbd.Image(pool, '{name}') as image: image.write(b'\\xa5' * 2**20, 0)\n"
    )
    pool, namespace, name = host.image.split("/")
    lab.cluster.run("rbd", "snap", "create", snapshot)
    try:
        script = overwrite.format(pool=pool, namespace=namespace, name=name)
        lab.cluster.run("python3", "-", stdin=script)
        yield
    finally:
        lab.power("off", host.name)
        # The lock can be taken over from an owner that is known to be dead.
        wait_until(lambda: host.watchers() == [], 90)
        lab.cluster.run("rbd", "snap", "rollback", snapshot)
        lab.cluster.run("rbd", "snap", "rm", snapshot)


@contextmanager
def systemd_stuck(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """A service that does not come to an end, and that the boot waits for."""
    unit = "/etc/systemd/system/stuck.service"
    lines = ["[Service]", "Type=oneshot", "TimeoutStartSec=infinity", "ExecStart=sleep infinity"]
    text = "\\n".join([*lines, "[Install]", "WantedBy=multi-user.target", ""])
    host.boot()
    host.ssh(f"printf '{text}' >{unit} && systemctl enable stuck.service")
    host.power_off()
    try:
        yield
    finally:
        host.ssh(f"systemctl disable stuck.service; rm {unit}")


@dataclass(frozen=True)
class Fault:
    """What is done to a host, and what the boot log has to say then: the stage, the reason and a part of the line."""

    inject: Callable[[Lab, DisklessHost], AbstractContextManager[None]]
    stage: str
    line: str  # "REASON: TEXT"
    host_goes_on: bool = False  # once it is cured, by itself
    always: bool = False  # the others are left to make full

    def is_shown(self, host: dict[str, Any]) -> bool:
        """Tell whether the boot log says it."""
        trouble = host["trouble"]
        said = f"{trouble['reason']}: {trouble['text']}" if trouble else ""
        return bool(said) and trouble["stage"] == self.stage and bool(re.search(self.line, said))


FAULTS = [
    Fault(unknown_to_dhcp, "dhcp", r"52:54:00:77:00:12 ignored"),
    Fault(kernel_missing, "loader", r"vmlinuz-6\S+ not found", always=True),
    Fault(without_network, "kernel", r"^silent: sent .*/(host\.cpio|initrd\.img)"),
    Fault(ceph_away, "map", r"^unreachable: ", host_goes_on=True),
    Fault(key_refused, "map", r"^auth: ", host_goes_on=True),
    Fault(image_missing, "map", r"^no-image: ", host_goes_on=True, always=True),
    Fault(journaling_enabled, "map", r"^unsupported-features: .*journaling", host_goes_on=True),
    Fault(root_damaged, "root", r"^(fsck|mount|no-filesystem): ", always=True),
    Fault(systemd_stuck, "userspace", r"^waiting: .*stuck\.service"),
]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=fault.inject.__name__, marks=[] if fault.always else [pytest.mark.full])
        for fault in FAULTS
    ],
)
def test_failure_is_shown_with_its_stage_and_the_line_that_says_why(
    boot_log: BootLog, neighbour: DisklessHost, fault: Fault
) -> None:
    """Each at the stage where the host stands, with the line that it or the boot server has said."""
    lab = boot_log.lab
    since = neighbour.now()
    with fault.inject(lab, neighbour):
        lab.power("on", neighbour.name)
        seen = boot_log.wait(neighbour.name, fault.is_shown, BOOT)
        assert fault.is_shown(seen), seen
        # A host that waits for a service is late only after a while.
        seen = boot_log.wait(neighbour.name, lambda host: host["state"] in ("failed", "late"), BOOT)
        assert seen["state"] in ("failed", "late")
    if fault.host_goes_on:
        # Who has a console alone can see it as well.
        assert f"reason={seen['trouble']['reason']}" in neighbour.console(since)
        neighbour.wait_stage("ready", since)
