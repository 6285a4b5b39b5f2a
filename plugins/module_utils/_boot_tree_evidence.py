# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in one boot tree, and what of it would keep its host from booting. Changes nothing.

The host is root in its tree and may have put anything there. See _hostile_directory for how it is read; besides, what
it has written is bounded and made printable before anybody sees it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Mapping

from ._boot_tree import DIRECTORY_MODE, HOST_CPIO, KERNEL_CONFIG
from ._host_cpio import read_host_cpio, without_keys
from ._hostile_directory import Entry, HostileDirectory
from ._initramfs_file import OutOfTime, initramfs_problem
from ._kernel_cfg import problems as kernel_cfg_problems
from ._kernel_cfg import settings as kernel_cfg_settings
from ._kernel_txt import Firmware, initramfs_names
from ._kernel_txt import problems as kernel_txt_problems
from ._kernel_txt import settings as kernel_txt_settings

FILES = 200  # how many are named; a tree has some twenty
ITSELF = "."
# Bytes of what is read whole. The largest that the collection writes has some 2 kB; kernel.cfg and kernel.txt have 0.2.
_LARGEST_OURS = 64 * 1024
_LARGEST_KERNEL_CONFIG = 4096
_LONGEST_TEXT = 300
_LONGEST_VALUE = 1024
_SETTINGS = 64
_PROBLEMS = 50
_HOST_CPIO_MODE = 0o400
_FILE_MODE = 0o644
_VERSION = re.compile(r"(?:vmlinuz|initrd\.img)-(.+)")
_OTHER_KINDS = {
    "directory": "is a directory",
    "link": "is a symbolic link, which TFTP does not follow",
    "pipe": "is a named pipe, for which TFTP waits and serves nobody meanwhile",
}


@dataclass(frozen=True)
class TftpUser:
    """Who serves the tree; numbers are None when there is no such user."""

    name: str
    uid: int | None
    gid: int | None = None

    def may_read(self, entry: Entry) -> bool:
        """Tell whether the file's mode lets the user read it."""
        if entry.uid == self.uid:
            return bool(entry.mode & 0o400)
        return bool(entry.mode & (0o040 if entry.gid == self.gid else 0o004))


@dataclass(frozen=True)
class ExpectedTree:
    """What the inventory asks for.

    digests: SHA-256 of the files that the controller renders, by name.
    firmware: for the loader C(pi) alone.
    """

    name: str
    loader: str
    digests: Mapping[str, str]
    firmware: Firmware | None = None


def tree_evidence(
    boot: str, tree: ExpectedTree, user: TftpUser, initramfs_seconds: float
) -> tuple[dict[str, Any], bool]:
    """Return what there is, and whether the time was enough to read the initramfs.

    boot: directory of the trees.
    Raises OSError when that, or the tree as a whole, does not work.
    """
    try:
        directory = HostileDirectory(f"{boot}/{tree.name}")
    except FileNotFoundError:
        return nothing(False), True
    except NotADirectoryError:  # also for a symbolic link
        return {**nothing(False), "problems": [{"file": ITSELF, "problem": "is no directory"}]}, True
    try:
        return _Inspection(directory, tree, user).evidence(initramfs_seconds)
    finally:
        directory.close()


def nothing(exists: bool | None) -> dict[str, Any]:
    """Return the evidence of a tree of which nothing is known but whether it is there."""
    lists: list[Any] | None = [] if exists is False else None
    return {
        "exists": exists,
        "files": lists,
        "problems": lists,
        "kernel": None,
        "initrd": None,
        "host_conf": None,
        "key_fingerprint": None,
    }


def printable(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Return text that hosts have written as ASCII without control characters and keys, and not too much of it."""
    shown = without_keys(text).encode("ascii", "backslashreplace").decode()
    shown = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in shown)
    return shown if len(shown) <= longest else f"{shown[:longest]}..."


class _Inspection:
    """One tree, and what is found wrong with it."""

    def __init__(self, directory: HostileDirectory, tree: ExpectedTree, user: TftpUser) -> None:
        self._directory = directory
        self._tree = tree
        self._user = user
        self._kernel_config = KERNEL_CONFIG[tree.loader]
        self._problems: list[dict[str, str]] = []

    def evidence(self, initramfs_seconds: float) -> tuple[dict[str, Any], bool]:
        self._look_at_itself()
        for name, digest in sorted(self._tree.digests.items()):
            self._look_at_ours(name, digest)
        firmware = self._tree.firmware.files if self._tree.firmware else ()
        for name in firmware:
            self._served(name)
        host_conf, key_fingerprint = self._look_at_host_cpio()
        kernel, initrd, others = self._look_at_kernel_config()
        # Of what is not there, that is noted already.
        served = {name: self._served(name) for name in self._there([kernel, initrd, *others])}
        self._compare_versions(kernel, initrd)
        initramfs_read = True
        if served.get(initrd):
            initramfs_read = self._look_at_initramfs(initrd, initramfs_seconds)
        evidence = {
            "exists": True,
            "files": self._files({*self._tree.digests, *firmware, self._kernel_config, HOST_CPIO, *served}),
            "problems": self._problems[:_PROBLEMS],
            "kernel": printable(kernel) or None,
            "initrd": printable(initrd) or None,
            "host_conf": host_conf,
            "key_fingerprint": key_fingerprint,
        }
        return evidence, initramfs_read

    def _note(self, name: str, text: str) -> None:
        self._problems.append({"file": printable(name), "problem": printable(text)})

    def _owner(self, entry: Entry) -> str:
        """Not by a look-up of the name: it may ask a server, and hosts choose the numbers."""
        return {0: "root", self._user.uid: self._user.name}.get(entry.uid, str(entry.uid))

    def _look_at_itself(self) -> None:
        about = self._directory.about()
        if (about.mode, about.uid) != (DIRECTORY_MODE, 0):
            self._note(ITSELF, f"has mode {about.mode:04o} and owner {self._owner(about)}; expected 0755 and root")

    def _served(self, name: str) -> bool:
        """Note what keeps TFTP from serving a file with content, and tell whether nothing does."""
        entry = self._directory.entry(name)
        if entry is None:
            self._note(name, "is missing")
        elif entry.kind != "file":
            self._note(name, _OTHER_KINDS.get(entry.kind, "is no regular file"))
        elif entry.size == 0:
            self._note(name, "is empty")
        elif not self._user.may_read(entry):
            self._note(
                name,
                f"has mode {entry.mode:04o} and owner {self._owner(entry)}: the TFTP service, which is"
                f" {self._user.name}, cannot read it",
            )
        else:
            return True
        return False

    def _content(self, name: str, limit: int) -> bytes | None:
        """The content of a file of ours; None, and a note, if it cannot be read or is larger than it can be."""
        try:
            data = self._directory.read(name, limit + 1)
        except OSError as error:
            self._note(name, f"cannot be read: {error.strerror or error}")
            return None
        if len(data) > limit:
            self._note(name, f"has more than {limit} bytes, so it is none that the collection has written")
            return None
        return data

    def _look_at_ours(self, name: str, digest: str) -> None:
        if not self._served(name):
            return
        self._compare_attributes(name, "root", _FILE_MODE)
        data = self._content(name, _LARGEST_OURS)
        if data is not None and sha256(data).hexdigest() != digest:
            self._note(name, "is not what the inventory asks for; the site playbook writes it again")

    def _compare_attributes(self, name: str, owner: str, mode: int) -> None:
        entry = self._directory.entry(name)
        if entry and (self._owner(entry), entry.mode) != (owner, mode):
            actual = f"mode {entry.mode:04o} and owner {self._owner(entry)}"
            self._note(name, f"has {actual}; expected {mode:04o} and {owner}")

    def _look_at_host_cpio(self) -> tuple[dict[str, str] | None, str | None]:
        entry = self._directory.entry(HOST_CPIO)
        if entry is None or entry.kind != "file" or entry.size == 0:
            self._served(HOST_CPIO)
            return None, None
        self._compare_attributes(HOST_CPIO, self._user.name, _HOST_CPIO_MODE)
        data = self._content(HOST_CPIO, _LARGEST_OURS)
        if data is None:
            return None, None
        found = read_host_cpio(data)
        for problem in found.problems:
            self._note(HOST_CPIO, problem)
        if found.settings is None:
            return None, found.key_fingerprint
        settings = list(found.settings.items())[:_SETTINGS]
        return {printable(name): printable(value, _LONGEST_VALUE) for name, value in settings}, found.key_fingerprint

    def _look_at_kernel_config(self) -> tuple[str, str, list[str]]:
        """Return the names of kernel and initramfs, empty where it names none, and perhaps of a device tree."""
        data = self._content(self._kernel_config, _LARGEST_KERNEL_CONFIG) if self._served(self._kernel_config) else None
        if data is None:
            return "", "", []
        text = data.decode(errors="replace")
        firmware = self._tree.firmware
        if firmware is None:
            found = kernel_cfg_settings(text)
            named = [found.get("kernel", ""), found.get("initrd", "")]
            problems = kernel_cfg_problems(text, self._there(named))
        else:
            found = kernel_txt_settings(text, firmware.model)
            archives = [name for name in initramfs_names(found.get("initramfs", "")) if name != HOST_CPIO]
            named = [found.get("kernel", ""), archives[0] if archives else "", found.get("device_tree", firmware.dtb)]
            # The firmware's own files have been looked at.
            there = self._there([*named, *archives])
            problems = kernel_txt_problems(text, replace(firmware, files=()), there, HOST_CPIO)
        for problem in problems:
            prefix = f"{self._kernel_config} "
            self._note(self._kernel_config, problem[len(prefix) :] if problem.startswith(prefix) else problem)
        return named[0], named[1], named[2:]

    def _there(self, names: list[str]) -> list[str]:
        return [name for name in names if self._directory.entry(name)]

    def _compare_versions(self, kernel: str, initrd: str) -> None:
        versions = [found.group(1) for found in map(_VERSION.fullmatch, (kernel, initrd)) if found]
        if len(set(versions)) > 1:
            self._note(
                self._kernel_config, f"names a kernel and an initramfs of different versions: {kernel}, {initrd}"
            )

    def _look_at_initramfs(self, name: str, seconds: float) -> bool:
        try:
            with self._directory.opened(name) as file:
                problem = initramfs_problem(file, seconds)
        except OutOfTime:
            return False
        except OSError as error:
            problem = f"cannot be read: {error.strerror or error}"
        if problem:
            self._note(name, problem)
        return True

    def _files(self, needed: set[str]) -> list[dict[str, Any]]:
        """Return the regular files, and note what is left out, and what may not be there."""
        names = self._directory.names(FILES + 1)
        if len(names) > FILES:
            self._note(ITSELF, f"holds more than {FILES} files, of which only so many were looked at")
        files = []
        for name in sorted({*names[:FILES], *needed}):
            entry = self._directory.entry(name)
            if entry is None:
                continue
            if entry.kind == "file":
                shown = {"path": printable(name), "size": entry.size, "mode": f"{entry.mode:04o}"}
                files.append({**shown, "owner": self._owner(entry)})
            elif entry.kind == "pipe" and name not in needed:
                self._note(name, _OTHER_KINDS["pipe"])
        return files
