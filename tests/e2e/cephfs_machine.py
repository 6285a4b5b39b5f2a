# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine with a disk that is a client of CephFS: Debian in QEMU, with a kernel of the test's choice."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.accelerator import accelerator
from lab.errors import LabError
from lab.images import Recipe
from lab.network import Network
from lab.patience import patience, wait_until
from lab.podman import cache_directory
from lab.processes import DIE_WITH_PARENT, run
from lab.state import Directory, locked
from tests.kernel import guest
from tests.kernel.debian_kernel import Kernel

NUMBER = 11
BOOT_SECONDS = 400  # it is emulated, and the first boot
DISK_BYTES = 3 << 30
SYSTEM = Recipe(
    name="cephfs-client",
    suite="bookworm",
    packages=(
        *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "iproute2", "procps", "util-linux", "ca-certificates"),
        *("openssh-server", "python3", "ceph-common", "cachefilesd"),
    ),
    setup=(),
    customize=(
        'echo client >"$1/etc/hostname"',
        'echo "/dev/vda / ext4 defaults 0 1" >"$1/etc/fstab"',
        # What a machine without a way out need not try.
        'rm -f "$1"/etc/systemd/system/timers.target.wants/*',
    ),
)
# For the disk, the network, CephFS with its cache and its ciphers, and what their modules ask for by other names.
MODULES = (
    *("virtio_pci", "virtio_net", "virtio_blk", "virtio_rng", "ext4", "crc32c_generic"),
    *("ceph", "libceph", "fscache", "cachefiles", "cbc", "aes_generic"),
)
APPLETS = ("cat", "cp", "ip", "mkdir", "mount", "sh", "sleep", "switch_root", "umount")
INIT = """\
#!/bin/sh
PATH=/bin; export PATH
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in virtio_pci virtio_net virtio_blk virtio_rng ext4; do modprobe "$module"; done
while [ ! -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 /dev/vda /root
cp -r /lib/modules /root/usr/lib/
mkdir -p /root/root/.ssh
cat /authorized_keys >/root/root/.ssh/authorized_keys
ip link set eth0 up
ip addr add ADDRESS/24 dev eth0
umount /proc /sys
exec switch_root /root /sbin/init
"""


@dataclass(frozen=True)
class CephfsMachine:
    """A machine that runs. ``release`` is that of its kernel."""

    network: Network
    directory: Directory
    address: str
    tap: str
    release: str
    console: Path

    def ssh(self, command: str, timeout: float = 60, check: bool = True) -> str:
        """Run a shell command as root and return its stdout; raises LabError when it fails or does not end."""
        return run([str(self.directory.ssh), f"root@{self.address}", command], timeout=timeout, check=check).stdout

    def cut(self) -> None:
        """Take its cable out."""
        self.network.set_link(self.tap, up=False)

    def restore(self) -> None:
        """Put its cable back."""
        self.network.set_link(self.tap, up=True)

    def answers(self) -> bool:
        """Whether one can log in."""
        try:
            self.ssh("true", timeout=15)
        except LabError:
            return False
        return True


@contextmanager
def cephfs_machine(kernel: Kernel, network: Network, directory: Directory, address: str) -> Iterator[CephfsMachine]:
    """Boot a machine on the network's bridge. Its disk is a fresh copy of the system, which ends with it."""
    tap = f"tap{NUMBER}"
    network.add_tap(tap)
    network.set_link(tap, up=True)
    with tempfile.TemporaryDirectory(dir=directory.path) as work:
        console = directory.path / f"console-{kernel.release}.log"
        public_key = directory.key.with_suffix(".pub").read_text(encoding="ascii")
        archive = _archive(kernel, Path(work), public_key, address)
        accel = ["kvm", "host"] if accelerator() == "kvm" else ["tcg", "max"]
        argv = ["qemu-system-x86_64", "-M", "pc", "-accel", accel[0], "-cpu", accel[1], "-smp", "2", "-m", "1024"]
        argv += ["-nodefaults", "-no-reboot", "-display", "none", "-device", "virtio-rng-pci"]
        argv += ["-kernel", str(kernel.image), "-initrd", str(archive)]
        argv += ["-append", "console=ttyS0 rdinit=/init panic=-1 net.ifnames=0"]
        argv += ["-drive", f"file={_disk()},format=raw,if=virtio,snapshot=on"]
        argv += ["-netdev", f"tap,id=net,ifname={tap},script=no,downscript=no"]
        argv += ["-device", f"virtio-net-pci,netdev=net,mac=52:54:00:77:00:{NUMBER},romfile="]
        argv += ["-serial", f"file:{console}"]
        with subprocess.Popen([*DIE_WITH_PARENT, *network.enter(argv)], stdin=subprocess.DEVNULL) as process:
            try:
                machine = CephfsMachine(network, directory, address, tap, kernel.release, console)
                if not wait_until(machine.answers, BOOT_SECONDS, 2):
                    said = console.read_text(encoding="utf-8", errors="replace")[-3000:]
                    raise LabError(f"no login within {BOOT_SECONDS * patience():.0f} s:\n{said}")
                yield machine
            finally:
                process.kill()


def _disk() -> Path:
    """Return the disk with the system, made once for each content."""
    place = cache_directory() / "cephfs-client"
    place.mkdir(parents=True, exist_ok=True)
    disk = place / f"{hashlib.sha256(f'{SYSTEM.key} {DISK_BYTES}'.encode()).hexdigest()[:16]}.img"
    with locked(place / "lock", "disk of the CephFS client", timeout=900):
        if not disk.exists():
            with tempfile.TemporaryDirectory(dir=place) as work:
                root, part = Path(work) / "root", Path(work) / "disk"
                # As for the images of containers: what is killed leaves no mounts behind.
                namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
                run([*namespaces, *SYSTEM.command(root)], timeout=900, env={"TMPDIR": work})
                run(["mke2fs", "-q", "-t", "ext4", "-d", str(root), str(part), f"{DISK_BYTES >> 10}k"], timeout=300)
                part.replace(disk)
    return disk


def _archive(kernel: Kernel, work: Path, public_key: str, address: str) -> Path:
    """Make the initramfs: finds the disk, gives it the kernel's modules and the key, and starts its system."""
    root = work / "initramfs"
    for name in ("bin", "dev", "proc", "sys", "root"):
        (root / name).mkdir(parents=True)
    (root / "sbin").symlink_to("bin")
    for program in ("busybox", "kmod"):
        guest.add_program(root, program)
    for applet in APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    (root / "bin/modprobe").symlink_to("kmod")
    _add_modules(root, kernel)
    (root / "authorized_keys").write_text(public_key, encoding="ascii")
    init = root / "init"
    init.write_text(INIT.replace("ADDRESS", address), encoding="utf-8")
    init.chmod(0o755)
    archive = work / "initramfs.cpio"
    names = "\n".join(sorted(str(path.relative_to(root)) for path in root.rglob("*")))
    with archive.open("wb") as output:
        cpio = ["cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0"]
        subprocess.run(cpio, input=names.encode(), stdout=output, cwd=root, check=True, timeout=60)
    return archive


def _add_modules(root: Path, kernel: Kernel) -> None:
    """Copy the modules with all that they need; what is built in needs no file."""
    argv = ["modprobe", "-d", str(kernel.root), "-S", kernel.release, "--show-depends", "-a", *MODULES]
    shown = run(argv).stdout
    for found in re.findall(r"^insmod (\S+)", shown, re.MULTILINE):
        place = root / Path(found).relative_to(kernel.root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(found, place)
    modules = Path("lib/modules") / kernel.release
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy2(kernel.root / modules / name, root / modules / name)
    run(["depmod", "-b", str(root), kernel.release])
