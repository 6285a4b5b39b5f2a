# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units of CephFS mounts: options by kernel, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.diskless.ceph.plugins.filter.cephfs_mount_units import cephfs_mount_units

KEY = "AQD2Z0xnAAAAABAAq3cV0bq8m2JpJ7x9n1dGWg=="
FSID = "4f1e9a30-7c5e-4f0e-8a56-0e8d3c1f2b11"
WEB = {"path": "/srv/web", "user": "web1", "key": KEY, "monitors": ["10.0.0.1", "10.0.0.2:6790"], "directory": "/web"}
OPTION = "secretfile=/etc/ceph/cephfs_mount/srv-web.secret"
CEPH_16, CEPH_18 = "ceph version 16.2.15 (618f44) pacific (stable)", "ceph version 18.2.7 (6b0e98) reef (stable)"


def unit(kernel: str = "6.1.0-50-amd64", helper: str = CEPH_16, **more: Any) -> dict[str, Any]:
    (found,) = cephfs_mount_units([{**WEB, **more}], "web1", kernel, helper)["present"]
    return found


def refused(*mounts: Any, kernel: str = "6.1.0-50-amd64", helper: str = CEPH_16) -> str:
    with pytest.raises(AnsibleFilterError) as raised:
        cephfs_mount_units(list(mounts), "web1", kernel, helper)
    return str(raised.value)


def test_plain_mount() -> None:
    assert unit() == {
        "name": "srv-web.mount",
        "path": "/srv/web",
        "source": "10.0.0.1,10.0.0.2:6790:/web",
        "options": f"name=web1,{OPTION},recover_session=clean,_netdev",
        "secret_file": "/etc/ceph/cephfs_mount/srv-web.secret",
        "key": KEY,
        "fsc": False,
        "notes": (),
    }


def test_new_syntax_where_both_kernel_and_helper_have_it() -> None:
    named = {"fsid": FSID, "file_system": "cephfs"}
    found = unit(helper=CEPH_18, **named)
    assert found["source"] == f"web1@{FSID}.cephfs=/web"
    assert found["options"] == f"{OPTION},mon_addr=10.0.0.1/10.0.0.2:6790,recover_session=clean,_netdev"
    for kernel, helper in (("6.1.0", CEPH_16), ("6.1.0", ""), ("5.10.0-30-amd64", CEPH_18)):
        older = unit(kernel, helper, **named)
        assert older["source"] == "10.0.0.1,10.0.0.2:6790:/web"
        assert "mds_namespace=cephfs" in older["options"].split(",")
    assert unit(helper=CEPH_18, **named, syntax="old")["source"] == "10.0.0.1,10.0.0.2:6790:/web"
    assert unit(helper=CEPH_18, fsid=FSID)["source"] == "10.0.0.1,10.0.0.2:6790:/web"


def test_options_that_an_older_kernel_lacks_are_left_out_or_refused() -> None:
    found = unit("4.19.0-27-amd64")
    assert "recover_session" not in found["options"]
    assert found["notes"] == ("/srv/web: Linux 4.19 has no recover_session (5.4): an eviction ends this mount",)
    assert "recover_session=clean" in unit("5.4.0")["options"]
    assert "ms_mode is 'secure': it came with Linux 5.11, this is 5.10" in refused(
        {**WEB, "ms_mode": "secure"}, kernel="5.10.0-30-amd64"
    )


def test_new_protocol_has_its_port() -> None:
    monitors = ["10.0.0.1", "[fd00::1]", "mon2.example.org:3301", "[fd00::2]:3300"]
    found = unit(monitors=monitors, ms_mode="prefer-crc")
    assert found["source"] == "10.0.0.1:3300,[fd00::1]:3300,mon2.example.org:3301,[fd00::2]:3300:/web"
    assert "ms_mode=prefer-crc" in found["options"].split(",")
    assert unit(monitors=monitors, ms_mode="legacy")["source"].startswith("10.0.0.1,[fd00::1],")


def test_cache_comes_with_its_warning() -> None:
    found = unit(fsc=True)
    assert "fsc" in found["options"].split(",")
    assert found["fsc"] is True
    assert "a new mount fails with EBUSY" in found["notes"][0]


def test_what_the_user_chooses() -> None:
    found = unit(recover_session="no", read_only=True, options=["noatime", "rasize=1048576"])
    assert found["options"] == f"name=web1,{OPTION},_netdev,ro,noatime,rasize=1048576"


def test_mounts_share_what_they_do_not_name() -> None:
    mount = {"path": "/srv/my-data", "user": "web1", "key": KEY}
    found = cephfs_mount_units([mount], "web1", "6.1.0", CEPH_16, ["10.0.0.9"], FSID)["present"][0]
    assert found["source"] == "10.0.0.9:/"
    assert found["name"] == r"srv-my\x2ddata.mount"
    assert found["options"].split(",")[1] == "secretfile=/etc/ceph/cephfs_mount/srv-my_x2ddata.secret"


def test_mount_that_is_to_go_needs_only_its_path() -> None:
    found = cephfs_mount_units([{"path": "/srv/old", "state": "absent"}], "web1", "6.1.0")
    assert ([one["name"] for one in found["absent"]], found["present"]) == (["srv-old.mount"], [])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"path": "srv/web"}, "path is 'srv/web': expected an absolute path"),
        ({"path": "/"}, "path is '/': expected an absolute path other than /"),
        ({"path": "/srv/../etc"}, "expected an absolute path"),
        ({"path": '/srv/"x'}, "expected an absolute path"),
        ({"user": "client.web1"}, "user is 'client.web1': expected a name without client."),
        ({"user": ""}, "user is ''"),
        ({"key": "not a key"}, "key is '...': expected the user's key"),
        ({"monitors": []}, "monitors is []: expected a list of addresses"),
        ({"monitors": ["10.0.0.1,10.0.0.2"]}, "expected a list of addresses"),
        ({"fsid": "abc"}, "fsid is 'abc'"),
        ({"file_system": "a b"}, "file_system is 'a b'"),
        ({"directory": "web"}, "directory is 'web'"),
        ({"syntax": "newest"}, "syntax is 'newest': expected auto or old or new"),
        ({"recover_session": True}, 'recover_session is True: expected clean or "no", in quotes'),
        ({"ms_mode": "v2"}, "ms_mode is 'v2'"),
        ({"state": "mounted"}, "state is 'mounted': expected present or absent"),
        ({"options": "noatime"}, "options is 'noatime': expected a list"),
        ({"options": ["a,b"]}, "options is 'a,b': expected one option"),
        ({"options": ["recover_session=no"]}, "options is 'recover_session': expected it in recover_session"),
        ({"optoins": []}, "there is no key optoins; did you mean options"),
        ({"syntax": "new"}, "syntax is 'new': it needs the mount helper of Ceph 17 (ceph-common), this is 16"),
        ({"syntax": "new"}, "it needs fsid"),
    ],
)
def test_what_is_wrong_is_said_with_host_and_path(wrong: dict[str, Any], said: str) -> None:
    message = refused({**WEB, **wrong})
    assert said in message
    assert f"web1: {wrong.get('path', '/srv/web')}: " in message


def test_secret_in_the_options_is_refused_and_not_shown() -> None:
    message = refused({**WEB, "options": [f"secret={KEY}"]}, {**WEB, "path": "/b", "key": f"{KEY}?"})
    assert "options is 'secret': expected it in key" in message
    assert KEY not in message


def test_all_problems_together() -> None:
    message = refused(
        {**WEB, "user": ""}, {**WEB, "path": "/srv/data", "directory": "x"}, "text", {**WEB, "path": "/srv//web"}
    )
    for said in (
        "user is ''",
        "/srv/data: directory is 'x'",
        "dictionaries that have a path",
        "/srv//web: is described twice",
    ):
        assert said in message


@pytest.mark.parametrize("mounts", ["/srv/web", {"path": "/srv/web"}, None])
def test_no_list(mounts: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="expected a list"):
        cephfs_mount_units(mounts, "web1", "6.1.0")


def test_kernel_that_says_no_release() -> None:
    assert "web1: kernel 'x': expected a version such as 6.1" in refused(WEB, kernel="x")


def test_secrets_of_two_mounts_never_share_a_file() -> None:
    message = refused({**WEB, "path": "/srv/a-b"}, {**WEB, "path": "/srv/a_x2db"})
    assert "its secret would be in the same file as another's" in message
