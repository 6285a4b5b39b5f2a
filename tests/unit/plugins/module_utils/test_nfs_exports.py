# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exports of both NFS servers, as the templates of the role boot_server write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.diskless.ceph.plugins.module_utils._nfs_exports import (
    Export,
    ganesha_exports,
    kernel_exports,
    shown_paths,
)

TEMPLATES = Path(__file__).parents[4] / "roles/boot_server/templates"
HOSTS = [{"name": "udoo2", "address": "10.77.0.12"}, {"name": "udoo1", "address": "10.77.0.11"}]
# As dbus-send prints it; the times and most of the versions are left out.
SHOWN = """\
method return time=1763715801.1 sender=:1.5 -> destination=:1.9 serial=12 reply_serial=2
   array [
      struct {
         uint16 0
         string "/"
         boolean false
      }
      struct {
         uint16 11
         string "/srv/diskless/boot/udoo1"
         boolean true
      }
   ]
"""


def _rendered(name: str) -> str:
    variables = {
        "boot_server_hosts": HOSTS,
        "boot_server_root": "/srv/diskless",
        "boot_server_cephfs": {"path": "/volumes/diskless", "file_system": "cephfs"},
        "boot_server_cephfs_user": "diskless-boot",
    }
    text = trust_as_template((TEMPLATES / name).read_text(encoding="utf-8"))
    return str(Templar(loader=DataLoader(), variables=variables).template(text))


def test_exports_of_ganesha() -> None:
    assert ganesha_exports(_rendered("exports.ganesha.j2")) == {
        Export("/srv/diskless/boot/udoo1", "/boot/udoo1", "10.77.0.11"),
        Export("/srv/diskless/boot/udoo2", "/boot/udoo2", "10.77.0.12"),
    }


def test_exports_of_ganesha_on_cephfs() -> None:
    assert ganesha_exports(_rendered("exports.ganesha_cephfs.j2")) == {
        Export("/volumes/diskless/udoo1", "/boot/udoo1", "10.77.0.11"),
        Export("/volumes/diskless/udoo2", "/boot/udoo2", "10.77.0.12"),
    }


def test_exports_of_the_kernels_server() -> None:
    assert kernel_exports(_rendered("exports.kernel.j2")) == {
        Export("/boot/udoo1", "/boot/udoo1", "10.77.0.11"),
        Export("/boot/udoo2", "/boot/udoo2", "10.77.0.12"),
    }


def test_table_of_the_kernels_server() -> None:
    etab = "/boot/udoo1\t10.77.0.11(rw,sync,wdelay,hide,nocrossmnt,secure,no_root_squash,sec=sys)\n"
    assert kernel_exports(etab) == {Export("/boot/udoo1", "/boot/udoo1", "10.77.0.11")}


def test_paths_that_ganesha_says_it_exports() -> None:
    assert shown_paths(SHOWN) == {"/", "/srv/diskless/boot/udoo1"}


@pytest.mark.parametrize("text", ["", "EXPORT {", "EXPORT { Path = ; }", "# EXPORT { Path = /x; }"])
def test_half_of_a_configuration_exports_nothing_to_anybody(text: str) -> None:
    assert not [export for export in ganesha_exports(text) if export.client and export.pseudo]


@pytest.mark.parametrize("text", ["", "/boot/udoo1", "# /boot/udoo1 10.77.0.11(rw)"])
def test_line_without_a_client_exports_nothing(text: str) -> None:
    assert kernel_exports(text) == set()
