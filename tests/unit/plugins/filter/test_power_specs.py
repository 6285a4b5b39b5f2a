# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter power_specs: what diskless_power becomes, and what every kind of mistake is answered with."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError, AnsibleUndefinedVariable
from ansible_collections.diskless.ceph.plugins.filter.power_specs import FilterModule, power_specs
from jinja2 import StrictUndefined

HOST = {
    "diskless_mac": "52:54:00:77:00:11",
    "diskless_address": "10.77.0.11/24",
    "diskless_boot_network": "10.77.0.0/24",
}
HIDDEN = "geheim"
TURING_PI = {"driver": "turing_pi", "url": "https://turingpi.local", "node": 3, "password": HIDDEN}
REDFISH = {"driver": "redfish", "url": "https://bmc:8443/", "user": "admin", "password": HIDDEN}
IPMI: dict[Any, Any] = {"driver": "ipmi", "address": "192.0.2.20", "user": "admin", "password": HIDDEN}
COMMAND = {
    "driver": "command",
    "on_command": ["pdu", "on", "{host}"],
    "off_command": ["pdu", "off", "{mac}"],
    "status_command": ["pdu", "status", "{address}", '{"json": "{host}"}'],
    "on_exit": 0,
    "off_exit": 2,
}
COMMON = {"via": "localhost", "timeout": 60, "pause": 5}
_NOTHING = object()


def _spec(power: object, **more: Any) -> Any:
    return power_specs({"udoo1": {**HOST, "diskless_power": power, **more}}, ["udoo1"])["udoo1"]


def _problems(power: object, **more: Any) -> list[str]:
    hostvars = {**HOST, "diskless_power": power, **more}
    hostvars = {name: value for name, value in hostvars.items() if value is not _NOTHING}
    with pytest.raises(AnsibleFilterError) as raised:
        power_specs({"udoo1": hostvars}, ["udoo1"])
    return [line.removeprefix("udoo1: diskless_power.") for line in str(raised.value).split("\n  ")[1:]]


def test_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"power_specs": power_specs}


@pytest.mark.parametrize("nothing", [None, {}, ""])
def test_host_without_power_has_no_spec(nothing: object) -> None:
    assert _spec(nothing) is None
    assert power_specs({"udoo1": HOST}, ["udoo1"]) == {"udoo1": None}


def test_turing_pi() -> None:
    web = {"url": "https://turingpi.local", "password": HIDDEN, "validate_certs": True, "ca_path": ""}
    assert _spec(TURING_PI) == {
        **{"driver": "turing_pi", **COMMON, **web, "user": "root", "node": 3},
        "at": "slot 3 of the Turing Pi at https://turingpi.local",
    }


def test_redfish() -> None:
    spec = _spec({**REDFISH, "system": "/redfish/v1/Systems/1", "validate_certs": "no"})
    assert (spec["url"], spec["system"], spec["validate_certs"]) == ("https://bmc:8443", "/redfish/v1/Systems/1", False)


def test_ipmi() -> None:
    spec = _spec({**IPMI, "port": "6230", "timeout": "90"})
    assert (spec["interface"], spec["cipher_suite"], spec["port"], spec["timeout"]) == ("lanplus", None, 6230, 90)


def test_wake_on_lan_knows_the_host_from_its_other_variables() -> None:
    assert _spec({"driver": "wake_on_lan"}) == {
        **{"driver": "wake_on_lan", **COMMON, "mac": "52:54:00:77:00:11", "address": "10.77.0.255", "port": 9},
        "at": "network card 52:54:00:77:00:11",
    }
    spec = _spec({"driver": "wake_on_lan", "mac": "52-54-00-00-00-01", "address": "192.0.2.255"})
    assert (spec["mac"], spec["address"]) == ("52:54:00:00:00:01", "192.0.2.255")


def test_places_in_commands_are_filled_and_other_braces_are_left() -> None:
    spec = _spec(COMMAND)
    assert spec["on_command"] == ["pdu", "on", "udoo1"]
    assert spec["off_command"] == ["pdu", "off", "52:54:00:77:00:11"]
    assert spec["status_command"] == ["pdu", "status", "10.77.0.11", '{"json": "udoo1"}']


def test_driver_may_run_on_another_host_of_the_inventory() -> None:
    hostvars = {"udoo1": {**HOST, "diskless_power": {**IPMI, "via": "boot"}}, "boot": {}}
    spec = power_specs(hostvars, ["udoo1"])["udoo1"]
    assert spec is not None
    assert spec["via"] == "boot"
    assert _problems({**IPMI, "via": "boot"}) == [
        "via is 'boot'; expected a host of the inventory, or localhost, which is the controller"
    ]


@pytest.mark.parametrize(
    ("power", "problem"),
    [
        ({"driver": "ilo"}, "driver is 'ilo'; expected one of turing_pi, wake_on_lan, ipmi, redfish, command"),
        ({"via": "localhost"}, "driver is missing; expected one of turing_pi, wake_on_lan, ipmi, redfish, command"),
        ({**TURING_PI, "node": 0}, "node is 0; expected the number of a slot, a whole number from 1 to 4"),
        ({**TURING_PI, "node": None}, "node is missing; expected the number of a slot, a whole number from 1 to 4"),
        ({**TURING_PI, "pasword": "x"}, "pasword is a key that nothing reads; expected password"),
        ({**IPMI, True: "x"}, "True is a key that nothing reads; expected keys of ipmi: via, timeout, pause, address"),
        ({**IPMI, "address": "-f/etc/shadow"}, "address is '-f/etc/shadow'; expected a host name or an IP address"),
        ({**IPMI, "password": "x" * 21}, "password is longer; expected a password of at most 20 bytes"),
        ({**IPMI, "password": 123456}, "password is a value that is not shown here; expected a password in quotes"),
        ({**IPMI, "password": f"{HIDDEN}\n"}, "password is a value that is not shown here; expected a password of one"),
        ({**IPMI, "cipher_suite": 0}, "cipher_suite is 0; expected a cipher suite, a whole number from 1 to 17"),
        ({**IPMI, "timeout": 0}, "timeout is 0; expected seconds, a whole number from 1 to 3600"),
        ({**REDFISH, "url": "https://admin:geheim@bmc"}, "url is one with a user in it; expected the root of a web"),
        ({**REDFISH, "url": "https://bmc/redfish/v1"}, "url is 'https://bmc/redfish/v1'; expected the root of a web"),
        ({**REDFISH, "url": "bmc"}, "url is 'bmc'; expected the root of a web service such as https://bmc.example.org"),
        ({**REDFISH, "url": "https://[::1"}, "url is 'https://[::1'; expected the root of a web service"),
        ({**REDFISH, "system": "1"}, "system is '1'; expected the path of a system such as /redfish/v1/Systems/1"),
        ({**COMMAND, "on_command": "pdu on"}, "on_command is 'pdu on'; expected a list of words"),
        ({**COMMAND, "on_command": ["pdu", True]}, "on_command is a list with something else in it; expected a list"),
        (
            {**COMMAND, "on_command": ["pdu", "{slot}"]},
            "on_command is a command with {slot}; expected {host}, {address}",
        ),
        (
            {**COMMAND, "on_command": ["pdu", "{serial}"]},
            "on_command is a command with {serial}; expected a host that has",
        ),
        ({**COMMAND, "off_exit": 1}, "off_exit is 1; expected another exit status than 1: programs that fail end with"),
        ({**COMMAND, "off_exit": 0}, "off_exit is 0; expected another one than on_exit"),
        ({**COMMAND, "off_exit": None}, "status_command is a command whose answer nobody can read; expected either"),
        ({**COMMAND, "on_pattern": "on"}, "status_command is a command whose answer nobody can read; expected either"),
        ({**COMMAND, "on_pattern": "("}, "on_pattern is '('; expected a regular expression (missing )"),
        ({**COMMAND, "on_pattern": "x*"}, "on_pattern is 'x*'; expected a regular expression that an empty output"),
        ({**COMMAND, "stdin": 5}, "stdin is a value that is not shown here; expected a text"),
        ({"driver": "wake_on_lan", "mac": "52:54"}, "mac is '52:54'; expected a quoted MAC address"),
        ({"driver": "wake_on_lan", "port": 70000}, "port is 70000; expected a port, a whole number from 1 to 65535"),
    ],
)
def test_mistakes_are_told(power: dict[Any, Any], problem: str) -> None:
    (found,) = _problems(power)
    assert found.startswith(problem)
    assert HIDDEN not in found


def test_wake_on_lan_without_a_network_says_what_is_missing() -> None:
    assert _problems({"driver": "wake_on_lan"}, diskless_boot_network=_NOTHING, diskless_mac=_NOTHING) == [
        "address is missing; expected a value here or a correct diskless_boot_network",
        "mac is missing; expected a value here or a correct diskless_mac",
    ]


def test_what_is_no_dictionary_may_be_a_secret_and_is_not_shown() -> None:
    with pytest.raises(AnsibleFilterError, match="diskless_power is no dictionary; expected") as raised:
        power_specs({"udoo1": {"diskless_power": HIDDEN}}, ["udoo1"])
    assert HIDDEN not in str(raised.value)


def test_problems_of_all_hosts_are_told_together() -> None:
    hostvars = {"a": {"diskless_power": {"driver": "x"}}, "b": {"diskless_power": {**IPMI, "user": ""}}, "c": {}}
    with pytest.raises(AnsibleFilterError, match=r"^2 problems in the inventory") as raised:
        power_specs(hostvars, ["a", "b", "c"])
    assert "a: diskless_power.driver" in str(raised.value)
    assert "b: diskless_power.user is ''" in str(raised.value)


def test_template_that_fails_is_a_problem_of_its_host() -> None:
    class Power(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            if key == "password":
                raise AnsibleUndefinedVariable("'vault_password' is undefined")
            return super().get(key, default)

    assert _problems(Power(IPMI)) == [
        "password is a template that fails ('vault_password' is undefined); expected one that works"
    ]
    undefined = StrictUndefined(name="bmc_user")
    assert _problems({**IPMI, "user": undefined}) == [
        "user is a template that fails ('bmc_user' is undefined); expected one that works"
    ]
