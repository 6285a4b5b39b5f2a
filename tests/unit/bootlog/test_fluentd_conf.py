# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user's own Fluentd makes of netconsole. Its patterns and expressions are Ruby's, so Ruby runs them."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest

TEMPLATES = Path(__file__).parents[3] / "roles" / "bootlog" / "templates"
Transform = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def transform(tmp_path_factory: pytest.TempPathFactory) -> Transform:
    """Return what becomes of datagrams from an address."""
    environment = jinja2.Environment(  # noqa: S701  # a configuration file
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    directory = tmp_path_factory.mktemp("fluentd")
    configuration, names = directory / "diskless.conf", directory / "hosts.json"
    names.write_text('{"10.77.0.11": "udoo1", "10.77.0.12": "udoo2"}', encoding="utf-8")
    text = environment.get_template("fluentd.conf.j2").render(
        bootlog_fluentd_names=names,
        bootlog_fluentd_tag="diskless.netconsole",
        bootlog_fluentd_bind="0.0.0.0",  # noqa: S104
        bootlog_fluentd_port=6666,
    )
    configuration.write_text(text, encoding="utf-8")
    program = Path(__file__).with_name("fluentd_conf.rb")

    def run(*datagrams: bytes, address: str = "10.77.0.11") -> list[dict[str, Any]]:
        said = json.dumps([[address, base64.b64encode(datagram).decode()] for datagram in datagrams])
        words = ["ruby", str(program), str(configuration)]
        done = subprocess.run(words, input=said, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        records: list[dict[str, Any]] = json.loads(done.stdout)
        return records

    return run


def known(**fields: object) -> dict[str, object]:
    return {"host": "udoo1", "address": "10.77.0.11", "level": None, "uptime": None, **fields}


def test_extended_format(transform: Transform) -> None:
    """The samples of the kernel's documentation, and what a real one adds."""
    assert transform(
        b"6,444,501151268,-;netpoll: netconsole: local port 6666\n",
        b"6.4.0,6,444,501151268,-;netpoll: netconsole: local port 6666\n",
        b"28,812,3210000,c;diskless: stage=map host=udoo1; boot=7\n",
        b"4,7,1,-,caller=T1;text\n SUBSYSTEM=net\n DEVICE=n2\n",
        b"6,416,1758426,-,ncfrag=0/33;the first ch\n",
    ) == [
        known(level=6, seq=444, uptime=501.151268, text="netpoll: netconsole: local port 6666"),
        known(level=6, seq=444, uptime=501.151268, text="netpoll: netconsole: local port 6666", release="6.4.0"),
        known(level=4, seq=812, uptime=3.21, text="diskless: stage=map host=udoo1; boot=7"),
        known(level=4, seq=7, uptime=1e-6, header="caller=T1", text="text", fields=" SUBSYSTEM=net\n DEVICE=n2"),
        known(level=6, seq=416, uptime=1.758426, header="ncfrag=0/33", text="the first ch"),
    ]


def test_plain_format_and_any_text(transform: Transform) -> None:
    assert transform(
        b"<14>[    3.210000] rbd: loaded\n",
        b"[    3.210000][    T1] rbd: loaded\n",
        b"[12345.678901] x\n",
        b"RPi: BOOTLOADER release VERSION:1234, Boot mode: NETWORK (02)\r\n",
        b"",
        b"6,not a number,1,-;x",
        b"\xff\x00\xe4 first\nsecond",
    ) == [
        known(level=6, uptime=3.21, text="rbd: loaded"),
        known(uptime=3.21, text="rbd: loaded"),
        known(uptime=12345.678901, text="x"),
        known(text="RPi: BOOTLOADER release VERSION:1234, Boot mode: NETWORK (02)"),
        known(text=""),
        known(text="6,not a number,1,-;x"),
        known(text="\ufffd\0\ufffd first", fields="second"),
    ]


@pytest.mark.parametrize(
    ("address", "host"), [("10.77.0.12", "udoo2"), ("::ffff:10.77.0.11", "udoo1"), ("10.77.0.1", None)]
)
def test_host_is_known_by_its_address_alone(transform: Transform, address: str, host: str | None) -> None:
    (record,) = transform(b"6,1,1,-;host=udoo1", address=address)
    assert (record["host"], record["address"]) == (host, address)
