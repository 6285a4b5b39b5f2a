# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe of the boot network: who greets as a monitor does, and how large packets may be."""

from __future__ import annotations

import errno
import json
import runpy
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "playbooks" / "files" / "probe_boot_network.py"
SECONDS = 0.5


@pytest.fixture(scope="module")
def probe() -> Callable[[str, float], str]:
    """The function that asks one monitor."""
    function: Callable[[str, float], str] = runpy.run_path(str(SCRIPT))["probe"]
    return function


@contextmanager
def listening(*parts: bytes, stay: float = 0.0) -> Iterator[str]:
    """Somebody who says this, part by part, and then stays for a while before hanging up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _address = server.accept()
            with connection:
                for part in parts:
                    connection.sendall(part)
                    time.sleep(0.05)
                time.sleep(stay)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize("greeting", [[b"ceph v027"], [b"ceph v2\n\x10\x00"], [b"ceph", b" v2\n"]])
def test_monitor_greets_in_either_protocol(probe: Callable[[str, float], str], greeting: list[bytes]) -> None:
    with listening(*greeting) as monitor:
        assert probe(monitor, SECONDS) == "ok"


def test_who_greets_otherwise_or_hangs_up_is_no_monitor(probe: Callable[[str, float], str]) -> None:
    for greeting in ([b"SSH-2.0-OpenSSH_9.2\r\n"], []):
        with listening(*greeting) as monitor:
            assert probe(monitor, SECONDS) == "refused"


def test_port_on_which_nobody_listens_is_refused(probe: Callable[[str, float], str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monitor = f"127.0.0.1:{server.getsockname()[1]}"
    assert probe(monitor, SECONDS) == "refused"


def test_monitor_that_hangs_is_given_up_in_time(probe: Callable[[str, float], str]) -> None:
    """The kernel takes connections for it all the same; and a few bytes now and then do not prolong it."""
    with listening(b"c", b"e", stay=3 * SECONDS) as monitor:
        began = time.monotonic()
        assert probe(monitor, SECONDS) == "timeout"
        assert time.monotonic() - began < 2 * SECONDS


def test_address_without_a_way_to_it_is_unreachable(
    probe: Callable[[str, float], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_way(*_: object, **__: object) -> None:
        raise OSError(errno.EHOSTUNREACH, "No route to host")

    monkeypatch.setattr(socket, "create_connection", no_way)
    assert probe("[fd00::1]:3300", SECONDS) == "unreachable"


def _run(tmp_path: Path, ip_says: str, *monitors: str) -> Any:
    """What the script prints where ``ip`` says this."""
    fake = tmp_path / "ip"
    fake.write_text(f"#!/bin/sh\n[ \"$*\" = '-json address show to 10.77.0.0/24' ] && echo '{ip_says}'\n")
    fake.chmod(0o755)
    command = [sys.executable, str(SCRIPT), "10.77.0.0/24", str(SECONDS), *monitors]
    said = subprocess.run(
        command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True, timeout=30
    )
    return json.loads(said.stdout)


def test_mtu_is_that_of_the_card_in_the_boot_network(tmp_path: Path) -> None:
    with listening(b"ceph v2\n") as monitor:
        card = {"ifname": "eth0", "mtu": 9000, "addr_info": [{"local": "10.77.0.3"}]}
        # Cards that have no such address are empty in some versions.
        assert _run(tmp_path, json.dumps([{}, card]), monitor) == {"monitors": {monitor: "ok"}, "mtu": 9000}


@pytest.mark.parametrize("ip_says", ["[]", "no JSON", '[{"mtu": 1, "addr_info": [1]}, {"mtu": 2, "addr_info": [1]}]'])
def test_mtu_that_is_not_clear_is_unknown(tmp_path: Path, ip_says: str) -> None:
    assert _run(tmp_path, ip_says) == {"monitors": {}, "mtu": None}
