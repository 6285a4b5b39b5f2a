# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""host.cpio: what a host must know to map its root, in an archive that the kernel unpacks over the initramfs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from ._cpio import Entry, newc
from ._host_spec import HostSpec


def host_conf(spec: HostSpec, monitors: Iterable[str]) -> str:
    """etc/diskless/host.conf: shell assignments, none of them a secret."""
    settings = {
        "HOST": spec.name,
        "MAC": spec.mac,
        "ADDRESS": f"{spec.address}/{spec.prefix}",
        "GATEWAY": spec.gateway or "",
        "NAMESERVERS": " ".join(spec.nameservers),
        "MONITORS": ",".join(monitors),
        "MS_MODE": spec.ms_mode,
        "USER": spec.cephx_user.removeprefix("client."),
        "POOL": spec.pool,
        "NAMESPACE": spec.namespace,
        "IMAGE": spec.image,
        "BOOT_SERVER": spec.boot_server,
        "BOOT_EXPORT": f"/boot/{spec.name}",
        "EXITRD": _yes_or_no(spec.exitrd),
        "SHUTDOWN_TIMEOUT": str(spec.shutdown_timeout),
        "BOOT_TIMEOUT": str(spec.boot_timeout),
        "SHELL": _yes_or_no(spec.shell),
        "NETCONSOLE": " ".join(spec.netconsole),
    }
    return "".join(f"DISKLESS_{name}={shlex.quote(value)}\n" for name, value in settings.items())


def host_cpio(spec: HostSpec, monitors: Iterable[str], key: str) -> bytes:
    """The archive with host.conf and the cephx key."""
    return newc(
        [
            Entry("etc", 0o755),
            Entry("etc/diskless", 0o700),
            Entry("etc/diskless/host.conf", 0o600, host_conf(spec, monitors).encode()),
            Entry("etc/diskless/key", 0o600, f"{key}\n".encode()),
        ]
    )


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"
