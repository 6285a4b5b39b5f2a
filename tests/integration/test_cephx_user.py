# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cephx_user on real clusters: what it brings about, and what a client can and cannot do with the result."""

from __future__ import annotations

import base64
import os
import struct
import time
from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import POOL, Machine
from tests.integration.holder import hold_image
from tests.integration.module_run import ModuleFailed, ModuleRun

NAME = "client.backup"
CAPS = {"mon": "profile rbd-read-only", "osd": f"profile rbd-read-only pool={POOL}"}
DAY = 86400


def user(ceph: CephCluster, name: str = NAME) -> dict[str, Any]:
    entry: dict[str, Any] = ceph.ceph("auth", "get", name)[0]
    return entry


def names(ceph: CephCluster) -> set[str]:
    return {entry["entity"] for entry in ceph.ceph("auth", "ls")["auth_dump"]}


def key_of(days_ago: int) -> str:
    header = struct.pack("<HIIH", 1, int(time.time()) - days_ago * DAY, 0, 16)
    return base64.b64encode(header + os.urandom(16)).decode()


def test_life_of_a_user(module: ModuleRun, ceph: CephCluster) -> None:
    created = module.converge("cephx_user", name=NAME, caps=CAPS)
    assert user(ceph)["caps"] == CAPS
    assert "key" not in created
    key = user(ceph)["key"]
    assert key not in str(created)
    assert module("cephx_user", name=NAME, caps=CAPS, return_key=True)["key"] == key

    respaced = {"osd": f"profile  rbd-read-only pool='{POOL}'", "mon": ' profile "rbd-read-only"'}
    assert module("cephx_user", name=NAME, caps=respaced)["changed"] is False
    assert module("cephx_user", name=NAME)["changed"] is False

    module.converge("cephx_user", name=NAME, caps={"mon": "allow r"})
    assert user(ceph)["caps"] == {"mon": "allow r"}
    assert user(ceph)["key"] == key

    module.converge("cephx_user", name=NAME, state="absent")
    assert NAME not in names(ceph)


def test_check_mode_returns_no_key_of_a_user_to_come(module: ModuleRun) -> None:
    result = module("cephx_user", check_mode=True, name="client.to.come", caps={"mon": "allow r"}, return_key=True)
    assert (result["changed"], result["key"]) == (True, None)


def test_many_users_at_once(module: ModuleRun, ceph: CephCluster) -> None:
    users = [{"name": f"client.many.{number}"} for number in range(6)]
    created = module.converge("cephx_user", users=users, caps={"mon": "allow r"})
    assert {entry["action"] for entry in created["users"]} == {"created"}
    users[0]["state"] = "absent"
    users[1]["caps"] = {"mon": "allow rw"}  # type: ignore[assignment]
    users[2].update(profile="narrow_rbd", pool=POOL, network="10.76.0.11")
    changed = module.converge("cephx_user", users=users, caps={"mon": "allow r"})
    assert [entry["action"] for entry in changed["users"][:4]] == ["removed", "updated", "updated", "unchanged"]
    assert "client.many.0" not in names(ceph)
    assert user(ceph, "client.many.1")["caps"] == {"mon": "allow rw"}
    assert user(ceph, "client.many.2")["caps"]["osd"] == f"profile rbd pool={POOL} network 10.76.0.11/32"
    module.converge("cephx_user", users=[{"name": entry["name"]} for entry in users], state="absent")
    assert not [name for name in names(ceph) if name.startswith("client.many.")]


def test_unusual_caps_arrive_as_they_are(module: ModuleRun, ceph: CephCluster) -> None:
    caps = {
        "mon": r"""allow r; allow command 'config get' with who regex '^"a\.b;#"\\[{1,2}$'""",
        "osd": f"""allow r pool={POOL} namespace="", allow rwx pool='{POOL}' object_prefix rbd_data.1""",
        "mds": "allow rw path=/a/b",
        "mgr": "allow r",
    }
    module.converge("cephx_user", name="client.unusual", caps=caps)
    assert user(ceph, "client.unusual")["caps"] == caps


def test_network_lets_in_who_is_there(module: ModuleRun, machines: list[Machine]) -> None:
    result = module.converge("cephx_user", name="client.here", caps={"mon": "allow r"}, network=machines[0].address)
    assert result["caps"] == {"mon": f"allow r network {machines[0].address}/32"}
    key = module("cephx_user", name="client.here", return_key=True)["key"]
    for machine, code in zip(machines, (0, 13), strict=True):
        machine.give_key("client.here", key)
        tried = machine.try_to("client.here", "ceph", "osd", "dump")
        assert tried.returncode == code, tried.stderr


def test_old_keys_are_replaced_and_refused_from_then_on(
    module: ModuleRun, ceph: CephCluster, machines: list[Machine]
) -> None:
    name, old, caps = "client.rotated", key_of(days_ago=100), {"mon": "allow r", "osd": f"allow r pool={POOL}"}
    keyring = f'[{name}]\n\tkey = {old}\n\tcaps mon = "{caps["mon"]}"\n\tcaps osd = "{caps["osd"]}"\n'
    ceph.run("ceph", "auth", "import", "-i", "-", stdin=keyring)
    machine = machines[0]
    machine.give_key(name, old)
    assert machine.try_to(name, "ceph", "fsid").returncode == 0
    assert module("cephx_user", name=name, key_max_age="101d")["changed"] is False

    rotated = module.converge("cephx_user", name=name, key_max_age="99d")
    assert rotated["users"][0]["action"] == "rotated"
    new = user(ceph, name)
    assert new["caps"] == caps
    assert new["key"] != old
    assert not [key for key in (old, new["key"]) if key in str(rotated)]
    assert machine.try_to(name, "ceph", "fsid").returncode != 0
    machine.give_key(name, new["key"])
    assert machine.try_to(name, "ceph", "fsid").returncode == 0

    since = time.strftime("%Y-%m-%d", time.gmtime(time.time() - DAY))
    assert module("cephx_user", name=name, key_not_before=since)["changed"] is False


def test_key_is_replaced_every_time_if_asked_to(module: ModuleRun) -> None:
    args: dict[str, Any] = {"name": "client.spinning", "caps": {"mon": "allow r"}, "rotate": "always"}
    first, second = (module("cephx_user", **args, return_key=True) for _time in range(2))
    assert first["changed"] and second["changed"]
    assert first["key"] != second["key"]


@pytest.mark.not_on("14", "16", "18", reason="one type of key before 20")
def test_key_of_the_newer_type_works(module: ModuleRun, machines: list[Machine]) -> None:
    args: dict[str, Any] = {"name": "client.newer", "caps": {"mon": "allow r"}, "key_type": "aes256k"}
    module.converge("cephx_user", **args)
    key = module("cephx_user", **args, return_key=True)["key"]
    assert len(key) == 60
    machines[0].give_key("client.newer", key)
    assert machines[0].try_to("client.newer", "ceph", "fsid").returncode == 0


@pytest.mark.not_on("20", reason="it has the newer type of key")
def test_newer_type_of_key_is_refused_where_nobody_knows_it(module: ModuleRun) -> None:
    with pytest.raises(ModuleFailed) as caught:
        module("cephx_user", name="client.newer", caps={"mon": "allow r"}, key_type="aes256k")
    assert str(caught.value) == (
        "nothing was changed: client.newer: the cluster does not let in keys of key_type aes256k, only aes; "
        "Ceph 20 is the first that knows more"
    )


def test_what_the_module_can_tell_is_wrong(module: ModuleRun) -> None:
    users = [
        {"name": "backup"},
        {"name": "client.a", "caps": {"mom": "allow r"}},
        {"name": "client.b", "network": "10.0.0.1/24"},
    ]
    with pytest.raises(ModuleFailed) as caught:
        module("cephx_user", users=users, caps={"mon": "allow r"})
    assert str(caught.value) == (
        "nothing was changed: "
        "backup: the name of a user is TYPE.ID, as in client.backup, with TYPE client, mds, mgr, mon or osd; "
        "client.a: caps for 'mom': there are caps for mds, mgr, mon, osd; did you mean mon?; "
        "client.b: network '10.0.0.1/24' is an address within 10.0.0.0/24: write one or the other"
    )


def test_what_only_ceph_can_tell_is_wrong(module: ModuleRun, ceph: CephCluster) -> None:
    users = [
        {"name": "client.wrong.a", "caps": {"mon": "alow r", "osd": "allow r"}},
        {"name": "client.wrong.b", "caps": {"osd": "allow r pol=x"}},
        {"name": "client.wrong.c", "profile": "narrow_rbd", "pool": f"{POOL}s"},
        {"name": "client.wrong.d", "caps": {}},
        {"name": "client.wrong.e", "caps": {"mon": "allow r"}},
    ]
    with pytest.raises(ModuleFailed) as caught:
        module("cephx_user", users=users, check_mode=True)
    assert str(caught.value) == (
        f"nothing was changed: client.wrong.c: pool {POOL}s does not exist; did you mean {POOL}?; "
        "client.wrong.d: a user without caps can do nothing, and Ceph imports none: "
        "give caps or profile, or state=absent; "
        "client.wrong.a: Ceph cannot read mon caps 'alow r': stopped at 'alow r' of 'alow r'; "
        "client.wrong.b: Ceph cannot read osd caps 'allow r pol=x': stopped at 'pol=x' of 'allow r pol=x'"
    )
    assert not [name for name in names(ceph) if name.startswith("client.wrong.")]


NARROW, READER = "client.narrow", "client.reader"
IMAGE = "narrow-image"


@pytest.fixture(scope="module")
def narrow(module: ModuleRun, ceph: CephCluster, machines: list[Machine]) -> Machine:
    """A machine with keys of both narrow profiles, and an image for them."""
    users = [{"name": NARROW}, {"name": READER, "profile": "narrow_rbd_read_only"}]
    result = module("cephx_user", users=users, profile="narrow_rbd", pool=POOL, return_key=True)
    for entry in result["users"]:
        machines[0].give_key(entry["name"], entry["key"])
    ceph.run("rbd", "create", "--size", "8M", f"{POOL}/{IMAGE}")
    return machines[0]


WRITE = f"rbd bench --io-type write --io-size 4K --io-total 16K {POOL}/{IMAGE}"
ALLOWED = {
    "use an image": (NARROW, WRITE),
    "create an image": (NARROW, f"rbd create --size 1M {POOL}/narrow-own"),
    "blocklist one client": (NARROW, "ceph osd {word} add 203.0.113.7:0/2654949452"),
    "blocklist one client in the words of an older one": (NARROW, "ceph osd blacklist add 203.0.113.7:0/2654949453"),
    "blocklist one IPv6 client": (NARROW, "ceph osd {word} add [2001:db8::7]:0/2654949452"),
    "read an image": (READER, f"rbd export --no-progress {POOL}/{IMAGE} -"),
}
REFUSED = {
    "blocklist a network": (NARROW, "ceph osd {word} range add 203.0.113.0/24"),
    "blocklist a network as an instance": (NARROW, "ceph osd {word} range add 203.0.113.0:0/0024"),
    "blocklist a network by overflow": (NARROW, "ceph osd {word} range add 203.0.113.0:0/4294967320"),
    "blocklist an address": (NARROW, "ceph osd {word} add 203.0.113.7"),
    "blocklist a host": (NARROW, "ceph osd {word} add 203.0.113.7:0/0"),
    "blocklist a host as an instance": (NARROW, "ceph osd {word} add 203.0.113.7:0/0000"),
    "blocklist a host by overflow": (NARROW, "ceph osd {word} add 203.0.113.7:0/4294967296"),
    "blocklist a host in the words of an older client": (NARROW, "ceph osd blacklist add 203.0.113.7:0/0000"),
    "take an entry away": (NARROW, "ceph osd {word} rm 203.0.113.7:0/2654949452"),
    "clear the blocklist": (NARROW, "ceph osd {word} clear"),
    "read the users": (NARROW, "ceph auth ls"),
    "read only, but write": (READER, WRITE),
    "read only, but blocklist": (READER, "ceph osd {word} add 203.0.113.7:0/2654949454"),
}


def in_words(ceph: CephCluster, command: str) -> list[str]:
    return command.format(word="blacklist" if ceph.release == "14" else "blocklist").split()


@pytest.mark.parametrize(("who", "command"), [pytest.param(*case, id=what) for what, case in ALLOWED.items()])
def test_narrow_key_can(narrow: Machine, ceph: CephCluster, who: str, command: str) -> None:
    result = narrow.try_to(who, *in_words(ceph, command))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(("who", "command"), [pytest.param(*case, id=what) for what, case in REFUSED.items()])
def test_narrow_key_cannot(narrow: Machine, ceph: CephCluster, who: str, command: str) -> None:
    if " range " in command and ceph.release == "14":
        command = command.replace(" range ", " ").replace("blocklist", "blacklist")
    result = narrow.try_to(who, *in_words(ceph, command))
    # An image opened for reading and writing waits for the lock that it may not take.
    waits = 124 if command == WRITE else 13
    assert result.returncode in {1, 13, waits}, (result.returncode, result.stderr)
    if result.returncode != waits:
        assert "not permitted" in result.stderr or "EACCES" in result.stderr, result.stderr


def test_narrow_key_takes_over_from_a_dead_client(narrow: Machine, ceph: CephCluster) -> None:
    with hold_image(ceph, IMAGE) as dead:
        (lock,) = ceph.rbd("lock", "ls", f"{POOL}/{IMAGE}")
        dead.kill()
    removed = narrow.try_to(NARROW, "rbd", "lock", "rm", f"{POOL}/{IMAGE}", lock["id"], lock["locker"])
    assert removed.returncode == 0, removed.stderr
    dump = ceph.ceph("osd", "dump")
    assert lock["address"] in dump["blacklist" if ceph.release == "14" else "blocklist"]
    written = narrow.try_to(NARROW, *WRITE.split())
    assert written.returncode == 0, written.stderr
