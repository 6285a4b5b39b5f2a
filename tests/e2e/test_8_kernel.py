# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A newer kernel on a PC, by playbooks/upgrade_kernel.yml: looked at before it boots, booted, and rolled back.

It is Debian's own of a later suite, in a package that lies on the host. The tests build on each other, because every
boot takes minutes.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.api import Lab
from lab.errors import LabError
from lab.patience import patience
from tests.e2e.diskless_host import DisklessHost
from tests.kernel.debian_kernel import Kernel, kernel

pytestmark = pytest.mark.full

SNAPSHOT = "before-kernels"
REPOSITORY = "/srv/kernels"
# As that of Debian's packages: it makes the initramfs, and then the boot loader is told.
POSTINST = """#!/bin/sh
set -e
export DEB_MAINT_PARAMS="'configure' ''"
run-parts --exit-on-error --arg={release} --arg=/boot/vmlinuz-{release} /etc/kernel/postinst.d
"""
CONTROL = """Package: {name}
Version: 99
Architecture: amd64
Maintainer: nobody <nobody@example.org>
Depends: {depends}
Description: kernel of a test
"""
HOOK = "/etc/initramfs-tools/hooks/zz-without-rbd"
WITHOUT_RBD = """#!/bin/sh
[ "$1" = prereqs ] || find "$DESTDIR" -name 'rbd.ko*' -delete
"""


def package(directory: Path, name: str, depends: str) -> Path:
    """Build a package from a directory."""
    (directory / "DEBIAN").mkdir(parents=True, exist_ok=True)
    (directory / "DEBIAN/control").write_text(CONTROL.format(name=name, depends=depends), encoding="utf-8")
    file = directory.parent / f"{name}.deb"
    command = ["dpkg-deb", "-Znone", "--root-owner-group", "--build", str(directory), str(file)]
    subprocess.run(command, check=True, timeout=300, stdout=subprocess.DEVNULL)
    return file


def kernel_packages(new: Kernel, directory: Path) -> list[Path]:
    """Build a package of the kernel, and a newer one of the name that always depends on the newest."""
    content = directory / "kernel"
    (content / "boot").mkdir(parents=True)
    shutil.copy(new.image, content / "boot" / f"vmlinuz-{new.release}")
    # Where a merged /usr has it, and without the image, which newer packages have there.
    modules = content / "usr/lib/modules" / new.release
    shutil.copytree(new.root / "lib/modules" / new.release, modules, ignore=shutil.ignore_patterns("vmlinuz", "build"))
    (content / "DEBIAN").mkdir()
    (content / "DEBIAN/postinst").write_text(POSTINST.format(release=new.release), encoding="utf-8")
    (content / "DEBIAN/postinst").chmod(0o755)
    name = f"linux-image-{new.release}"
    return [package(content, name, "kmod"), package(directory / "meta", "linux-image-amd64", name)]


def tree_files(lab: Lab, host: DisklessHost) -> str:
    """Return what is in the boot tree, with what was kept."""
    return lab.ssh("boot", f"cd /srv/diskless/boot/{host.name} && find . -type f | sort && cat kernel.cfg")


def boot_id(host: DisklessHost) -> str:
    return host.ssh("cat /proc/sys/kernel/random/boot_id").strip()


@pytest.fixture(scope="module")
def new(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel that the host can install, and nothing else; host and boot tree are as before afterwards."""
    host = DisklessHost(lab, "udoo1")
    host.ensure_ready()
    host.power_off()
    tree, saved = f"/srv/diskless/boot/{host.name}", f"/srv/diskless/{SNAPSHOT}"
    lab.ssh("boot", f"rm -rf {saved} && cp -a {tree} {saved}")
    lab.cluster.run("rbd", "snap", "create", "--no-progress", f"{host.image}@{SNAPSHOT}")
    try:
        host.boot()
        found = kernel("trixie-backports")
        host.ssh(f"mkdir -p {REPOSITORY}; rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*")
        index = ""
        for file in kernel_packages(found, tmp_path_factory.mktemp("packages")):
            with file.open("rb") as content:
                command = [*lab.ssh_argv(host.name), f"cat >{REPOSITORY}/{file.name}"]
                subprocess.run(command, stdin=content, check=True, timeout=600 * patience())
            fields = subprocess.run(["dpkg-deb", "-f", file], capture_output=True, text=True, check=True, timeout=60)
            digest = host.ssh(f"sha256sum {REPOSITORY}/{file.name}").split()[0]
            size = file.stat().st_size
            index += f"{fields.stdout}Filename: ./{file.name}\nSize: {size}\nSHA256: {digest}\n\n"
        host.ssh(f"cat >{REPOSITORY}/Packages <<'EOF'\n{index}EOF")
        host.ssh(f"echo 'deb [trusted=yes] file:{REPOSITORY} ./' >/etc/apt/sources.list")
        yield found
    finally:
        lab.power("off", host.name)
        lab.cluster.run("rbd", "snap", "rollback", "--no-progress", f"{host.image}@{SNAPSHOT}", timeout=300)
        lab.cluster.run("rbd", "snap", "rm", "--no-progress", f"{host.image}@{SNAPSHOT}")
        lab.ssh("boot", f"cp -a {saved}/. {tree}/ && cd {tree} && rm -rf kept *.new")
        lab.ssh("boot", f"cd {tree} && for f in *; do [ -e {saved}/$f ] || rm -rf $f; done; rm -rf {saved}")


def upgrade(lab: Lab, host: DisklessHost, directory: Path, *words: str) -> dict[str, Any]:
    """Run the playbook for one host, and return its outcome; C(said) is what was said if it failed."""
    file = directory / "outcome.json"
    file.unlink(missing_ok=True)
    said = ""
    options = ("--limit", host.name, "-e", f"upgrade_kernel_file={file}", "-e", "reboot_timeout=400")
    try:
        lab.site(*options, *words, playbook="playbooks/upgrade_kernel.yml", capture=True)
    except LabError as error:
        said = str(error)
    assert file.exists(), said
    (outcome,) = json.loads(file.read_text(encoding="utf-8"))["hosts"]
    return {**outcome, "said": said}


def test_check_mode_tells_the_kernel_and_changes_nothing(
    lab: Lab, host: DisklessHost, new: Kernel, tmp_path: Path
) -> None:
    host.ssh("apt-get -qq update")  # which is all that check mode leaves out
    before, boot, running = tree_files(lab, host), boot_id(host), host.ssh("uname -r").strip()
    outcome = upgrade(lab, host, tmp_path, "--check")
    assert (outcome["result"], outcome["from"], outcome["to"]) == ("would upgrade", running, new.release), outcome
    assert outcome["packages"] == ["linux-image-amd64"]
    assert (tree_files(lab, host), boot_id(host)) == (before, boot)
    assert new.release not in host.ssh("ls /lib/modules")


def test_kernel_whose_initramfs_lacks_rbd_is_not_booted(
    lab: Lab, host: DisklessHost, new: Kernel, tmp_path: Path
) -> None:
    """It is installed, found out before the host goes down, and does not stay what boots next."""
    boot, running = boot_id(host), host.ssh("uname -r").strip()
    config = lab.ssh("boot", f"cat /srv/diskless/boot/{host.name}/kernel.cfg")
    host.ssh(f"cat >{HOOK} <<'EOF'\n{WITHOUT_RBD}EOF\nchmod +x {HOOK}")
    try:
        outcome = upgrade(lab, host, tmp_path)
    finally:
        host.ssh(f"rm {HOOK}")
    assert (outcome["result"], outcome["step"], outcome["undone"]) == ("failed", "preflight", True), outcome
    assert "lacks the module rbd" in outcome["problem"]
    assert f"Its boot tree boots {running} again" in outcome["said"]
    assert boot_id(host) == boot
    assert lab.ssh("boot", f"cat /srv/diskless/boot/{host.name}/kernel.cfg") == config


def test_kernel_boots_and_is_proven_to(lab: Lab, host: DisklessHost, new: Kernel, tmp_path: Path) -> None:
    """Once its initramfs was made anew; the kernel before stays."""
    running = host.ssh("uname -r").strip()
    host.ssh(f"apt-get -qq install --reinstall linux-image-{new.release}", timeout=900)
    outcome = upgrade(lab, host, tmp_path)
    assert (outcome["result"], outcome["from"], outcome["to"]) == ("upgraded", running, new.release), outcome
    assert host.ssh("uname -r").strip() == new.release
    assert host.boot_tree() == [f"10.77.0.3:/boot/{host.name}", "nfs4"]
    assert f"/vmlinuz-{running}" in tree_files(lab, host)
    assert len(host.locks()) == 1
    assert upgrade(lab, host, tmp_path)["result"] == "unchanged"


def test_rollback_boots_the_kernel_before(lab: Lab, host: DisklessHost, new: Kernel, tmp_path: Path) -> None:
    assert host.ssh("uname -r").strip() == new.release
    outcome = upgrade(lab, host, tmp_path, "-e", "upgrade_kernel_state=rollback")
    assert outcome["result"] == "rolled back", outcome
    assert host.ssh("uname -r").strip() == outcome["to"] != new.release
    # An update of the initramfs on the host leaves it at that.
    host.ssh("update-initramfs -u", timeout=600)
    assert outcome["to"] in lab.ssh("boot", f"cat /srv/diskless/boot/{host.name}/kernel.cfg")


def test_host_that_the_new_kernel_keeps_from_booting_comes_back_by_a_rollback(
    lab: Lab, host: DisklessHost, new: Kernel, tmp_path: Path
) -> None:
    """Half of its initramfs is lost; nobody can log in, so the boot server says what boots."""
    outcome = upgrade(lab, host, tmp_path, "-e", f"upgrade_kernel_version={new.release}")
    assert (outcome["result"], outcome["to"]) == ("upgraded", new.release), outcome
    former = outcome["from"]
    host.power_off()
    initramfs = f"/srv/diskless/boot/{host.name}/initrd.img-{new.release}"
    lab.ssh("boot", f"truncate --size=1M {initramfs}")
    outcome = upgrade(lab, host, tmp_path, "-e", "upgrade_kernel_state=rollback")
    assert (outcome["result"], outcome["from"], outcome["to"]) == ("rolled back", None, former), outcome
    assert outcome["power_cycled"] is True
    assert host.ssh("uname -r").strip() == former
