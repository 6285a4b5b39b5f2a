# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole firmware against dnsmasq, on a network of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.processes import run
from tests.unit.lab.pi_firmware.served import KERNEL, tree
from tests.unit.lab.pi_firmware.wire import ADDRESS, FULL, HOME, MAC, PROXY, Boot, Wire, network

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces belong to root")
STRANGER = "52:54:00:98:00:13"
SOON = ("--scale", "0.04")  # for boards that wait in vain
LARGE = KERNEL + bytes(20_000_000)  # fetched in a second or so


@pytest.fixture(scope="module")
def plugged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with network(tmp_path_factory.mktemp("wire")) as wire:
        yield wire


@pytest.fixture
def wire(plugged: Wire) -> Wire:
    """The network, with the smallest boot tree for the board."""
    shutil.rmtree(plugged.directory / "tftp", ignore_errors=True)
    for leases in plugged.directory.glob("*.leases"):
        leases.unlink()
    serve(plugged.tree, tree())
    return plugged


def serve(directory: Path, files: dict[str, bytes]) -> None:
    """Write files."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def assert_booted(boot: Boot, kernel: bytes = KERNEL) -> None:
    """What the operating system gets is what is served."""
    assert boot.status == 0, boot.said
    files = {**tree(), "vmlinuz": kernel}
    names = {"kernel": "vmlinuz", "dtb": "cm4.dtb", "cmdline.txt": "cmdline.txt"}
    assert {name: (boot.fetched / name).read_bytes() for name in names} == {
        name: files[served] for name, served in names.items()
    }
    assert (boot.fetched / "initrd").read_bytes() == b"initrd\0\0key of the host"


def assert_failed(boot: Boot, reason: str) -> None:
    """Nothing is left that could be started."""
    assert boot.status == 1, boot.said
    assert boot.said.splitlines()[-1].startswith(f"firmware: boot failed: {reason}")
    assert [path.name for path in boot.fetched.iterdir()] == ["requests.log"]


def test_full_dhcp(wire: Wire) -> None:
    with wire.dnsmasq("boot", FULL) as boot_server:
        assert_booted(wire.boot())
    assert f"DHCPACK(eth0) {ADDRESS} {MAC} cm41" in boot_server.log


def test_address_of_a_router_and_files_of_a_proxy(wire: Wire) -> None:
    with wire.dnsmasq("boot", PROXY) as boot_server, wire.dnsmasq("router", HOME) as router:
        boot = wire.boot()
    assert_booted(boot)
    assert "firmware: NET 10.98.0.1" in boot.said
    assert "DHCPACK(eth0) 10.98.0.1" in router.log
    assert f"PXE(eth0) {MAC} proxy" in boot_server.log


def test_router_alone_gives_an_address_and_no_boot(wire: Wire) -> None:
    with wire.dnsmasq("router", HOME):
        assert_failed(wire.boot(*SOON), "no boot offer within 1.8 s: only addresses, from 10.98.0.1")


def test_proxy_alone_gives_no_address(wire: Wire) -> None:
    with wire.dnsmasq("boot", PROXY):
        assert_failed(wire.boot(*SOON), "no DHCP offer within 1.8 s: 10.98.0.3 offers a network boot")


def test_unknown_board_gets_nothing(wire: Wire) -> None:
    with wire.dnsmasq("boot", FULL) as boot_server:
        assert_failed(wire.boot(*SOON, mac=STRANGER), "no DHCP offer within 1.8 s")
    assert f"DHCPDISCOVER(eth0) {STRANGER} ignored" in boot_server.log


def test_unknown_board_gets_nothing_but_an_address_beside_a_router(wire: Wire) -> None:
    with wire.dnsmasq("boot", PROXY), wire.dnsmasq("router", HOME):
        assert_failed(wire.boot(*SOON, mac=STRANGER), "no boot offer within 1.8 s")


def test_board_of_another_serial_number_falls_back_to_an_empty_root(wire: Wire) -> None:
    with wire.dnsmasq("boot", FULL):
        boot = wire.boot(serial="77a00013")
    assert_failed(boot, "Firmware not found: no start.elf under ''")
    assert boot.requests[:4] == [
        "missing 0 77a00013/start4.elf",
        "missing 0 77a00013/start.elf",
        "missing 0 config.txt",
        "missing 0 pieeprom.sig",
    ]
    assert {line.split()[0] for line in boot.requests} == {"missing"}


def test_prefix_can_be_the_mac_address(wire: Wire) -> None:
    eeprom = wire.directory / "eeprom.txt"
    eeprom.write_text("[all]\nBOOT_ORDER=0x2\nTFTP_PREFIX=2\n", encoding="utf-8")
    wire.tree.rename(wire.tree.with_name(MAC.replace(":", "-")))
    with wire.dnsmasq("boot", FULL):
        boot = wire.boot("--eeprom", str(eeprom))
    assert_booted(boot)
    assert boot.requests[0].endswith(" 52-54-00-98-00-12/start4.elf")


def test_aborted_transfers_do_not_disturb_the_server(wire: Wire) -> None:
    """Two blocks and more: dnsmasq has one of them on its way when start4.elf turns away."""
    serve(wire.tree, {"vmlinuz": KERNEL + bytes(5000)})
    with wire.dnsmasq("boot", FULL) as boot_server:
        for _ in range(2):
            boot = wire.boot()
            assert boot.status == 0, boot.said
    log = boot_server.log
    assert log.count("error 0 Early terminate received") == 2 * sum(
        line.split()[0] in ("probed", "peeked") for line in boot.requests
    )
    assert log.count(f"failed sending {wire.tree}/vmlinuz") == 2
    assert log.count(f"sent {wire.tree}/vmlinuz") == 2


def test_server_that_falls_silent_is_given_up(wire: Wire) -> None:
    """TFTP_FILE_TIMEOUT bounds every file."""
    serve(wire.tree, {"vmlinuz": LARGE})
    with wire.dnsmasq("boot", FULL) as boot_server:
        process = wire.start()
        read_until(process, "peeked 20000070 77a00012/vmlinuz")
        boot_server.pause()
        boot = wire.end_of(process, timeout=15)
    assert_failed(boot, "TFTP: 77a00012/vmlinuz: ")
    assert boot.said.strip().endswith("within 3 s")
    assert boot.requests[-1] == "failed 0 77a00012/vmlinuz"


def test_bootloader_tries_again_until_there_is_a_server(wire: Wire) -> None:
    eeprom = wire.directory / "eeprom.txt"
    eeprom.write_text("BOOT_ORDER=0xf2\nDHCP_TIMEOUT=5000\n", encoding="utf-8")
    process = wire.start("--eeprom", str(eeprom))
    read_until(process, "no DHCP offer within 0.5 s; trying again")
    with wire.dnsmasq("boot", FULL):
        assert_booted(wire.end_of(process))


def test_watchdog_gets_the_board_over_a_restart_of_the_server(wire: Wire) -> None:
    """Once start4.elf runs, nothing else would."""
    eeprom = wire.directory / "eeprom.txt"
    eeprom.write_text("BOOT_ORDER=0x2\nBOOT_WATCHDOG_TIMEOUT=40\n", encoding="utf-8")
    serve(wire.tree, {"vmlinuz": LARGE})
    with wire.dnsmasq("boot", FULL) as boot_server:
        process = wire.start("--eeprom", str(eeprom))
        read_until(process, "peeked 20000070 77a00012/vmlinuz")
        boot_server.stop()
        assert "TFTP: 77a00012/vmlinuz: " in read_until(process, "waiting for the watchdog")[-1]
    with wire.dnsmasq("boot", FULL):
        assert_booted(wire.end_of(process), LARGE)


def test_tryboot_that_fails_is_over_after_the_reset(wire: Wire) -> None:
    eeprom = wire.directory / "eeprom.txt"
    eeprom.write_text("BOOT_ORDER=0x2\nBOOT_WATCHDOG_TIMEOUT=5\n", encoding="utf-8")
    serve(wire.tree, {"tryboot.txt": b"arm_64bit=1\nkernel=broken\ndevice_tree=cm4.dtb\n", "broken": b"broken"})
    with wire.dnsmasq("boot", FULL):
        boot = wire.boot("--eeprom", str(eeprom), "--tryboot")
    assert_booted(boot)
    assert "broken is neither an arm64 Image nor one inside gzip; waiting for the watchdog" in boot.said


def test_firmware_leaves_the_network_card_without_an_address(wire: Wire) -> None:
    with wire.dnsmasq("boot", FULL):
        assert wire.boot().status == 0
    shown = run(["ip", "-n", f"{wire.name}-board", "-4", "addr", "show", "dev", "eth0"]).stdout
    assert "inet " not in shown
    assert MAC in run(["ip", "-n", f"{wire.name}-board", "link", "show", "dev", "eth0"]).stdout


def test_what_the_boot_before_fetched_is_not_there_any_more(wire: Wire) -> None:
    with wire.dnsmasq("boot", FULL):
        assert wire.boot().status == 0
        (wire.tree / "vmlinuz").unlink()
        assert_failed(wire.boot(), "No compatible kernel found: there is no vmlinuz")


def test_missing_network_card_is_named(wire: Wire) -> None:
    boot = wire.boot("--interface", "eth1")
    assert_failed(boot, "ip link set eth1")


def read_until(process: subprocess.Popen[str], text: str) -> list[str]:
    """Read what the firmware says up to a line with this text; return these lines."""
    assert process.stdout
    said: list[str] = []
    while not said or text not in said[-1]:
        line = process.stdout.readline()
        assert line, "".join(said)
        said.append(line)
    return said
