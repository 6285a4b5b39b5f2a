# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that Ceph renamed with Pacific (16), when ``blacklist`` became ``blocklist``."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FIRST_BLOCKLIST_RELEASE = 16
_EITHER = re.compile(r"bl(?:ack|ock)list")


@dataclass(frozen=True)
class Dialect:
    """How a cluster of this release spells things. From 16 on it takes the old command too, but not the old options."""

    release: int

    @property
    def word(self) -> str:
        """The command after ``ceph osd``, and the key in the answer of ``ceph osd dump``."""
        return "blocklist" if self.release >= _FIRST_BLOCKLIST_RELEASE else "blacklist"

    def option(self, name: str) -> str:
        """Return the cluster's own spelling of an option that is given in either, with ``-`` or blanks for ``_``."""
        return _EITHER.sub(self.word, re.sub(r"[\s-]+", "_", name.strip()))

    def other(self, name: str) -> str | None:
        """Return the same option in the spelling that this cluster does not know; None if there is only one."""
        own = self.option(name)
        other = _EITHER.sub("blacklist" if self.word == "blocklist" else "blocklist", own)
        return None if other == own else other
