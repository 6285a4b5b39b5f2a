#!/usr/bin/env python3
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power part of the API of a Turing Pi 2's BMC, as its documentation and firmware have it. No hardware was asked.

turing_pi.py STATE: serves on a free port of 127.0.0.1, prints it, and keeps everything in the JSON file STATE: the
slots that have power, what the BMC says of them, and all requests. "broken" there is a slot that cannot be switched.

https://docs.turingpi.com/docs/turing-pi2-bmc-api
"""

from __future__ import annotations

import base64
import json
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SLOTS = ("node1", "node2", "node3", "node4")
USER = "root:turing-secret"


class Bmc(BaseHTTPRequestHandler):
    """One request."""

    state_file: Path

    def do_GET(self) -> None:
        """Answer as bmcd does: every text and value is the result in a list in the response."""
        state = json.loads(self.state_file.read_text(encoding="utf-8"))
        state["requests"].append(self.path)
        status, result = self._answer(state)
        self.state_file.write_text(json.dumps(state), encoding="utf-8")
        body = json.dumps({"response": [{"result": result}]}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, state: dict[str, Any]) -> tuple[HTTPStatus, Any]:
        wanted = "Basic " + base64.b64encode(USER.encode()).decode()
        if self.headers.get("Authorization") != wanted:
            return HTTPStatus.UNAUTHORIZED, "credentials incorrect"
        address = urlsplit(self.path)
        words = dict(parse_qsl(address.query))
        if address.path != "/api/bmc" or words.get("type") != "power" or words.get("opt") not in ("get", "set"):
            return HTTPStatus.BAD_REQUEST, "Invalid `type` parameter"
        if words["opt"] == "get":
            return HTTPStatus.OK, [{slot: str(int(slot in state["said"])) for slot in SLOTS}]
        for slot in SLOTS:
            if slot in words:
                _set(state["said"], slot, words[slot])
                # What it is to be is written down first, and told from then on.
                if slot == state["broken"]:
                    return HTTPStatus.INTERNAL_SERVER_ERROR, "Failed to set power state: gpio"
                _set(state["powered"], slot, words[slot])
        return HTTPStatus.OK, "ok"

    def log_message(self, *_args: object) -> None:
        """Be silent."""


def _set(slots: list[str], slot: str, value: str) -> None:
    slots[:] = [each for each in slots if each != slot] + ([slot] if value == "1" else [])


if __name__ == "__main__":
    Bmc.state_file = Path(sys.argv[1])
    Bmc.state_file.write_text(json.dumps({"said": [], "powered": [], "broken": None, "requests": []}), encoding="utf-8")
    with HTTPServer(("127.0.0.1", 0), Bmc) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
