# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell how the boot network looks from a boot server: probe_boot_network.py NETWORK SECONDS [ADDRESS:PORT...].

NETWORK is the boot network, as in 192.0.2.0/24; the others are monitors, each of which gets so many seconds to answer.
Prints JSON: ``monitors``, for each C(ok), C(refused), C(timeout) or C(unreachable), and ``mtu`` in bytes, or null.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

# A monitor greets whoever connects, in either protocol: "ceph v027" and "ceph v2\n"
# (Ceph documentation, dev/network-protocol and dev/msgr2). A listening port alone says nothing: the kernel answers for
# a process that hangs.
GREETING = b"ceph v"
MOST_AT_ONCE = 32
IP_SECONDS = 10


def probe(monitor: str, seconds: float) -> str:
    """Return whether a monitor greets who connects to ``ADDRESS:PORT``, and else what happens."""
    address, _sign, port = monitor.rpartition(":")
    until = time.monotonic() + seconds
    said = b""
    try:
        with socket.create_connection((address.strip("[]"), int(port)), timeout=seconds) as connection:
            while len(said) < len(GREETING):
                connection.settimeout(max(until - time.monotonic(), 0.001))
                part = connection.recv(len(GREETING) - len(said))
                if not part:
                    break
                said += part
    except (socket.timeout, TimeoutError):  # the same from Python 3.10 on
        return "timeout"
    except ConnectionError:
        return "refused"
    except OSError:
        return "unreachable"
    # Whoever greets otherwise, or hangs up, is no monitor.
    return "ok" if said == GREETING else "refused"


def mtu(network: str) -> int | None:
    """Return the MTU of the network card in the boot network; None if there is no such card, or several that differ."""
    command = ["ip", "-json", "address", "show", "to", network]
    try:
        said = subprocess.run(command, check=True, capture_output=True, timeout=IP_SECONDS).stdout
        cards = [card for card in json.loads(said) if card.get("addr_info")]
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    found = {card.get("mtu") for card in cards}
    return found.pop() if len(found) == 1 else None


def main(network: str, seconds: str, *monitors: str) -> None:
    """Print what there is."""
    with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
        answers = threads.map(lambda monitor: probe(monitor, float(seconds)), monitors)
        print(json.dumps({"monitors": dict(zip(monitors, answers)), "mtu": mtu(network)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
