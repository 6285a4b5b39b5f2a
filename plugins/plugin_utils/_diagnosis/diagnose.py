# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the evidence about one host to what is wrong with it, most likely cause first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from .evidence import Evidence
from .rules import blocklist, boot_log, boot_server, boot_tree, cephx, cluster, host_cpio, image, machine, running
from .verdict import Finding, Fine, Rule, Unknown

# In the order of a boot: of causes that are equally likely, the one that comes first stops it first.
RULES: tuple[Rule, ...] = tuple(
    rule
    for part in (machine, boot_server, boot_tree, host_cpio, cluster, cephx, image, blocklist, boot_log, running)
    for rule in part.RULES
)
_LONGEST = 400


def diagnose(given: Mapping[str, Any], rules: Sequence[Rule] = RULES) -> dict[str, Any]:
    """Return what the evidence about one host shows, in the types of JSON.

    given: see Evidence.
    C(findings): causes first, the most likely one at the top; then what they explain, with C(explained_by).
    C(fine), C(unknown): everything else that was looked at, in the order of a boot.
    C(summary): one line.
    Raises KeyError or ValueError when there is no complete host spec among the evidence.
    """
    evidence = Evidence(given)
    stopped_before = evidence.stopped_before()
    findings: list[Finding] = []
    fine, unknown = [], []
    for rule in rules:
        verdict = rule(evidence)
        if isinstance(verdict, Finding):
            findings.append(_weighed(verdict, rule, stopped_before))
        elif isinstance(verdict, Fine):
            fine.append({"check": rule.name, "question": rule.question, "text": _line(verdict.text)})
        elif isinstance(verdict, Unknown):
            unknown.append({"check": rule.name, "question": rule.question, "why": _line(verdict.why)})
    ordered = _ordered(findings)
    return {
        "host": evidence.name,
        "findings": ordered,
        "fine": fine,
        "unknown": unknown,
        "summary": _summary(evidence.name, ordered, len(fine), len(unknown)),
    }


def _weighed(finding: Finding, rule: Rule, stopped_before: str | None) -> Finding:
    """A boot that stopped elsewhere has not stopped for this reason, true as it may be."""
    if stopped_before is None or not rule.stages or stopped_before in rule.stages:
        return finding
    return replace(finding, likelihood=finding.likelihood // 2)


def _ordered(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    by_likelihood = sorted(findings, key=lambda finding: -finding.likelihood)
    explained = {finding.cause: _explanation(finding, by_likelihood) for finding in by_likelihood}
    causes = [finding for finding in by_likelihood if not explained[finding.cause]]
    return [
        {
            **{name: _line(value) if isinstance(value, str) else value for name, value in asdict(finding).items()},
            "evidence": [_line(fact) for fact in finding.evidence],
            "explained_by": explained[finding.cause],
        }
        for finding in [*causes, *(finding for finding in by_likelihood if explained[finding.cause])]
    ]


def _explanation(finding: Finding, found: Sequence[Finding]) -> str | None:
    """Return the cause at the root of a finding; None if it is one itself."""
    above = next((other for other in found if other.cause in finding.explained_by), None)
    return None if above is None else _explanation(above, found) or above.cause


def _summary(name: str, findings: Sequence[Mapping[str, Any]], fine: int, unknown: int) -> str:
    rest = f"{fine} checks are fine, {unknown} could not be made"
    if not findings:
        return f"{name}: nothing wrong was found; {rest}"
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{name}: {findings[0]['cause']}: {findings[0]['text']}{more}; {rest}"


def _line(text: str) -> str:
    """Return text of which a part may come from a machine in trouble, as one line that does nothing to a terminal."""
    shown = "".join(char if char.isprintable() else " " if char in "\n\t" else ascii(char)[1:-1] for char in text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
