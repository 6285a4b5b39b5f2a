# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab raises."""

from __future__ import annotations


class LabError(Exception):
    """Something the lab wanted did not happen; the text says what and what to do."""
