# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m bootlog receive|page|status``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

USAGE = """usage: python3 -m bootlog COMMAND [OPTION...]

  receive  take what hosts and boot servers send, and keep it
  page     serve the boot log page
  status   tell where each host stands
"""


def main(argv: Sequence[str]) -> int:
    """Run a command; return the exit status. Each command imports only what it needs."""
    command, rest = (argv[0] if argv else ""), argv[1:]
    if command == "receive":
        from . import receiver  # noqa: PLC0415

        return receiver.main(rest)
    if command == "page":
        from .page import server  # noqa: PLC0415

        return server.main(rest)
    if command == "status":
        from . import status_command  # noqa: PLC0415

        return status_command.main(rest)
    asked = command in ("-h", "--help")
    (sys.stdout if asked else sys.stderr).write(USAGE)
    return 0 if asked else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
