# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is understood of what real kernels have sent (tests/fixtures/netconsole, recorded in virtual machines)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from bootlog.netconsole import Fragment, Message, parse

from tests.unit.bootlog.one_host import NOW, OneHost

FIXTURES = Path(__file__).parents[2] / "fixtures" / "netconsole"
KERNELS = sorted({path.stem.rpartition("-")[2] for path in FIXTURES.glob("extended-*.json")})
RELEASED = [kernel for kernel in KERNELS if kernel != "6.1"]  # release prefix from 6.6 on


def recorded(name: str) -> tuple[str, list[bytes]]:
    """Return the kernel's release and the datagrams."""
    content: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return content["kernel"], [datagram.encode("latin-1") for datagram in content["datagrams"]]


def heard(name: str) -> OneHost:
    host = OneHost()
    for datagram in recorded(name)[1]:
        host.log.receive(NOW, datagram)
    host.log.finish()
    return host


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_message_of_a_boot_is_a_line(kernel: str) -> None:
    release, datagrams = recorded(f"extended-{kernel}")
    host = heard(f"extended-{kernel}")
    seqs = [line["seq"] for line in host.lines]
    assert seqs == sorted(seqs)
    assert sorted(set(seqs)) == list(range(seqs[-1] + 1))
    assert host.boot.lost == 0
    assert host.texts[0].startswith(f"Linux version {release} ")
    assert len(seqs) >= len([each for each in datagrams if b"ncfrag" not in each])
    assert {line["source"] for line in host.lines} == {"netconsole"}
    assert host.boot.release == (release if kernel in RELEASED else None)


@pytest.mark.parametrize("kernel", KERNELS)
def test_plain_format_says_the_same(kernel: str) -> None:
    plain, extended = heard(f"legacy-{kernel}"), heard(f"extended-{kernel}")
    assert plain.stages == ["kernel"]
    assert all(line["uptime"] is not None for line in plain.lines)
    # Until the recordings differ, because each is of a boot of its own.
    assert [line["text"] for line in plain.lines[:20]] == [line["text"] for line in extended.lines[:20]]


@pytest.mark.parametrize("kernel", KERNELS)
def test_characters(kernel: str) -> None:
    assert heard(f"characters-{kernel}").texts == [
        *(
            "grüße \\x1b[31mred\\x1b[0m back\\slash tab here nul and \\xff\\xfe",
            "two",
            "lines",
            "user: facility daemon",
        ),
    ]


@pytest.mark.parametrize("kernel", KERNELS)
def test_fragments_are_whole_again(kernel: str) -> None:
    """Cut anywhere, also within an escape: by netconsole in fragments, and by the kernel at its own limit for good."""
    datagrams = recorded(f"fragments-{kernel}")[1]
    assert sum(isinstance(parse(datagram), Fragment) for datagram in datagrams) > 1
    texts = heard(f"fragments-{kernel}").texts
    assert "lost" not in " ".join(texts)
    assert all(re.fullmatch(r"(.)\1*(\\xc3)?\\?|short", text) for text in texts), [text[-40:] for text in texts]


@pytest.mark.parametrize("kernel", KERNELS)
def test_dictionary_of_a_device(kernel: str) -> None:
    fields = [said.fields for each in recorded(f"dictionary-{kernel}")[1] if isinstance(said := parse(each), Message)]
    assert fields[0] == {"SUBSYSTEM": "virtio", "DEVICE": "+virtio:virtio1"}
    assert fields[-1] == {}


@pytest.mark.parametrize("kernel", KERNELS)
def test_markers(kernel: str) -> None:
    host = heard(f"markers-{kernel}")
    assert host.stages == ["kernel", "network", "failed"]
    assert host.boot.boot_id is not None
    assert host.boot.trouble is not None
    assert host.boot.trouble[:3] == ("map", "no-image", "image diskless/udoo1/root does not exist")


@pytest.mark.parametrize("kernel", KERNELS)
def test_panic_is_told_by_its_first_line(kernel: str) -> None:
    trouble = heard(f"panic-{kernel}").boot.trouble
    assert trouble is not None
    assert (trouble.reason, trouble.text) == ("panic", "Kernel panic - not syncing: sysrq triggered crash")


@pytest.mark.parametrize("kernel", RELEASED)
def test_userdata_and_sysdata(kernel: str) -> None:
    said = parse(recorded(f"userdata-{kernel}")[1][0])
    assert isinstance(said, Message)
    assert {"host": "udoo1", "rack": "row 2"}.items() <= said.fields.items()
    assert heard(f"userdata-{kernel}").boot.release == recorded(f"userdata-{kernel}")[0]
