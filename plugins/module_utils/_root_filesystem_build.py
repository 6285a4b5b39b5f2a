# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build a golden root file system, without loop device, mount or krbd, so also in an unprivileged container."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import subprocess
import tarfile
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

from ansible_collections.diskless.ceph.plugins.module_utils._rbd_size import format_size
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem import (
    BuildError,
    Inputs,
    golden_name,
    newest_last,
    packages_name,
    parse_packages,
)
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem_emulation import (
    Surroundings,
    surroundings,
)
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem_programs import programs

IMAGE = "root.ext4"
BOOT_TAR = "boot.tar"
MANIFEST = "manifest.json"
LOG = "build.log"
_TEMPORARY = ".build-"
_UPDATE_INITRAMFS = "usr/sbin/update-initramfs"
_CHROOT_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "HOME": "/root",
    # Hooks for the boot loaders of machines with a disk: "not yet, this is within the installation of a kernel".
    "INITRAMFS_TOOLS_KERNEL_HOOK": "1",
}
# Documentation and translations: nobody reads them on a diskless host, and every file costs the golden image space.
_DPKG_EXCLUDES = """\
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
"""
# Packages and hooks would run it two or three times; the build runs it once, when the overlay is in place.
_HOLD_BACK_INITRAMFS = (
    'dpkg-divert --root "$1" --local --rename --add /usr/sbin/update-initramfs'
    ' && ln -s /bin/true "$1/usr/sbin/update-initramfs"'
)


@dataclass(frozen=True)
class Sources:
    """Where the inputs are on the builder."""

    tarball: Path | None
    overlay: Path | None


def read_manifest(cache_dir: Path, name: str) -> dict[str, Any] | None:
    """Return the manifest of a finished build, or None."""
    try:
        text = (cache_dir / name / MANIFEST).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    manifest: dict[str, Any] = json.loads(text)
    return manifest


def build(inputs: Inputs, sources: Sources, cache_dir: Path, timeout_seconds: int) -> dict[str, Any]:
    """Build what ``inputs`` describe into ``cache_dir/<name>`` and return its manifest.

    The directory appears complete or not at all.
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    with _locked(cache_dir, timeout_seconds):
        made = read_manifest(cache_dir, golden_name(inputs))
        if made is not None:  # by the build that we have waited for
            return made
        _remove_leftovers(cache_dir)
        _check_free_space(cache_dir, inputs.image_size)
        work = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=cache_dir.resolve()))
        try:
            with programs(cache_dir / LOG, timeout_seconds) as outside, surroundings(
                inputs.arch, work, outside
            ) as inside:
                manifest = _Build(inputs, sources, cache_dir, work, inside).run()
            (work / "result").rename(cache_dir / golden_name(inputs))
        finally:
            _remove(work)
    return manifest


@contextmanager
def _locked(cache_dir: Path, timeout_seconds: int) -> Iterator[None]:
    """Hold the cache: whoever holds it knows that every temporary directory in it is a dead build's."""
    until = time.monotonic() + timeout_seconds
    with (cache_dir / ".lock").open("w", encoding="utf-8") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= until:
                    waited = f"for the {timeout_seconds} s of timeout"
                    raise BuildError(
                        f"another build is running in {cache_dir}, {waited}; try again when it has ended"
                    ) from error
            time.sleep(1)
        yield


def _remove_leftovers(cache_dir: Path) -> None:
    for path in cache_dir.glob(f"{_TEMPORARY}*"):
        _remove(path)


def _remove(path: Path) -> None:
    # Not shutil.rmtree: it would follow a mount that a killed build left behind into the builder's own /dev.
    # Nor run_command, which needs an AnsibleModule.
    subprocess.run(  # pylint: disable=ansible-bad-function
        ["rm", "-rf", "--one-file-system", "--", str(path)], check=True
    )


def _check_free_space(cache_dir: Path, image_size: int) -> None:
    needed = 2 * image_size  # the tree, and the image made from it
    free = shutil.disk_usage(cache_dir).free
    if free < needed:
        raise BuildError(
            f"{cache_dir}: the build needs {format_size(needed)} of free space (twice image_size),"
            f" but only {free >> 20} MiB are free"
        )


class _Build:
    """One build. ``work/root`` is the tree; ``work/result`` becomes the cache entry."""

    def __init__(self, inputs: Inputs, sources: Sources, cache_dir: Path, work: Path, inside: Surroundings) -> None:
        self.inputs = inputs
        self.sources = sources
        self.packages = cache_dir / f"{packages_name(inputs)}.tar.gz"
        self.root = work / "root"
        self.result = work / "result"
        self.inside = inside
        self.outside = inside.programs

    def run(self) -> dict[str, Any]:
        """Run all steps."""
        self.root.mkdir(mode=0o755)
        self.result.mkdir(mode=0o700)
        tarball = self.sources.tarball or (self.packages if self.packages.exists() else None)
        if tarball:
            self._unpack(tarball)
        else:
            self._bootstrap()
        self.inside.furnish(self.root)
        if not tarball:
            self._remove_traces_of_bootstrap()
            self._keep_packages()
        if self.sources.overlay:
            self._copy_overlay(self.sources.overlay)
        self._add_authorized_keys()
        releases = self._make_initramfs()
        packages = self._list_packages()
        self._remove_identity()
        boot_files = self._move_boot_files()
        self._make_image()
        manifest = {
            "name": golden_name(self.inputs),
            "suite": self.inputs.suite,
            "arch": self.inputs.arch,
            "kernel_release": releases[-1],
            "boot_files": boot_files,
            "boot_tar_size": (self.result / BOOT_TAR).stat().st_size,
            "image_size": self.inputs.image_size,
            "image_used": (self.result / IMAGE).stat().st_blocks * 512,
            "packages": packages,
            "inputs": self.inputs.as_dict(),
        }
        text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
        (self.result / MANIFEST).write_text(text, encoding="utf-8")
        return manifest

    def _bootstrap(self) -> None:
        argv = [
            "mmdebstrap",
            "--mode=root",
            "--variant=minbase",
            "--format=directory",
            f"--architectures={self.inputs.arch}",
            f"--components={','.join(self.inputs.components)}",
            f"--include={','.join(self.inputs.packages)}",
            '--aptopt=APT::Install-Recommends "false"',
            "--dpkgopt=force-unsafe-io",
            *(f"--dpkgopt={line}" for line in _DPKG_EXCLUDES.splitlines()),
            f"--essential-hook={_HOLD_BACK_INITRAMFS}",
            # What it looks for is a registration for the whole machine.
            *(["--skip=check/qemu"] if self.inside.emulated else []),
            self.inputs.suite,
            str(self.root),
        ]
        self.inside.run(argv + ([self.inputs.mirror] if self.inputs.mirror else []))

    def _remove_traces_of_bootstrap(self) -> None:
        (self.root / _UPDATE_INITRAMFS).unlink()
        self._chroot("dpkg-divert", "--local", "--rename", "--remove", f"/{_UPDATE_INITRAMFS}")
        # mmdebstrap leaves its options behind; on a running host force-unsafe-io would be a danger.
        (self.root / "etc/apt/apt.conf.d/99mmdebstrap").unlink()
        (self.root / "etc/dpkg/dpkg.cfg.d/99mmdebstrap").unlink()
        (self.root / "etc/dpkg/dpkg.cfg.d/diskless").write_text(_DPKG_EXCLUDES, encoding="utf-8")

    def _keep_packages(self) -> None:
        """Under emulation they take minutes, and most changes concern the overlay or the keys."""
        archive = self.result.parent / self.packages.name
        options = ["--xattrs", "--xattrs-include=*", "--use-compress-program=gzip -1", f"--directory={self.root}"]
        self.outside.run(["tar", "--create", f"--file={archive}", *options, "."])
        archive.chmod(0o600)
        archive.rename(self.packages)

    def _unpack(self, tarball: Path) -> None:
        options = ["--numeric-owner", "--xattrs", "--xattrs-include=*", f"--directory={self.root}"]
        self.outside.run(["tar", "--extract", f"--file={tarball}", *options])
        if not (self.root / _UPDATE_INITRAMFS).exists():
            raise BuildError(f"{tarball}: it has no /{_UPDATE_INITRAMFS}; the root needs initramfs-tools and a kernel")

    def _copy_overlay(self, overlay: Path) -> None:
        # tar, because it keeps modes and links and replaces files; owner root, whoever staged them.
        archive = self.result.parent / "overlay.tar"
        self.outside.run(
            ["tar", "--create", "--owner=0", "--group=0", f"--file={archive}", f"--directory={overlay}", "."]
        )
        options = ["--no-overwrite-dir", "--keep-directory-symlink", "--same-permissions", f"--directory={self.root}"]
        self.outside.run(["tar", "--extract", f"--file={archive}", *options])
        archive.unlink()

    def _add_authorized_keys(self) -> None:
        if not self.inputs.authorized_keys:
            return
        user = self.inputs.user
        if all(fields[0] != user for fields in self._accounts()):
            self._chroot("useradd", "--create-home", "--shell", "/bin/bash", user)
        account = next(fields for fields in self._accounts() if fields[0] == user)
        directory = self.root / account[5].lstrip("/") / ".ssh"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = directory / "authorized_keys"
        keys.write_text("".join(f"{key}\n" for key in self.inputs.authorized_keys), encoding="utf-8")
        keys.chmod(0o600)
        for path in (directory, keys):
            os.chown(path, int(account[2]), int(account[3]))

    def _make_initramfs(self) -> list[str]:
        """Build the initramfs of every kernel, the newest last, and return the kernels' releases."""
        boot = self.root / "boot"
        releases = newest_last(path.name[len("vmlinuz-") :] for path in boot.glob("vmlinuz-*"))
        if not releases:
            raise BuildError("the root has no /boot/vmlinuz-*: a kernel package is missing")
        for release in releases:
            self._chroot("update-initramfs", "-c", "-k", release)
            if not (boot / f"initrd.img-{release}").exists():
                raise BuildError(f"update-initramfs made no /boot/initrd.img-{release}")
        if self.sources.overlay and not (boot / "kernel.cfg").exists():
            raise BuildError("no hook of the overlay wrote /boot/kernel.cfg: boot loaders would find no kernel")
        return releases

    def _list_packages(self) -> dict[str, str]:
        if not (self.root / "usr/bin/dpkg-query").exists():
            return {}
        return parse_packages(self._chroot("dpkg-query", "--show"))

    def _remove_identity(self) -> None:
        """Leave nothing in the image that would make two hosts the same, or that belongs to the builder."""
        for key in (self.root / "etc/ssh").glob("ssh_host_*_key*"):
            key.unlink()
        (self.root / "etc/machine-id").write_text("", encoding="utf-8")
        dbus = self.root / "var/lib/dbus/machine-id"
        for path in (dbus, self.root / "etc/hostname", self.root / "etc/resolv.conf"):
            if path.is_symlink() or path.exists():
                path.unlink()
        (self.root / "etc/resolv.conf").symlink_to("/run/diskless/resolv.conf")
        if (self.root / "etc/shadow").exists():
            self._chroot("passwd", "--quiet", "--lock", "root")

    def _move_boot_files(self) -> list[str]:
        """Pack the files of /boot and empty it: on the host, the boot tree is mounted there."""
        boot = self.root / "boot"
        files = sorted(path for path in boot.iterdir() if stat.S_ISREG(path.lstat().st_mode))
        with tarfile.open(self.result / BOOT_TAR, "w", format=tarfile.PAX_FORMAT) as tar:
            for path in files:
                member = tar.gettarinfo(str(path), path.name)
                member.uid = member.gid = 0
                member.uname = member.gname = "root"
                with path.open("rb") as file:
                    tar.addfile(member, file)
        for path in boot.iterdir():
            _remove(path)
        return [path.name for path in files]

    def _make_image(self) -> None:
        used, wanted = _disk_usage(self.root), self.inputs.image_size
        image = self.result / IMAGE
        with image.open("wb") as file:
            file.truncate(wanted)
        try:
            # Initialised now: lazily, every host would write the same zeros into its own clone after its first boot.
            extended = "lazy_itable_init=0,lazy_journal_init=0,nodiscard"
            options = ["-F", "-L", "diskless-root", "-m", "1", "-E", extended, "-d", str(self.root)]
            self.outside.run(["mke2fs", "-q", "-t", "ext4", *options, str(image)])
        except BuildError as error:
            sizes = f"the tree takes {used >> 20} MiB, image_size is {format_size(wanted)}"
            raise BuildError(f"{error}\n({sizes})") from error

    def _accounts(self) -> list[list[str]]:
        text = (self.root / "etc/passwd").read_text(encoding="utf-8")
        return [line.split(":") for line in text.splitlines()]

    def _chroot(self, *argv: str) -> str:
        environment = [f"{key}={value}" for key, value in _CHROOT_ENVIRONMENT.items()]
        return self.inside.run(["chroot", str(self.root), "/usr/bin/env", "-i", *environment, *argv], argv[0])


def _disk_usage(root: Path) -> int:
    """Return the bytes that the blocks below a directory take, hard links counted once."""
    seen: dict[int, int] = {}
    for directory, _subdirectories, files in os.walk(root):
        for path in [Path(directory), *(Path(directory) / name for name in files)]:
            status = path.lstat()
            seen[status.st_ino] = status.st_blocks * 512
    return sum(seen.values())
