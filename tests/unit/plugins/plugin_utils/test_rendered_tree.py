# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller renders for a host, and what it says when something for that is missing."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._boot_tree_diff import host_conf as host_conf_in
from ansible_collections.diskless.ceph.plugins.plugin_utils._grub_cfg import grub_cfg
from ansible_collections.diskless.ceph.plugins.plugin_utils._host_conf import host_conf, host_cpio
from ansible_collections.diskless.ceph.plugins.plugin_utils._host_spec import HostSpec, host_specs
from ansible_collections.diskless.ceph.plugins.plugin_utils._pi_boot_cfg import cmdline_txt, config_txt
from ansible_collections.diskless.ceph.plugins.plugin_utils._rendered_tree import RenderError, rendered_trees

KEY = "AQBlAAAAAAAAABAAMDEyMzQ1Njc4OWFiY2RlZg=="
V1, V2 = "10.77.0.1:6789", "10.77.0.1:3300"
MONITORS = [{"name": "a", "v1": V1, "v2": V2}]
NETWORK = {"diskless_boot_network": "10.77.0.0/24", "diskless_boot_server": "10.77.0.3"}
PI, SPEC = host_specs(
    {
        "udoo1": {
            **NETWORK,
            "diskless_board": "udoo_x86",
            "diskless_mac": "52:54:00:77:00:11",
            "diskless_address": "10.77.0.11/24",
        },
        "pi1": {
            **NETWORK,
            "diskless_board": "cm4",
            "diskless_mac": "dc:a6:32:77:00:12",
            "diskless_serial": "10000000abcd1234",
            "diskless_address": "10.77.0.12/24",
        },
    },
    ["udoo1", "pi1"],
)


def test_spec_survives_the_way_through_json() -> None:
    assert HostSpec.from_dict(SPEC.as_dict()) == SPEC
    assert HostSpec.from_dict(PI.as_dict()) == PI


def test_host_conf_says_all_that_the_initramfs_needs() -> None:
    spec = replace(SPEC, gateway="10.77.0.1", nameservers=("10.77.0.1", "10.77.0.2"), shell=True)  # noqa: S604
    spec = replace(spec, netconsole=("10.77.0.3:6666", "[fd00::3]:6666"))
    assert host_conf(spec, [V2, "10.77.0.2:3300"]).splitlines() == [
        "DISKLESS_HOST=udoo1",
        "DISKLESS_MAC=52:54:00:77:00:11",
        "DISKLESS_ADDRESS=10.77.0.11/24",
        "DISKLESS_GATEWAY=10.77.0.1",
        "DISKLESS_NAMESERVERS='10.77.0.1 10.77.0.2'",
        "DISKLESS_MONITORS=10.77.0.1:3300,10.77.0.2:3300",
        "DISKLESS_MS_MODE=prefer-crc",
        "DISKLESS_USER=diskless.udoo1",
        "DISKLESS_POOL=diskless",
        "DISKLESS_NAMESPACE=udoo1",
        "DISKLESS_IMAGE=root",
        "DISKLESS_BOOT_SERVER=10.77.0.3",
        "DISKLESS_BOOT_EXPORT=/boot/udoo1",
        "DISKLESS_EXITRD=yes",
        "DISKLESS_SHUTDOWN_TIMEOUT=120",
        "DISKLESS_BOOT_TIMEOUT=600",
        "DISKLESS_SHELL=yes",
        "DISKLESS_NETCONSOLE='10.77.0.3:6666 [fd00::3]:6666'",
    ]


def test_shell_reads_host_conf_as_it_was_meant() -> None:
    script = host_conf(replace(SPEC, nameservers=("10.77.0.1", "10.77.0.2")), ["[2001:db8::1]:3300"])
    script += 'printf "%s|%s|%s" "$DISKLESS_NAMESERVERS" "$DISKLESS_MONITORS" "$DISKLESS_GATEWAY"'
    shown = subprocess.run(["sh", "-euc", script], capture_output=True, check=True, text=True)
    assert shown.stdout == "10.77.0.1 10.77.0.2|[2001:db8::1]:3300|"


def test_key_is_a_file_of_its_own_in_the_archive() -> None:
    archive = host_cpio(SPEC, [V2], KEY)
    assert f"{KEY}\n".encode() in archive
    assert KEY not in host_conf(SPEC, [V2])
    assert host_conf_in(archive) == host_conf(SPEC, [V2])


WORDS = ["root=/dev/diskless/root", "rootfstype=ext4", "ro", "console=tty0", "console=ttyS0,115200", "panic=10"]


def test_kernel_command_line_is_the_same_for_every_loader() -> None:
    changes: dict[str, Any] = {"console": ("tty0", "ttyS0,115200"), "kernel_options": ("a=$b;c", "quiet")}
    words = [*WORDS, "a=$b;c", "quiet"]
    assert cmdline_txt(replace(PI, **changes)) == " ".join(words) + "\n"
    quoted = " ".join(f"'{word}'" for word in words)
    assert f'  if linux "$prefix/$kernel" {quoted}; then' in grub_cfg(replace(SPEC, **changes)).splitlines()


def test_grub_finds_everything_beside_its_configuration() -> None:
    config = grub_cfg(SPEC)
    assert "\nsource $prefix/kernel.cfg\n" in config
    assert '    if initrd "$prefix/$initrd" $prefix/host.cpio; then' in config.splitlines()


def test_config_txt_of_a_pi_leaves_the_kernel_to_the_host() -> None:
    assert config_txt(PI).splitlines() == [
        "# Written by diskless.ceph for pi1;",
        "# changes are overwritten.",
        "arm_64bit=1",
        "enable_uart=1",
        "# kernel.txt is the host's own: it names the kernel and initramfs to boot.",
        "include kernel.txt",
    ]


@pytest.mark.parametrize(("console", "enabled"), [(("ttyS1", "tty0"), True), (("ttyAMA0",), True), (("tty0",), False)])
def test_uart_is_enabled_where_it_is_a_console(console: tuple[str, ...], enabled: bool) -> None:
    assert ("enable_uart=1" in config_txt(replace(PI, console=console)).splitlines()) == enabled


def test_lines_of_the_user_count_for_every_board_whatever_section_kernel_txt_ends_with() -> None:
    lines = config_txt(replace(PI, config_txt=("dtparam=watchdog=on", "gpu_mem=32"))).splitlines()
    assert lines[-4:] == ["include kernel.txt", "[all]", "dtparam=watchdog=on", "gpu_mem=32"]


def test_no_line_of_config_txt_is_longer_than_what_the_firmware_reads() -> None:
    longest = replace(PI, name="x" * 63, config_txt=("a=" + "b" * 96,))
    assert max(len(line) for line in config_txt(longest).splitlines()) <= 98


def test_trees_hold_what_their_loader_reads_where_it_looks() -> None:
    trees = rendered_trees([PI, SPEC], {"udoo1": KEY, "pi1": KEY}, MONITORS)
    assert [(tree.name, tree.loader, sorted(tree.files), tree.views) for tree in trees] == [
        ("pi1", "pi", ["cmdline.txt", "config.txt"], ("abcd1234", "dc-a6-32-77-00-12")),
        ("udoo1", "grub", ["grub.cfg"], ("grub",)),
    ]
    assert KEY not in repr(trees)


def test_host_that_cannot_boot_says_so_and_tries_again() -> None:
    assert grub_cfg(SPEC).splitlines()[-3:] == [
        "echo 'diskless: udoo1 cannot boot, next try in 10 seconds'",
        "sleep 10",
        "reboot",
    ]


def test_grub_accepts_grub_cfg(tmp_path: Path) -> None:
    config = tmp_path / "grub.cfg"
    config.write_text(grub_cfg(replace(SPEC, kernel_options=("a=$b;c{}|&<>#",))))
    subprocess.run(["grub-script-check", str(config)], check=True)


@pytest.mark.parametrize(
    ("ms_mode", "monitors", "expected"),
    [
        ("prefer-crc", (), V2),
        ("secure", (), V2),
        ("legacy", (), V1),
        ("prefer-crc", ("10.77.0.9:3300",), "10.77.0.9:3300"),
    ],
)
def test_monitors_follow_the_protocol_of_the_host(ms_mode: str, monitors: tuple[str, ...], expected: str) -> None:
    tree = rendered_trees([replace(SPEC, ms_mode=ms_mode, monitors=monitors)], {"udoo1": KEY}, MONITORS)[0]
    assert f"DISKLESS_MONITORS={expected}\n" in host_conf_in(tree.host_cpio)


@pytest.mark.parametrize(
    ("changes", "keys", "monitors", "problem"),
    [
        ({}, {}, MONITORS, "udoo1: no cephx key in cephx_keys; expected that of client.diskless.udoo1"),
        (
            {},
            {"udoo1": f"x{KEY} "},
            MONITORS,
            "udoo1: the value in cephx_keys is no cephx key; expected base64 as ceph auth print-key shows it",
        ),
        ({}, {"udoo1": KEY}, [], "udoo1: no monitor; expected monitors of the cluster or diskless_monitors"),
        (
            {},
            {"udoo1": KEY},
            [{"name": "a", "v1": V1, "v2": None}],
            "udoo1: no monitor speaks v2, which diskless_ms_mode prefer-crc needs;"
            " enable msgr2 in the cluster or set diskless_ms_mode to legacy",
        ),
        (
            {"ms_mode": "legacy"},
            {"udoo1": KEY},
            [{"name": "a", "v1": None, "v2": V2}],
            "udoo1: no monitor speaks v1, which diskless_ms_mode legacy needs; choose another diskless_ms_mode",
        ),
        (
            {},
            {"udoo1": KEY},
            [{"name": "a", "v1": None, "v2": "10.0.0.1:3300"}],
            "udoo1: no monitor (10.0.0.1:3300) in the boot network 10.77.0.0/24 and no diskless_gateway to reach one",
        ),
    ],
)
def test_what_is_missing_is_named(
    changes: dict[str, Any], keys: dict[str, str], monitors: list[dict[str, Any]], problem: str
) -> None:
    with pytest.raises(RenderError) as raised:
        rendered_trees([replace(SPEC, **changes)], keys, monitors)
    assert raised.value.problems == (problem,)
    assert KEY not in str(raised.value)


def test_all_that_is_missing_is_reported_together() -> None:
    specs = [SPEC, replace(SPEC, name="udoo2", cephx_user="client.diskless.udoo2")]
    with pytest.raises(RenderError) as raised:
        rendered_trees(specs, {}, [])
    assert str(raised.value).split("\n  ") == [
        "Boot trees cannot be rendered:",
        "udoo1: no cephx key in cephx_keys; expected that of client.diskless.udoo1",
        "udoo1, udoo2: no monitor; expected monitors of the cluster or diskless_monitors",
        "udoo2: no cephx key in cephx_keys; expected that of client.diskless.udoo2",
    ]


def test_gateway_reaches_monitors_elsewhere() -> None:
    spec = replace(SPEC, gateway="10.77.0.1")
    assert rendered_trees([spec], {"udoo1": KEY}, [{"name": "a", "v1": None, "v2": "10.0.0.1:3300"}])
