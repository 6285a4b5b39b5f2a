# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts say stays text: it becomes no element, attribute or template, and nothing in it is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from bootlog.page.database import Database
from bootlog.page.log import Excerpt, Wanted, read
from bootlog.page.render import HERE, SIGNS, LogShown, Renderer, clock, filtered
from bootlog.page.view import View, view

from tests.unit.bootlog.filled_store import Store, path_to
from tests.unit.bootlog.hostile import HIDDEN, HOSTILE

NOW = 1760000000.0


class Document(HTMLParser):
    """All elements and their text. Complains about inline programs and styles, which the page must do without."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append(tag)
        names = {name for name, _value in attrs}
        assert not any(name.startswith("on") for name in names), f"{tag} has an event handler: {attrs}"
        assert "style" not in names, f"{tag} has a style: {attrs}"
        for name in names & {"href", "src", "action"}:
            value = dict(attrs)[name] or ""
            assert value.startswith(("/", "?")) and not value.startswith("//"), f"{tag} leads away: {value}"
        if tag == "script":
            assert "src" in names, "a script is inline"

    def handle_data(self, data: str) -> None:
        """Collect text."""
        self.text += data


def shown_with(directory: Path, text: str) -> tuple[Store, View]:
    store = Store(directory)
    store.host("udoo1", address=text, mac=text, board=text)
    boot = store.boot(
        "udoo1",
        NOW - 100,
        path_to("network", NOW - 100),
        boot_id=text,
        release=text,
        trouble_stage=text,
        trouble_reason=text,
        trouble_text=text,
    )
    store.say("udoo1", text, NOW)
    store.connection.execute("INSERT INTO unknown_sender VALUES (?, 1, 2, 3, ?)", (text, text))
    store.write("udoo1", boot, [{"text": text, "source": text, "stage": text, "lost": 2}])
    fleet = Database(store.database).read()
    assert fleet is not None
    return store, view(fleet, NOW, NOW, None)


def pages(directory: Path, text: str) -> Iterator[str]:
    """Everything that is rendered, with a text in every place that may hold one from the wire."""
    store, now = shown_with(directory, text)
    shown = now.hosts[0]
    assert shown.host.boot
    boots = Database(store.database).boots("udoo1")
    excerpt = read(store.logs / "udoo1", boots[0].number, Wanted())
    assert len(excerpt.lines) == 1
    log = LogShown(boots[0].number, Wanted(search=text, before=5), Excerpt(excerpt.lines, True, 5))
    renderer = Renderer()
    yield renderer.overview(now, now.hosts, text, text)
    yield renderer.host(now, shown, boots, log)
    yield renderer.host_head(now, shown, boots, log)
    yield renderer.lines(excerpt)
    yield renderer.rows(now, now.hosts)["udoo1"]
    yield renderer.error(404, "Not Found", text)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_adds_no_element_and_hides_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "plain").mkdir()
    for page, plain in zip(pages(tmp_path, text), pages(tmp_path / "plain", "plain"), strict=True):
        document = Document(page)
        assert document.tags == Document(plain).tags
        assert not set(HIDDEN) & set(page)
        if text.isprintable():
            assert text in document.text


def test_hidden_characters_are_written_out(tmp_path: Path) -> None:
    lines = next(page for number, page in enumerate(pages(tmp_path, "\x1b[2J\u202egnp.exe\nnext")) if number == 3)
    assert r"\x1b[2J\u202egnp.exe\x0anext" in lines


def test_script_fetches_nothing_from_elsewhere() -> None:
    for file in (HERE / "static").iterdir():
        text = (
            file.read_text(encoding="utf-8")
            .replace("http://www.w3.org/2000/svg", "")
            .replace("https://www.gnu.org/", "")
        )
        assert "://" not in text
        assert "@import" not in text
        assert "eval(" not in text


def test_search_finds_every_word_anywhere_in_what_is_known_of_a_host(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number, name in enumerate(("udoo1", "udoo2", "cm3"), 1):
        store.host(name, number)
    store.say("udoo2", "rbd: Map failed", NOW)
    store.boot("cm3", NOW - 5, path_to("map", NOW - 5))
    fleet = Database(store.database).read()
    assert fleet is not None
    now = view(fleet, NOW, NOW, None)

    def names(search: str, state: str = "") -> list[str]:
        return [shown.host.name for shown in filtered(now, search, state)]

    assert names("UDOO failed") == ["udoo2"]
    assert names("52:54:00:77:00:01") == ["udoo1"]
    assert names("", "booting") == ["cm3"]
    assert names("udoo2", "booting") == []
    assert names("nothing such") == []


def test_late_and_failed_hosts_stand_first_with_word_and_sign(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number, name in enumerate(("a-silent", "b-ready", "c-failed", "d-late", "e-booting"), 1):
        store.host(name, number)
    store.boot("b-ready", 0.0, path_to("ready", NOW - 500))
    store.boot(
        "c-failed", NOW, path_to("map", NOW - 5), trouble_stage="map", trouble_reason="auth", trouble_text="refused"
    )
    store.boot("d-late", NOW, path_to("kernel", NOW - 500))
    store.boot("e-booting", NOW, path_to("kernel", NOW - 10))
    fleet = Database(store.database).read()
    assert fleet is not None
    now = view(fleet, NOW, NOW, None)
    assert [shown.host.name for shown in now.hosts] == ["c-failed", "d-late", "e-booting", "a-silent", "b-ready"]
    text = Document(Renderer().overview(now, now.hosts, "", "")).text
    for state in ("failed", "late", "booting", "silent", "ready"):
        assert f"{SIGNS[state]}{state}" in text


def test_fraction_of_a_second_is_never_a_whole_one() -> None:
    assert clock(NOW + 0.9996)[8:] == ".999"
    assert clock(NOW + 0.25)[8:] == ".250"
