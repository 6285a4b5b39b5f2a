# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Is everything in the boot tree that the loader fetches, and does it belong together?"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..evidence import Evidence, NotKnown
from ..verdict import CERTAIN, PROBABLE, Finding, Fine, Rule

HOST_CPIO = "host.cpio"
_LOADS = ("loader", "kernel")
# kernel.cfg is what GRUB reads, kernel.txt what the firmware of a Raspberry Pi reads.
_NAMING = {"grub": "kernel.cfg", "pi": "kernel.txt"}
_CONFIGURATION = ("grub.cfg", "kernel.cfg", "config.txt", "cmdline.txt", "kernel.txt")
# Files that the site playbook writes whatever they are now.
_OURS = ("grub.cfg: ", "config.txt: ", "cmdline.txt: ", f"{HOST_CPIO}: ")
_VERSION = re.compile(r"(?:vmlinuz|vmlinux|initrd\.img|initramfs)-(.+)")


def tree(evidence: Evidence) -> Finding | Fine:
    """The directory itself."""
    if evidence.need(bool, "boot", "exists"):
        return Fine("the boot tree is there")
    return Finding(
        "tree-missing",
        "The boot server has no boot tree for the host.",
        (f"no directory {evidence.name} among the boot trees",),
        "Run the site playbook, which makes it from the golden image.",
        evidence.commands.site,
        CERTAIN,
    )


def whole_files(evidence: Evidence) -> Finding | Fine:
    """The transfer of a file without content succeeds as well, and that of half a file, too."""
    files = _files(evidence)
    empty = [str(file["path"]) for file in files if file["size"] == 0]
    booted = [evidence.get(str, "boot", what) for what in ("kernel", "initrd")]
    there = [str(file["path"]) for file in files]
    problems = _problems(evidence, lambda file: file in empty or (file in booted and file in there))
    problems += [f"{name}: 0 bytes" for name in empty if not any(one.startswith(f"{name}: ") for one in problems)]
    if not problems:
        return Fine(f"{len(files)} files, none of them empty")
    return Finding(
        "file-damaged",
        "A file that the loader fetches is empty, truncated or cannot be read.",
        tuple(problems),
        "The site playbook writes its own files again. Kernel and initramfs are the host's own: name the ones before "
        f"in {_naming(evidence)}. Without {_naming(evidence)} the site playbook seeds the tree with those of the "
        "golden image.",
        evidence.commands.seed_again(_naming(evidence))
        if any(not problem.startswith(_OURS) for problem in problems)
        else evidence.commands.site,
        CERTAIN,
    )


def named_files(evidence: Evidence) -> Finding | Fine:
    """What the loader is told to fetch."""
    there = {str(file["path"]) for file in _files(evidence)}
    kernel, initrd = (evidence.need(str, "boot", what) for what in ("kernel", "initrd"))
    missing = [f"{what} {name}" for what, name in (("kernel", kernel), ("initramfs", initrd)) if name not in there]
    if not missing:
        return Fine(f"{kernel} and {initrd} are there")
    kept = sorted(name for name in there if _VERSION.fullmatch(name))
    return Finding(
        "named-file-missing",
        f"{_naming(evidence)} in the boot tree names a file that is not there.",
        (*(f"{_naming(evidence)} names {name}" for name in missing), f"there are: {', '.join(kept) or 'none'}"),
        f"Bring the file back, or name in {_naming(evidence)} a kernel and an initramfs that are there. Without "
        f"{_naming(evidence)} the site playbook seeds the tree with those of the golden image.",
        evidence.commands.seed_again(_naming(evidence)),
        CERTAIN,
        ("tree-missing",),
    )


def matching_versions(evidence: Evidence) -> Finding | Fine:
    """An initramfs has the modules of one kernel; another kernel finds neither its network card nor rbd."""
    kernel, initrd = (evidence.need(str, "boot", what) for what in ("kernel", "initrd"))
    versions = [match[1] if (match := _VERSION.fullmatch(name)) else None for name in (kernel, initrd)]
    if None in versions:
        raise NotKnown(f"the names {kernel} and {initrd} tell no versions")
    if versions[0] == versions[1]:
        return Fine(f"both are of {versions[0]}")
    return Finding(
        "versions-differ",
        "Kernel and initramfs are of different versions: the kernel has no modules for its network card and for RBD.",
        (f"{_naming(evidence)} names {kernel} and {initrd}",),
        f"Name in {_naming(evidence)} two that belong together; on a host that runs, update-initramfs does it.",
        evidence.commands.on_boot_server("ls", "-l", evidence.commands.boot_tree),
        PROBABLE,
    )


def host_cpio(evidence: Evidence) -> Finding | Fine:
    """Who the host is, and its key."""
    files = {str(file["path"]) for file in _files(evidence)}
    problems = _problems(evidence, lambda file: file == HOST_CPIO)
    if HOST_CPIO not in files and not problems:
        problems = [f"{HOST_CPIO}: missing"]
    if not problems:
        evidence.need(dict, "boot", "host_conf")
        return Fine("it is whole, and has host.conf and a key")
    return Finding(
        "host-cpio-broken",
        "host.cpio, which tells the host who it is, is missing, damaged or incomplete.",
        tuple(problems),
        "Run the site playbook, which writes it again.",
        evidence.commands.site,
        CERTAIN,
        ("tree-missing",),
    )


def loader_configuration(evidence: Evidence) -> Finding | Fine:
    """What tells the loader what to do."""
    _files(evidence)
    problems = _problems(evidence, lambda file: file in _CONFIGURATION)
    if not problems:
        return Fine("the loader is told what the inventory and the host say")
    return Finding(
        "loader-configuration-wrong",
        "The configuration of the loader is missing or wrong.",
        tuple(problems),
        f"Run the site playbook, which writes its own files again. {_naming(evidence)} is the host's own: correct it. "
        "Without it the site playbook seeds the tree with kernel and initramfs of the golden image.",
        evidence.commands.seed_again(_naming(evidence))
        if any(problem.startswith(f"{_naming(evidence)}: ") for problem in problems)
        else evidence.commands.site,
        CERTAIN,
        ("tree-missing", "file-damaged", "named-file-missing", "versions-differ"),
    )


def other_files(evidence: Evidence) -> Finding | Fine:
    """Whatever else the boot server finds wrong."""
    booted = [evidence.get(str, "boot", what) for what in ("kernel", "initrd")]
    empty = [str(file["path"]) for file in _files(evidence) if file["size"] == 0]
    told = (HOST_CPIO, *_CONFIGURATION, *booted, *empty)
    problems = _problems(evidence, lambda file: file not in told)
    if not problems:
        return Fine("the boot server finds nothing else wrong with it")
    return Finding(
        "tree-damaged",
        "Something in the boot tree is not as it has to be.",
        tuple(problems),
        "Run the site playbook, which puts right what is its own; the rest has to be put right by hand.",
        evidence.commands.site,
        PROBABLE,
        ("tree-missing",),
    )


def _files(evidence: Evidence) -> list[dict[str, Any]]:
    """Return the files of the tree. Raises NotKnown when there is none."""
    if evidence.get(bool, "boot", "exists") is False:
        raise NotKnown("there is no boot tree")
    files = evidence.need(list, "boot", "files")
    if not all(isinstance(file["path"], str) and isinstance(file["size"], int) for file in files):
        raise NotKnown("the boot server does not tell path and size of every file")
    return files


def _problems(evidence: Evidence, concerns: Callable[[str], bool]) -> list[str]:
    return [
        f"{problem['file']}: {problem['problem']}"
        for problem in evidence.need(list, "boot", "problems")
        if concerns(str(problem["file"]))
    ]


def _naming(evidence: Evidence) -> str:
    return _NAMING[evidence.spec.loader]


RULES = (
    Rule("boot-tree", "There is a boot tree", _LOADS, tree),
    Rule("whole-files", "No file of the boot tree is empty or damaged", (*_LOADS, "network"), whole_files),
    Rule("named-files", "Kernel and initramfs are in the boot tree", _LOADS, named_files),
    Rule("versions", "Kernel and initramfs belong together", ("kernel", "network", "map"), matching_versions),
    Rule("host-cpio", "host.cpio is whole", ("kernel", "network"), host_cpio),
    Rule("loader-configuration", "The loader is told what to boot", _LOADS, loader_configuration),
    Rule("other-files", "Nothing else is wrong with the boot tree", (*_LOADS, "network"), other_files),
)
