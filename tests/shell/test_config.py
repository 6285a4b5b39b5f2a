# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is: host.conf and key from host.cpio, or rbdroot= on the kernel command line."""

from __future__ import annotations

import pytest

from .conftest import Shell

KEY = "AQDYKABrdz/pNxAAWeKkk7b0Dk3Vy1QniFZpHQ=="
RBDROOT = f"root=/dev/rbd0 boot=rbd rbdroot=10.0.0.4,10.0.0.5;6790:ltsp:{KEY}:rbd:img@s1:1:noatime,discard ro"
FIELDS = ("MONITORS", "USER", "POOL", "IMAGE", "SNAPSHOT", "PARTITION", "ROOT_OPTIONS")
SHOW = f'echo "{" ".join(f"$DISKLESS_{name}" for name in FIELDS)}"'


def test_host_conf_needs_its_key(shell: Shell) -> None:
    shell.write("etc/host.conf", "DISKLESS_HOST=pi3\n")
    assert shell.run("have_host_conf", "config.sh").returncode != 0
    shell.write("etc/key", KEY + "\n")
    assert shell.run("have_host_conf", "config.sh").returncode == 0


def test_host_without_configuration_still_knows_when_to_give_up(shell: Shell) -> None:
    assert shell.output('config_defaults; echo "$DISKLESS_BOOT_TIMEOUT $DISKLESS_SHELL"', "config.sh") == "600 no\n"


def test_rbdroot_is_understood(shell: Shell) -> None:
    shell.write("proc/cmdline", RBDROOT + "\n")
    expected = "10.0.0.4:6789,10.0.0.5:6790 ltsp rbd img s1 1 noatime,discard\n"
    assert shell.output(f"have_rbdroot && config_defaults && load_rbdroot && {SHOW}", "config.sh") == expected
    assert shell.output("read_key", "config.sh") == KEY + "\n"


def test_rbdroot_without_snapshot_partition_and_options(shell: Shell) -> None:
    shell.write("proc/cmdline", f"rbdroot=10.0.0.4:u:{KEY}:rbd:img\n")
    assert shell.output(f"config_defaults; load_rbdroot; {SHOW}", "config.sh") == "10.0.0.4:6789 u rbd img -  \n"


def test_key_of_host_cpio_wins_over_the_one_on_the_command_line(shell: Shell) -> None:
    shell.write("proc/cmdline", RBDROOT)
    shell.write("etc/host.conf", "")
    shell.write("etc/key", "other\n")
    assert shell.output("read_key", "config.sh") == "other\n"


@pytest.mark.parametrize("value", ["10.77.0.11/24", "it's", "a b", "$(reboot)", "`x`", '"'])
def test_saved_host_conf_gives_the_same_values_back(shell: Shell, value: str) -> None:
    shell.write("value", value)
    shell.output('config_defaults; DISKLESS_GATEWAY=$(cat "$T/value"); save_host_conf', "config.sh")
    assert shell.output('. "$RUN/host.conf"; printf %s "$DISKLESS_GATEWAY"', "config.sh") == value


def test_saved_host_conf_holds_no_key(shell: Shell) -> None:
    shell.write("proc/cmdline", RBDROOT)
    shell.output("config_defaults; load_rbdroot; save_host_conf", "config.sh")
    assert "DISKLESS_USER='ltsp'" in shell.read("run/diskless/host.conf")
    assert KEY not in shell.read("run/diskless/host.conf")
