# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module of this collection says about how it behaves."""

from __future__ import annotations


class ModuleDocFragment:
    """The attributes; a module adds ``support`` and, where that needs words, ``details``."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would change, without changing anything.
  diff_mode:
    description: Returns with C(diff) what changed, or in check mode what would change.
  idempotent:
    description: A second run with the same options changes nothing, as long as nobody else changed anything.
"""
