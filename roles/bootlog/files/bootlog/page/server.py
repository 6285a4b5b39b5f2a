# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot log page, served by HTTP: for reading alone."""

from __future__ import annotations

import argparse
import asyncio
import functools
import gzip
import json
import logging
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web

from ..config import PATH, ConfigError, parse_socket, read_config
from ..notify import notify, watchdog_seconds
from . import log, metrics
from .database import DatabaseAway
from .host import Boot, boot_json
from .log import Excerpt, Wanted
from .render import HERE, LogShown, Renderer, filtered, title
from .updates import Updates
from .view import Shown, View

LINES = 500
_MOST_LINES = 2000
_LONGEST_SEARCH = 200
_MOST_FOLLOWERS = 200
_WRITE_SECONDS = 20.0
_COMPRESSION = 4
_HIGHEST = 1 << 53  # as far as JavaScript counts
HEADERS = {
    # Everything is served from here and nothing is inline, so that text from the wire could not become a program even
    # if it were not escaped.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_STATIC = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Sources:
    """What the receiver writes: the database, and the directory with one directory per host."""

    database: Path
    logs: Path


def application(sources: Sources) -> web.Application:
    """The application, ready to be run."""
    page = _Page(sources)
    app = web.Application(middlewares=[page.guarded])
    get = functools.partial(web.get)
    app.add_routes(
        [
            get("/", page.overview),
            get("/rows", page.row_events),
            get("/hosts/{name}", page.host),
            get("/hosts/{name}/head", page.host_head),
            get("/hosts/{name}/lines", page.host_lines),
            get("/api/hosts", page.api_hosts),
            get("/api/hosts/{name}", page.api_host),
            get("/api/hosts/{name}/log", page.api_log),
            get("/api/events", page.api_events),
            get("/metrics", page.metrics),
            get("/healthz", page.health),
        ]
    )
    for file in sorted((HERE / "static").iterdir()):
        app.router.add_get(f"/static/{file.name}", functools.partial(_static, file.read_bytes(), _STATIC[file.suffix]))
    app.cleanup_ctx.append(page.running)
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(page.shut_down)
    return app


class _Page:
    """The views."""

    def __init__(self, sources: Sources) -> None:
        self._logs = sources.logs
        self._updates = Updates(sources.database)
        self._render = Renderer()
        self._readers = ThreadPoolExecutor(2, "log")

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Look for changes while the application runs."""
        task = asyncio.create_task(self._updates.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self._updates.close()
        self._readers.shutdown(wait=False, cancel_futures=True)

    async def shut_down(self, _request: web.Application) -> None:
        """End the streams, which never end by themselves."""
        self._updates.stop()

    @web.middleware
    async def guarded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answers to GET and HEAD alone; says what is wrong in the words of who asked."""
        try:
            if request.method not in ("GET", "HEAD"):
                raise web.HTTPMethodNotAllowed(request.method, ["GET", "HEAD"], text="This service can only be read.")
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:  # noqa: PLR2004  # redirects
                raise
            text = error.text or error.reason
            if text == f"{error.status}: {error.reason}":
                text = "There is nothing at this address."
            return self._failed(request, error.status, error.reason, text, error.headers.get(hdrs.ALLOW))
        except DatabaseAway as error:
            return self._failed(request, 503, "No boot log yet", f"{error}.")
        except (ConnectionResetError, asyncio.CancelledError):
            raise
        except Exception:
            logging.exception("%s failed", request.path)
            return self._failed(request, 500, "Fault", "The boot log page has a fault; its journal says where.")

    def _failed(
        self, request: web.Request, status: int, reason: str, text: str, allow: str | None = None
    ) -> web.Response:
        headers = {hdrs.ALLOW: allow} if allow else {}
        if request.path.startswith("/api/"):
            return web.json_response({"error": text}, status=status, headers=headers)
        if "text/html" in request.headers.get(hdrs.ACCEPT, "") and request.path not in ("/metrics", "/healthz"):
            html = self._render.error(status, reason, text)
            return web.Response(text=html, content_type="text/html", status=status, headers=headers)
        return web.Response(text=f"{text}\n", status=status, headers=headers)

    # Pages

    async def overview(self, request: web.Request) -> web.Response:
        """Every host."""
        view = await self._updates.current()
        search, state = _search(request), request.query.get("state", "")

        def page() -> bytes:
            return self._render.overview(view, filtered(view, search, state), search, state).encode()

        return self._shared(request, ("overview", search, state), page, "text/html")

    async def host(self, request: web.Request) -> web.Response:
        """One host: its boots, and the log of one of them."""
        view, shown = await self._shown(request)
        boots, boot = await self._boots(request, shown)
        wanted = _wanted(request)
        shown_log = LogShown(boot, wanted, await self._read(shown, boot, wanted))
        return _html(self._render.host(view, shown, boots, shown_log).encode())

    async def host_head(self, request: web.Request) -> web.Response:
        """What of a host's page changes while one looks at it."""
        view, shown = await self._shown(request)
        boots, boot = await self._boots(request, shown)
        key = ("head", shown.host.name, boot)
        empty = LogShown(boot, Wanted(), Excerpt([], False, None))
        return self._shared(
            request, key, lambda: self._render.host_head(view, shown, boots, empty).encode(), "text/html"
        )

    async def host_lines(self, request: web.Request) -> web.Response:
        """Further lines of a log."""
        _view, shown = await self._shown(request)
        current = shown.host.boot.number if shown.host.boot else None
        excerpt = await self._read(shown, _number(request, "boot") or current, _wanted(request))
        return _html(self._render.lines(excerpt).encode())

    async def row_events(self, request: web.Request) -> web.StreamResponse:
        """Changed rows of the overview, as server-sent events."""

        def rows(seen: int, view: View) -> Mapping[str, Any]:
            return {
                "time": view.time,
                "rows": self._render.rows(view, view.since(seen)),
                "gone": view.gone,
                "summary": self._render.summary(view, state),
                "title": title(view),
            }

        state = request.query.get("state", "")
        return await self._stream(request, "rows", ("rows", state), rows)

    # JSON

    async def api_hosts(self, request: web.Request) -> web.Response:
        """Every host."""
        view = await self._updates.current()
        return self._shared(request, "api", lambda: _dump(_hosts_json(view, view.hosts)), "application/json")

    async def api_host(self, request: web.Request) -> web.Response:
        """One host with all of its boots."""
        _view, shown = await self._shown(request)
        boots = await self._updates.in_thread(lambda database: database.boots(shown.host.name))
        return _json(_dump({**shown.json, "boots": [boot_json(boot) for boot in boots]}))

    async def api_log(self, request: web.Request) -> web.Response:
        """Lines of a boot."""
        _view, shown = await self._shown(request)
        _boots, boot = await self._boots(request, shown)
        excerpt = await self._read(shown, boot, _wanted(request))
        return _json(_dump({"boot": boot, "lines": excerpt.lines, "more": excerpt.more, "before": excerpt.before}))

    async def api_events(self, request: web.Request) -> web.StreamResponse:
        """Changed hosts, or one of them alone, as server-sent events; all of them first."""

        def hosts(seen: int, view: View) -> Mapping[str, Any] | None:
            changed = [shown for shown in view.since(seen) if name in (None, shown.host.name)]
            return {**_hosts_json(view, changed), "gone": view.gone} if changed or name is None else None

        name = request.query.get("host")
        return await self._stream(request, "hosts", ("hosts", name), hosts)

    # For machines

    async def metrics(self, _request: web.Request) -> web.Response:
        """Prometheus."""
        view = await self._updates.current()
        text = metrics.text(view.fleet.hosts, view.fleet.counters, view.last_write, view.time)
        return web.Response(body=text.encode(), headers={hdrs.CONTENT_TYPE: metrics.CONTENT_TYPE})

    async def health(self, _request: web.Request) -> web.Response:
        """Whether the receiver is alive."""
        view = await self._updates.current()
        alive = view.receiver_alive()
        age = None if view.last_write is None else round(max(view.time - view.last_write, 0.0), 1)
        body = {"receiver": "alive" if alive else "silent", "last_write_seconds": age}
        return web.json_response(body, status=200 if alive else 503)

    # What they share

    def _shared(self, request: web.Request, key: Any, make: Callable[[], bytes], content_type: str) -> web.Response:
        """An answer that is made, and compressed, once for all who ask for it."""
        body = self._updates.made(key, make)
        headers: dict[str, str] = {hdrs.VARY: hdrs.ACCEPT_ENCODING}
        if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            body = self._updates.made(("gzip", key), functools.partial(gzip.compress, body, _COMPRESSION))
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)

    async def _shown(self, request: web.Request) -> tuple[View, Shown]:
        view = await self._updates.current()
        name = request.match_info["name"]
        shown = view.find(name)
        if not shown:
            raise web.HTTPNotFound(text=f"The boot log knows no host {name!r}; it knows those of bootlog_hosts.")
        return view, shown

    async def _boots(self, request: web.Request, shown: Shown) -> tuple[tuple[Boot, ...], int | None]:
        """All boots of a host, and which of them was asked for: the latest by default."""
        boots = await self._updates.in_thread(lambda database: database.boots(shown.host.name))
        asked = _number(request, "boot")
        if asked is None:
            return boots, boots[0].number if boots else None
        if all(boot.number != asked for boot in boots):
            raise web.HTTPNotFound(text=f"{shown.host.name} has no boot {asked}; old boots are deleted after a while.")
        return boots, asked

    async def _read(self, shown: Shown, boot: int | None, wanted: Wanted) -> Excerpt:
        if boot is None:
            return Excerpt([], False, None)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, log.read, self._logs / shown.host.name, boot, wanted)

    async def _stream(
        self, request: web.Request, event: str, kind: Any, make: Callable[[int, View], Mapping[str, Any] | None]
    ) -> web.StreamResponse:
        if self._updates.followers >= _MOST_FOLLOWERS:
            raise web.HTTPServiceUnavailable(
                text=f"{_MOST_FOLLOWERS} viewers follow already; ask for the page again instead."
            )
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        seen = _since(request)
        try:
            async with aclosing(self._updates.follow(seen)) as views:
                async for before, view in views:
                    data = b": nothing new\n\n"
                    if view is not None:
                        encoded = functools.partial(_event, event, before, view, make)
                        data = self._updates.made((kind, before, view.version), encoded)
                    # A viewer who does not read is let go.
                    await asyncio.wait_for(response.write(data), _WRITE_SECONDS)
        except (ConnectionResetError, TimeoutError):
            pass
        return response


def _event(event: str, before: int, view: View, make: Callable[[int, View], Mapping[str, Any] | None]) -> bytes:
    """One event, or a comment where there is nothing to say."""
    data = make(before, view)
    return b":\n\n" if data is None else f"id: {view.version}\nevent: {event}\ndata: {json.dumps(data)}\n\n".encode()


def _hosts_json(view: View, hosts: Sequence[Shown]) -> dict[str, Any]:
    return {
        "time": view.time,
        "hosts": [shown.json for shown in hosts],
        "unknown": [vars(stranger) for stranger in view.fleet.strangers],
    }


def _dump(value: Mapping[str, Any]) -> bytes:
    """JSON in ASCII: what is hidden in text from the wire cannot hide on a terminal either."""
    return json.dumps(value).encode()


def _json(body: bytes) -> web.Response:
    response = web.Response(body=body, content_type="application/json")
    response.enable_compression()
    return response


def _html(body: bytes) -> web.Response:
    response = web.Response(body=body, content_type="text/html", charset="utf-8")
    response.enable_compression()
    return response


async def _static(body: bytes, content_type: str, _request: web.Request) -> web.Response:
    # Pages ask with the hash of all of them.
    headers = {hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable"}
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers.setdefault(hdrs.CACHE_CONTROL, "no-cache")


def _search(request: web.Request) -> str:
    return request.query.get("search", "")[:_LONGEST_SEARCH]


def _wanted(request: web.Request) -> Wanted:
    return Wanted(
        _search(request),
        _number(request, "level", 7),
        _number(request, "before"),
        _number(request, "after"),
        _number(request, "limit", _MOST_LINES) or LINES,
    )


def _number(request: web.Request, name: str, highest: int = _HIGHEST) -> int | None:
    value = request.query.get(name, "")
    if not value:
        return None
    if not re.fullmatch("[0-9]{1,16}", value) or int(value) > highest:
        raise web.HTTPBadRequest(text=f"{name}={value[:40]!r}: a number from 0 to {highest} is expected.")
    return int(value)


def _since(request: web.Request) -> int:
    value = request.headers.get("Last-Event-ID") or request.query.get("since", "")
    return int(value) if re.fullmatch("[0-9]{1,16}", value) else 0


def main(argv: Sequence[str]) -> int:
    """Serve the page until SIGTERM, bound to the configured address alone."""
    parser = argparse.ArgumentParser(prog="bootlog page", description="Serve the boot log page.")
    parser.add_argument("--config", type=Path, default=PATH, help=f"configuration (default: {PATH})")
    options = parser.parse_args(argv)
    try:
        config = read_config(options.config)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    host, port = parse_socket(config.page.listen)
    app = application(Sources(Path(config.database), Path(config.log_directory)))
    app.on_startup.append(_ready)
    app.cleanup_ctx.append(_watched)
    web.run_app(app, host=host, port=port, access_log=None, print=None)
    return 0


async def _ready(_app: web.Application) -> None:
    notify("READY=1")


async def _watched(_app: web.Application) -> AsyncIterator[None]:
    """Tell systemd that the event loop turns."""
    seconds = watchdog_seconds()
    task = asyncio.create_task(_watch(seconds)) if seconds else None
    yield
    notify("STOPPING=1")
    if task:
        task.cancel()


async def _watch(seconds: float) -> None:
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(seconds)
