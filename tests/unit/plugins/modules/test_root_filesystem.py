# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""root_filesystem: what its name depends on, and what a build does, with programs that only pretend."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils import _root_filesystem_build
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem import (
    BuildError,
    Inputs,
    golden_name,
    last_lines,
    newest_last,
    parse_packages,
    tree_sha256,
)
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem_build import (
    Sources,
    build,
    read_manifest,
)
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem_emulation import Surroundings
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem_programs import Programs
from ansible_collections.diskless.ceph.plugins.modules.root_filesystem import diff, read_inputs

INPUTS = Inputs(
    suite="bookworm",
    arch="amd64",
    packages=("linux-image-amd64", "systemd"),
    components=("main",),
    mirror="",
    tarball_sha256="",
    overlay_sha256="",
    user="root",
    authorized_keys=("ssh-ed25519 AAAA admin",),
    image_size=64 << 20,
    refresh="",
)

PARAMS: dict[str, Any] = {
    "suite": "bookworm",
    "arch": "amd64",
    "packages": ["systemd", "udev"],
    "components": ["main"],
    "mirror": "",
    "user": "root",
    "authorized_keys": [],
    "image_size": "2GiB",
    "refresh": "",
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("suite", "trixie"),
        ("arch", "arm64"),
        ("packages", ("systemd",)),
        ("components", ("main", "contrib")),
        ("mirror", "copy:///srv/mirror"),
        ("tarball_sha256", "0" * 64),
        ("overlay_sha256", "0" * 64),
        ("user", "admin"),
        ("authorized_keys", ()),
        ("image_size", 1 << 30),
        ("refresh", "2026-11"),
        ("recipe", 999),
    ],
)
def test_every_input_changes_the_name(field: str, value: Any) -> None:
    changed = replace(INPUTS, **{field: value})
    assert golden_name(changed).startswith(f"golden-{changed.suite}-{changed.arch}-")
    assert golden_name(changed) != golden_name(INPUTS)


def test_the_cases_above_are_all_inputs() -> None:
    cases = test_every_input_changes_the_name.pytestmark[0].args[1]
    assert {field for field, _change in cases} == set(INPUTS.as_dict())


def test_order_of_packages_does_not_matter() -> None:
    one, other = ({**PARAMS, "packages": names} for names in (["a", "b"], ["b", "a", "a"]))
    assert read_inputs(one, Sources(None, None)) == read_inputs(other, Sources(None, None))


def test_packages_do_not_matter_with_a_tarball(tmp_path: Path) -> None:
    tarball = tmp_path / "root.tar"
    tarball.write_text("one", encoding="utf-8")
    first = read_inputs(PARAMS, Sources(tarball, None))
    assert read_inputs({**PARAMS, "packages": []}, Sources(tarball, None)) == first
    tarball.write_text("two", encoding="utf-8")
    assert read_inputs(PARAMS, Sources(tarball, None)) != first


def test_missing_overlay_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"overlay {tmp_path}/no is not a directory on the builder"):
        read_inputs(PARAMS, Sources(None, tmp_path / "no"))


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    tree = tmp_path / "overlay"
    (tree / "etc").mkdir(parents=True)
    (tree / "etc/fstab").write_text("root\n", encoding="utf-8")
    (tree / "etc/link").symlink_to("fstab")
    return tree


def test_overlay_sum_depends_on_contents_modes_and_links(tree: Path) -> None:
    sums = [tree_sha256(tree)]
    os.utime(tree / "etc/fstab", (0, 0))
    assert tree_sha256(tree) == sums[0]
    (tree / "etc/fstab").chmod(0o600)
    sums.append(tree_sha256(tree))
    (tree / "etc/fstab").write_text("other\n", encoding="utf-8")
    sums.append(tree_sha256(tree))
    (tree / "etc/link").unlink()
    (tree / "etc/link").symlink_to("passwd")
    sums.append(tree_sha256(tree))
    (tree / "etc/empty").mkdir()
    sums.append(tree_sha256(tree))
    assert len(set(sums)) == len(sums)


def test_overlay_with_a_fifo_is_refused(tree: Path) -> None:
    os.mkfifo(tree / "etc/fifo")
    with pytest.raises(ValueError, match="etc/fifo: the overlay may hold directories, files and symbolic links only"):
        tree_sha256(tree)


def test_kernels_are_sorted_by_number() -> None:
    assert newest_last(["6.1.0-10-amd64", "6.1.0-9-amd64", "5.10.0-30-amd64", "6.12.1+deb13-amd64"]) == [
        "5.10.0-30-amd64",
        "6.1.0-9-amd64",
        "6.1.0-10-amd64",
        "6.12.1+deb13-amd64",
    ]


def test_packages_are_parsed() -> None:
    assert parse_packages("systemd\t252.39-1~deb12u1\nlibc6:amd64\t2.36-9\n") == {
        "systemd": "252.39-1~deb12u1",
        "libc6:amd64": "2.36-9",
    }


def test_last_lines_are_the_end() -> None:
    assert last_lines("1\n2\n3\n", 2) == "2\n3"


def test_diff_of_a_missing_build_shows_its_inputs() -> None:
    shown = diff("golden", INPUTS, cached=False)
    assert shown["before"] == {"name": "golden", "state": "absent"}
    assert shown["after"]["inputs"]["packages"] == ["linux-image-amd64", "systemd"]


def test_diff_of_a_cached_build_is_empty() -> None:
    shown = diff("golden", INPUTS, cached=True)
    assert shown["before"] == shown["after"]


class Builder:
    """A builder whose programs note how they are called, and do the least that a build needs."""

    MMDEBSTRAP = """\
for root do case $root in */root) break ;; esac; done
mkdir -p "$root/boot/sub" "$root/etc/ssh" "$root/etc/apt/apt.conf.d" "$root/etc/dpkg/dpkg.cfg.d" "$root/usr/sbin"
mkdir -p "$root/usr/bin" "$root/var/lib/dbus"
echo kernel > "$root/boot/vmlinuz-6.1.0-10-amd64"
ln -s vmlinuz-6.1.0-10-amd64 "$root/boot/vmlinuz"
echo "root:x:$(id -u):$(id -g)::/root:/bin/sh" > "$root/etc/passwd"
for file in etc/shadow etc/hostname etc/resolv.conf etc/ssh/ssh_host_rsa_key etc/ssh/ssh_host_rsa_key.pub; do
  echo builder > "$root/$file"
done
echo 0123 > "$root/etc/machine-id"
ln -s /etc/machine-id "$root/var/lib/dbus/machine-id"
touch "$root/etc/apt/apt.conf.d/99mmdebstrap" "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$root/usr/bin/dpkg-query"
touch "$root/usr/sbin/update-initramfs"
"""
    CHROOT = """\
root=$1
shift 3
while case $1 in *=*) ;; *) false ;; esac; do shift; done
echo "$*" >> "$LOG"
case $1 in
  dpkg-divert) touch "$root/usr/sbin/update-initramfs" ;;
  update-initramfs)
    [ ! -e "$root/etc/overlay" ] || echo "set kernel=vmlinuz-$4" > "$root/boot/kernel.cfg"
    echo initramfs > "$root/boot/initrd.img-$4" ;;
  dpkg-query) printf 'systemd\\t252\\n' ;;
esac
"""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.programs = path / "programs"
        self.programs.mkdir()
        self.log = path / "log"
        self.log.touch()
        self.cache = path / "cache"
        self.overlay = path / "overlay"
        (self.overlay / "etc").mkdir(parents=True)
        (self.overlay / "etc/overlay").write_text("", encoding="utf-8")
        self.program("mmdebstrap", self.MMDEBSTRAP)
        self.program("chroot", self.CHROOT)
        self.program("mke2fs", 'cp -a "$(dirname "$0")/../cache/"/.build-*/root "$(dirname "$LOG")/tree"\n')
        monkeypatch.setenv("PATH", f"{self.programs}:{os.environ['PATH']}")
        monkeypatch.setenv("LOG", str(self.log))

    def program(self, name: str, script: str) -> None:
        """Put a program in front of the real ones."""
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> "$LOG"\n{script}', encoding="utf-8")
        path.chmod(0o755)

    def calls(self, word: str) -> list[str]:
        """Return the calls that begin with a word."""
        return [line for line in self.log.read_text(encoding="utf-8").splitlines() if line.startswith(word)]

    def build(self, inputs: Inputs = INPUTS, tarball: Path | None = None, timeout: int = 60) -> dict[str, Any]:
        """Build."""
        return build(inputs, Sources(tarball, self.overlay), self.cache, timeout)

    def left_over(self) -> list[str]:
        """Return what is in the cache besides its lock, the log of the last build, and packages."""
        names = {path.name for path in self.cache.iterdir()} - {".lock", "build.log"}
        return sorted(name for name in names if not name.startswith("packages-"))


@pytest.fixture(name="builder")
def _builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    return Builder(tmp_path, monkeypatch)


def test_build_appears_complete(builder: Builder) -> None:
    manifest = builder.build()
    assert builder.left_over() == [golden_name(INPUTS)]
    assert read_manifest(builder.cache, golden_name(INPUTS)) == manifest
    assert manifest["kernel_release"] == "6.1.0-10-amd64"
    assert manifest["packages"] == {"systemd": "252"}
    assert (builder.cache / golden_name(INPUTS) / "root.ext4").stat().st_size == INPUTS.image_size


@pytest.mark.parametrize(
    ("field", "value", "again"),
    [
        ("authorized_keys", ("ssh-ed25519 BBBB other",), False),
        ("image_size", 65 << 20, False),
        ("overlay_sha256", "1" * 64, False),
        ("packages", ("linux-image-amd64",), True),
        ("components", ("main", "contrib"), True),
        ("mirror", "copy:///srv/mirror", True),
        ("refresh", "2026-11", True),
        ("suite", "trixie", True),
        ("recipe", 999, True),
    ],
)
def test_packages_are_installed_again_only_when_they_may_be_others(
    builder: Builder, tmp_path: Path, field: str, value: Any, again: bool
) -> None:
    builder.build()
    shutil.rmtree(tmp_path / "tree")
    builder.build(replace(INPUTS, **{field: value}))
    assert len(builder.calls("mmdebstrap")) == 1 + again


def test_image_from_kept_packages_is_like_the_first(builder: Builder, tmp_path: Path) -> None:
    first = builder.build()
    shutil.move(tmp_path / "tree", tmp_path / "first")
    second = builder.build(replace(INPUTS, authorized_keys=("ssh-ed25519 BBBB other",)))
    assert second["boot_files"] == first["boot_files"]
    difference = subprocess.run(
        ["diff", "-r", "--no-dereference", "first", "tree"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert [line for line in difference.stdout.splitlines() if line[0] in "<>O"] == [
        "< ssh-ed25519 AAAA admin",
        "> ssh-ed25519 BBBB other",
    ]
    packages = next(builder.cache.glob("packages-bookworm-amd64-*.tar.gz"))
    assert packages.stat().st_mode & 0o077 == 0


def test_packages_that_could_not_be_packed_are_not_kept(builder: Builder) -> None:
    builder.program("gzip", "exit 1\n")
    with pytest.raises(BuildError, match="tar ended with status 2"):
        builder.build()
    assert not list(builder.cache.glob("packages-*"))


def test_root_of_another_architecture_is_made_where_its_programs_run(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that runs programs of the root, and nothing else."""

    @contextmanager
    def elsewhere(arch: str, work: Path, outside: Programs) -> Iterator[Surroundings]:
        assert (arch, work.is_absolute()) == ("arm64", True)
        yield Surroundings(outside, emulated=True, prefix=("enter", "--"))

    monkeypatch.setattr(_root_filesystem_build, "surroundings", elsewhere)
    builder.program("enter", 'shift\nexec "$@"\n')
    builder.program("mount", ":\n")
    builder.build(replace(INPUTS, arch="arm64"))
    entered = [call.split()[2] for call in builder.calls("enter")]
    assert entered[:2] == ["mmdebstrap", "sh"]  # the latter makes device nodes
    assert set(entered[2:]) == {"chroot"}
    assert len(entered[2:]) == len(builder.calls("chroot"))
    assert "--architectures=arm64" in builder.calls("mmdebstrap")[0]
    # Its own check looks for a registration for the whole machine.
    assert "--skip=check/qemu" in builder.calls("mmdebstrap")[0]


def test_root_of_the_builders_architecture_is_checked_by_mmdebstrap(builder: Builder) -> None:
    builder.build()
    assert "--skip" not in builder.calls("mmdebstrap")[0]


def test_log_shows_how_far_a_build_is(builder: Builder) -> None:
    builder.program("mmdebstrap", builder.MMDEBSTRAP + "echo 'I: installing' >&2\n")
    builder.build()
    log = builder.cache / "build.log"
    assert re.match(r"# \d\d:\d\d:\d\d mmdebstrap\nI: installing\n# \d\d:\d\d:\d\d dpkg-divert\n", log.read_text())
    assert log.stat().st_mode & 0o077 == 0


def test_other_boot_loaders_hooks_are_told_to_wait(builder: Builder) -> None:
    """That of raspi-firmware fails where it cannot tell that it runs in a chroot."""
    builder.program("chroot", 'echo "$*" >>"$LOG"\n' + builder.CHROOT)
    builder.build()
    assert "INITRAMFS_TOOLS_KERNEL_HOOK=1" in next(call for call in builder.calls("") if "update-initramfs -c" in call)


def test_initramfs_is_built_once_with_the_overlay_in_place(builder: Builder) -> None:
    builder.build()
    assert builder.calls("update-initramfs") == ["update-initramfs -c -k 6.1.0-10-amd64"]
    assert "kernel.cfg" in read_manifest(builder.cache, golden_name(INPUTS))["boot_files"]  # type: ignore[index]


def test_boot_files_go_to_the_tar_and_nothing_else(builder: Builder, tmp_path: Path) -> None:
    builder.build()
    with tarfile.open(builder.cache / golden_name(INPUTS) / "boot.tar") as tar:
        members = tar.getmembers()
    assert [member.name for member in members] == ["initrd.img-6.1.0-10-amd64", "kernel.cfg", "vmlinuz-6.1.0-10-amd64"]
    assert all(member.isreg() and member.uid == 0 for member in members)
    assert list((tmp_path / "tree/boot").iterdir()) == []


def test_image_has_no_identity(builder: Builder, tmp_path: Path) -> None:
    builder.build()
    tree = tmp_path / "tree"
    assert list((tree / "etc/ssh").iterdir()) == []
    assert (tree / "etc/machine-id").read_text(encoding="utf-8") == ""
    assert not (tree / "var/lib/dbus/machine-id").is_symlink()
    assert not (tree / "etc/hostname").exists()
    assert (tree / "etc/resolv.conf").readlink() == Path("/run/diskless/resolv.conf")
    assert builder.calls("passwd") == ["passwd --quiet --lock root"]
    assert (tree / "root/.ssh/authorized_keys").read_text(encoding="utf-8") == "ssh-ed25519 AAAA admin\n"


def test_unsafe_options_of_the_build_do_not_stay_in_the_image(builder: Builder, tmp_path: Path) -> None:
    builder.build()
    assert [path.name for path in (tmp_path / "tree/etc/dpkg/dpkg.cfg.d").iterdir()] == ["diskless"]
    assert list((tmp_path / "tree/etc/apt/apt.conf.d").iterdir()) == []


def test_user_is_created(builder: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    account = f"echo admin:x:{os.getuid()}:{os.getgid()}::/home/admin:/bin/sh >> $root/etc/passwd"
    builder.program("chroot", builder.CHROOT.replace("esac\n", f"  useradd) {account} ;;\nesac\n"))
    builder.build(replace(INPUTS, user="admin"))
    assert builder.calls("useradd") == ["useradd --create-home --shell /bin/bash admin"]


def test_mirror_is_handed_on_only_when_given(builder: Builder) -> None:
    builder.program("mmdebstrap", "exit 1\n")
    for mirror in ("", "copy:///srv/mirror"):
        with pytest.raises(BuildError):
            builder.build(replace(INPUTS, mirror=mirror))
    assert [call.split()[-1].split("/")[-1] for call in builder.calls("mmdebstrap")] == ["root", "mirror"]


def test_failure_shows_what_mmdebstrap_said_last_and_leaves_nothing(builder: Builder) -> None:
    builder.program("mmdebstrap", "seq 100 >&2; echo 'E: Unable to locate package nonsense' >&2; exit 25\n")
    with pytest.raises(BuildError) as caught:
        builder.build()
    assert str(caught.value).startswith("mmdebstrap ended with status 25:\n87\n")
    assert str(caught.value).endswith("\nE: Unable to locate package nonsense")
    assert builder.left_over() == []


def test_failure_in_the_root_names_the_program(builder: Builder) -> None:
    builder.program("chroot", "echo 'no space left' >&2; exit 1\n")
    with pytest.raises(BuildError, match=r"^dpkg-divert ended with status 1:\nno space left$"):
        builder.build()


def test_step_that_hangs_is_ended(builder: Builder) -> None:
    builder.program("mmdebstrap", "sleep 60 & wait\n")
    start = time.monotonic()
    with pytest.raises(BuildError, match="mmdebstrap did not end within 1 s"):
        builder.build(timeout=1)
    assert time.monotonic() - start < 30
    assert builder.left_over() == []


def test_missing_program_is_named(builder: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    (builder.programs / "mmdebstrap").unlink()
    (builder.programs / "rm").symlink_to(shutil.which("rm") or "")
    monkeypatch.setenv("PATH", str(builder.programs))
    with pytest.raises(BuildError, match="mmdebstrap: not found on the builder; install it"):
        builder.build()


def test_tree_that_does_not_fit_shows_both_sizes(builder: Builder) -> None:
    builder.program("mke2fs", "echo 'Could not allocate block in ext2 filesystem' >&2; exit 1\n")
    with pytest.raises(
        BuildError, match=r"Could not allocate block.*\n\(the tree takes \d+ MiB, image_size is 64MiB\)"
    ):
        builder.build()


def test_root_without_kernel_is_refused(builder: Builder) -> None:
    builder.program("mmdebstrap", builder.MMDEBSTRAP + 'rm "$root"/boot/vmlinuz*\n')
    with pytest.raises(BuildError, match="a kernel package is missing"):
        builder.build()


def test_initramfs_that_was_not_written_is_noticed(builder: Builder) -> None:
    builder.program("chroot", builder.CHROOT.replace("initrd.img-$4", "other"))
    with pytest.raises(BuildError, match="update-initramfs made no /boot/initrd"):
        builder.build()


def test_overlay_without_hook_is_noticed(builder: Builder) -> None:
    (builder.overlay / "etc/overlay").unlink()
    with pytest.raises(BuildError, match="no hook of the overlay wrote /boot/kernel"):
        builder.build()


def test_tarball_is_used_instead_of_packages(builder: Builder, tmp_path: Path) -> None:
    root = tmp_path / "own"
    for name in ("boot/vmlinuz-1.2", "usr/sbin/update-initramfs", "etc/ssh/moduli"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("", encoding="utf-8")
    tarball = tmp_path / "own.tar"
    with tarfile.open(tarball, "w") as tar:
        tar.add(root, ".")
    manifest = builder.build(replace(INPUTS, authorized_keys=()), tarball)
    assert manifest["kernel_release"] == "1.2"
    assert builder.calls("mmdebstrap") == []


def test_tarball_without_initramfs_tools_is_refused(builder: Builder, tmp_path: Path) -> None:
    tarball = tmp_path / "own.tar"
    with tarfile.open(tarball, "w") as tar:
        tar.add(builder.overlay, ".")
    with pytest.raises(BuildError, match="it has no /usr/sbin/update-initramfs"):
        builder.build(tarball=tarball)


def test_rest_of_a_dead_build_is_removed(builder: Builder) -> None:
    (builder.cache / ".build-dead/root").mkdir(parents=True)
    builder.build()
    assert builder.left_over() == [golden_name(INPUTS)]


def test_earlier_results_stay(builder: Builder) -> None:
    builder.build()
    other = replace(INPUTS, refresh="again")
    shutil.rmtree(builder.cache.parent / "tree")
    builder.build(other)
    assert builder.left_over() == sorted([golden_name(INPUTS), golden_name(other)])


def test_two_builds_do_not_run_at_once(builder: Builder) -> None:
    builder.cache.mkdir()
    with (builder.cache / ".lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        with pytest.raises(BuildError, match=r"another build is running in .* for the 1 s of timeout"):
            builder.build(timeout=1)


def test_build_that_another_has_done_meanwhile_is_not_done_again(builder: Builder) -> None:
    builder.cache.mkdir()
    lock = (builder.cache / ".lock").open("w", encoding="utf-8")
    fcntl.flock(lock, fcntl.LOCK_EX)

    def end_of_the_other() -> None:
        made = builder.cache / golden_name(INPUTS)
        made.mkdir()
        (made / "manifest.json").write_text('{"kernel_release": "of the other"}', encoding="utf-8")
        lock.close()

    other = threading.Timer(0.5, end_of_the_other)
    other.start()
    assert builder.build()["kernel_release"] == "of the other"
    other.join()
    assert builder.calls("mmdebstrap") == []


def test_too_little_space_is_noticed_before_anything_starts(builder: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5 << 20))
    with pytest.raises(BuildError, match=r"needs 128MiB of free space \(twice image_size\), but only 5 MiB are free"):
        builder.build()
    assert builder.calls("mmdebstrap") == []
