# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What datagrams and events of a host become: lines, stages and boots."""

from __future__ import annotations

import pytest

from tests.unit.bootlog.one_host import ID, NOW, OTHER_ID, OneHost


def boot_to_ready(host: OneHost, began: float = NOW, boot_id: str = ID) -> None:
    """Have a host boot whose network is up, and its kernel heard, 5 s after the kernel began."""
    heard = began + 5
    host.say(0, 0.0, "Linux version 6.1.0-50-amd64", 5, heard)
    host.say(1, 0.5, "Command line: quiet", 6, heard + 0.01)
    host.mark(2, 3.25, "kernel release=6.1.0-50-amd64", boot_id, heard + 0.02)
    host.mark(3, 5.0, "network dev=eth0", boot_id, heard + 0.03)
    host.mark(4, 6.0, "map dev=rbd0", boot_id, began + 6)
    host.mark(5, 7.0, "root", boot_id, began + 7)
    host.mark(6, 9.0, "userspace", boot_id, began + 9)
    host.mark(7, 20.0, "ready", boot_id, began + 20)


def test_whole_boot() -> None:
    host = OneHost()
    host.power_on()
    boot_to_ready(host)
    assert host.stages == ["dhcp", "loader", "kernel", "network", "map", "root", "userspace", "ready"]
    assert len(host.boots) == 1
    assert (host.boot.boot_id, host.boot.release) == (ID, "6.1.0-50-amd64")
    assert (host.boot.first_seq, host.boot.last_seq, host.boot.lost, host.boot.trouble) == (0, 7, 0, None)


def test_stage_is_written_where_it_began() -> None:
    """The kernel's first message shows that it runs, before the initramfs says so."""
    host = OneHost()
    host.power_on()
    boot_to_ready(host)
    began = [(line["stage"], line["source"]) for line in host.lines if "stage" in line]
    assert began == [("dhcp", "dhcp"), ("loader", "tftp"), *((stage, "netconsole") for stage in host.stages[2:])]
    assert host.lines[3]["text"] == "Linux version 6.1.0-50-amd64"


def test_stages_before_the_network_get_the_time_by_the_kernels_clock() -> None:
    """All that the kernel said until then arrives at once when its network is up."""
    host = OneHost()
    host.power_on()
    boot_to_ready(host)
    times = dict(zip(host.stages, host.boot.stage_times(), strict=True))
    assert times["kernel"] == pytest.approx(NOW, abs=0.6)
    assert times["network"] == pytest.approx(NOW + 5, abs=0.6)
    assert times["ready"] == pytest.approx(NOW + 20, abs=0.6)


def test_line_has_all_that_is_known() -> None:
    host = OneHost()
    host.say(812, 3.21, r"usb 1-1: caf\xc3\xa9", at=NOW + 5.5)
    host.say(813, 3.25, "next")
    assert list(host.lines[0].items()) == [
        *(("time", NOW + 5.5), ("host", "udoo1"), ("boot", 1), ("source", "netconsole"), ("level", 6), ("seq", 812)),
        *(("uptime", 3.21), ("stage", "kernel"), ("text", "usb 1-1: café")),
    ]
    assert [line.text for line in host.batch.lines] == host.texts


def test_lines_of_one_message_are_lines() -> None:
    host = OneHost()
    host.say(0, 0.0, r"one\x0atwo")
    assert [(line["seq"], line["text"]) for line in host.lines] == [(0, "one"), (0, "two")]


def test_missing_messages_are_a_line() -> None:
    host = OneHost()
    host.say(0, 0.0, "first")
    host.say(4, 1.0, "fifth")
    assert host.log.expire(NOW + 2) is False
    assert host.lines[1]["lost"] == 3
    assert (host.lines[1]["source"], host.lines[1]["seq"], host.lines[2]["text"]) == ("bootlog", None, "fifth")
    assert (host.boot.lost, host.log.lost) == (3, 3)


def test_number_out_of_the_blue_does_not_spoil_the_sums() -> None:
    """SQLite holds numbers below 2**63."""
    host = OneHost()
    for number in range(5):
        host.say(number, 0.0, "first")
        host.say(2**62 + number, 1.0, "later")
        host.log.finish()
        host.log.order.begin()
    assert 0 < host.log.lost <= 5_000_000


def test_fragments_are_one_line() -> None:
    host = OneHost()
    host.log.receive(NOW, b"6,0,0,-,ncfrag=0/31;the first chunk,")
    host.log.receive(NOW, b"6,0,0,-,ncfrag=16/31; the 2nd chunk.")
    assert host.texts == ["the first chunk, the 2nd chunk."]


# Boots


def test_power_cycle_begins_a_boot() -> None:
    host = OneHost()
    host.power_on()
    boot_to_ready(host)
    host.power_on(NOW + 100)
    assert [boot.stage for boot in host.boots] == ["ready", "loader"]
    boot_to_ready(host, NOW + 110, OTHER_ID)
    assert [(boot.stage, boot.boot_id) for boot in host.boots] == [("ready", ID), ("ready", OTHER_ID)]
    assert host.log.order.repeated == 0


def test_firmware_that_asks_again_does_not_begin_a_boot() -> None:
    host = OneHost()
    for second in range(4):
        host.power_on(NOW - 20 + second)
    assert len(host.boots) == 1
    assert host.stages == ["dhcp", "loader"]


def test_kernel_takes_the_boot_that_firmware_began() -> None:
    host = OneHost()
    host.power_on()
    boot_to_ready(host)
    assert [boot.boot_id for boot in host.boots] == [ID]


def test_reboot_without_a_boot_server_is_seen_by_the_kernels_numbers() -> None:
    host = OneHost()
    boot_to_ready(host)
    for seq in range(8, 40):
        host.say(seq, 20.0 + seq, "running")
    host.say(0, 0.0, "Linux version 6.1.0-50-amd64", 5, NOW + 100)
    host.say(1, 0.6, "Command line: quiet", 6, NOW + 100)
    for seq in range(2, 10):
        host.say(seq, 0.6 + seq, "again", 6, NOW + 100 + seq)
    assert [boot.stage for boot in host.boots] == ["ready", "kernel"]
    assert host.texts.count("Linux version 6.1.0-50-amd64") == 2


def test_other_boot_id_begins_a_boot() -> None:
    """The plain format has no numbers."""
    host = OneHost()
    host.log.receive(NOW, f"[    3.000000] diskless: stage=kernel host=udoo1 boot={ID}\n".encode())
    host.log.receive(NOW, f"[    3.100000] diskless: stage=kernel host=udoo1 boot={OTHER_ID}\n".encode())
    assert [boot.boot_id for boot in host.boots] == [ID, OTHER_ID]
    assert [line["boot"] for line in host.lines] == [1, 2]


def test_plain_kernel_that_begins_anew_is_seen_by_its_first_line() -> None:
    host = OneHost()
    for time in (NOW, NOW + 60):
        host.log.receive(time, b"[    0.000000] Linux version 6.1.0\n")
        host.log.receive(time, b"[    0.100000] more\n")
    assert [line["boot"] for line in host.lines] == [1, 1, 2, 2]


def test_repetition_of_the_kernels_buffer_is_dropped() -> None:
    """Each target that is made by module parameter gets everything from the beginning, and so do all others."""
    host = OneHost()
    boot_to_ready(host)
    before = len(host.lines)
    for seq, uptime in enumerate((0.0, 0.5, 3.25, 5.0, 6.0, 7.0, 9.0, 20.0)):
        host.say(seq, uptime, "again", at=NOW + 30)
    host.say(8, 30.0, "target made")
    assert len(host.boots) == 1
    assert len(host.lines) == before + 1


def test_host_that_is_first_heard_while_it_runs_is_ready() -> None:
    host = OneHost()
    host.say(5000, 86400.0, "eth0: link is up")
    assert host.boot.stage == "ready"
    assert host.lines[0]["stage"] == "ready"
    assert host.boot.began == pytest.approx(NOW)


def test_running_host_that_says_everything_again_shows_its_boot() -> None:
    """The first that is heard of it is the repetition: it tells when it booted."""
    host = OneHost()
    now = NOW + 86400
    host.say(0, 0.0, "Linux version 6.1.0", at=now)
    host.mark(1, 3.0, "kernel", at=now)
    host.mark(2, 20.0, "ready", at=now)
    host.say(3, 86399.0, "netconsole: network logging started", at=now)
    times = dict(zip(host.stages, host.boot.stage_times(), strict=True))
    assert times["ready"] == pytest.approx(NOW + 21, abs=2)
    assert host.boot.stage == "ready"


def test_shutdown_follows_ready() -> None:
    host = OneHost()
    boot_to_ready(host)
    host.mark(8, 300.0, "shutdown action=reboot")
    host.say(9, 305.0, "systemd-shutdown[1]: Syncing filesystems and block devices.", 30)
    host.mark(10, 309.0, "unmapped action=reboot")
    host.say(11, 309.5, "reboot: Restarting system", 5)
    assert host.stages[-3:] == ["ready", "shutdown", "unmapped"]


def test_host_without_markers_is_followed_by_what_systemd_says() -> None:
    host = OneHost()
    host.say(0, 0.0, "Linux version 6.1.0")
    host.say(1, 4.0, "systemd[1]: systemd 252 running in system mode (+PAM)", 30)
    host.say(2, 400.0, "reboot: Power down", 5)
    assert host.stages == ["kernel", "userspace", "shutdown"]


# Trouble


def test_retries_are_trouble_until_the_stage_is_reached() -> None:
    host = OneHost()
    host.mark(0, 5.0, "network dev=eth0")
    host.say(
        1, 40.0, 'diskless: retry step=map attempt=1 wait=2 error="no answer from 10.77.0.1" reason=unreachable', 12
    )
    assert host.boot.trouble is not None
    assert host.boot.trouble[:3] == ("map", "unreachable", "no answer from 10.77.0.1")
    host.mark(2, 50.0, "map dev=rbd0")
    assert host.boot.trouble is None


def test_failure_stays_the_reason() -> None:
    host = OneHost()
    host.mark(0, 5.0, "network dev=eth0")
    host.mark(1, 40.0, 'failed step=map reason=no-image text="image diskless/udoo1/root does not exist"')
    host.say(2, 41.0, "I/O error, dev rbd0, sector 0 op 0x0:(READ)", 3)
    host.say(3, 42.0, "Kernel panic - not syncing: sysrq triggered crash", 0)
    assert host.boot.stage == "failed"
    assert host.boot.trouble is not None
    assert host.boot.trouble[:3] == ("map", "no-image", "image diskless/udoo1/root does not exist")


def test_panic_is_trouble_of_what_comes_next() -> None:
    host = OneHost()
    host.mark(0, 5.0, "map dev=rbd0")
    host.say(1, 6.0, "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)", 0)
    assert host.boot.trouble is not None
    assert host.boot.trouble[:2] == ("root", "panic")


def test_stuck_units_are_trouble_of_userspace() -> None:
    host = OneHost()
    host.mark(0, 9.0, "userspace")
    host.say(1, 39.0, 'diskless: waiting jobs="slow.service/start" since=30', 12)
    assert host.boot.trouble is not None
    assert host.boot.trouble[:3] == ("userspace", "waiting", "systemd waits for slow.service/start")
    host.mark(2, 60.0, "ready")
    assert host.boot.trouble is None
    host.say(3, 60.1, 'diskless: waiting jobs="slow.service/start" since=51', 12)
    assert host.boot.trouble is None


def test_stage_that_systemd_has_shown_before_its_marker_is_one() -> None:
    host = OneHost()
    host.mark(0, 8.0, "root")
    host.say(1, 8.5, "systemd[1]: systemd 252 running in system mode (+PAM)", 30)
    host.mark(2, 9.0, "userspace")
    assert host.stages == ["kernel", "root", "userspace"]


def test_error_does_not_trouble_a_host_that_is_ready() -> None:
    """A panic does."""
    host = OneHost()
    boot_to_ready(host)
    host.say(8, 100.0, "Out of memory: Killed process 712 (python3)", 3)
    assert host.boot.trouble is None
    host.say(9, 101.0, "Kernel panic - not syncing: Attempted to kill init!", 0)
    assert host.boot.trouble is not None
    assert host.boot.trouble[:2] == ("ready", "panic")


def test_harmless_level_is_not_searched_for_signs() -> None:
    host = OneHost()
    host.say(0, 5.0, "note: Kernel panic - not syncing is what you never want to read", 6)
    assert host.boot.trouble is None


@pytest.mark.parametrize(
    ("kind", "reason", "stage"), [("dhcp", "no-address", "dhcp"), ("tftp", "file-missing", "loader")]
)
def test_trouble_that_the_boot_server_sees(kind: str, reason: str, stage: str) -> None:
    host = OneHost()
    host.hear("dhcp", "DHCPDISCOVER", NOW - 20, begins_boot=True)
    host.hear(kind, "the line that says why", NOW - 19, trouble=reason)
    assert host.boot.trouble is not None
    assert host.boot.trouble[:3] == (stage, reason, "the line that says why")
    host.say(0, 0.0, "Linux version 6.1.0")
    assert host.boot.trouble is None


def test_firmware_that_starts_over_has_no_trouble_yet() -> None:
    host = OneHost()
    host.power_on(NOW - 20)
    host.hear("tftp", "file /run/vmlinuz not found for 10.77.0.11", NOW - 17, trouble="file-missing")
    host.power_on(NOW - 10)
    assert (len(host.boots), host.boot.trouble) == (1, None)


def test_boot_server_does_not_trouble_a_host_whose_kernel_runs() -> None:
    host = OneHost()
    boot_to_ready(host)
    host.hear("dhcp", "DHCPNAK", NOW + 100, trouble="refused")
    host.hear("dhcp", "DHCPACK", NOW + 101, stage="dhcp")
    assert (host.boot.trouble, host.boot.stage) == (None, "ready")
    assert host.texts[-2:] == ["DHCPNAK", "DHCPACK"]


def test_event_that_comes_late_begins_no_boot() -> None:
    """The boot server has been cut off and tells now what was before the kernel that we hear already."""
    host = OneHost()
    boot_to_ready(host)
    host.hear("dhcp", "DHCPDISCOVER", NOW - 30, begins_boot=True)
    assert len(host.boots) == 1


def test_lease_of_a_host_that_was_never_heard_is_no_boot() -> None:
    host = OneHost()
    host.hear("dhcp", "DHCPREQUEST")
    assert host.log.boot is None


# Firmware


def test_bootloader_speaks_before_dhcp() -> None:
    host = OneHost()
    host.log.receive(NOW - 20, b"  2.24 RPi: BOOTLOADER release VERSION:8ba17717\r\n")
    host.log.receive(NOW - 19, b"  2.30 NET_BOOT: dc:a6:32:00:00:01 wait for link\r\n")
    host.power_on()
    assert [line["source"] for line in host.lines] == ["firmware", "firmware", "dhcp", "dhcp", "tftp"]
    assert host.lines[0]["text"] == "  2.24 RPi: BOOTLOADER release VERSION:8ba17717"
    assert len(host.boots) == 1


def test_bootloader_begins_a_boot_when_the_kernel_was_heard() -> None:
    host = OneHost()
    boot_to_ready(host)
    host.log.receive(NOW + 100, b"  2.24 RPi: BOOTLOADER release VERSION:8ba17717\r\n")
    assert [boot.stage for boot in host.boots] == ["ready", "dhcp"]


# What is not believed


def test_name_in_a_marker_changes_nothing() -> None:
    host = OneHost()
    host.say(0, 1.0, f"diskless: stage=ready host=other boot={ID}", 13)
    assert host.lines[0]["host"] == "udoo1"
