# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``diskless-status``: where each host stands, for people in a shell and for scripts."""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from .config import PATH, ConfigError, parse_socket, read_config
from .status_table import one_host, overview, safe

ALL_READY, NOT_READY, NO_ANSWER = 0, 1, 2
_EPILOG = (
    f"Exit status: {ALL_READY} all hosts are ready, {NOT_READY} not all are, {NO_ANSWER} the boot log does not answer."
)
_ANSWER_SECONDS = 10
_WATCH_SECONDS = 2.0
_MOST_BYTES = 1 << 26
_CLEAR = "\x1b[H\x1b[2J"


class NoAnswer(Exception):
    """The boot log does not say where hosts stand; the text says why."""


def main(argv: Sequence[str]) -> int:
    """Show where each host stands; return the exit status."""
    parser = argparse.ArgumentParser(prog="diskless-status", description="Show where each host stands.", epilog=_EPILOG)
    parser.add_argument("--url", help="the boot log page (default: that of this machine)")
    parser.add_argument("--watch", action="store_true", help="show it again every two seconds, until interrupted")
    parser.add_argument("--json", action="store_true", help="print the JSON of the page instead of a table")
    parser.add_argument("--host", metavar="NAME", help="show one host and its boots")
    options = parser.parse_args(argv)
    url = (options.url or local_url()).rstrip("/")
    if urlsplit(url).scheme not in ("http", "https"):
        parser.error(f"--url {safe(url)}: expected http://ADDRESS:PORT")
    status = NO_ANSWER
    try:
        while True:
            status, text = _answered(url, options.host, options.json)
            if options.watch and sys.stdout.isatty():
                text = _CLEAR + text
            print(text, file=sys.stderr if status == NO_ANSWER else sys.stdout, flush=True)
            if not options.watch:
                return status
            time.sleep(_WATCH_SECONDS)
    except KeyboardInterrupt:
        return status
    except BrokenPipeError:
        # Whoever read, as head(1) does, has read enough. What is left must not fail once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return status


def local_url(path: Path = PATH) -> str:
    """Where the page of this machine is. Without a configuration that can be read it is where the role has it."""
    listen = "127.0.0.1:6680"
    with suppress(ConfigError):
        listen = read_config(path).page.listen
    address, port = parse_socket(listen)
    if ipaddress.ip_address(address).is_unspecified:
        address = "127.0.0.1" if ":" not in address else "::1"
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def fetch(url: str) -> Any:
    """The JSON at an address. Raises NoAnswer."""
    # Addresses of log hosts are reached directly: a proxy for the internet does not lead there.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_ANSWER_SECONDS) as answer:
            return json.loads(answer.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        with suppress(ValueError, KeyError, TypeError):
            raise NoAnswer(f"{url}: {json.loads(error.read(_MOST_BYTES))['error']}") from error
        raise NoAnswer(f"{url}: HTTP status {error.code}; expected the boot log page there") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        hint = "expected the boot log page there: systemctl status diskless-bootlog-page, or --url"
        raise NoAnswer(f"{url}: {reason}; {hint}") from error


def _answered(url: str, name: str | None, as_json: bool) -> tuple[int, str]:
    """The exit status, and what to print."""
    try:
        answer = fetch(f"{url}/api/hosts/{quote(name, safe='')}" if name else f"{url}/api/hosts")
        hosts = [answer] if name else answer["hosts"]
        status = ALL_READY if all(host["state"] == "ready" for host in hosts) else NOT_READY
        return status, json.dumps(answer, indent=2) if as_json else _table(answer, name)
    except NoAnswer as error:
        problem = str(error)
    except (KeyError, TypeError, AttributeError) as error:
        problem = f"{url}: {error!r} in the answer; expected that of a boot log page"
    return NO_ANSWER, safe(f"diskless-status: {problem}")


def _table(answer: Any, name: str | None) -> str:
    terminal = sys.stdout.isatty()
    # What is read by a program is not cut.
    width = shutil.get_terminal_size().columns if terminal else sys.maxsize
    colour = terminal and not os.environ.get("NO_COLOR")
    if name:
        lines = one_host(answer, time.time(), width, colour)
    else:
        lines = overview(answer["hosts"], answer["time"], width, colour)
    return "\n".join(lines)
