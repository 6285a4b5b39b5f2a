# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Would a kernel reach its root with this initramfs? What has to be in it, and the remedy if it is not. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._initramfs_content import Content, module_name

# What every diskless host needs; rbd.ko leads to libceph.ko, which is named to be told apart.
MODULES = ("rbd", "libceph", "ext4")
# Without it a host boots all the same, and nobody hears of it.
WISHED = ("netconsole",)
# What libceph asks the kernel for by name: for cephx, and gcm(aes) for ms_mode=secure. They are aliases, crypto-NAME.
CIPHERS = ("aes", "cbc", "ctr", "gcm", "ghash", "crc32c")
# What role initramfs puts there, without usr/. exitrd.sh makes the root that unmaps the image at shutdown.
FILES = (
    "init",
    "bin/busybox",
    *(f"scripts/{place}/diskless" for place in ("init-top", "local-top", "init-bottom", "panic")),
    "scripts/rbd",
    *(
        f"lib/diskless/{name}.sh"
        for name in (
            *("boot", "config", "exitrd", "halt", "hints", "job", "netconsole", "network", "rbd", "report", "root"),
        )
    ),
    *("lib/diskless/shutdown", "lib/diskless/guard"),
)

THERE = "there"
BUILT_IN = "built-in"
MISSING = "missing"  # the kernel has it, or may have it
NO_MODULE = "no such module"  # the kernel does not have it
UNKNOWN = "unknown"

_IN_LIST = re.compile(r"([^/\s]+)\.ko")
_ALIAS = re.compile(r"^alias crypto-(\S+) (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class KernelModules:
    """What depmod says of all modules of a kernel, in the root file system.

    names, built_in: with C(_).
    ciphers: which of them are modules, by C(NAME) of C(crypto-NAME).
    """

    names: frozenset[str] = frozenset()
    built_in: frozenset[str] = frozenset()
    ciphers: Mapping[str, frozenset[str]] = field(default_factory=dict)


def kernel_modules(dep: str, builtin: str, alias: str) -> KernelModules:
    """Read the lists modules.dep, modules.builtin and modules.alias."""
    names = (line.partition(":")[0] for line in dep.splitlines())
    return KernelModules(_names(names), _names(builtin.splitlines()), _ciphers(alias))


@dataclass(frozen=True)
class Problem:
    """What is wrong, as the rest of a sentence that begins with what it is about, and what to do."""

    problem: str
    remedy: str


def rebuild(version: str) -> str:
    """Return what makes the initramfs anew."""
    return f"On the host, run update-initramfs -u -k {version}; where there is none yet, -c instead of -u."


def module_states(
    content: Content | None, version: str, board: Sequence[str], kernel: KernelModules | None
) -> dict[str, str]:
    """Return what is known of each module that is wanted; ciphers are named C(crypto-NAME).

    content: of the initramfs; None if that is not known.
    board: modules of the board's network cards.
    kernel: None where the root file system is not at hand.
    """
    inside = content.modules.get(version, set()) if content else set()
    built_in = set(kernel.built_in) if kernel else set()
    aliases: dict[str, set[str]] = {}
    if content:
        built_in |= _names(content.lists.get((version, "modules.builtin"), "").splitlines())
        for cipher, modules in _ciphers(content.lists.get((version, "modules.alias"), "")).items():
            aliases.setdefault(cipher, set()).update(modules & inside)
    states = {}
    for name in dict.fromkeys(map(module_name, (*MODULES, *board, *WISHED))):
        if name in inside:
            states[name] = THERE
        elif name in built_in:
            states[name] = BUILT_IN
        elif kernel and name not in kernel.names:
            states[name] = NO_MODULE
        else:
            states[name] = MISSING if content else UNKNOWN
    for cipher in CIPHERS:
        states[f"crypto-{cipher}"] = _cipher_state(cipher, aliases.get(cipher), built_in, kernel, content is not None)
    return states


def module_problems(states: Mapping[str, str], version: str) -> list[Problem]:
    """Return what the states mean for a boot. What is not known is no problem here."""
    missing = [name for name, state in states.items() if state == MISSING]
    none = [name for name, state in states.items() if state == NO_MODULE]
    # Newer kernels have ciphers as library functions, and a kernel without netconsole is somebody's choice.
    lacking = [name for name in none if name not in WISHED and not name.startswith("crypto-")]
    found = []
    if lacking:
        found.append(
            Problem(
                f"kernel {version} has no module {', '.join(lacking)}, which the host needs to reach its root",
                "Do not boot it; install a kernel that has it.",
            )
        )
    if missing:
        found.append(
            Problem(
                f"lacks the module{'s' if len(missing) > 1 else ''} {', '.join(missing)}",
                f"Run the site playbook, whose role initramfs lists the board's modules. {rebuild(version)}",
            )
        )
    return found


def content_problems(content: Content, version: str) -> list[Problem]:
    """Return what is wrong with what the initramfs holds besides modules."""
    found = []
    versions = sorted(content.modules)
    if versions and version not in versions:
        found.append(
            Problem(f"holds modules of kernel {', '.join(versions)}, expected those of {version}", rebuild(version))
        )
    missing = missing_files(content)
    if missing:
        found.append(
            Problem(
                f"lacks {', '.join(missing)}",
                f"Run the site playbook, whose role initramfs brings them. {rebuild(version)}",
            )
        )
    return found


def missing_files(content: Content) -> list[str]:
    """Return which of the collection's files are not there."""
    return [name for name in FILES if name not in content.files]


def _cipher_state(
    cipher: str, inside: Iterable[str] | None, built_in: set[str], kernel: KernelModules | None, is_known: bool
) -> str:
    if inside:
        return THERE
    if built_in.intersection({cipher, f"{cipher}_generic"}):
        return BUILT_IN
    if kernel is None or not is_known:
        return UNKNOWN
    return MISSING if kernel.ciphers.get(cipher) else NO_MODULE


def _names(lines: Iterable[str]) -> frozenset[str]:
    return frozenset(module_name(found.group(1)) for found in map(_IN_LIST.search, lines) if found)


def _ciphers(alias: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for cipher, module in _ALIAS.findall(alias):
        found.setdefault(cipher, set()).add(module_name(module))
    return {cipher: frozenset(modules) for cipher, modules in found.items()}
