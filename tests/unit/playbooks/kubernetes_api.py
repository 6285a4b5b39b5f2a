# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What draining a node takes of the API of Kubernetes: nodes, pods and evictions. No API server is in a package.

kubernetes_api.py STATE: serves on a free port of 127.0.0.1, prints it, and keeps everything in the JSON file STATE:
"nodes" with "unschedulable"; "pods" with "node", which may be "guarded" so many times by a disruption budget, or "stay"
when evicted; and what was "done".
"""

from __future__ import annotations

import json
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

GROUPS = {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}
VERSIONS = {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
VERSION = {"major": "1", "minor": "31", "gitVersion": "v1.31.0"}
RESOURCES = {
    "kind": "APIResourceList",
    "groupVersion": "v1",
    "resources": [
        {
            "name": name,
            "singularName": kind.lower(),
            "namespaced": namespaced,
            "kind": kind,
            "verbs": ["get", "list", "patch"],
        }
        for name, kind, namespaced in (("nodes", "Node", False), ("pods", "Pod", True))
    ],
}
DISCOVERY = {"/version": VERSION, "/version/": VERSION, "/api": VERSIONS, "/apis": GROUPS, "/api/v1": RESOURCES}
Answer = tuple[HTTPStatus, dict[str, Any]]


class Api(BaseHTTPRequestHandler):
    """One request."""

    state_file: Path
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Tell."""
        self._serve(_get)

    def do_PATCH(self) -> None:
        """Cordon or open a node."""
        self._serve(_patch)

    def do_POST(self) -> None:
        """Evict a pod."""
        self._serve(_evict)

    def _serve(self, answer: Any) -> None:
        state = json.loads(self.state_file.read_text(encoding="utf-8"))
        address = urlsplit(self.path)
        if address.path in DISCOVERY:
            status, body = HTTPStatus.OK, DISCOVERY[address.path]
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = address.path.strip("/").split("/")[2:]
            status, body = answer(state, parts, parse_qs(address.query), json.loads(body or "{}"))
        self.state_file.write_text(json.dumps(state), encoding="utf-8")
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_args: object) -> None:
        """Be silent."""


def _get(state: dict[str, Any], parts: list[str], query: dict[str, list[str]], _body: Any) -> Answer:
    if parts == ["pods"]:
        node = query["fieldSelector"][0].removeprefix("spec.nodeName=")
        pods = [_pod(name, pod) for name, pod in state["pods"].items() if pod["node"] == node]
        return HTTPStatus.OK, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": pods}
    kind, name = parts[-2:]
    if name not in state[kind]:
        return _refused(HTTPStatus.NOT_FOUND, f'{kind} "{name}" not found')
    return HTTPStatus.OK, (_node if kind == "nodes" else _pod)(name, state[kind][name])


def _patch(state: dict[str, Any], parts: list[str], _query: Any, body: dict[str, Any]) -> Answer:
    name = parts[-1]
    state["nodes"][name]["unschedulable"] = body["spec"]["unschedulable"]
    state["done"].append(f"{'cordon' if body['spec']['unschedulable'] else 'uncordon'} {name}")
    return HTTPStatus.OK, _node(name, state["nodes"][name])


def _evict(state: dict[str, Any], parts: list[str], _query: Any, _body: Any) -> Answer:
    name = parts[-2]
    state["done"].append(f"evict {name}")
    if state["pods"][name].get("guarded"):
        state["pods"][name]["guarded"] -= 1
        return _refused(
            HTTPStatus.TOO_MANY_REQUESTS, "Cannot evict pod as it would violate the pod's disruption budget."
        )
    if not state["pods"][name].get("stay"):
        del state["pods"][name]
    return HTTPStatus.CREATED, {"kind": "Status", "apiVersion": "v1", "status": "Success"}


def _refused(status: HTTPStatus, message: str) -> Answer:
    reason = status.phrase.replace(" ", "")
    return status, {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": status,
    }


def _node(name: str, node: dict[str, Any]) -> dict[str, Any]:
    spec = {"unschedulable": True} if node["unschedulable"] else {}
    return {"kind": "Node", "apiVersion": "v1", "metadata": {"name": name}, "spec": spec, "status": {}}


def _pod(name: str, pod: dict[str, Any]) -> dict[str, Any]:
    owner = {
        "apiVersion": "apps/v1",
        "kind": pod.get("owner", "ReplicaSet"),
        "name": "o",
        "uid": "1",
        "controller": True,
    }
    return {
        **{"kind": "Pod", "apiVersion": "v1"},
        "metadata": {"name": name, "namespace": "default", "ownerReferences": [owner]},
        "spec": {"nodeName": pod["node"], "containers": [{"name": "c"}]},
        "status": {"phase": "Running"},
    }


if __name__ == "__main__":
    Api.state_file = Path(sys.argv[1])
    with HTTPServer(("127.0.0.1", 0), Api) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
