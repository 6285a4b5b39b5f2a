# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views as HTML. Everything is escaped, and what is hidden in text from the wire is made visible."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2

from ..text import shown as safe
from .duration import duration
from .host import STATES, Boot, Host, Trouble
from .log import Excerpt, Wanted
from .timeline import in_words, scale, timeline
from .view import Shown, View

HERE = Path(__file__).parent
# A sign for each state, so that none is told by its colour alone; U+FE0E keeps phones from drawing pictures.
SIGNS = {
    "failed": "\u2715\ufe0e",
    "late": "\u25b2\ufe0e",
    "booting": "\u25b6\ufe0e",
    "silent": "\u25cb",
    "down": "\u25a0",
    "ready": "\u2713\ufe0e",
}
STAGES = ("dhcp", "loader", "kernel", "network", "map", "root", "userspace")
LEVELS = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")


class Renderer:
    """The templates with what they need."""

    def __init__(self) -> None:
        files = sorted((HERE / "static").iterdir())
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            finalize=visible,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(duration=duration, clock=clock, day=day)
        self._environment.globals.update(
            signs=SIGNS,
            known_stages=STAGES,
            levels=LEVELS,
            states=STATES,
            timeline=timeline,
            scale=scale,
            in_words=in_words,
            statics=hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12],
        )

    def overview(self, view: View, hosts: Iterable[Shown], search: str, state: str) -> str:
        """The page ``/``."""
        return self._render(
            "overview.html", view=view, hosts=hosts, search=search, state=state, title=title(view), now=view.time
        )

    def rows(self, view: View, hosts: Iterable[Shown]) -> dict[str, str]:
        """The row of each host, by its name."""
        row = self._environment.get_template("_row.html")
        return {shown.host.name: row.render(shown=shown, now=view.time) for shown in hosts}

    def summary(self, view: View, state: str = "") -> str:
        """How many hosts are in each state, and whether the receiver is there."""
        return self._render("_summary.html", view=view, state=state, now=view.time)

    def host(self, view: View, shown: Shown, boots: tuple[Boot, ...], log: LogShown) -> str:
        """The page ``/hosts/NAME``."""
        return self._render("host.html", view=view, shown=shown, boots=boots, log=log, now=view.time)

    def host_head(self, view: View, shown: Shown, boots: tuple[Boot, ...], log: LogShown) -> str:
        """The part of that page which is renewed while one looks at it."""
        return self._render("_host.html", view=view, shown=shown, boots=boots, log=log, now=view.time)

    def lines(self, excerpt: Excerpt) -> str:
        """Lines of a log as rows of a table."""
        return self._render("_lines.html", excerpt=excerpt)

    def error(self, status: int, reason: str, text: str) -> str:
        """A page that says what is wrong."""
        return self._render("error.html", status=status, reason=reason, text=text)

    def _render(self, template: str, **variables: Any) -> str:
        return self._environment.get_template(template).render(**variables)


class LogShown:
    """The log part of a host's page: of which boot, what was asked for, and what was found."""

    def __init__(self, boot: int | None, wanted: Wanted, excerpt: Excerpt) -> None:
        self.boot = boot
        self.wanted = wanted
        self.excerpt = excerpt

    def follows(self, host: Host) -> bool:
        """Whether new lines may come at the end."""
        return self.wanted.before is None and host.boot is not None and self.boot == host.boot.number

    def query(self, **changes: Any) -> dict[str, Any]:
        """The query string that asks for the same, but for some changes; None takes away."""
        asked = {"boot": self.boot, "search": self.wanted.search or None, "level": self.wanted.level, **changes}
        return {name: value for name, value in asked.items() if value is not None}


def title(view: View) -> str:
    """The title of the page ``/``, which says enough in a tab."""
    waiting = len(view.hosts) - view.counts().get("ready", 0)
    return f"{waiting} of {len(view.hosts)} not ready \u00b7 Boot log" if waiting else "All ready \u00b7 Boot log"


def filtered(view: View, search: str, state: str) -> list[Shown]:
    """Hosts in a state, if any is given, in which every word of a search is found."""
    words = search.casefold().split()
    return [
        shown
        for shown in view.hosts
        if (not state or shown.state == state) and all(word in searched(shown) for word in words)
    ]


def searched(shown: Shown) -> str:
    """What a search looks at: name, address, board, state, stage, trouble and last line."""
    host, trouble = shown.host, shown.host.boot.trouble if shown.host.boot else None
    parts = [
        host.name,
        host.address,
        host.mac,
        host.board,
        shown.state,
        shown.json["stage"],
        host.last and host.last[2],
    ]
    return " ".join(part for part in (*parts, *_said(trouble)) if part).casefold()


def _said(trouble: Trouble | None) -> tuple[str, ...]:
    return (trouble.stage, trouble.reason, trouble.text) if trouble else ()


def visible(value: Any) -> Any:
    """A string without control characters and without what reorders text, both of which are written out."""
    return value if not isinstance(value, str) or value.isprintable() else safe(value).replace("\n", "\\x0a")


def clock(seconds: float | None) -> str:
    """Local time of day of the log host, ``20:15:03.250``."""
    if seconds is None:
        return ""
    return f"{time.strftime('%H:%M:%S', time.localtime(seconds))}.{int(seconds % 1 * 1000):03}"


def day(seconds: float | None) -> str:
    """Local date and time of the log host, ``2026-11-21 20:15:03``."""
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
