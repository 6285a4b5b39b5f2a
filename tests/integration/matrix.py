# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which module was tested on which release: ``python -m tests.integration.matrix FILE...`` prints the table."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Matrix:
    """Results by (subject, release); a subject is a test file without its ``test_``, most often a module."""

    passed: dict[tuple[str, str], int] = field(default_factory=dict)
    failed: dict[tuple[str, str], int] = field(default_factory=dict)
    not_applicable: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def count(self, subject: str, release: str, ok: bool) -> None:
        """Add the result of one test."""
        counts = self.passed if ok else self.failed
        counts[subject, release] = counts.get((subject, release), 0) + 1

    def leave_out(self, subject: str, release: str, reason: str) -> None:
        """Say why something does not apply to a release."""
        self.not_applicable.setdefault((subject, release), set()).add(reason)

    def save(self, path: Path) -> None:
        """Write the matrix, for load()."""
        parts: list[dict[tuple[str, str], Any]] = [self.passed, self.failed]
        parts.append({key: sorted(reasons) for key, reasons in self.not_applicable.items()})
        path.write_text(json.dumps([[[*key, value] for key, value in part.items()] for part in parts]), "utf-8")

    def load(self, path: Path) -> None:
        """Add what save() wrote."""
        passed, failed, left_out = json.loads(path.read_text("utf-8"))
        self.passed.update({(subject, release): count for subject, release, count in passed})
        self.failed.update({(subject, release): count for subject, release, count in failed})
        for subject, release, reasons in left_out:
            self.not_applicable.setdefault((subject, release), set()).update(reasons)

    def render(self) -> Iterable[str]:
        """Yield the table: what passed, and below it what does not apply and why."""
        keys = {*self.passed, *self.failed, *self.not_applicable}
        subjects = sorted({subject for subject, _release in keys})
        releases = sorted({release for _subject, release in keys}, key=int)
        width = max((len(subject) for subject in subjects), default=0)
        yield " ".join([f"{'tested on Ceph':<{width}}", *(f"{release:>14}" for release in releases)])
        for subject in subjects:
            cells = (f"{self._cell(subject, release):>14}" for release in releases)
            yield " ".join([f"{subject:<{width}}", *cells])
        for subject, release in sorted(self.not_applicable):
            for reason in sorted(self.not_applicable[subject, release]):
                yield f"not on Ceph {release}: {subject}: {reason}"

    def _cell(self, subject: str, release: str) -> str:
        passed, failed = self.passed.get((subject, release), 0), self.failed.get((subject, release), 0)
        if failed:
            return f"{failed} FAILED"
        if passed:
            return f"{passed} passed"
        return "not applicable" if (subject, release) in self.not_applicable else "not run"


def main() -> None:
    """Print the table of these files."""
    matrix = Matrix()
    for name in sys.argv[1:]:
        matrix.load(Path(name))
    print("\n".join(matrix.render()))


if __name__ == "__main__":
    main()
