# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine that QEMU is asked to be."""

from __future__ import annotations

import json
import socket
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.machine import Machine
from lab.qmp import execute


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine("a", tmp_path, "dl-lab-net", "tap11", "52:54:00:77:00:11")


def test_host_has_a_network_card_and_no_disk(machine: Machine) -> None:
    command = machine.command("tcg")
    assert "virtio-net-pci,netdev=net,mac=52:54:00:77:00:11,bootindex=1" in command
    assert not {"-drive", "-hda", "-kernel", "-cdrom"} & set(command)


@pytest.mark.parametrize(("kind", "program"), [("uefi", "qemu-system-x86_64"), ("cm4", "qemu-system-aarch64")])
def test_every_kind_of_host_is_without_a_disk(tmp_path: Path, kind: str, program: str) -> None:
    command = Machine("a", tmp_path, "dl-lab-net", "tap11", "52:54:00:77:00:11", kind).command("tcg")
    assert command[0] == program
    assert "virtio-net-pci,netdev=net,mac=52:54:00:77:00:11,bootindex=1,romfile=" in command
    # The firmware of a PC with UEFI, and its variables, are flash.
    assert all(word.startswith("if=pflash,") for before, word in pairwise(command) if before == "-drive")


def test_board_of_another_architecture_is_emulated_even_where_kvm_works(tmp_path: Path) -> None:
    command = Machine("a", tmp_path, "dl-lab-net", "tap11", "52:54:00:77:00:11", "cm4").command("kvm")
    assert command[command.index("-accel") + 1] == "tcg"
    assert "host" not in command


def test_reset_boots_again(machine: Machine) -> None:
    assert "-no-reboot" not in machine.command("tcg")


def test_console_log_is_kept_from_boot_to_boot(machine: Machine) -> None:
    (chardev,) = (word for word in machine.command("tcg") if word.startswith("socket,id=console"))
    assert f"logfile={machine.console_log},logappend=on" in chardev


def test_machine_that_was_never_on_is_off(machine: Machine) -> None:
    assert machine.status() == "off"
    assert machine.power_off() is False


def test_monitor_that_is_not_there_is_an_error_that_names_it(machine: Machine) -> None:
    with pytest.raises(LabError, match=r"qmp\.sock: system_reset: "):
        machine.reset()


def answer(listener: socket.socket, answers: list[dict[str, object]], heard: list[str]) -> None:
    connection, _ = listener.accept()
    with connection, connection.makefile("rw", encoding="utf-8") as stream:
        stream.write('{"QMP": {}}\n')
        stream.flush()
        for message in answers:
            heard.append(json.loads(stream.readline())["execute"])
            stream.write('{"event": "NIC_RX_FILTER_CHANGED"}\n' + json.dumps(message) + "\n")
            stream.flush()


def talk(path: Path, answers: list[dict[str, object]], command: str) -> tuple[object, list[str]]:
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        server = threading.Thread(target=answer, args=(listener, answers, heard))
        server.start()
        try:
            return execute(path, command), heard
        finally:
            server.join(10)


def test_monitor_negotiates_and_skips_events(tmp_path: Path) -> None:
    answers: list[dict[str, object]] = [{"return": {}}, {"return": {"status": "running"}}]
    assert talk(tmp_path / "qmp.sock", answers, "query-status") == (
        {"status": "running"},
        ["qmp_capabilities", "query-status"],
    )


def test_refusal_of_the_monitor_is_told(tmp_path: Path) -> None:
    answers: list[dict[str, object]] = [{"return": {}}, {"error": {"desc": "The command x has not been found"}}]
    with pytest.raises(LabError, match=r"^QEMU: The command x has not been found$"):
        talk(tmp_path / "qmp.sock", answers, "x")
