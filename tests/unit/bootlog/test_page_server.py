# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page as a browser or a program asks for it, over a real socket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from bootlog.page import server, updates
from bootlog.page.database import Database
from bootlog.page.server import Sources, application

from tests.unit.bootlog.filled_store import Store, path_to
from tests.unit.bootlog.hostile import HOSTILE

Client = Any  # TestClient, which is generic in some versions of aiohttp only
PATHS = (
    "/",
    "/?search=udoo&state=ready",
    "/hosts/udoo1",
    "/hosts/udoo1/head",
    "/hosts/udoo1/lines",
    "/api/hosts",
    "/api/hosts/udoo1",
    "/api/hosts/udoo1/log",
    "/metrics",
    "/healthz",
    "/static/page.css",
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    now = time.time()
    for number, name in enumerate(("udoo1", "udoo2"), 1):
        store.host(name, number)
        store.boot(name, now - 500, path_to("ready", now - 500))
    return store


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are looked for often, so that tests do not wait."""
    monkeypatch.setattr(updates, "SHORTEST", 0.02)


def browse(store: Store, visit: Callable[[Client], Awaitable[None]]) -> None:
    """Let somebody visit the page of what a store has written."""

    async def whole() -> None:
        async with TestClient(TestServer(application(Sources(store.database, store.logs)))) as client:
            await asyncio.wait_for(visit(client), 20)

    asyncio.run(whole())


async def event(response: ClientResponse) -> tuple[str, dict[str, Any]]:
    """The next server-sent event that is no comment."""
    kind = ""
    while True:
        line = (await response.content.readline()).decode()
        if line.startswith("event: "):
            kind = line[7:].strip()
        elif line.startswith("data: "):
            return kind, json.loads(line[6:])


@pytest.mark.parametrize("path", [*PATHS, "/nothing", "/api/hosts/nobody"])
def test_every_answer_forbids_what_the_page_does_not_need(store: Store, path: str) -> None:
    async def visit(client: Client) -> None:
        headers = (await client.get(path)).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers

    browse(store, visit)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_can_be_changed(store: Store, method: str) -> None:
    async def visit(client: Client) -> None:
        for path in (*PATHS, "/nothing"):
            answer = await client.request(method, path)
            assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")

    browse(store, visit)


def test_head_is_answered_without_a_body(store: Store) -> None:
    async def visit(client: Client) -> None:
        for path in (*PATHS, "/api/events", "/rows"):
            answer = await client.head(path)
            assert (answer.status, await answer.read()) == (200, b"")

    browse(store, visit)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_everywhere(store: Store, text: str) -> None:
    store.say("udoo1", text, 5.0)
    store.write("udoo1", 1, [{"text": text}])

    async def visit(client: Client) -> None:
        for path in PATHS:
            answer = await client.get(path)
            assert answer.status == 200
            body = await answer.text()
            assert body.isprintable() or all(part.isprintable() for part in body.split("\n"))
            if answer.content_type == "text/html":
                assert "<script>" not in body
                assert "<img" not in body
                assert "<iframe" not in body
        hosts = (await (await client.get("/api/hosts")).json())["hosts"]
        assert hosts[0]["last"]["text"] == text
        log = await (await client.get("/api/hosts/udoo1/log")).json()
        assert log["lines"][0]["text"] == text

    browse(store, visit)


def test_json_is_as_documented(store: Store) -> None:
    store.connection.execute("INSERT INTO unknown_sender VALUES ('10.9.9.9', 1, 2, 3, 'who')")
    store.write("udoo1", 1, [{"text": f"line {number}"} for number in range(5)])

    async def visit(client: Client) -> None:
        hosts = await (await client.get("/api/hosts")).json()
        assert [host["name"] for host in hosts["hosts"]] == ["udoo1", "udoo2"]
        stranger = {"address": "10.9.9.9", "first": 1, "last": 2, "datagrams": 3, "last_text": "who"}
        assert hosts["unknown"] == [stranger]
        host = await (await client.get("/api/hosts/udoo1")).json()
        assert host["state"] == "ready"
        stages = host["boots"][0].pop("stages")
        assert [stage["stage"] for stage in stages] == [stage for stage, _time in path_to("ready", 0)]
        assert (stages[1]["seconds"], stages[-1]["seconds"]) == (6.2, None)
        log = await (await client.get("/api/hosts/udoo1/log?boot=1&limit=2&search=LINE")).json()
        assert (log["boot"], log["more"], [line["text"] for line in log["lines"]]) == (1, True, ["line 3", "line 4"])
        log = await (await client.get(f"/api/hosts/udoo1/log?limit=9&before={log['before']}")).json()
        assert (log["more"], [line["text"] for line in log["lines"]]) == (False, ["line 0", "line 1", "line 2"])

    browse(store, visit)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/hosts/nobody", 404, "knows no host 'nobody'"),
        ("/api/hosts/..%2f..%2fetc", 404, "knows no host"),
        ("/api/hosts/udoo1/log?boot=99", 404, "has no boot 99"),
        ("/api/hosts/udoo1/log?boot=-1", 400, "a number from 0"),
        ("/api/hosts/udoo1/log?level=8", 400, "a number from 0 to 7"),
        ("/api/hosts/udoo1/log?limit=999999", 400, "a number from 0 to 2000"),
        ("/api/hosts/udoo1/log?before=\u0661", 400, "a number from 0"),
        ("/api/nothing", 404, "nothing at this address"),
    ],
)
def test_wrong_question_is_answered_with_what_is_expected(store: Store, path: str, status: int, said: str) -> None:
    async def visit(client: Client) -> None:
        answer = await client.get(path)
        assert answer.status == status
        assert said in (await answer.json())["error"]

    browse(store, visit)


def test_events_begin_with_all_hosts_and_go_on_with_those_that_change(store: Store) -> None:
    async def visit(client: Client) -> None:
        response = await client.get("/api/events")
        kind, first = await event(response)
        assert kind == "hosts"
        assert [host["name"] for host in first["hosts"]] == ["udoo1", "udoo2"]
        store.say("udoo2", "hello", 5.0)
        _kind, change = await event(response)
        assert [host["name"] for host in change["hosts"]] == ["udoo2"]
        assert change["hosts"][0]["last"]["text"] == "hello"
        response.close()

    browse(store, visit)


def test_events_of_one_host_say_nothing_of_others(store: Store) -> None:
    async def visit(client: Client) -> None:
        response = await client.get("/api/events?host=udoo1")
        await event(response)
        store.say("udoo2", "hello", 5.0)
        await asyncio.sleep(0.2)
        store.say("udoo1", "mine", 6.0)
        _kind, change = await event(response)
        assert [host["last"]["text"] for host in change["hosts"]] == ["mine"]
        response.close()

    browse(store, visit)


def test_viewer_who_comes_back_gets_what_was_missed(store: Store) -> None:
    async def visit(client: Client) -> None:
        response = await client.get("/rows")
        number = (await response.content.readline()).decode().partition("id: ")[2].strip()
        response.close()
        store.say("udoo2", "missed", 5.0)
        response = await client.get("/rows", headers={"Last-Event-ID": number})
        _kind, change = await event(response)
        assert list(change["rows"]) == ["udoo2"]
        assert "missed" in change["rows"]["udoo2"]
        response.close()

    browse(store, visit)


def test_all_viewers_share_one_reading_of_the_database(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = []
    whole = Database._fleet

    def counted(*arguments: Any) -> Any:
        readings.append(1)
        return whole(*arguments)

    monkeypatch.setattr(Database, "_fleet", counted)

    async def visit(client: Client) -> None:
        viewers = [await client.get("/rows") for number in range(30)]
        await asyncio.gather(*map(event, viewers))
        before = len(readings)
        store.say("udoo2", "hello", 5.0)
        await asyncio.gather(*map(event, viewers))
        await asyncio.gather(*(client.get("/") for number in range(30)))
        assert len(readings) == before + 1
        for viewer in viewers:
            viewer.close()

    browse(store, visit)


def test_views_that_cost_much_are_made_less_often_but_never_rarely(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "SHORTEST", 1.0)
    shared = updates.Updates(store.database)
    assert shared.interval() == 1.0
    shared._cost = 0.4
    assert shared.interval() == 2.0
    shared._cost = 60.0
    assert shared.interval() == 5.0


def test_one_viewer_too_many_is_told_to_ask_instead(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_MOST_FOLLOWERS", 1)

    async def visit(client: Client) -> None:
        first = await client.get("/rows")
        await event(first)
        assert (await client.get("/rows")).status == 503
        first.close()

    browse(store, visit)


def test_service_ends_although_viewers_follow(store: Store) -> None:
    async def whole() -> float:
        client: Client = TestClient(TestServer(application(Sources(store.database, store.logs))))
        async with client:
            response = await client.get("/api/events")
            await event(response)
            began = time.monotonic()
            await client.server.close()
        return time.monotonic() - began

    assert asyncio.run(asyncio.wait_for(whole(), 30)) < 5


def test_without_a_database_the_page_says_so_and_works_once_there_is_one(tmp_path: Path) -> None:
    store = Store.__new__(Store)
    store.database, store.logs = tmp_path / "bootlog.sqlite", tmp_path / "log"

    async def visit(client: Client) -> None:
        page = await client.get("/", headers={"Accept": "text/html"})
        assert page.status == 503
        assert "receiver makes it when it starts" in await page.text()
        assert (await client.get("/healthz")).status == 503
        Store(tmp_path).host("udoo1")
        await asyncio.sleep(0.05)
        assert (await client.get("/")).status == 200

    browse(store, visit)


def test_health_is_that_of_the_receiver(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async def visit(client: Client) -> None:
        healthy = await client.get("/healthz")
        assert (healthy.status, (await healthy.json())["receiver"]) == (200, "alive")
        monkeypatch.setattr("bootlog.page.view.RECEIVER_SECONDS", -1.0)
        silent = await client.get("/healthz")
        assert (silent.status, (await silent.json())["receiver"]) == (503, "silent")
        assert "The receiver is silent" in await (await client.get("/")).text()

    browse(store, visit)


def test_pages_are_compressed_for_those_who_can(store: Store) -> None:
    async def visit(client: Client) -> None:
        plain = await client.get("/", headers={"Accept-Encoding": "identity"})
        packed = await client.get("/", headers={"Accept-Encoding": "gzip"})
        assert "Content-Encoding" not in plain.headers
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "udoo1" in await packed.text()

    browse(store, visit)


def test_configuration_that_cannot_be_used_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "bootlog.json"
    config.write_text('{"page": {"listen": "everywhere"}}', encoding="utf-8")
    assert server.main(["--config", str(config)]) == 1
    assert "page.listen" in capsys.readouterr().err
