# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module netconsole_target on real kernels: a task, the same task again, and what then arrives."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_target import kernel_features

from .guest import HOST, Guest
from .netconsole_host import ROUTER_MAC, module, release

HOST6 = "fec0::2"


def test_check_apply_apply_and_the_kernel_sends(host: Guest) -> None:
    host.run("/bin/modprobe netconsole")
    features = kernel_features(release(host))
    task = {"name": "log1", "remote_address": HOST, "remote_port": host.port}
    if "userdata" in features:
        task["userdata"] = {"host": "udoo1"}
    if "sysdata msgid" in features:
        task |= {"release": True, "sysdata": ["cpu_nr", "msgid"]}
    assert module(host, "netconsole_target", **task, _ansible_check_mode=True)["changed"] is True
    made = module(host, "netconsole_target", **task)
    assert made["changed"] is True
    (target,) = made["targets"]
    assert (target["device"], target["local_address"], target["remote_mac"]) == ("eth0", "10.0.2.15", ROUTER_MAC)
    assert module(host, "netconsole_target", **task)["changed"] is False
    host.say("by the module")
    (datagram,) = [datagram for datagram in host.received("by the module") if b"by the module" in datagram]
    assert (b"\n host=udoo1\n" in datagram) == ("userdata" in features)
    assert module(host, "netconsole_target", name="log1", state="absent")["changed"] is True
    assert module(host, "netconsole_target", name="log1", state="absent")["changed"] is False


def test_kernel_sends_by_ipv6(host: Guest) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("::1", 0))  # where QEMU's network sends what is for HOST6
        receiver.settimeout(20)
        host.run("/bin/modprobe netconsole; /bin/ip -6 addr add fec0::15/64 dev eth0 nodad")
        task = {"name": "log6", "remote_address": HOST6, "remote_port": receiver.getsockname()[1]}
        made = module(host, "netconsole_target", **task)
        try:
            (target,) = made["targets"]
            assert (target["device"], target["enabled"]) == ("eth0", True)
            # Ours, or the one that the router of QEMU's network has announced meanwhile.
            assert target["local_address"].startswith("fec0::")
            assert module(host, "netconsole_target", **task)["changed"] is False
            host.say("by IPv6")
            while b"by IPv6" not in receiver.recv(65536):
                pass
        finally:
            host.run("/bin/ip -6 addr del fec0::15/64 dev eth0")


@pytest.mark.full
def test_target_that_a_bridge_silenced_is_made_anew_on_the_bridge(host: Guest) -> None:
    host.run("/bin/modprobe netconsole")
    task = {"name": "log1", "remote_address": HOST, "remote_port": host.port}
    module(host, "netconsole_target", **task)
    host.run("/bin/ip link add br0 type bridge; ip addr flush dev eth0; /bin/ip link set eth0 master br0")
    host.run(f"ip link set br0 up; ip addr add 10.0.2.15/24 dev br0; ip route add default via {HOST}")
    again = module(host, "netconsole_target", **task)
    assert again["changed"] is True
    assert again["diff"]["before"]["log1"]["enabled"] is False
    assert again["targets"][0]["device"] == "br0"
    host.say("through the bridge")
    host.received("through the bridge")


def test_module_that_is_not_loaded_is_said(host: Guest) -> None:
    failed = module(host, "netconsole_target", name="log1", remote_address=HOST)
    assert "load the module ('modprobe netconsole')" in failed["msg"]


@pytest.mark.full
def test_log_host_without_a_way_is_said(host: Guest) -> None:
    host.run("/bin/modprobe netconsole; ip route del default")
    failed = module(host, "netconsole_target", name="log1", remote_address="192.0.2.1")
    assert failed["msg"].startswith("log1: there is no route to 192.0.2.1: ")
    failed = module(host, "netconsole_target", name="log1", remote_address="10.0.2.99")
    assert "10.0.2.99 does not answer on eth0" in failed["msg"]
