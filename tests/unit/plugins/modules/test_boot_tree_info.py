# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module boot_tree_info on a file system that stands in for that of a boot server."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.modules import boot_tree_info
from ansible_collections.diskless.ceph.plugins.plugin_utils._cpio import Entry, newc

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="boot trees belong to root")

KEY = "AQBlAAAAAAAAABAAMDEyMzQ1Njc4OWFiY2RlZg=="
CPIO = newc(
    [
        Entry("etc/diskless/host.conf", 0o600, b"DISKLESS_HOST=udoo1\n"),
        Entry("etc/diskless/key", 0o600, KEY.encode()),
    ]
)
FILES = {
    "grub.cfg": b"source $prefix/kernel.cfg\n",
    "kernel.cfg": b"set kernel=vmlinuz-6.1\nset initrd=initrd.img-6.1\n",
    "vmlinuz-6.1": b"kernel",
    "initrd.img-6.1": newc([]),
    "host.cpio": CPIO,
}
VIEW = "52-54-00-77-00-11"
GANESHA = """\
EXPORT {
  Path = /srv/diskless/boot/udoo1;
  Pseudo = /boot/udoo1;
  CLIENT { Clients = 10.77.0.11; Access_Type = RW; }
}
"""
STATES = {
    "diskless-dnsmasq.service": ("loaded", "active"),
    "diskless-guard.service": ("loaded", "active"),
    "run-diskless-boot.mount": ("loaded", "active"),
    "diskless-boot-events.service": ("not-found", "inactive"),
    "diskless-cephfs.service": ("not-found", "inactive"),
    "nfs-ganesha.service": ("loaded", "active"),
    "nfs-server.service": ("loaded", "inactive"),
}


def _host(name: str = "udoo1", octet: int = 11) -> dict[str, Any]:
    return {
        "name": name,
        "mac": f"52:54:00:77:00:{octet}",
        "address": f"10.77.0.{octet}",
        "loader": "grub",
        "views": ["grub"],
        "firmware": None,
        "digests": {"grub.cfg": sha256(FILES["grub.cfg"]).hexdigest()},
    }


class Server:
    """A boot server below a directory, with what its programs say."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directory = root / "srv/diskless"
        self.states: dict[str, tuple[str, str]] | None = dict(STATES)
        self.exported: str | None = '  string "/"\n  string "/srv/diskless/boot/udoo1"\n'
        self.params = {
            "directory": str(self.directory),
            "link_root": "/run/diskless/boot/",
            "tftp_user": "nobody",
            "expected": [_host()],
        }
        self.warnings: list[str] = []
        self.asked: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def output(self, _module: object, program: str, words: list[str]) -> str | None:
        self.asked.append(program)
        if program == "dbus-send":
            return self.exported
        units = words[words.index("--") + 1 :]
        if self.states is None:
            return None
        return "\n".join(
            f"Id={unit}\nLoadState={self.states[unit][0]}\nActiveState={self.states[unit][1]}\n" for unit in units
        )

    def read(self) -> dict[str, Any]:
        return boot_tree_info.evidence(self)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A boot server that has all that udoo1 needs."""
    made = Server(tmp_path)
    monkeypatch.setattr(boot_tree_info, "ROOT", tmp_path)
    monkeypatch.setattr(boot_tree_info, "output", made.output)
    tree = made.directory / "boot/udoo1"
    tree.mkdir(parents=True)
    for name, data in FILES.items():
        (tree / name).write_bytes(data)
    (tree / "host.cpio").chmod(0o400)
    user = boot_tree_info.tftp_user("nobody")
    assert user.uid is not None
    os.chown(tree / "host.cpio", user.uid, 0)
    made.write("srv/diskless/loader/grub.pxe", "loader")
    view = made.directory / "tftp" / VIEW
    view.mkdir(parents=True)
    (view / "grub").symlink_to("/run/diskless/boot/udoo1")
    for loader in ("grub.pxe", "shimx64.efi", "grubx64.efi"):
        (view / loader).symlink_to(made.directory / "loader" / loader)
    (tmp_path / "run/diskless/tftp").mkdir(parents=True)
    (tmp_path / "run/diskless/tftp/10.77.0.11").symlink_to(view)
    made.write("etc/diskless/dhcp-hosts", "52:54:00:77:00:11,10.77.0.11,udoo1\n")
    made.write("etc/diskless/guard.nft", '      52:54:00:77:00:11 . 10.77.0.11 comment "udoo1",\n')
    made.write("etc/ganesha/diskless-exports.conf", GANESHA)
    return made


def test_host_that_has_all_it_needs(server: Server) -> None:
    answer = server.read()
    udoo1 = answer["hosts"].pop("udoo1")
    assert answer == {
        "services": {
            "diskless-dnsmasq.service": "active",
            "diskless-guard.service": "active",
            "run-diskless-boot.mount": "active",
            "nfs": "active",
            "nfs-ganesha.service": "active",
        },
        "hosts": {},
    }
    files = udoo1.pop("files")
    assert [file["path"] for file in files] == sorted(FILES)
    assert udoo1 == {
        "exists": True,
        "problems": [],
        "kernel": "vmlinuz-6.1",
        "initrd": "initrd.img-6.1",
        "host_conf": {"DISKLESS_HOST": "udoo1"},
        "key_fingerprint": sha256(KEY.encode()).hexdigest()[:16],
        "admitted": True,
        "exported": True,
        "linked": True,
    }
    assert server.warnings == []


def test_host_of_which_there_is_nothing_yet(server: Server) -> None:
    server.params["expected"] = [_host(), _host("udoo2", 12)]
    answer = server.read()["hosts"]
    assert answer["udoo1"]["exists"] is True
    assert answer["udoo2"] == {
        "exists": False,
        "files": [],
        "problems": [],
        "kernel": None,
        "initrd": None,
        "host_conf": None,
        "key_fingerprint": None,
        "admitted": False,
        "exported": False,
        "linked": False,
    }


def test_trees_that_do_not_answer_are_not_known_but_all_else_is(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot_tree_info, "read_trees", lambda *_: {})
    udoo1 = server.read()["hosts"]["udoo1"]
    known = {name: value for name, value in udoo1.items() if value is not None}
    assert known == {"admitted": True, "exported": True, "linked": True}


def test_export_that_ganesha_has_refused_is_none(server: Server) -> None:
    server.exported = '  string "/"\n'
    assert server.read()["hosts"]["udoo1"]["exported"] is False


@pytest.mark.parametrize("state", ["failed", "inactive"])
def test_ganesha_that_is_down_is_not_asked_and_what_it_was_told_counts(server: Server, state: str) -> None:
    assert server.states is not None
    server.states["nfs-ganesha.service"] = ("loaded", state)
    answer = server.read()
    assert "dbus-send" not in server.asked
    assert (answer["services"]["nfs"], answer["hosts"]["udoo1"]["exported"]) == (state, True)


def test_ganesha_that_does_not_say_what_it_exports_is_believed(server: Server) -> None:
    server.exported = None
    assert server.read()["hosts"]["udoo1"]["exported"] is True


def test_kernels_nfs_server_exports_what_is_in_its_table(server: Server) -> None:
    assert server.states is not None
    (server.root / "etc/ganesha/diskless-exports.conf").unlink()
    server.write("etc/exports.d/diskless.exports", "/boot/udoo1 10.77.0.11(rw)\n")
    assert server.read()["services"]["nfs-server.service"] == "inactive"
    assert server.read()["hosts"]["udoo1"]["exported"] is True
    server.states["nfs-server.service"] = ("loaded", "active")
    assert server.read()["hosts"]["udoo1"]["exported"] is False
    server.write("var/lib/nfs/etab", "/boot/udoo1\t10.77.0.11(rw,sync)\n")
    answer = server.read()
    assert (answer["services"]["nfs"], answer["hosts"]["udoo1"]["exported"]) == ("active", True)
    assert "nfs-ganesha.service" not in answer["services"]


def test_without_an_nfs_server_none_is_found(server: Server) -> None:
    (server.root / "etc/ganesha/diskless-exports.conf").unlink()
    answer = server.read()
    assert (answer["services"]["nfs"], answer["hosts"]["udoo1"]["exported"]) == ("not-found", False)


def test_services_that_a_boot_server_must_have_are_named_when_they_are_missing(server: Server) -> None:
    assert server.states is not None
    server.states["diskless-guard.service"] = ("not-found", "inactive")
    server.states["diskless-boot-events.service"] = ("loaded", "failed")
    states = server.read()["services"]
    assert (states["diskless-guard.service"], states["diskless-boot-events.service"]) == ("not-found", "failed")


def test_keepalived_counts_where_the_role_has_set_it_up(server: Server) -> None:
    assert server.states is not None
    server.states["keepalived.service"] = ("loaded", "inactive")
    assert "keepalived.service" not in server.read()["services"]
    server.write("etc/systemd/system/keepalived.service.d/diskless.conf", "[Service]\n")
    assert server.read()["services"]["keepalived.service"] == "inactive"


def test_states_are_unknown_when_systemd_does_not_answer(server: Server) -> None:
    server.states = None
    states = server.read()["services"]
    assert set(states.values()) == {"unknown"}
    assert {"diskless-dnsmasq.service", "nfs"} <= set(states)
