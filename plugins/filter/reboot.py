# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters reboot_preflight and reboot_verification, documented in YAML files beside this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._reboot import preflight, verification


def reboot_preflight(evidence: Mapping[str, Any], accepted: Sequence[str] = ()) -> dict[str, list[str]]:
    """Why the host may not be rebooted now. Raises AnsibleFilterError where there is no host spec."""
    return _judged("reboot_preflight", lambda: preflight(evidence, accepted).as_dict())


def reboot_verification(
    evidence: Mapping[str, Any], before: Mapping[str, Any], forced: bool = False
) -> dict[str, list[str]]:
    """Why the host has not come back as it was. Raises AnsibleFilterError where there is no host spec."""
    return _judged("reboot_verification", lambda: verification(evidence, before, forced).as_dict())


def _judged(name: str, judge: Callable[[], dict[str, list[str]]]) -> dict[str, list[str]]:
    try:
        return judge()
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(
            f"{name}: the evidence has no complete host spec, or is not of modules of this collection ({error!r});"
            " expected it as the filter diskless.ceph.diagnose takes it"
        ) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"reboot_preflight": reboot_preflight, "reboot_verification": reboot_verification}
