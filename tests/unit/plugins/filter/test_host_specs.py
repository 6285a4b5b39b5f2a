# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter host_specs: what a correct inventory becomes, and what every kind of mistake is answered with."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError, AnsibleUndefinedVariable
from ansible_collections.diskless.ceph.plugins.filter import host_specs as host_specs_filter
from ansible_collections.diskless.ceph.plugins.filter.host_specs import FilterModule, host_specs
from ansible_collections.diskless.ceph.plugins.plugin_utils import _host_values
from jinja2 import StrictUndefined

CORRECT = {
    "diskless_board": "udoo_x86",
    "diskless_mac": "52:54:00:77:00:11",
    "diskless_address": "10.77.0.11/24",
    "diskless_boot_network": "10.77.0.0/24",
    "diskless_boot_server": "10.77.0.3",
}
CORRECT_PI = {**CORRECT, "diskless_board": "cm4", "diskless_serial": "10000000abcd1234"}
SPEC = {
    "name": "udoo1",
    "board": "udoo_x86",
    "arch": "amd64",
    "loader": "grub",
    "modules": ["r8169", "realtek"],
    "mac": "52:54:00:77:00:11",
    "serial": None,
    "address": "10.77.0.11",
    "prefix": 24,
    "network": "10.77.0.0/24",
    "gateway": None,
    "nameservers": [],
    "boot_server": "10.77.0.3",
    "pool": "diskless",
    "namespace": "udoo1",
    "image": "root",
    "cephx_user": "client.diskless.udoo1",
    "root_size": 8 * 1024**3,
    "features": ["layering", "exclusive-lock", "object-map", "fast-diff"],
    "kernel": "6.1",
    "monitors": [],
    "ms_mode": "prefer-crc",
    "kernel_options": [],
    "console": ["ttyS0,115200n8", "tty0"],
    "config_txt": [],
    "exitrd": True,
    "shutdown_timeout": 120,
    "boot_timeout": 600,
    "shell": False,
    "netconsole": [],
}
KEY = "AQBlAAAAAAAAABAAMDEyMzQ1Njc4OWFiY2RlZg=="


def _problem(name: str = "udoo1", correct: dict[str, str] | None = None, **variables: Any) -> str:
    """The one problem of an inventory of one host, without the line that introduces it."""
    hostvars = {**(correct or CORRECT), **{f"diskless_{key}": value for key, value in variables.items()}}
    with pytest.raises(AnsibleFilterError) as raised:
        host_specs({name: hostvars}, [name])
    introduction, *problems = str(raised.value).split("\n  ")
    assert introduction == "1 problem in the inventory of the diskless hosts:"
    assert len(problems) == 1
    return problems[0]


def _spec(correct: dict[str, str] | None = None, **variables: Any) -> dict[str, Any]:
    hostvars = {**(correct or CORRECT), **{f"diskless_{key}": value for key, value in variables.items()}}
    return host_specs({"udoo1": hostvars}, ["udoo1"])[0]


def test_five_variables_make_a_complete_spec() -> None:
    assert host_specs({"udoo1": CORRECT}, ["udoo1"]) == [SPEC]


def test_specs_are_sorted_by_name() -> None:
    hostvars = {
        name: {**CORRECT, "diskless_mac": f"52:54:00:77:00:1{number}", "diskless_address": f"10.77.0.1{number}/24"}
        for number, name in enumerate(("udoo9", "udoo1", "udoo5"))
    }
    assert [spec["name"] for spec in host_specs(hostvars, list(hostvars))] == ["udoo1", "udoo5", "udoo9"]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"mac": "52-54-00-AB-00-11"}, {"mac": "52:54:00:ab:00:11"}),
        ({"address": "10.77.0.11/255.255.255.0"}, {"address": "10.77.0.11", "prefix": 24}),
        ({"gateway": "10.77.0.1"}, {"gateway": "10.77.0.1"}),
        ({"gateway": ""}, {"gateway": None}),
        ({"gateway": None}, {"gateway": None}),
        ({"nameservers": ["10.0.0.1", "2001:db8::1"]}, {"nameservers": ["10.0.0.1", "2001:db8::1"]}),
        ({"root_size": "32GiB"}, {"root_size": 32 * 1024**3}),
        ({"root_size": 2 * 1024**3}, {"root_size": 2 * 1024**3}),
        ({"features": ["layering"]}, {"features": ["layering"]}),
        ({"kernel": "6.12"}, {"kernel": "6.12"}),
        ({"monitors": ["10.0.0.1:3300", "[2001:DB8::1]:3300"]}, {"monitors": ["10.0.0.1:3300", "[2001:db8::1]:3300"]}),
        ({"ms_mode": "legacy", "monitors": ["10.0.0.1:6789"]}, {"ms_mode": "legacy", "monitors": ["10.0.0.1:6789"]}),
        ({"kernel_options": ["quiet", "a=b,c"]}, {"kernel_options": ["quiet", "a=b,c"]}),
        ({"console": "ttyS0,115200"}, {"console": ["ttyS0,115200"]}),
        ({"exitrd": "no", "shell": "yes"}, {"exitrd": False, "shell": True}),
        ({"shutdown_timeout": "60"}, {"shutdown_timeout": 60}),
        (
            {"netconsole": ["10.77.0.3", "10.77.0.3:6666", "10.77.0.4:514", "FD00::3", "[fd00::4]"]},
            {"netconsole": ["10.77.0.3:6666", "10.77.0.4:514", "[fd00::3]:6666", "[fd00::4]:6666"]},
        ),
    ],
)
def test_values_are_brought_into_one_form(variables: dict[str, Any], expected: dict[str, Any]) -> None:
    assert _spec(**variables) == {**SPEC, **expected}


MAC = 'a quoted MAC address such as "52:54:00:77:00:11"'
ADDRESS = "an IPv4 address with prefix length such as 10.77.0.11/24"
SIZE = "a size in bytes or such as 32GiB, at least 1GiB and a whole number of MiB"
WORDS = "a list of words without whitespace, quotes and backslashes"
MONITORS = 'a list of monitor addresses with port such as ["10.77.0.1:3300", "[2001:db8::1]:3300"]'
FEATURES = "a list of RBD features (layering, exclusive-lock, object-map, fast-diff, deep-flatten, journaling)"
KERNEL = 'a quoted kernel version such as "6.1" (without quotes, YAML reads 6.10 as the number 6.1)'
SECONDS = "a whole number of seconds, 1 at least"
TARGETS = 'a list of targets such as ["10.77.0.3", "10.77.0.3:6666", "[2001:db8::1]:6666"]'
IN_NETWORK = "an address of a host in the boot network (10.77.0.0/24)"


@pytest.mark.parametrize(
    ("variable", "value", "shown", "expected"),
    [
        ("board", None, "missing", "one of the boards cm4, pi4, pxe, udoo_x86"),
        ("board", "cm5", "'cm5'", "one of the boards cm4, pi4, pxe, udoo_x86"),
        ("mac", None, "missing", MAC),
        ("mac", "52:54:00", "'52:54:00'", MAC),
        (
            "mac",
            41135083994,
            "41135083994",
            f"{MAC}; YAML has read it as a base-60 number because the quotes are missing",
        ),
        (
            "mac",
            "01:00:5e:00:00:01",
            "'01:00:5e:00:00:01'",
            f"{MAC} of one network card, not of a group and not all zero",
        ),
        (
            "mac",
            "00:00:00:00:00:00",
            "'00:00:00:00:00:00'",
            f"{MAC} of one network card, not of a group and not all zero",
        ),
        ("address", None, "missing", ADDRESS),
        ("address", "10.77.0.11", "'10.77.0.11'", ADDRESS),
        ("address", "10.77.0.256/24", "'10.77.0.256/24'", ADDRESS),
        ("address", "10.77/24", "'10.77/24'", ADDRESS),
        ("address", "2001:db8::1/64", "'2001:db8::1/64'", ADDRESS),
        (
            "address",
            "10.78.0.11/24",
            "'10.78.0.11/24'",
            "an address of the boot network, with its prefix length (10.77.0.0/24)",
        ),
        (
            "address",
            "10.77.0.11/16",
            "'10.77.0.11/16'",
            "an address of the boot network, with its prefix length (10.77.0.0/24)",
        ),
        (
            "address",
            "10.77.0.0/24",
            "'10.77.0.0/24'",
            "an address of a host; this one is 10.77.0.0/24's network or broadcast address",
        ),
        (
            "address",
            "10.77.0.255/24",
            "'10.77.0.255/24'",
            "an address of a host; this one is 10.77.0.0/24's network or broadcast address",
        ),
        ("address", "10.77.0.3/24", "'10.77.0.3/24'", "another address than the boot server's"),
        ("boot_network", None, "missing", "an IPv4 network such as 10.77.0.0/24"),
        ("boot_network", "10.77.0.0", "'10.77.0.0'", "an IPv4 network such as 10.77.0.0/24"),
        ("boot_network", "10.77.0.1/24", "'10.77.0.1/24'", "an IPv4 network; the one of this address is 10.77.0.0/24"),
        (
            "boot_network",
            "10.77.0.0/31",
            "'10.77.0.0/31'",
            "an IPv4 network of at least four addresses (/30 or shorter)",
        ),
        ("boot_server", None, "missing", "an IPv4 address such as 10.77.0.3"),
        ("boot_server", "boot.example.org", "'boot.example.org'", "an IPv4 address such as 10.77.0.3"),
        ("boot_server", "2001:db8::3", "'2001:db8::3'", "an IPv4 address such as 10.77.0.3"),
        ("boot_server", "10.78.0.3", "'10.78.0.3'", IN_NETWORK),
        ("boot_server", "10.77.0.255", "'10.77.0.255'", IN_NETWORK),
        ("gateway", "10.78.0.1", "'10.78.0.1'", IN_NETWORK),
        ("gateway", "nowhere", "'nowhere'", "an IPv4 address such as 10.77.0.3"),
        ("nameservers", "10.77.0.1", "'10.77.0.1'", "a list of IP addresses such as [10.77.0.1]"),
        ("nameservers", ["dns"], "['dns']", "a list of IP addresses such as [10.77.0.1]"),
        ("pool", "a/b", "'a/b'", "a pool name of letters, digits, dots, hyphens and underscores"),
        ("root_size", "big", "'big'", SIZE),
        ("root_size", "8GB", "'8GB'", SIZE),
        ("root_size", True, "True", SIZE),
        ("root_size", "512MiB", "'512MiB'", SIZE),
        ("root_size", 8 * 1024**3 + 1, str(8 * 1024**3 + 1), SIZE),
        ("features", "layering", "'layering'", FEATURES),
        (
            "features",
            ["layering", "exclusive_lock"],
            "['layering', 'exclusive_lock']",
            f"{FEATURES}: feature 'exclusive_lock' cannot be asked for; choose from layering, exclusive-lock,"
            " object-map, fast-diff, deep-flatten, journaling",
        ),
        (
            "features",
            ["layering", "object-map", "fast-diff"],
            "['layering', 'object-map', 'fast-diff']",
            f"{FEATURES}: feature object-map needs exclusive-lock",
        ),
        ("features", ["exclusive-lock"], "['exclusive-lock']", "a list with layering, because a root image is a clone"),
        (
            "features",
            ["layering", "exclusive-lock", "journaling"],
            "['layering', 'exclusive-lock', 'journaling']",
            "features that kernel 6.1 (diskless_kernel) maps: no kernel maps journaling",
        ),
        ("kernel", 6.1, "6.1", KERNEL),
        ("kernel", "new", "'new'", KERNEL),
        ("monitors", "10.0.0.1:3300", "'10.0.0.1:3300'", MONITORS),
        ("monitors", ["mon1:3300"], "['mon1:3300']", MONITORS),
        ("monitors", ["10.0.0.1"], "['10.0.0.1']", MONITORS),
        ("monitors", ["10.0.0.1:65536"], "['10.0.0.1:65536']", MONITORS),
        ("monitors", ["10.0.0.999:3300"], "['10.0.0.999:3300']", MONITORS),
        ("monitors", ["2001:db8::1:3300"], "['2001:db8::1:3300']", MONITORS),
        (
            "monitors",
            ["10.0.0.1:6789"],
            "['10.0.0.1:6789']",
            "port 3300 instead of 6789, because diskless_ms_mode is prefer-crc",
        ),
        ("ms_mode", "msgr2", "'msgr2'", "one of legacy, crc, secure, prefer-crc, prefer-secure"),
        ("kernel_options", "quiet", "'quiet'", WORDS),
        ("kernel_options", ["two words"], "['two words']", WORDS),
        ("kernel_options", ["line\nbreak"], "['line\\nbreak']", WORDS),
        ("kernel_options", ["it's"], '["it\'s"]', WORDS),
        ("kernel_options", [""], "['']", WORDS),
        ("kernel_options", [1], "[1]", WORDS),
        (
            "kernel_options",
            ["root=/dev/sda1"],
            "['root=/dev/sda1']",
            "a list without root, which the collection sets itself",
        ),
        (
            "kernel_options",
            ["console=ttyS1"],
            "['console=ttyS1']",
            "a list without console, which the collection sets itself (use diskless_console)",
        ),
        (
            "kernel_options",
            ["x" * 2000],
            f"['{'x' * 78}…",
            "so few that the kernel command line has at most 1536 characters with them, instead of 2088: the kernel"
            " ignores the end of a longer one",
        ),
        ("console", [], "[]", 'a list of consoles such as ["tty0", "ttyS0,115200"]'),
        ("console", ["console=tty0"], "['console=tty0']", 'a list of consoles such as ["tty0", "ttyS0,115200"]'),
        ("exitrd", "maybe", "'maybe'", "true or false"),
        ("shell", [], "[]", "true or false"),
        ("shutdown_timeout", 0, "0", SECONDS),
        ("shutdown_timeout", True, "True", SECONDS),
        ("boot_timeout", "10m", "'10m'", SECONDS),
        ("boot_timeout", 1.5, "1.5", SECONDS),
        ("netconsole", "10.77.0.3", "'10.77.0.3'", TARGETS),
        ("netconsole", ["log.example.org"], "['log.example.org']", TARGETS),
        ("netconsole", ["10.77.0.3:0"], "['10.77.0.3:0']", TARGETS),
        ("netconsole", ["10.77.0.3:65536"], "['10.77.0.3:65536']", TARGETS),
        ("netconsole", ["[10.77.0.3]:6666"], "['[10.77.0.3]:6666']", TARGETS),
        ("netconsole", [{"address": "10.77.0.3"}], "[{'address': '10.77.0.3'}]", TARGETS),
        ("netconsole", ["255.255.255.255"], "['255.255.255.255']", f"{TARGETS}, each the address of one host"),
        ("netconsole", ["ff02::1"], "['ff02::1']", f"{TARGETS}, each the address of one host"),
        ("netconsole", ["10.77.0.255"], "['10.77.0.255']", "addresses of log hosts; 10.77.0.255 is none"),
        ("netconsole", ["10.77.0.11"], "['10.77.0.11']", "addresses of log hosts; 10.77.0.11 is none"),
        (
            "netconsole",
            ["192.0.2.3:514"],
            "['192.0.2.3:514']",
            "targets in the boot network (10.77.0.0/24), or diskless_gateway for 192.0.2.3",
        ),
        (
            "netconsole",
            [f"10.77.0.{number}" for number in (3, 4, 5, 6, 7)],
            "['10.77.0.3', '10.77.0.4', '10.77.0.5', '10.77.0.6', '10.77.0.7']",
            "at most 4 targets",
        ),
    ],
)
def test_wrong_value_is_shown_with_what_is_expected(variable: str, value: Any, shown: str, expected: str) -> None:
    assert _problem(**{variable: value}) == f"udoo1: diskless_{variable} is {shown}; expected {expected}"


SERIAL = 'a quoted serial number of 8 or 16 hexadecimal digits such as "10000000abcd1234"'


@pytest.mark.parametrize(
    ("board", "arch", "loader", "modules", "console"),
    [
        ("cm4", "arm64", "pi", ["genet", "mdio_bcm_unimac", "broadcom"], ["ttyS1,115200n8", "tty0"]),
        ("pi4", "arm64", "pi", ["genet", "mdio_bcm_unimac", "broadcom"], ["ttyS1,115200n8", "tty0"]),
        ("udoo_x86", "amd64", "grub", ["r8169", "realtek"], ["ttyS0,115200n8", "tty0"]),
    ],
)
def test_board_decides_architecture_loader_modules_and_console(
    board: str, arch: str, loader: str, modules: list[str], console: list[str]
) -> None:
    spec = _spec(CORRECT_PI, board=board)
    assert (spec["arch"], spec["loader"], spec["modules"], spec["console"]) == (arch, loader, modules, console)


@pytest.mark.parametrize(
    ("serial", "expected"),
    [
        ("10000000ABCD1234", "abcd1234"),
        ("9FFEFDEF", "9ffefdef"),
        ("00000001", "00000001"),
    ],
)
def test_serial_number_becomes_the_directory_that_the_firmware_asks_for(serial: str, expected: str) -> None:
    assert _spec(CORRECT_PI, serial=serial)["serial"] == expected


@pytest.mark.parametrize(
    ("serial", "shown", "expected"),
    [
        (None, "missing", f"{SERIAL}, because the firmware of board cm4 asks for its files by it"),
        ("", "missing", f"{SERIAL}, because the firmware of board cm4 asks for its files by it"),
        (12345678, "12345678", f"{SERIAL}; YAML has read it as a number because the quotes are missing"),
        (1.5e300, "1.5e+300", f"{SERIAL}; YAML has read it as a number because the quotes are missing"),
        (True, "True", SERIAL),
        ("0x12345678", "'0x12345678'", SERIAL),
        ("abcd123", "'abcd123'", SERIAL),
        ("10000000abcd12345", "'10000000abcd12345'", SERIAL),
        ("1000000000000000", "'1000000000000000'", f"{SERIAL} of one board, not all zero"),
    ],
)
def test_serial_number_that_no_firmware_can_have_is_refused(serial: Any, shown: str, expected: str) -> None:
    assert _problem("pi1", CORRECT_PI, serial=serial) == f"pi1: diskless_serial is {shown}; expected {expected}"


def test_serial_number_of_two_hosts_is_refused_even_if_written_differently() -> None:
    hostvars = {
        f"pi{number}": {
            **CORRECT_PI,
            "diskless_mac": f"52:54:00:77:00:1{number}",
            "diskless_address": f"10.77.0.1{number}/24",
            "diskless_serial": serial,
        }
        for number, serial in enumerate(("10000000ABCD1234", "abcd1234", "abcd1235"))
    }
    with pytest.raises(AnsibleFilterError) as raised:
        host_specs(hostvars, list(hostvars))
    assert str(raised.value).split("\n  ") == [
        "1 problem in the inventory of the diskless hosts:",
        "pi0, pi1: diskless_serial is 'abcd1234'; expected a value that no other host has",
    ]


def test_lines_for_config_txt_are_kept_as_they_are() -> None:
    lines = ["dtparam=watchdog=on", "hdmi_group:0=2", "gpu_mem=32", "x=" + "y" * 96]
    assert _spec(CORRECT_PI, config_txt=lines)["config_txt"] == lines


LINES = "lines of the form name=value, in printable ASCII, and neither sections nor include"


@pytest.mark.parametrize(
    ("lines", "shown", "expected"),
    [
        ("a=1", "'a=1'", 'a list of lines such as ["dtparam=watchdog=on"]'),
        ([1], "[1]", 'a list of lines such as ["dtparam=watchdog=on"]'),
        (["a=1", "x=" + "y" * 97], f"a list with 'x={'y' * 97}'", "lines of at most 98 characters"),
        (["[pi4]"], "a list with '[pi4]'", LINES),
        (["include extra.txt"], "a list with 'include extra.txt'", LINES),
        (["initramfs other.img followkernel"], "a list with 'initramfs other.img followkernel'", LINES),
        (["a=ü"], "a list with 'a=ü'", LINES),
        (["a=1\nkernel=x"], "a list with 'a=1\\nkernel=x'", LINES),
        (["kernel=x"], "a list with 'kernel=x'", "lines without kernel, because the collection decides what is booted"),
        (["device_tree="], "a list with 'device_tree='", "lines without device_tree, because the collection decides"),
        (["os_prefix=x/"], "a list with 'os_prefix=x/'", "lines without os_prefix, because the collection decides"),
        (["cmdline=x"], "a list with 'cmdline=x'", "lines without cmdline, because the collection decides"),
        (["initramfs=x"], "a list with 'initramfs=x'", "lines without initramfs, because the collection decides"),
        (["arm_64bit=0"], "a list with 'arm_64bit=0'", "lines without arm_64bit, because the collection decides"),
        (["start_x=1"], "a list with 'start_x=1'", "lines without start_x=1, which asks for another firmware"),
        (["gpu_mem=16"], "a list with 'gpu_mem=16'", "lines without gpu_mem=16, which asks for another firmware"),
    ],
)
def test_line_for_config_txt_that_would_break_the_boot_is_refused(lines: Any, shown: str, expected: str) -> None:
    assert _problem("pi1", CORRECT_PI, config_txt=lines).startswith(
        f"pi1: diskless_config_txt is {shown}; expected {expected}"
    )


def test_lines_for_config_txt_are_refused_where_nothing_reads_them() -> None:
    assert _problem(config_txt=["a=1"]) == (
        "udoo1: diskless_config_txt is ['a=1']; expected no lines, because board udoo_x86 reads no config.txt"
    )


def test_consoles_count_for_the_length_of_the_kernel_command_line() -> None:
    fits = ["x" * 1000, "y" * 400]
    assert _spec(kernel_options=fits)["kernel_options"] == fits
    assert "at most 1536 characters with them, instead of 1537" in _problem(kernel_options=[*fits, "z" * 47])
    assert _spec(kernel_options=[*fits, "z" * 46])
    longer = ["ttyS0,115200n8", "tty00"]
    assert "instead of 1537" in _problem(kernel_options=[*fits, "z" * 46], console=longer)


def test_address_of_the_gateway_is_refused() -> None:
    assert _problem(gateway="10.77.0.11") == (
        "udoo1: diskless_address is '10.77.0.11/24'; expected another address than the gateway's"
    )


def test_v2_port_is_refused_for_a_host_that_speaks_v1() -> None:
    assert _problem(ms_mode="legacy", monitors=["10.0.0.1:3300"]) == (
        "udoo1: diskless_monitors is ['10.0.0.1:3300'];"
        " expected port 6789 instead of 3300, because diskless_ms_mode is legacy"
    )


def test_feature_newer_than_the_kernel_is_refused() -> None:
    assert _problem(
        kernel="5.2", ms_mode="legacy", features=["layering", "exclusive-lock", "object-map", "fast-diff"]
    ) == (
        "udoo1: diskless_features is ['layering', 'exclusive-lock', 'object-map', 'fast-diff'];"
        " expected features that kernel 5.2 (diskless_kernel) maps: object-map needs kernel 5.3; "
        "fast-diff needs kernel 5.3"
    )


def test_kernel_without_ms_mode_must_use_legacy() -> None:
    assert _problem(kernel="5.10") == (
        "udoo1: diskless_ms_mode is 'prefer-crc';"
        " expected legacy, because kernel 5.10 (diskless_kernel) knows no other; 5.11 does"
    )


@pytest.mark.parametrize("name", ["Udoo1", "udoo_1", "udoo1.example.org", "-udoo", "x" * 64])
def test_name_that_is_no_label_is_refused(name: str) -> None:
    assert _problem(name) == (
        f"{name}: inventory_hostname is {name!r}; expected an inventory name of 1 to 63 lower-case letters, digits and"
        " inner hyphens (it becomes host name, directory and cephx user;"
        " the address to log in at belongs in ansible_host)"
    )


@pytest.mark.parametrize("word", [f"rbdroot=10.0.0.1:admin:{KEY}:rbd:pi1", "wifi.password=hunter2", "secret=hunter2"])
def test_secret_on_the_kernel_command_line_is_refused_and_not_repeated(word: str) -> None:
    problem = _problem(kernel_options=["quiet", word])
    assert problem == (
        "udoo1: diskless_kernel_options is a list whose word 2 looks like a secret;"
        " expected no secret, because every user of the host can read /proc/cmdline"
    )


def test_misspelt_variable_is_reported_with_the_nearest_name() -> None:
    assert _problem(shutdown_timeuot=3) == (
        "udoo1: diskless_shutdown_timeuot is a variable that nothing reads; expected diskless_shutdown_timeout"
    )


def test_variables_of_others_are_left_alone() -> None:
    assert _spec(ceph_launcher=["cephadm", "shell", "--"]) == SPEC


def test_duplicates_are_found_across_hosts_even_if_these_have_other_problems() -> None:
    hostvars = {"udoo1": CORRECT, "udoo2": {**CORRECT, "diskless_pool": ""}}
    with pytest.raises(AnsibleFilterError) as raised:
        host_specs(hostvars, ["udoo1", "udoo2"])
    assert str(raised.value).split("\n  ") == [
        "3 problems in the inventory of the diskless hosts:",
        "udoo1, udoo2: diskless_address is '10.77.0.11'; expected a value that no other host has",
        "udoo1, udoo2: diskless_mac is '52:54:00:77:00:11'; expected a value that no other host has",
        "udoo2: diskless_pool is ''; expected a pool name of letters, digits, dots, hyphens and underscores",
    ]


def test_problem_of_a_whole_group_takes_one_line() -> None:
    hostvars = {
        f"udoo{number}": {
            **CORRECT,
            "diskless_mac": f"52:54:00:77:00:{number:02x}",
            "diskless_address": f"10.77.0.{number}/24",
            "diskless_pool": "a b",
        }
        for number in range(10, 18)
    }
    with pytest.raises(AnsibleFilterError) as raised:
        host_specs(hostvars, list(hostvars))
    assert str(raised.value).split("\n  ") == [
        "1 problem in the inventory of the diskless hosts:",
        "udoo10, udoo11, udoo12, udoo13, udoo14 and 3 more: diskless_pool is 'a b';"
        " expected a pool name of letters, digits, dots, hyphens and underscores",
    ]


def test_empty_group_is_refused() -> None:
    with pytest.raises(
        AnsibleFilterError, match="diskless_hosts is an empty group; expected at least one diskless host"
    ):
        host_specs({}, [])


def test_host_that_is_not_in_the_inventory_is_reported() -> None:
    with pytest.raises(AnsibleFilterError, match="udoo1: the host is not in the inventory; expected a host of the inv"):
        host_specs({}, ["udoo1"])


class _Failing(dict[str, Any]):
    def __getitem__(self, key: str) -> Any:
        if key == "diskless_pool":
            raise AnsibleUndefinedVariable("'site' is undefined")
        return super().__getitem__(key)


@pytest.mark.parametrize(
    "hostvars",
    [
        _Failing({**CORRECT, "diskless_pool": "{{ site }}"}),
        {**CORRECT, "diskless_pool": StrictUndefined(name="site")},
    ],
)
def test_template_that_fails_is_one_problem_among_others(hostvars: dict[str, Any]) -> None:
    with pytest.raises(AnsibleFilterError) as raised:
        host_specs({"udoo1": hostvars}, ["udoo1"])
    assert "udoo1: diskless_pool is a template that fails ('site' is undefined); expected one that works" in str(
        raised.value
    )


def test_every_variable_is_read_once() -> None:
    reads: list[str] = []

    class Counting(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            reads.append(key)
            return super().__getitem__(key)

    host_specs({"udoo1": Counting({**CORRECT, "unrelated": 1})}, ["udoo1"])
    assert sorted(reads) == sorted(CORRECT)


def test_missing_netaddr_is_reported_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_host_values, "NETADDR_IMPORT_ERROR", ImportError("No module named 'netaddr'"))
    with pytest.raises(AnsibleFilterError) as raised:
        host_specs({"udoo1": CORRECT}, ["udoo1"])
    assert "needs the Python library netaddr on the controller (No module named 'netaddr')" in str(raised.value)
    assert "-m pip install netaddr' or the package python3-netaddr" in str(raised.value)


def test_return_value_is_documented_key_by_key() -> None:
    yaml = pytest.importorskip("yaml")
    documented = yaml.safe_load(host_specs_filter.RETURN)["_value"]
    assert list(documented["contains"]) == list(SPEC)
    assert documented["sample"] == [SPEC]


def test_filter_is_registered() -> None:
    assert FilterModule().filters() == {"host_specs": host_specs}
