# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module file_tree: the half that runs on the machine where the files go."""

from __future__ import annotations

DOCUMENTATION = r"""
module: file_tree
short_description: Install a tree of files at once
version_added: 0.1.0
author: diskless.ceph contributors (@diskless-ceph)
description:
  - Installs files of the controller below a directory, by one run of the module, however many they are.
    C(ansible.builtin.copy) runs modules for every single file.
  - An action plugin reads the files on the controller. The module compares them with what is there and replaces only
    what differs in content, mode, owner or target of the link; every file atomically, links last because they may
    enable what the files are.
  - Everything that is installed belongs to root. Files that their owner may execute on the controller get mode 0755,
    others 0644, and directories that are made 0755. Directories that are there stay as they are.
  - Links in O(src) are installed as links. C(__pycache__) and C(*.pyc) are left out.
  - Vault-encrypted files are installed as they are, encrypted.
  - Before anything is changed, it refuses what it would have to remove, such as a directory where a file should be,
    and a link in place of a directory that leads out of O(dest), unless that is V(/).
  - A run that dies half-way leaves no file half-written; the next run removes its temporary file.
extends_documentation_fragment:
  - diskless.ceph.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Of files that are no text, or larger than 100 kB, the diff shows the size.
  idempotent:
    support: full
options:
  src:
    description:
      - Directory on the controller, the contents of which are installed. A relative path is looked for in C(files) of
        the role, as C(ansible.builtin.copy) does.
      - At least one of O(src) and O(files) is required.
    type: path
  files:
    description:
      - Single files. The key is a path relative to O(dest), the value that of a file on the controller, which is looked
        for like O(src).
      - At least one of O(src) and O(files) is required, and a path can come from one of them alone.
    type: dict
  dest:
    description: Absolute path of the directory to install in. It is made if it is not there.
    type: path
    required: true
  purge:
    description:
      - Whether everything else below O(dest) is removed.
      - C(__pycache__) and C(*.pyc) stay in directories that are part of the tree.
      - Not with V(/) as O(dest), nor where a link is in place of a directory.
    type: bool
    default: false
  tree:
    description: What the action plugin has read. Leave it out.
    type: str
"""

EXAMPLES = r"""
- name: Boot logic is installed
  diskless.ceph.file_tree:
    src: ./
    dest: /
  notify: Build the initramfs

- name: Programs are what this role has, and nothing else
  diskless.ceph.file_tree:
    src: bootlog
    dest: /usr/local/lib/diskless/bootlog
    purge: true

- name: Commands are installed
  diskless.ceph.file_tree:
    dest: /usr/local
    files:
      bin/diskless-status: diskless-status
      lib/diskless/bootlog-check: bootlog-check
"""

RETURN = r"""
created:
  description: Paths that were not there.
  type: list
  elements: str
  returned: success
  sample: [/usr/local/lib/diskless/bootlog/page, /usr/local/lib/diskless/bootlog/page/log.py]
replaced:
  description: Paths where something else was there.
  type: list
  elements: str
  returned: success
  sample: [/usr/local/lib/diskless/bootlog/line.py]
removed:
  description: Paths that were removed.
  type: list
  elements: str
  returned: success
  sample: [/usr/local/lib/diskless/bootlog/lines.py]
"""

import contextlib
import errno
import os
import posixpath
import re
import secrets
import stat
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Sequence

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._file_tree import (
    DIRECTORY_MODE,
    TEMPORARY,
    Found,
    Plan,
    State,
    Wanted,
    complete,
    is_leftover,
    plan,
    unpack,
)
from ..module_utils._file_tree_diff import SHOWN_SIZE, diff

_KINDS = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "directory"),
    (stat.S_ISLNK, "link"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISSOCK, "socket"),
)


def survey(dest: str, wanted: Sequence[Wanted], purge: bool) -> State:
    """Read what there is at the paths of the tree; with purge also whatever else is below dest."""
    if not dest.startswith("/"):
        return State(dest)
    missing: list[str] = []
    above = dest
    while not os.path.lexists(above):
        missing.insert(0, above)
        above = posixpath.dirname(above)
    if not Path(above).is_dir():
        return State(dest, obstacle=above)
    tree, real = complete(wanted), os.path.realpath(dest)
    found = {} if missing else dict(_found(dest, tree))
    # Of the whole machine, purge is refused.
    walk = purge and not missing and real != "/"
    for path in _walk(dest, "") if walk else _leftovers(dest, tree):
        if path not in found:
            found.update(_look(dest, path, 0))
    return State(dest, real, tuple(missing), found=found)


def _found(dest: str, tree: Iterable[Wanted]) -> Iterator[tuple[str, Found]]:
    for each in tree:
        yield from _look(dest, each.path, len(each.data))


def _look(dest: str, path: str, size: int) -> list[tuple[str, Found]]:
    """Return what there is at the path, or nothing. A file is read if it is no larger than size, or can be shown."""
    full = Path(dest, path)
    try:
        about = full.lstat()
    except OSError as error:
        # The latter two are about what is above it, which has an entry of its own.
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        return []
    kind = next((kind for is_kind, kind in _KINDS if is_kind(about.st_mode)), "device")
    data, target, leads_to = None, "", ""
    if kind == "link":
        target = os.readlink(full)
        leads_to = os.path.realpath(full) if full.is_dir() else ""
    elif kind == "file" and about.st_size <= max(size, SHOWN_SIZE):
        data = full.read_bytes()
    mode = stat.S_IMODE(about.st_mode)
    return [(path, Found(kind, mode, about.st_uid, about.st_gid, about.st_size, data, target, leads_to))]


def _walk(dest: str, path: str) -> Iterator[str]:
    """Yield every path below one, and follow no link."""
    with os.scandir(posixpath.join(dest, path)) as entries:
        inside = [(posixpath.join(path, entry.name), entry.is_dir(follow_symlinks=False)) for entry in entries]
    for each, is_directory in inside:
        yield each
        if is_directory:
            yield from _walk(dest, each)


def _leftovers(dest: str, tree: Iterable[Wanted]) -> Iterator[str]:
    for directory in sorted({posixpath.dirname(each.path) for each in tree if each.kind != "directory"}):
        if Path(dest, directory).is_dir():
            for entry in Path(dest, directory).iterdir():
                if is_leftover(entry.name):
                    yield posixpath.join(directory, entry.name)


def apply(state: State, planned: Plan) -> None:
    """Carry out the plan: directories, files, links, removals. Raises OSError; the next run does what is left."""
    for path in state.missing:
        _make_directory(path)
    installed = [change.after for change in planned.changes if change.after]
    for each in installed:
        if each.kind == "directory":
            _make_directory(state.full(each.path))
    for kind, make in (("file", _write), ("link", _link)):
        for each in installed:
            if each.kind == kind:
                _replace(state.full(each.path), each, make)
    for change in reversed(planned.changes):
        if change.after is None:
            remove = Path.rmdir if change.before and change.before.kind == "directory" else Path.unlink
            remove(Path(state.full(change.path)))
    for directory in sorted({posixpath.dirname(state.full(change.path)) for change in planned.changes}):
        # What was removed may have been all of it.
        with contextlib.suppress(FileNotFoundError):
            _sync(directory)


def _make_directory(path: str) -> None:
    Path(path).mkdir(DIRECTORY_MODE)
    os.chown(path, 0, 0)
    Path(path).chmod(DIRECTORY_MODE)


def _write(path: str, wanted: Wanted) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(wanted.data)
        file.flush()
        os.fchown(descriptor, 0, 0)
        os.fchmod(descriptor, wanted.mode)
        os.fsync(descriptor)


def _link(path: str, wanted: Wanted) -> None:
    Path(path).symlink_to(wanted.target)
    os.lchown(path, 0, 0)


def _replace(path: str, wanted: Wanted, make: Callable[[str, Wanted], None]) -> None:
    temporary = posixpath.join(posixpath.dirname(path), f"{TEMPORARY}{secrets.token_hex(4)}")
    try:
        make(temporary, wanted)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def _sync(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def result(state: State, planned: Plan) -> dict[str, Any]:
    """Return what the module returns."""
    changes = planned.changes
    return {
        "changed": bool(state.missing or changes),
        "created": [*state.missing, *(state.full(change.path) for change in changes if change.before is None)],
        "replaced": [state.full(change.path) for change in changes if change.before and change.after],
        "removed": [state.full(change.path) for change in changes if change.after is None],
    }


def run(module: AnsibleModule) -> dict[str, Any]:
    """Read, plan, and unless in check mode apply. Returns the result; ends the module on failure."""
    # Two slashes at the beginning mean what one does, but normpath keeps them.
    dest, purge = re.sub("^/+", "/", posixpath.normpath(module.params["dest"])), module.params["purge"]
    wanted = unpack(module.params["tree"])
    state = survey(dest, wanted, purge)
    planned = plan(state, wanted, purge)
    if planned.problems:
        module.fail_json(msg=f"Nothing was installed in {dest}: {'; '.join(planned.problems)}")
    answer = result(state, planned)
    if module._diff:
        answer["diff"] = diff(state, planned)
    if answer["changed"] and not module.check_mode:
        apply(state, planned)
    return answer


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "src": {"type": "path"},
            "files": {"type": "dict"},
            "dest": {"type": "path", "required": True},
            "purge": {"type": "bool", "default": False},
            # No secret, but neither the system log nor the terminal should be filled with it.
            "tree": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    if not module.params["tree"]:
        module.fail_json(msg="file_tree works only through its action plugin, which reads the files on the controller")
    try:
        answer = run(module)
    except OSError as error:
        module.fail_json(msg=f"Files could not be installed in {module.params['dest']}: {error}")
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
