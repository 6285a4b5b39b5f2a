# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cephx_user_info on real clusters. Whom it flags really can fence others off, and nobody else can."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import POOL
from tests.integration.module_run import ModuleRun

# Documentation addresses: nobody's here.
NETWORK, HOST = "203.0.113.0/24", "203.0.113.9:0/0"
MON_CAPS = [
    "allow *",
    "allow rw",
    "allow w",
    "allow r",
    "allow rx",
    "allow r, allow w",
    "allow r; allow service osd w",
    "allow service osd rw",
    "allow service=osd *",
    "allow service auth rw",
    "allow command 'osd blocklist'",
    "allow command 'osd blacklist'",
    "allow command 'osd {word}' with {word}op=add",
    "allow command 'osd {word}' with {word}op=rm",
    "allow command 'osd {word}' with {word}op=add addr prefix '203.'",
    "allow command 'osd {word}' with {word}op=add addr regex '^[^/]+:0/[0-9]{{4,}}$'",
    "allow command 'osd {word}' with {word}op=add addr regex '^[^/]+:0/[1-9][0-9]{{3,8}}$'",
    "profile rbd",
    'allow profile "rbd"',
    "profile=rbd",
    "profile rbd-read-only",
    "profile rbd-mirror",
    "profile rbd-mirror-peer",
    "profile read-write",
    "profile read-only",
    "profile osd",
    "profile mds",
    "profile mgr",
    "profile mon",
    "profile fs-client",
    "profile simple-rados-client",
    "profile simple-rados-client-with-blocklist",
    "profile simple-rados-client-with-blacklist",
    "profile bootstrap-osd",
    "profile crash",
    "profile role-definer",
]
# Tries every spelling of a network and of a host, as each user; the administrator takes the entries away again.
TRY = """
import json, rados, sys
word, users = sys.argv[1], json.loads(sys.argv[2])
def ask(cluster, **command):
    return cluster.mon_command(json.dumps(command), b'', timeout=10)[0]
def attempts(spellings, word, **more):
    return [{'prefix': 'osd ' + word, word + 'op': 'add', 'addr': spelling, **more} for spelling in spellings]
ways = {'host': attempts(['203.0.113.9:0/0', '203.0.113.9:0/0000'], word)}
if word == 'blocklist':
    ways['host'] += attempts(['203.0.113.9:0/0'], 'blacklist')
    ways['network'] = attempts(['203.0.113.0/24', '203.0.113.0:0/0024'], word, range='range')
found = {}
for name, key in users.items():
    cluster = rados.Rados(name=name, conffile='', conf={'key': key, 'keyring': ''})
    cluster.connect()
    can = {reach for reach, commands in ways.items() for command in commands if ask(cluster, **command) == 0}
    found[name] = 'network' if 'network' in can else 'host' if can else ''
    cluster.shutdown()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def users(module: ModuleRun, ceph: CephCluster) -> dict[str, str]:
    """Keys by user: one for each of the caps."""
    word = "blacklist" if ceph.release == "14" else "blocklist"
    wanted = [
        {"name": f"client.fence.{number}", "caps": {"mon": caps.format(word=word)}}
        for number, caps in enumerate(MON_CAPS)
    ]
    result = module("cephx_user", users=wanted, return_key=True)
    return {user["name"]: user["key"] for user in result["users"]}


@pytest.mark.full
def test_flagged_users_can_fence_others_off_and_no_others(
    module: ModuleRun, ceph: CephCluster, users: dict[str, str]
) -> None:
    word = "blacklist" if ceph.release == "14" else "blocklist"
    told = module.info("cephx_user_info", ignore=("key_age_seconds",), pattern=["client.fence.*"])["users"]
    try:
        real = json.loads(ceph.run("python3", "-", word, json.dumps(users), stdin=TRY))
        dump = ceph.ceph("osd", "dump")
        assert HOST in dump[word]
        if ceph.release != "14":
            assert f"cidr:{NETWORK.replace('/', ':0/')}" in dump["range_blocklist"]
    finally:
        ceph.run("ceph", "osd", word, "rm", HOST)
        if ceph.release != "14":
            ceph.run("ceph", "osd", word, "range", "rm", NETWORK)
    assert {user["name"]: reach(user) for user in told} == real
    assert set(real.values()) == ({"", "host"} if ceph.release == "14" else {"", "host", "network"})


def reach(user: dict[str, Any]) -> str:
    found = {fence["reach"] for fence in user["can_fence"]}
    return "network" if "network" in found else "host" if found else ""


def test_what_is_told_of_a_user(module: ModuleRun, ceph: CephCluster) -> None:
    caps = {"mon": "profile rbd", "osd": f"profile rbd pool={POOL}"}
    key = module("cephx_user", name="client.told", caps=caps, network="10.76.0.11", return_key=True)["key"]
    result = module.info("cephx_user_info", ignore=("key_age_seconds",), name=["client.told", "client.absent"])
    (told,) = result["users"]
    assert key not in str(result)
    assert 0 <= told.pop("key_age_seconds") < 600
    assert told.pop("key_created").endswith("Z")
    assert told == {
        "name": "client.told",
        "caps": {service: f"{text} network 10.76.0.11/32" for service, text in caps.items()},
        "networks": ["10.76.0.11/32"],
        "restricted": True,
        "matches_nobody": [],
        "key_type": "aes",
        "can_fence": [
            {
                "grant": "profile rbd network 10.76.0.11/32",
                "reach": "host" if ceph.release == "14" else "network",
                "network": "10.76.0.11/32",
            }
        ],
    }


def test_address_without_prefix_length_is_told_of(module: ModuleRun, ceph: CephCluster) -> None:
    ceph.run("ceph", "auth", "get-or-create", "client.nowhere", "mon", "allow r network 10.76.0.11")
    (told,) = module.info("cephx_user_info", ignore=("key_age_seconds",), pattern=["client.nowh*"])["users"]
    assert told["matches_nobody"] == ["10.76.0.11"]


def test_all_users_are_listed(module: ModuleRun, ceph: CephCluster) -> None:
    result = module.info("cephx_user_info", ignore=("key_age_seconds",))
    entries = ceph.ceph("auth", "ls")["auth_dump"]
    assert [user["name"] for user in result["users"]] == sorted(entry["entity"] for entry in entries)
    assert not [entry for entry in entries if entry["key"] in str(result)]
    assert {user["name"] for user in result["users"] if user["can_fence"]} >= {
        "client.admin",
        "mgr.a",
        "osd.0",
        "mds.a",
    }
