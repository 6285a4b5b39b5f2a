# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boot trees as the controller renders them: the files of each host whose content the inventory decides."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ._board import PiFirmware, boards
from ._grub_cfg import DIRECTORY, GRUB_CFG, grub_cfg
from ._host_conf import host_cpio
from ._host_spec import HostSpec
from ._host_values import monitor_in_network
from ._pi_boot_cfg import CMDLINE_TXT, CONFIG_TXT, cmdline_txt, config_txt

_KEY = re.compile(r"[A-Za-z0-9+/]{38,}={0,2}")


class RenderError(ValueError):
    """All reasons why trees cannot be rendered, one per line. Never holds a key."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n  ".join(["Boot trees cannot be rendered:", *self.problems]))


@dataclass(frozen=True)
class RenderedTree:
    """The controller's part of a boot tree; C(host_cpio) is secret.

    files: what the loader reads, by name.
    views: names under which the host's loader looks for the tree in what TFTP shows to its MAC address.
    firmware: what a Raspberry Pi needs besides.
    """

    name: str
    mac: str
    board: str
    arch: str
    loader: str
    files: Mapping[str, str]
    views: tuple[str, ...]
    host_cpio: bytes = field(repr=False)
    firmware: PiFirmware | None = None

    def as_dict(self) -> dict[str, Any]:
        """The tree in the types of JSON."""
        return {**asdict(self), "host_cpio": base64.b64encode(self.host_cpio).decode()}


def rendered_trees(
    specs: Sequence[HostSpec], cephx_keys: Mapping[str, Any], monitors: Sequence[Mapping[str, Any]]
) -> list[RenderedTree]:
    """The trees of all hosts.

    cephx_keys: base64 key of each host by its name.
    monitors: the cluster's, each with C(v1) and C(v2), an address with port or None.
    Raises RenderError with everything that is missing for any host.
    """
    trees = []
    problems: dict[str, list[str]] = {}
    for spec in specs:
        key = cephx_keys.get(spec.name)
        found = []
        if not key:
            found.append(f"no cephx key in cephx_keys; expected that of {spec.cephx_user}")
        elif not isinstance(key, str) or not _KEY.fullmatch(key):
            found.append("the value in cephx_keys is no cephx key; expected base64 as ceph auth print-key shows it")
        chosen, lack = _chosen_monitors(spec, monitors)
        if lack:
            found.append(lack)
        for problem in found:
            problems.setdefault(problem, []).append(spec.name)
        if not found:
            trees.append(rendered_tree(spec, host_cpio(spec, chosen, str(key))))
    if problems:
        raise RenderError(f"{', '.join(names)}: {problem}" for problem, names in problems.items())
    return trees


def rendered_tree(spec: HostSpec, archive: bytes) -> RenderedTree:
    """The tree of one host. archive: its host.cpio."""
    board = boards()[spec.board]
    if board.loader == "pi":
        files = {CONFIG_TXT: config_txt(spec), CMDLINE_TXT: cmdline_txt(spec)}
        # By serial number or by MAC address, as TFTP_PREFIX in its EEPROM says.
        views: tuple[str, ...] = (str(spec.serial), spec.mac.replace(":", "-"))
    else:
        files = {GRUB_CFG: grub_cfg(spec)}
        views = (DIRECTORY,)
    return RenderedTree(spec.name, spec.mac, spec.board, spec.arch, board.loader, files, views, archive, board.firmware)


def _chosen_monitors(spec: HostSpec, monitors: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], str]:
    """The monitors that the host will use, or why there are none.

    The kernel speaks messenger v1 with ms_mode=legacy and v2 with every other mode, each on a port of its own.
    """
    protocol = "v1" if spec.ms_mode == "legacy" else "v2"
    chosen = spec.monitors or tuple(str(monitor[protocol]) for monitor in monitors if monitor.get(protocol))
    if not chosen:
        if not monitors:
            return (), "no monitor; expected monitors of the cluster or diskless_monitors"
        remedy = "enable msgr2 in the cluster or set diskless_ms_mode to legacy" if protocol == "v2" else ""
        remedy = remedy or "choose another diskless_ms_mode"
        return (), f"no monitor speaks {protocol}, which diskless_ms_mode {spec.ms_mode} needs; {remedy}"
    if not spec.gateway and not any(monitor_in_network(monitor, spec.network) for monitor in chosen):
        return (), (
            f"no monitor ({', '.join(chosen)}) in the boot network {spec.network} and no diskless_gateway to reach one"
        )
    return chosen, ""
