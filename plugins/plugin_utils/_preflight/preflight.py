# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that can be known to go wrong before the first boot of a fleet, in one report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from . import boot_servers, ceph, log_hosts, machines, ports
from .fleet import Fleet
from .problem import NotKnown, Problem, Said

CHECKS = tuple(check for part in (machines, ceph, boot_servers, ports, log_hosts) for check in part.CHECKS)
_LONGEST = 400
_HOSTS_SHOWN = 5


def preflight(given: Mapping[str, Any], accepted: Sequence[str] = ()) -> dict[str, Any]:
    """Return the report, in the types of JSON.

    given: the evidence, see the filter C(preflight). accepted: checks whose problems are to stop nothing.
    C(problems), C(notes): what stops the site playbook, and what is only worth knowing; hosts and machines that share
    one are listed together. C(unknown): what could not be found out. C(summary): one line.
    Raises KeyError or ValueError where specs are not complete.
    """
    fleet = Fleet(given)
    said = [entry for check in CHECKS for entry in _asked(check, fleet)]
    found = _together(entry for entry in said if isinstance(entry, Problem))
    problems = [entry for entry in found if entry["stops"] and entry["check"] not in accepted]
    return {
        "problems": problems,
        "notes": [entry for entry in found if entry not in problems],
        "unknown": _reasons(entry for entry in said if isinstance(entry, NotKnown)),
        "summary": _summary(fleet, problems),
    }


def _asked(check: Any, fleet: Fleet) -> Iterable[Said]:
    try:
        return list(check(fleet))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        # A machine that answers in a form of its own must not take away what all others have told.
        return [NotKnown(check.__name__, f"what was told has another form than expected: {error!r}")]


def _together(found: Iterable[Problem]) -> list[dict[str, Any]]:
    """One entry for all that have the same problem, as they have with a wrong group variable."""
    entries: dict[tuple[Any, ...], dict[str, Any]] = {}
    for problem in found:
        told = asdict(problem)
        host, machine = told.pop("host"), told.pop("machine")
        entry = entries.setdefault(tuple(told.values()), {**_plain(told), "hosts": [], "machines": []})
        for name, names in ((host, entry["hosts"]), (machine, entry["machines"])):
            if name and name not in names:
                names.append(name)
    for entry in entries.values():
        entry["who"] = _some([*entry["machines"], *entry["hosts"]])
    return list(entries.values())


def _plain(told: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {name: _line(value) if isinstance(value, str) else value for name, value in told.items()}
    return {**shown, "found": [_line(fact) for fact in told["found"]]}


def _reasons(found: Iterable[NotKnown]) -> list[dict[str, Any]]:
    checks: dict[str, list[str]] = {}
    for entry in found:
        same = checks.setdefault(_line(entry.why), [])
        if entry.check not in same:
            same.append(entry.check)
    return [{"why": why, "checks": names} for why, names in checks.items()]


def _summary(fleet: Fleet, problems: Sequence[Mapping[str, Any]]) -> str:
    hosts = f"{len(fleet.hosts)} hosts" if len(fleet.hosts) != 1 else "1 host"
    if not problems:
        return f"nothing that can be known speaks against the first boot of {hosts}"
    count = f"{len(problems)} problems" if len(problems) != 1 else "1 problem"
    return f"{count}, and nothing was changed: {', '.join(dict.fromkeys(entry['check'] for entry in problems))}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _HOSTS_SHOWN
    return ", ".join(names[:_HOSTS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _line(text: str) -> str:
    """As one line that does nothing to a terminal, because a machine may have told a part of it."""
    shown = "".join(char if char.isprintable() else " " for char in text).strip()
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
