# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel log of a running host goes to its log hosts, whatever becomes of its network cards.

The modules whose names begin with _netconsole are those of the collection's module netconsole_target.
"""
