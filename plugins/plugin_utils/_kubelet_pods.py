# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of a node, as ``kubectl get pods --output=json`` lists them, and their directories. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# By it the kubelet names the directory of a static pod; what the API server has of that pod is a mirror with a uid of
# its own.
_STATIC = "kubernetes.io/config.hash"
_PODS = "/pods/"


def kubelet_pods(answer: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return namespace, name, controller and directory of every pod, sorted. Raises ValueError for another answer."""
    items = answer.get("items")
    if answer.get("kind") not in ("List", "PodList") or not isinstance(items, list):
        raise ValueError(f"expected the answer of 'kubectl get pods --output=json', got kind {answer.get('kind')!r}")
    found = [_pod(item["metadata"]) for item in items]
    return sorted(found, key=lambda pod: (pod["namespace"], pod["name"]))


def _pod(metadata: Mapping[str, Any]) -> dict[str, str]:
    owners = [owner["kind"] for owner in metadata.get("ownerReferences") or () if owner.get("controller")]
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "controller": owners[0] if owners else "",
        "directory": (metadata.get("annotations") or {}).get(_STATIC, metadata["uid"]),
    }


def using(pods: list[dict[str, str]], paths: list[str]) -> list[dict[str, str]]:
    """Return the pods that have one of the mounts at ``paths`` below their directory."""
    directories = {path.partition(_PODS)[2].partition("/")[0] for path in paths if _PODS in path}
    return [pod for pod in pods if pod["directory"] in directories]
