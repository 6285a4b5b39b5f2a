# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a console said, and waiting for it to say something."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import console
from lab.errors import LabError

SAID = b"boot\r\n[    2.104211] diskless: stage=kernel host=a boot=1\r\ndiskless: stage=map host=a boot=1\r\n\xff\r\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "console.log"
    path.write_bytes(SAID)
    return path


def test_text_has_no_carriage_returns_and_survives_any_byte(log: Path) -> None:
    assert console.text(log).splitlines()[-1] == "\N{REPLACEMENT CHARACTER}"
    assert "\r" not in console.text(log)


def test_text_begins_where_asked(log: Path) -> None:
    since = console.size(log)
    with log.open("ab") as handle:
        handle.write(b"more\n")
    assert console.text(log, since) == "more\n"


def test_host_that_never_had_power_said_nothing(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    assert (console.text(log), console.size(log), console.last_stage(log)) == ("", 0, None)


def test_last_stage_is_the_one_named_last(log: Path) -> None:
    assert console.last_stage(log) == "map"


def test_stages_carry_the_time_of_the_guest_where_it_says_so() -> None:
    assert console.stages(SAID.decode("latin-1")) == [("kernel", 2.104211), ("map", None)]


def test_wait_returns_the_match(log: Path) -> None:
    assert console.wait_for(log, r"^diskless: stage=(map)", timeout=1)[1] == "map"


def test_wait_in_vain_shows_the_end_of_the_console(log: Path) -> None:
    with pytest.raises(LabError, match=r"(?s)no 'stage=root' within 0 s; the console ends with:\nboot\n.*stage=map"):
        console.wait_for(log, "stage=root", timeout=0.01)


def test_wait_does_not_see_what_was_said_before(log: Path) -> None:
    with pytest.raises(LabError, match="no 'stage=map'"):
        console.wait_for(log, "stage=map", timeout=0.01, since=console.size(log))
