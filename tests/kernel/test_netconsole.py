# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""netconsole in the oldest and the newest kernel that Debian's hosts may have.

The boot logic, the planner and the program that follows links are the product's own; the kernels, too, are real.
"""

from __future__ import annotations

import json
import time

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_target import kernel_features

from lab.patience import wait_until

from .guest import GUEST, HOST, Guest
from .netconsole_host import ROUTER_MAC, TARGETS, early_boot, follow, parameter, prefix, release, targets

PLANNER_FILE = "/run/planner.py"


def test_early_boot_sends_all_that_the_kernel_said_before(host: Guest) -> None:
    host.run("echo 4 >/proc/sys/kernel/printk")
    host.say("said before")
    early_boot(host)
    host.say("said after")
    datagrams = host.received("said after")
    assert datagrams[0].startswith(prefix(host) + b"5,0,0,-;Linux version ")
    assert any(datagram.endswith(b";said before\n") for datagram in datagrams)
    sequence = [int(datagram.removeprefix(prefix(host)).split(b",")[1]) for datagram in datagrams]
    assert sequence == list(range(len(sequence)))
    assert host.run("cat /proc/sys/kernel/printk").split() == ["8", "4", "1", "7"]


def test_early_boot_with_a_log_host_that_is_away_goes_on(host: Guest) -> None:
    host.run("mkdir -p /run/diskless")
    parts = "for part in report config job network netconsole; do . /usr/lib/diskless/$part.sh; done"
    began = time.monotonic()
    host.run(f"( {parts}; DISKLESS_NETCONSOLE=10.0.2.99:6666; netconsole_forget; netconsole_start eth0 )", timeout=60)
    assert time.monotonic() - began < 6
    assert "no way to 10.0.2.99:6666" in host.run("dmesg | tail -n 1")
    assert not host.run("ls /sys/module").count("netconsole")


def test_two_log_hosts_get_the_same(host: Guest) -> None:
    one = f"+@{GUEST}/eth0,{host.port}@{HOST}/{ROUTER_MAC}"
    host.run(f"/bin/modprobe netconsole 'netconsole={one};{one}'")
    host.say("to both")
    assert [datagram for datagram in host.received("to both") if b"to both" in datagram]
    assert [datagram for datagram in host.pending() if b"to both" in datagram]


def test_target_is_silent_in_a_bridge_and_after_it(host: Guest) -> None:
    """What the follower is for."""
    parameter(host)
    host.say("alone")
    host.received("alone")
    host.run("/bin/ip link add br0 type bridge; /bin/ip link set br0 up; /bin/ip link set eth0 master br0")
    assert not [datagram for datagram in host.silent("in a bridge") if b"in a bridge" in datagram]
    host.run("/bin/ip link set eth0 nomaster; /bin/ip link set eth0 up")
    assert not [datagram for datagram in host.silent("out of it") if b"out of it" in datagram]


def test_target_survives_a_cable_that_was_out_and_a_new_address(host: Guest) -> None:
    parameter(host)
    host.run("ip link set eth0 down; ip link set eth0 up; sleep 1")
    host.run("ip addr add 10.0.2.16/24 dev eth0; ip addr del 10.0.2.15/24 dev eth0")
    host.say("still here")
    host.received("still here", timeout=20)


def test_kernel_shows_the_files_that_its_release_promises(host: Guest) -> None:
    host.run(f"/bin/modprobe netconsole; mkdir {TARGETS}/t")
    assert targets(host)["t"].features == kernel_features(release(host))


PLANNER = """
import sys
sys.path.insert(0, '/usr/lib/diskless')
from diskless_netconsole._netconsole_configfs import NetconsoleDirectory, NetconsoleError
from diskless_netconsole._netconsole_plan import Step, Wanted, expected, plan, unproven
from diskless_netconsole._netconsole_target import Target
directory = NetconsoleDirectory()
def bring_about(wanted):
    if wanted.present and directory.target(wanted.name) is None:
        directory.apply([Step('mkdir', wanted.name)])
    directory.apply(plan(directory.target(wanted.name), wanted))
    return unproven(directory.target(wanted.name), wanted)
def settings(**more):
    return {'extended': '1', 'dev_name': 'eth0', 'local_ip': '10.0.2.15', 'remote_ip': '10.0.2.2', 'remote_port': PORT,
            'remote_mac': '52:55:0A:00:02:02', **more}
"""


def planned(host: Guest, script: str) -> str:
    host.write(PLANNER_FILE, PLANNER.replace("PORT", f"'{host.port}'") + script)
    return host.run(f"python3 {PLANNER_FILE}")


def refusal(settings: str) -> str:
    return (
        f"try:\n    bring_about(Wanted('t', settings={settings}))\nexcept NetconsoleError as error:\n    print(error)\n"
    )


@pytest.mark.full
def test_plan_is_carried_out_once_and_proven(host: Guest) -> None:
    host.run("/bin/modprobe netconsole")
    features = kernel_features(release(host))
    wanted = "Wanted('t', settings=settings()"
    if "userdata" in features:
        wanted += ", userdata={'host': 'udoo1', 'rack': 'a b'}"
    if "sysdata cpu_nr" in features:
        wanted += ", sysdata=frozenset(['cpu_nr'])"
    wanted += ")"
    script = f"print(bring_about({wanted}), plan(directory.target('t'), {wanted}))\n"
    assert planned(host, script) == "[] []\n"
    host.say("by configfs")
    (datagram,) = [datagram for datagram in host.received("by configfs") if b"by configfs" in datagram]
    assert datagram.split(b"\n")[0].endswith(b";by configfs")
    if "userdata" in features:
        assert b"\n host=udoo1\n rack=a b\n" in datagram
    if "sysdata cpu_nr" in features:
        assert b" cpu=0\n" in datagram
    changed = "bring_about(Wanted('t', settings=settings(remote_port='9'), userdata=" + (
        "{}" if "userdata" in features else "None"
    )
    assert (
        planned(host, f"print({changed})))\nprint(bring_about(Wanted('t', present=False)), directory.read())\n")
        == "[]\n[] {}\n"
    )


def test_feature_that_the_kernel_lacks_is_named_with_its_version(host: Guest) -> None:
    host.run("/bin/modprobe netconsole")
    said = planned(host, refusal("settings(release='1')"))
    lacks = "userdata" not in kernel_features(release(host))
    assert said == ("t: this kernel's netconsole has no release, which came with Linux 6.6\n" if lacks else "")


def test_enabling_on_a_port_of_a_bridge_says_what_to_name_instead(host: Guest) -> None:
    host.run("/bin/modprobe netconsole; /bin/ip link add br0 type bridge; /bin/ip link set eth0 master br0")
    script = (
        "try:\n    bring_about(Wanted('t', settings=settings()))\nexcept NetconsoleError as error:\n    print(error)\n"
    )
    assert "its device is part of a bridge, bond or team: name that one" in planned(host, script)


def test_follower_takes_the_target_of_early_boot_over_without_a_gap(host: Guest) -> None:
    early_boot(host)
    host.say("before it")
    host.received("before it")
    follow(host)
    host.say("after it")
    name = f"diskless-{HOST}:{host.port}"
    sequence = {int(datagram.removeprefix(prefix(host)).split(b",")[1]) for datagram in host.received("after it")}
    time.sleep(1)
    # Whatever was said while the target changed hands arrives, too, if later.
    sequence |= {int(datagram.removeprefix(prefix(host)).split(b",")[1]) for datagram in host.pending()}
    assert sequence >= set(range(max(sequence)))
    assert list(targets(host)) == [name]
    host.say("once only")
    time.sleep(1)
    assert len([datagram for datagram in host.pending() if b"once only" in datagram]) == 1


@pytest.mark.parametrize("upper", ["type bridge", "type bond mode active-backup"])
def test_follower_moves_to_the_bridge_or_bond_and_sends_what_was_said_meanwhile(host: Guest, upper: str) -> None:
    early_boot(host)
    follow(host)
    host.pending()
    name = "bond0" if "bond" in upper else "br0"
    host.run(f"/bin/modprobe bonding max_bonds=0; /bin/ip link add {name} {upper}")
    host.run(f"ip addr flush dev eth0; ip link set eth0 down; /bin/ip link set eth0 master {name}")
    host.run(f"ip link set eth0 up; ip link set {name} up")
    host.say("while joining")
    host.run(f"ip addr add {GUEST}/24 dev {name}; ip route add default via {HOST}")
    host.received("while joining", timeout=60)
    (target,) = targets(host).values()
    assert (target.enabled, target.settings["dev_name"]) == (True, name)
    host.say("through it")
    host.received("through it")


@pytest.mark.full
def test_follower_takes_the_new_address(host: Guest) -> None:
    early_boot(host)
    follow(host)
    host.run("ip addr del 10.0.2.15/24 dev eth0; ip addr add 10.0.2.77/24 dev eth0")
    ours = f"{TARGETS}/diskless-{HOST}:{host.port}"
    assert wait_until(lambda: host.run(f"cat {ours}/local_ip {ours}/enabled").split() == ["10.0.2.77", "1"], 20)
    host.say("from another")
    host.received("from another")


def test_stopped_follower_leaves_the_target(host: Guest) -> None:
    early_boot(host)
    follow(host)
    host.run("kill $(cat /tmp/pid); rm /tmp/pid; sleep 1")
    host.pending()
    host.say("the last word")
    assert len([datagram for datagram in host.received("the last word") if b"the last word" in datagram]) == 1


def test_follower_of_a_host_without_early_boot_sends_its_whole_log(host: Guest) -> None:
    host.run("mkdir -p /etc/diskless")
    host.write("/etc/diskless/netconsole.json", json.dumps({"targets": [f"{HOST}:{host.port}"]}))
    host.run("/bin/modprobe netconsole")
    try:
        follow(host)
        host.say("now")
        assert any(b"5,0,0,-;Linux version " in datagram for datagram in host.received("now") + host.pending())
    finally:
        host.run("rm /etc/diskless/netconsole.json")
