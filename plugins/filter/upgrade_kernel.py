# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters upgrade_kernel_*, documented in YAML files beside this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._upgrade_kernel import judge, packages, plan


def upgrade_kernel_packages(installed: str, asked: Sequence[str] = ()) -> list[str]:
    """Which packages bring a new kernel."""
    return packages(installed, asked)


def upgrade_kernel_plan(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be done for a host. Raises AnsibleFilterError where evidence is missing."""
    try:
        return plan(evidence).as_dict()
    except (KeyError, TypeError) as error:
        raise _incomplete("upgrade_kernel_plan", error) from error


def upgrade_kernel_problems(evidence: Mapping[str, Any]) -> list[str]:
    """Why the announced kernel should not be booted. Raises AnsibleFilterError where evidence is missing."""
    try:
        return judge(evidence)
    except (AttributeError, KeyError, TypeError) as error:
        raise _incomplete("upgrade_kernel_problems", error) from error


def _incomplete(name: str, error: Exception) -> AnsibleFilterError:
    return AnsibleFilterError(f"{name}: the evidence is not complete, or not of modules of this collection ({error!r})")


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {
            "upgrade_kernel_packages": upgrade_kernel_packages,
            "upgrade_kernel_plan": upgrade_kernel_plan,
            "upgrade_kernel_problems": upgrade_kernel_problems,
        }
