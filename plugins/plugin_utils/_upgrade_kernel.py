# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which kernel a host gets and how, and may it boot it? No I/O.

A host makes the newest kernel in its /boot the one that boots (update-kernel-cfg of the role initramfs). So another one
than the newest is never announced here: what came later leaves the boot tree with M(diskless.ceph.boot_tree_version).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# Names of kept versions. What comes after them is a time that sorts.
BEFORE = "before-kernel-"
AFTER = "after-kernel-"

_KERNEL = re.compile(r"vmlinuz-(.+)")
_IMAGE = re.compile(r"linux-image-(?:unsigned-)?(\d.*)")
_META = re.compile(r"linux-image-(?!\d)(?!unsigned-\d)(?!.*-dbg$)\S+")
_INSTALLED = re.compile(r"^ii\s*\|(\S+)\|", re.MULTILINE)
_TO_INSTALL = re.compile(r"^Inst (\S+)", re.MULTILINE)
_NUMBERS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Plan:
    """What is to be done for one host.

    action: C(install) packages; C(announce) what is in the boot tree by the host's hook; C(restore) a kept version;
        C(boot) what is announced already; or C(none).
    version: the kernel that is to run then; None if only the installation will tell.
    restore: name of the kept version.
    obsolete: kept versions that are removed once the host runs the new kernel.
    notes: what is worth knowing and stops nothing.
    """

    action: str = "none"
    version: str | None = None
    restore: str | None = None
    obsolete: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The plan in the types of JSON."""
        found = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


@dataclass(frozen=True)
class Tree:
    """What boot_tree_version_info says of a host.

    announced: the version that boots next. versions: those with kernel and initramfs, oldest first.
    kept: for each kept version the kernel that it boots, and whether the tree boots exactly that.
    """

    announced: str | None
    versions: tuple[str, ...]
    kept: Mapping[str, tuple[str | None, bool]] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Tree:
        """Raises KeyError for anything else."""
        files = set(told["files"])
        there = (_version(name) for name in files)
        bootable = [version for version in there if version and f"initrd.img-{version}" in files]
        kept = {name: (_version(one["kernel"]), bool(one["current"])) for name, one in told["versions"].items()}
        return cls(_version(told["kernel"]), tuple(sorted(bootable, key=version_key)), kept)

    def keeps(self, prefix: str) -> list[str]:
        """Names of kept versions that begin so, newest first."""
        return sorted((name for name in self.kept if name.startswith(prefix)), reverse=True)


def version_key(version: str) -> list[tuple[int, str]]:
    """What versions are sorted by, as C(sort -V) does for those of kernels."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _NUMBERS.split(version) if part]


def packages(installed: str, asked: Sequence[str]) -> list[str]:
    """Return the packages that bring a new kernel.

    installed: lines C(STATUS|PACKAGE|VERSION) of dpkg-query.
    asked: those that the user names; otherwise it is the meta packages, or without any the kernels themselves.
    """
    if asked:
        return list(asked)
    names = _INSTALLED.findall(installed)
    return [name for name in names if _META.fullmatch(name)] or [name for name in names if _IMAGE.fullmatch(name)]


def plan(evidence: Mapping[str, Any]) -> Plan:
    """Plan for one host.

    evidence: C(host) its name; C(state); C(version) that the user names, or an empty text; C(tree), of
        boot_tree_version_info, or None without a boot tree; C(running), its kernel, or None if it does not answer;
        C(asked), packages that the user names; C(installed), lines of dpkg-query; C(packages) that would be installed;
        C(simulated), what C(apt-get --simulate install) of them says, None if it failed, and then C(error).
    Raises KeyError or TypeError when it is something else.
    """
    if evidence["tree"] is None:
        remedy = "Run the site playbook."
        return Plan(problems=(f"{evidence['host']} has no boot tree on its boot server. {remedy}",))
    tree = Tree.of(evidence["tree"])
    running = evidence["running"]
    if evidence["state"] == "rollback":
        return _rollback(evidence, tree, running)
    if evidence["version"]:
        return _named(evidence["host"], tree, evidence["version"], running)
    return _install(evidence, tree, running)


def _install(evidence: Mapping[str, Any], tree: Tree, running: str | None) -> Plan:
    if running is None:
        return Plan()  # the pre-flight of the reboot says that it does not answer
    host = evidence["host"]
    if not evidence["packages"]:
        return Plan(
            problems=(
                f"{host} has no package linux-image-… of which there could be a newer one. Name one:"
                " -e upgrade_kernel_package=PACKAGE",
            )
        )
    if evidence["simulated"] is None:
        return Plan(problems=(f"{host}: apt cannot install {', '.join(evidence['packages'])}: {evidence['error']}",))
    coming = _images(_TO_INSTALL.findall(evidence["simulated"]))
    if not coming:
        return _nothing_new(evidence, tree, running)
    newest = max(coming, key=version_key)
    if tree.versions and version_key(newest) < version_key(tree.versions[-1]):
        return Plan(problems=(_older(host, newest, tree.versions[-1]),))
    return Plan("install", newest, obsolete=(*tree.keeps(BEFORE), *tree.keeps(AFTER)))


def _nothing_new(evidence: Mapping[str, Any], tree: Tree, running: str) -> Plan:
    if tree.announced and tree.announced != running:
        return _boot(tree, tree.announced, running)
    notes = [
        f"linux-image-{version} is installed and not in the boot tree, as after a rollback."
        f" To boot it: -e upgrade_kernel_version={version}"
        for version in _images(_INSTALLED.findall(evidence["installed"]))
        if version not in tree.versions and version_key(version) > version_key(running)
    ]
    return Plan("none", running, notes=tuple(notes))


def _images(names: Iterable[str]) -> list[str]:
    """Return the versions of those packages that are kernels."""
    return [found.group(1) for found in map(_IMAGE.fullmatch, names) if found]


def _named(host: str, tree: Tree, version: str, running: str | None) -> Plan:
    if tree.announced == version:
        return Plan("none", version) if running == version else _boot(tree, version, running)
    if tree.versions and tree.versions[-1] == version:
        return Plan("announce", version)
    kept = [name for name in sorted(tree.kept, reverse=True) if tree.kept[name][0] == version]
    if kept:
        return Plan("restore", version, restore=kept[0])
    if version in tree.versions:
        return Plan(problems=(_older(host, version, tree.versions[-1]),))
    there = [*tree.versions, *(f"{kernel} (kept as {name})" for name, (kernel, dummy) in sorted(tree.kept.items()))]
    return Plan(
        problems=(
            f"{host}: upgrade_kernel_version is {version}, which is not in its boot tree with an initramfs; there"
            f" {'are' if len(there) > 1 else 'is'} {', '.join(there) or 'none'}. To install it:"
            f" -e upgrade_kernel_package=linux-image-{version}",
        )
    )


def _rollback(evidence: Mapping[str, Any], tree: Tree, running: str | None) -> Plan:
    host = evidence["host"]
    if evidence["version"] or evidence["asked"]:
        said = "a rollback boots what was kept before the last upgrade; leave out upgrade_kernel_version and _package"
        return Plan(problems=(f"{host}: {said}",))
    kept = tree.keeps(BEFORE)
    if not kept:
        others = f" It keeps {', '.join(sorted(tree.kept))}." if tree.kept else ""
        return Plan(
            problems=(
                f"{host} has nothing to roll back to: its boot tree keeps no version {BEFORE}TIME, which upgrade_kernel"
                f" makes.{others} On a host that runs, apt-get remove linux-image-VERSION of the newer kernel makes the"
                " one before it boot.",
            )
        )
    kernel, current = tree.kept[kept[0]]
    if current:
        return Plan("none" if running == kernel else "boot", kernel)
    return Plan("restore", kernel, restore=kept[0])


def _boot(tree: Tree, version: str, running: str | None) -> Plan:
    kept = tree.keeps(BEFORE)
    if kept and tree.kept[kept[0]][0] == running:
        return Plan("boot", version)
    note = f"Kernel {version} was announced before this run, so no version is kept to roll back to {running} with."
    return Plan("boot", version, notes=(note,))


def _older(host: str, version: str, newest: str) -> str:
    return (
        f"{host}: kernel {version} is older than {newest} in its boot tree, and the host announces the newest. Remove"
        f" that one first: apt-get remove linux-image-{newest}"
    )


def judge(evidence: Mapping[str, Any]) -> list[str]:
    """Return what speaks against booting the announced kernel, each with what to do where that is known.

    evidence: C(host), C(version); C(initramfs) of initramfs_info; C(boot), by boot server what boot_tree_info says;
        C(ceph), of host_storage_info for this kernel. Each may be None if it was not asked.
    """
    host, version = evidence["host"], evidence["version"]
    found = [] if evidence["initramfs"] is None else _initramfs_problems(host, evidence["initramfs"])
    if evidence["boot"] is not None:
        if not evidence["boot"]:
            found.append(f"{host}: no boot server was asked for its boot tree; expected one in the group boot_servers")
        for server, told in sorted(evidence["boot"].items()):
            found += [f"{server}: {problem}" for problem in _tree_problems(host, version, told)]
    return found + ([] if evidence["ceph"] is None else _image_problems(host, version, evidence["ceph"]))


def _image_problems(host: str, version: str, ceph: Mapping[str, Any]) -> list[str]:
    image = ((ceph.get("hosts") or {}).get(host) or {}).get("image") or {}
    if not ceph.get("reached") or image.get("problems") is None:
        why = ceph.get("error") or ceph.get("msg") or "no answer"
        return [f"{host}: not known whether kernel {version} can map its root image: {why}"]
    return [f"{host}: kernel {version} and its root image: {problem}" for problem in image["problems"]]


def _initramfs_problems(host: str, initramfs: Mapping[str, Any]) -> list[str]:
    if "problems" not in initramfs:
        return [f"{host}: its initramfs could not be looked at: {initramfs.get('msg') or 'no answer'}"]
    return [f"{host}: {one['file']} {one['problem']}. {one['remedy']}" for one in initramfs["problems"]]


def _tree_problems(host: str, version: str, told: Mapping[str, Any]) -> list[str]:
    tree = (told.get("hosts") or {}).get(host)
    if not tree or tree.get("exists") is None:
        return [f"the boot tree of {host} could not be looked at: {told.get('msg') or 'no answer'}"]
    found = [
        f"the boot tree of {host} boots {tree[what] or 'nothing'}; expected {name}"
        for what, name in (("kernel", f"vmlinuz-{version}"), ("initrd", f"initrd.img-{version}"))
        if tree[what] != name
    ]
    return found + [f"boot tree of {host}: {one['file']} {one['problem']}" for one in tree["problems"]]


def _version(kernel: str | None) -> str | None:
    found = _KERNEL.fullmatch(kernel or "")
    return found.group(1) if found else None
