# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask something that may never answer, such as a mount whose server is gone, and get one answer or none."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.diskless.ceph.plugins.module_utils._bounded_child import BoundedChild, wait_for


class NoAnswer(Exception):
    """There was none in time."""


class CallFailed(Exception):
    """The call has raised; the text is the type of the exception and its message."""


def bounded(call: Callable[[], Any], seconds: float, name: str) -> Any:
    """Return what the call returns, which has to be of the types of JSON. It runs in a child process.

    name: what ps shows of the child. When one of this name still waits, no other is started, and there is no answer.
    Raises NoAnswer and CallFailed.
    """
    (report,) = wait_for([BoundedChild(lambda say: say({"result": call()}), name)], seconds)
    said = report.said[-1] if report.said else {}
    if "result" in said:
        return said["result"]
    if report.ended:
        raise CallFailed(said.get("error", "it has ended without an answer"))
    raise NoAnswer(f"no answer within {seconds:g} s")
