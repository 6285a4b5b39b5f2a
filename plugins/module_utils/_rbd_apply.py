# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do operations on RBD images, those of different images side by side."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Iterator, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, CephError
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_argv import rbd_argv
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_bulk_scripts import APPLY_SCRIPT
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_operations import RbdOperation

Job = Sequence[RbdOperation]

# What a process does before the next one is started, so that the limit for one command also bounds a thousand images.
_BATCH = 100
# These copy or look at the whole image.
_SLOW = {"flatten_image", "rebuild_object_map", "rollback_snapshot", "remove_image", "remove_snapshot"}
_SLOW_BATCH = 48
_THREADS = 4
# The bindings name objects as b'name', and rbd puts time and thread before the lines that tell the reason.
_PYTHON_BYTES, _WORD = re.compile(r"b'([^']*)'"), r"\1"
_LOG_PREFIX = re.compile(r"^\d{4}-\d\d-\d\d\S*( \d\S*)? [0-9a-f]+ +-?\d+ ", re.MULTILINE)


def apply_operations(client: CephClient, jobs: Sequence[Job], import_timeout_seconds: int | None = None) -> None:
    """Do the operations of each job in order, and the jobs, one for each image, side by side.

    Namespaces are created first, each once however many jobs ask for it. A job ends with its first failure; the
    others go on, and all failures are reported together. An import may take ``import_timeout_seconds``.
    """
    namespaces = {operation.image: operation for job in jobs for operation in job if _is_namespace(operation)}
    _apply(client, [[operation] for operation in namespaces.values()], None)
    rest = [[operation for operation in job if not _is_namespace(operation)] for job in jobs]
    _apply(client, [job for job in rest if job], import_timeout_seconds)


def _is_namespace(operation: RbdOperation) -> bool:
    return operation.kind == "create_namespace"


def _imports(job: Job) -> bool:
    return any(operation.kind == "import_image" for operation in job)


def _apply(client: CephClient, jobs: Sequence[Job], import_timeout_seconds: int | None) -> None:
    # The content of an import comes through stdin, which a script needs for itself.
    imports = [job for job in jobs if _imports(job)]
    others = [job for job in jobs if not _imports(job)]
    failures = []
    for batch in _batches(others):
        failures += client.either(lambda: _by_bindings(client, batch), lambda: _by_rbd(client, batch, None))  # noqa: B023 -- called at once
    failures += _by_rbd(client, imports, import_timeout_seconds)
    if failures:
        raise CephError(("rbd",), "; ".join(failures))


def _batches(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    slow = any(operation.kind in _SLOW for job in jobs for operation in job)
    size = _SLOW_BATCH if slow else _BATCH
    for first in range(0, len(jobs), size):
        yield jobs[first : first + size]


def _by_bindings(client: CephClient, jobs: Sequence[Job]) -> list[str]:
    request = [
        [
            [
                operation.kind,
                operation.image.pool,
                operation.image.namespace,
                operation.image.image,
                operation.arguments,
            ]
            for operation in job
        ]
        for job in jobs
    ]
    answer = client.python_json(APPLY_SCRIPT, request, shown=("rbd", *rbd_argv(jobs[0][0])))
    return [
        f"cannot {job[failed[0]]}: {_PYTHON_BYTES.sub(_WORD, failed[1])}" for job, failed in zip(jobs, answer) if failed
    ]


def _by_rbd(client: CephClient, jobs: Sequence[Job], import_timeout_seconds: int | None) -> list[str]:
    with ThreadPoolExecutor(_THREADS) as executor:
        done = executor.map(lambda job: _run_job(client, job, import_timeout_seconds), jobs)
        return [failure for failure in done if failure]


def _run_job(client: CephClient, job: Job, import_timeout_seconds: int | None) -> str | None:
    for operation in job:
        source = operation.arguments.get("source")
        timeout = import_timeout_seconds if source else None
        try:
            client.rbd(*rbd_argv(operation), stdin_file=source, timeout_seconds=timeout)
        except CephError as error:
            return f"cannot {operation}: {', '.join(_LOG_PREFIX.sub('', error.stderr).splitlines()) or error}"
    return None
