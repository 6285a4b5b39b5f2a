# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does the OSD blocklist shut the host out?"""

from __future__ import annotations

from typing import Any

from ....module_utils._osd_blocklist_address import parse_instance
from ..evidence import Evidence
from ..verdict import CERTAIN, Finding, Fine, Rule
from .cluster import AFTER_NETWORK


def fences(evidence: Evidence) -> Finding | Fine:
    """An entry for the whole host, or for a range that it is in, hits whatever the host starts."""
    entries = [entry for entry in evidence.need(list, "ceph", "blocklist") if entry["fence"] is True]
    if not entries:
        return Fine("no entry for the whole host or its network")
    ranges = [str(entry["address"]) for entry in entries if entry["kind"] == "range"]
    return Finding(
        "fenced",
        "Ceph shuts the host out, whatever it starts: its address, or a range that it is in, is on the blocklist.",
        tuple(_quoted(entry) for entry in entries),
        "Find out who has set it, and whether that is over. recover_host lifts what blocks this host, once it is "
        "proven off"
        + ("; a range, which shuts out others as well, only because the command names it." if ranges else "."),
        evidence.commands.recover(**({"lift_ranges": ",".join(ranges)} if ranges else {})),
        CERTAIN,
    )


def running_client(evidence: Evidence) -> Finding | Fine:
    """Entries for single clients are those of former boots, unless one is that of the system that runs."""
    entries = [entry for entry in evidence.need(list, "ceph", "blocklist") if entry["kind"] == "client"]
    if evidence.need(bool, "host", "reachable") is False:
        return Fine(f"{len(entries)} entries of single clients, which hit no boot to come")
    client = evidence.need(str, "host", "root", "client")
    hit = [entry for entry in entries if parse_instance(entry["address"]) == parse_instance(client)]
    if not hit:
        return Fine(f"no entry for {client}, the client of the running system")
    return Finding(
        "client-blocklisted",
        "Ceph has shut out the system that runs: it cannot write any more, though it may not know it yet.",
        (f"client of the running host: {client}", *(_quoted(entry) for entry in hit)),
        "Reboot it: its next client is not on the blocklist. Do not lift the entry as long as this one runs.",
        evidence.commands.playbook("reboot"),
        CERTAIN,
        ("lock-owner-alive",),
    )


def _quoted(entry: dict[str, Any]) -> str:
    return f"{entry['kind']} {entry['address']} until {entry['until']}"


RULES = (
    Rule("fences", "The blocklist does not hit the host", AFTER_NETWORK, fences),
    Rule("running-client", "The blocklist does not hit the running system", (), running_client),
)
