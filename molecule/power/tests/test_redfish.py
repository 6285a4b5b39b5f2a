# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redfish: against OpenStack's emulator of BMCs (sushy-tools), whose changes of power take up to 11 seconds."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

# bcrypt, as "htpasswd -nbB admin redfish-secret" makes it.
USER = "admin:$2b$04$VFTuDFwHfIrcfd4mMthwJOt6RazSfzb7hz/5.ChjBoD4WJWoFX0wi\n"
FIRST = "a7946b59-9e44-4fa7-8e91-f3527a1ef094"
SECOND = "b7946b59-9e44-4fa7-8e91-f3527a1ef094"
WRONG = "wrong-geheim"
Bmc = Callable[..., dict[str, Any]]


def emulator() -> str:
    """Where it is."""
    beside = Path(sys.executable).with_name("sushy-emulator")
    found = str(beside) if beside.exists() else shutil.which("sushy-emulator")
    assert found, "sushy-emulator is missing: it is in the dependency group tools of pyproject.toml"
    return found


@pytest.fixture(params=[1])
def bmc(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bmc]:
    """A BMC for as many systems, which are off; makes a diskless_power."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    (tmp_path / "users").write_text(USER, encoding="utf-8")
    systems = [
        {"uuid": uuid, "name": f"system{number}", "power_state": "Off", "external_notifier": False, "nics": []}
        for number, uuid in enumerate([FIRST, SECOND][: request.param])
    ]
    (tmp_path / "state").mkdir()
    settings = {
        "SUSHY_EMULATOR_FAKE_DRIVER": True,
        "SUSHY_EMULATOR_FAKE_SYSTEMS": systems,
        "SUSHY_EMULATOR_AUTH_FILE": str(tmp_path / "users"),
        "SUSHY_EMULATOR_STATE_DIR": str(tmp_path / "state"),
    }
    config = tmp_path / "emulator.conf"
    config.write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()), encoding="utf-8")
    with (tmp_path / "emulator.log").open("wb") as log:
        words = [emulator(), "--config", str(config), "-i", "127.0.0.1", "-p", str(port)]
        with subprocess.Popen(words, stdout=log, stderr=log) as server:
            try:
                _wait(url)
                yield lambda **more: {
                    **{"driver": "redfish", "url": url, "user": "admin", "password": "redfish-secret"},
                    **{"timeout": 20, "pause": 0, **more},
                }
            finally:
                server.kill()


def _wait(url: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"{url}/redfish/v1") as answer:  # noqa: S310
            json.load(answer)
            return
        time.sleep(0.1)
    raise AssertionError(f"{url}: the emulator does not answer")


def test_change_is_waited_for(role: Any, bmc: Bmc) -> None:
    assert role("status", bmc()).answers["udoo1"] == ("off", True, "")
    assert role("on", bmc()).state == "on"
    done = role("off", bmc())
    assert (done.state, done.changed("udoo1")) == ("off", True)
    assert not role("off", bmc()).changed("udoo1")


@pytest.mark.full
@pytest.mark.parametrize("bmc", [2], indirect=True)
def test_one_of_two_systems_has_to_be_named(role: Any, bmc: Bmc) -> None:
    (state, proven, reason) = role("status", bmc()).answers["udoo1"]
    assert (state, proven) == ("unknown", False)
    assert reason.startswith("diskless_power.system is missing; expected one of /redfish/v1/Systems/")
    assert role("status", bmc(system=f"/redfish/v1/Systems/{SECOND}")).state == "off"


def test_wrong_password_is_refused_and_not_shown(role: Any, bmc: Bmc) -> None:
    done = role("on", bmc(password=WRONG), "-vvvv")
    assert not done.succeeded
    assert "401" in done.output
    assert WRONG not in done.output
