# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every limit can be stretched for a slow machine."""

from __future__ import annotations

import pytest

from lab.errors import LabError
from lab.patience import patience, wait_until


def test_patience_is_one_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_PATIENCE", raising=False)
    assert patience() == 1


@pytest.mark.parametrize("text", ["", "much", "0", "-1", "nan"])
def test_patience_that_is_no_positive_number_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("LAB_PATIENCE", text)
    with pytest.raises(LabError, match="expected a positive number"):
        patience()


def test_waiting_ends_when_it_is_done() -> None:
    answers = iter([False, False, True])
    assert wait_until(lambda: next(answers), timeout=10, interval=0)


def test_waiting_ends_when_time_is_up() -> None:
    assert not wait_until(lambda: False, timeout=0.05, interval=0.01)
