# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rule of the diagnosis says about one host, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .evidence import Evidence, NotKnown

# Likelihoods that this is why the host does not come back; they order findings and mean nothing else.
CERTAIN = 95  # with this no host comes back
PROBABLE = 75  # most do not
POSSIBLE = 50  # some do not
MINOR = 20  # it comes back, and suffers otherwise or later


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    cause: short id. text: the same as a sentence.
    evidence: the facts that show it, quoted, one per line.
    remedy: what to do, in one or two sentences. command: what to type on the controller.
    likelihood: 0 to 100, see above.
    explained_by: causes of which this is a mere consequence when one of them is found as well.
    """

    cause: str
    text: str
    evidence: tuple[str, ...]
    remedy: str
    command: str
    likelihood: int
    explained_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fine:
    """It was looked at and is as it has to be; ``text`` says what was seen."""

    text: str


@dataclass(frozen=True)
class Unknown:
    """It could not be found out; ``why`` says what is missing."""

    why: str


@dataclass(frozen=True)
class Rule:
    """One thing to look at.

    name: short id of what is looked at.
    question: what holds when all is well.
    stages: boot stages that a host cannot reach for this reason; empty if it concerns hosts that run.
    look: says what the evidence shows, and raises NotKnown where that is not enough: a rule never guesses.
    """

    name: str
    question: str
    stages: tuple[str, ...]
    look: Callable[[Evidence], Finding | Fine]

    def __call__(self, evidence: Evidence) -> Finding | Fine | Unknown:
        """Say what the evidence of one host shows."""
        try:
            return self.look(evidence)
        except NotKnown as missing:
            return Unknown(str(missing))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            # One source that answers in a form of its own must not take away what all others have told.
            return Unknown(f"the evidence has another form than expected: {error!r}")
