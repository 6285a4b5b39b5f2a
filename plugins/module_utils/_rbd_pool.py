# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan one RBD pool. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

_FIRST_RELEASE_WITH_DEFAULT = 15


@dataclass(frozen=True)
class PoolPlan:
    """What has to happen for the pool; ``applications`` are those that it is marked for afterwards."""

    create: bool
    initialise: bool
    applications: tuple[str, ...]
    before: dict[str, Any]
    after: dict[str, Any]
    problem: str | None = None


def create_command(name: str, release: int) -> tuple[str, ...]:
    """Return the words after ``ceph`` that create the pool; before Octopus (15) the number of PGs has no default."""
    return ("osd", "pool", "create", name, *(() if release >= _FIRST_RELEASE_WITH_DEFAULT else ("32",)))


def pool_plan(name: str, pools: Iterable[Mapping[str, Any]]) -> PoolPlan:
    """Plan from the answer of ``ceph osd pool ls detail -f json``.

    ``rbd pool init`` marks the pool for rbd, and that mark is what tells an initialised pool.
    """
    found = next((pool for pool in pools if pool["pool_name"] == name), None)
    applications = sorted(found["application_metadata"]) if found else []
    after = sorted({*applications, "rbd"})
    others = ", ".join(application for application in applications if application != "rbd")
    return PoolPlan(
        create=found is None,
        initialise="rbd" not in applications,
        applications=tuple(after),
        before={"pool": {"name": name, "applications": applications} if found else None},
        after={"pool": {"name": name, "applications": after}},
        problem=f"pool {name} is used by {others}: choose another pool for RBD images"
        if others and "rbd" not in applications
        else None,
    )
