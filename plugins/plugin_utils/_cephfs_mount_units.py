# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd needs to know of CephFS mounts: checks what the user wants, and fits the options to the kernel. No I/O.

Options by kernel (fs/ceph/super.c, and the kernel's filesystems/ceph.rst): ``recover_session`` since 5.4, ``ms_mode``
since 5.11, sources in the form ``user@fsid.filesystem=/path`` since 5.17, with the mount helper of Ceph 17 or newer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..module_utils._nearest import nearest
from ..module_utils._rbd_features import parse_kernel
from ..module_utils._systemd_mount_unit import unit_name
from ._host_values import MS_MODES

SECRETS = "/etc/ceph/cephfs_mount"
SYNTAXES = ("auto", "old", "new")
RECOVERIES = ("clean", "no")
STATES = ("present", "absent")
RECOVER_SESSION, MS_MODE, NEW_SYNTAX = (5, 4), (5, 11), (5, 17)
NEW_HELPER = 17
FSC_WARNING = (
    "fsc keeps a cache of file contents on a local disk. Kernels 5.10 to 6.1 at least allow one client instance per "
    "cluster and cache tag to have it: after an eviction a new mount fails with EBUSY as long as any process or "
    "container still holds the dead one, and often only a reboot ends that. Use it where reading is slow and a reboot "
    "is cheap, with recover_session=clean"
)
# Options that have a key of their own, or that would show the secret to everybody.
_TAKEN = {
    "name": "user",
    "secret": "key",
    "secretfile": "key",
    "key": "key",
    "fsid": "fsid",
    "mon_addr": "monitors",
    "mds_namespace": "file_system",
    "fs": "file_system",
    "recover_session": "recover_session",
    "fsc": "fsc",
    "nofsc": "fsc",
    "ms_mode": "ms_mode",
    "ro": "read_only",
    "rw": "read_only",
}
_PATH = re.compile(r"/[^\x00-\x1f\"\\]*")
_WORD = re.compile(r"[A-Za-z0-9_.-]+")
_OPTION = re.compile(r"[!-~]+")
_FSID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEY = re.compile(r"A[A-Za-z0-9+/]{37,}={0,2}")
_MONITOR = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[1-9][0-9]{0,4})?")


class MountsRefused(Exception):
    """Something is wrong with them; the text has all of it."""


@dataclass(frozen=True)
class Wanted:
    """A mount as the user describes it; the role's argument specs document the keys."""

    path: str
    user: str = ""
    key: str = ""
    monitors: Sequence[str] = ()
    fsid: str = ""
    file_system: str = ""
    directory: str = "/"
    syntax: str = "auto"
    read_only: bool = False
    recover_session: str = "clean"
    fsc: bool = False
    ms_mode: str = ""
    options: Sequence[str] = ()
    state: str = "present"


@dataclass(frozen=True)
class Unit:
    """A mount unit. ``options`` are one word, as in fstab; ``notes`` is what the user should know."""

    name: str
    path: str
    source: str
    options: str
    secret_file: str
    key: str
    fsc: bool
    notes: tuple[str, ...] = ()


def plan_units(  # noqa: PLR0913, PLR0917 -- what the machine can do
    mounts: Any, host: str, kernel: str, helper: int | None, monitors: Sequence[str], fsid: str
) -> dict[str, list[dict[str, Any]]]:
    """Return the units that are to be ``present`` and those to be ``absent``.

    :param kernel: release, as in ``6.1.0-50-amd64``.
    :param helper: release of Ceph that the mount helper is of, None if it is not known.
    :param monitors: of mounts that do not name any. fsid: of mounts that do not name one.
    :raises MountsRefused: with all problems.
    """
    try:
        version = parse_kernel(kernel)
    except ValueError as error:
        raise MountsRefused(f"{host}: {error}") from error
    problems: list[str] = []
    wanted = [one for one in (_parse(mount, host, monitors, fsid, problems) for mount in _listed(mounts, host)) if one]
    for one in wanted:
        problems += [f"{host}: {one.path}: {problem}" for problem in _problems(one, version, helper)]
    problems += _twice(wanted, host)
    if problems:
        raise MountsRefused("; ".join(problems))
    units = {one.path: _unit(one, version, helper) for one in wanted}
    return {state: [asdict(units[one.path]) for one in wanted if one.state == state] for state in STATES}


def _listed(mounts: Any, host: str) -> list[Any]:
    if not isinstance(mounts, (list, tuple)):
        raise MountsRefused(f"{host}: cephfs_mount_mounts is {type(mounts).__name__}: expected a list")
    return list(mounts)


def _parse(mount: Any, host: str, monitors: Sequence[str], fsid: str, problems: list[str]) -> Wanted | None:
    known = [field.name for field in fields(Wanted)]
    if not isinstance(mount, Mapping) or not isinstance(mount.get("path"), str):
        problems.append(f"{host}: cephfs_mount_mounts: expected dictionaries that have a path at least")
        return None
    unknown = [name for name in mount if name not in known]
    problems += [f"{host}: {mount['path']}: there is no key {name}{nearest(str(name), known)}" for name in unknown]
    given = {name: value for name, value in mount.items() if name in known and value is not None}
    return Wanted(**{"monitors": monitors, "fsid": fsid, **given})


def _problems(one: Wanted, version: tuple[int, int], helper: int | None) -> list[str]:
    checks: list[tuple[str, object, bool, str]] = [
        (
            "path",
            one.path,
            _is_path(one.path) and one.path != "/",
            "an absolute path other than /, without .. or quotes",
        ),
        ("state", one.state, one.state in STATES, " or ".join(STATES)),
    ]
    if one.state == "present":
        checks += [
            ("user", one.user, _full(_WORD, one.user) and not one.user.startswith("client."), "a name without client."),
            # Its value is not to be shown.
            ("key", "...", _full(_KEY, one.key), "the user's key, as 'ceph auth get-key' prints it"),
            (
                "monitors",
                one.monitors,
                _are_monitors(one.monitors),
                "a list of addresses such as 10.0.0.1 or [fd00::1]:6789",
            ),
            (
                "fsid",
                one.fsid,
                not one.fsid or _full(_FSID, one.fsid),
                "the id of the cluster, as 'ceph fsid' prints it",
            ),
            ("file_system", one.file_system, not one.file_system or _full(_WORD, one.file_system), "a name"),
            ("directory", one.directory, _is_path(one.directory), "an absolute path in the file system"),
            ("syntax", one.syntax, one.syntax in SYNTAXES, " or ".join(SYNTAXES)),
            ("recover_session", one.recover_session, one.recover_session in RECOVERIES, 'clean or "no", in quotes'),
            ("ms_mode", one.ms_mode, one.ms_mode in ("", *MS_MODES), ", ".join(MS_MODES)),
            *_option_checks(one.options),
        ]
    found = [f"{name} is {value!r}: expected {expected}" for name, value, right, expected in checks if not right]
    return found or (_unfit(one, version, helper) if one.state == "present" else [])


def _option_checks(options: Any) -> list[tuple[str, Any, bool, str]]:
    if not isinstance(options, (list, tuple)):
        return [("options", options, False, "a list")]
    checks = []
    for option in options:
        name = str(option).partition("=")[0]
        # Whatever was given as a secret is not to be shown.
        shown = name if name in _TAKEN else option
        expected = f"it in {_TAKEN[name]}" if name in _TAKEN else "one option without blanks and commas"
        right = isinstance(option, str) and _full(_OPTION, option) and "," not in option and name not in _TAKEN
        checks.append(("options", shown, right, expected))
    return checks


def _unfit(one: Wanted, version: tuple[int, int], helper: int | None) -> list[str]:
    """Return what this machine cannot do although it was asked for by name."""
    problems = []
    if one.syntax == "new":
        problems += [f"syntax is 'new': {lack}" for lack in _lacks_new_syntax(one, version, helper)]
    if one.ms_mode and version < MS_MODE:
        problems.append(f"ms_mode is {one.ms_mode!r}: it came with Linux 5.11, this is {_shown(version)}; leave it out")
    return problems


def _lacks_new_syntax(one: Wanted, version: tuple[int, int], helper: int | None) -> list[str]:
    lacks = []
    if version < NEW_SYNTAX:
        lacks.append(f"it came with Linux 5.17, this is {_shown(version)}")
    if helper is None or helper < NEW_HELPER:
        lacks.append(f"it needs the mount helper of Ceph 17 (ceph-common), this is {helper or 'not installed'}")
    lacks += [f"it needs {name}" for name in ("fsid", "file_system") if not getattr(one, name)]
    return lacks


def _twice(wanted: Sequence[Wanted], host: str) -> list[str]:
    paths = [unit_name(one.path) for one in wanted]
    secrets = [_secret_file(one.path) for one in wanted]
    problems = [f"{host}: {one.path}: is described twice" for one in wanted if paths.count(unit_name(one.path)) > 1]
    if not problems:
        problems = [
            f"{host}: {one.path}: its secret would be in the same file as another's: choose another path"
            for one in wanted
            if secrets.count(_secret_file(one.path)) > 1
        ]
    return sorted(set(problems))


def _unit(one: Wanted, version: tuple[int, int], helper: int | None) -> Unit:
    notes = []
    new = one.syntax == "new" or (one.syntax == "auto" and not _lacks_new_syntax(one, version, helper))
    monitors = [_with_port(monitor, one.ms_mode) for monitor in one.monitors]
    options = [] if new else [f"name={one.user}"]
    options.append(f"secretfile={_secret_file(one.path)}")
    if new:
        options.append(f"mon_addr={'/'.join(monitors)}")
    elif one.file_system:
        # The older of its two names: every kernel knows it.
        options.append(f"mds_namespace={one.file_system}")
    if one.ms_mode:
        options.append(f"ms_mode={one.ms_mode}")
    if one.recover_session == "clean":
        if version >= RECOVER_SESSION:
            options.append("recover_session=clean")
        else:
            notes.append(
                f"{one.path}: Linux {_shown(version)} has no recover_session (5.4): an eviction ends this mount"
            )
    if one.fsc:
        options.append("fsc")
        notes.append(f"{one.path}: {FSC_WARNING}")
    options += ["_netdev", *(["ro"] if one.read_only else []), *one.options]
    source = (
        f"{one.user}@{one.fsid}.{one.file_system}={one.directory}" if new else f"{','.join(monitors)}:{one.directory}"
    )
    return Unit(
        name=unit_name(one.path),
        path=one.path,
        source=source,
        options=",".join(options),
        secret_file=_secret_file(one.path),
        key=one.key,
        fsc=one.fsc,
        notes=tuple(notes),
    )


def _secret_file(path: str) -> str:
    """Return where the secret of a mount is; without backslashes, which mean something in units."""
    return f"{SECRETS}/{unit_name(path).removesuffix('.mount').replace(chr(92), '_')}.secret"


def _with_port(monitor: str, ms_mode: str) -> str:
    """Name the port of the newer protocol where it is asked for: the kernel takes the older one's otherwise."""
    has_port = re.search(r"(^|\]|[^:\]]):\d+$", monitor) is not None
    return monitor if has_port or ms_mode in ("", "legacy") else f"{monitor}:3300"


def _shown(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _is_path(path: Any) -> bool:
    return _full(_PATH, path) and ".." not in path.split("/")


def _are_monitors(monitors: Any) -> bool:
    return isinstance(monitors, (list, tuple)) and bool(monitors) and all(_full(_MONITOR, one) for one in monitors)


def _full(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
