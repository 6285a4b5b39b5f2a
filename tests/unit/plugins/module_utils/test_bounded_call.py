# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may never answer is asked in a child, and there is one answer or none."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, NoReturn

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._bounded_call import CallFailed, NoAnswer, bounded

NAME = f"test-{os.getpid()}"


def test_answer_comes_back() -> None:
    assert bounded(lambda: {"a": [1, None, "x" * 200_000]}, 10, NAME) == {"a": [1, None, "x" * 200_000]}
    assert bounded(lambda: None, 10, NAME) is None


def test_call_that_does_not_end_has_no_answer() -> None:
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=r"^no answer within 0\.2 s$"):
        bounded(lambda: time.sleep(60), 0.2, NAME)
    assert time.monotonic() - began < 5


def _raise() -> NoReturn:
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (_raise, r"^OSError: \[Errno 5\] Input/output error$"),
        (lambda: os._exit(3), "^it has ended without an answer$"),
        (lambda: sys.exit(1), "^SystemExit: 1$"),
        (object, "^TypeError: .*not JSON serializable"),
    ],
)
def test_call_that_fails_says_why(call: Any, text: str) -> None:
    with pytest.raises(CallFailed, match=text):
        bounded(call, 10, NAME)
