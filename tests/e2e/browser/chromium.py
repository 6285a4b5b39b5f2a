# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real browser, by the protocol of Debian's ``chromium-driver``: WebDriver, https://www.w3.org/TR/webdriver2/."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",  # as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_SECONDS = 60
ANSWER_SECONDS = 60


class BrowserError(Exception):
    """What the browser says is wrong."""


class Browser:
    """One browser with one window."""

    def __init__(self, session: str) -> None:
        self._session = session

    def open(self, url: str) -> None:
        """Load a page, its scripts included."""
        _ask("POST", f"{self._session}/url", {"url": url})

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function body of JavaScript returns, as JSON."""
        return _ask("POST", f"{self._session}/execute/sync", {"script": script, "args": list(arguments)})

    def until(self, script: str, *arguments: Any, seconds: float = 10) -> Any:
        """The same, as soon as it is true. Raises BrowserError when it does not become so."""
        end = time.monotonic() + seconds
        while True:
            result = self.run(script, *arguments)
            if result:
                return result
            if time.monotonic() > end:
                raise BrowserError(f"after {seconds} seconds still {result!r}: {script}")
            time.sleep(0.05)

    def type(self, selector: str, text: str) -> None:
        """Type into an element."""
        found = _ask("POST", f"{self._session}/element", {"using": "css selector", "value": selector})
        _ask("POST", f"{self._session}/element/{next(iter(found.values()))}/value", {"text": text})

    def show_as(self, width: int, height: int, colours: str = "light") -> None:
        """A window of this size in CSS pixels, for somebody who prefers V(light) or V(dark)."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._devtools("Emulation.setDeviceMetricsOverride", **metrics)
        self._devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": colours}])

    def scripts(self, allowed: bool) -> None:
        """Whether pages may run scripts; holds from the next page on."""
        self._devtools("Emulation.setScriptExecutionDisabled", value=not allowed)

    @contextmanager
    def every_page(self, script: str) -> Iterator[None]:
        """Run a script before those of every page."""
        made = self._devtools("Page.addScriptToEvaluateOnNewDocument", source=script)
        try:
            yield
        finally:
            self._devtools("Page.removeScriptToEvaluateOnNewDocument", identifier=made["identifier"])

    def source(self) -> str:
        """The document as it stands."""
        return str(_ask("GET", f"{self._session}/source"))

    def alert(self) -> str | None:
        """The text of an alert that a page shows, or None."""
        try:
            return str(_ask("GET", f"{self._session}/alert/text"))
        except BrowserError:
            return None

    def complaints(self) -> list[str]:
        """Errors of the console since the last call, those of the Content-Security-Policy among them."""
        entries = _ask("POST", f"{self._session}/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]

    def picture(self, path: Path) -> None:
        """Write a PNG of the window."""
        path.write_bytes(base64.b64decode(_ask("GET", f"{self._session}/screenshot")))

    def _devtools(self, command: str, **parameters: Any) -> Any:
        return _ask("POST", f"{self._session}/goog/cdp/execute", {"cmd": command, "params": parameters})


@contextmanager
def chromium(directory: Path, namespace: str | None = None) -> Iterator[Browser]:
    """A new browser, its profile in a directory that does not exist yet; in a network namespace if one is named."""
    log = directory.with_suffix(".log")
    options: dict[str, Any] = {"args": [*FLAGS, f"--user-data-dir={directory}"]}
    if namespace:
        program = directory.with_suffix(".sh")
        program.write_text(f'#!/bin/sh\nexec ip netns exec {namespace} chromium "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        options["binary"] = str(program)
        options["args"].append("--remote-debugging-pipe")  # the driver is not in that namespace
    with log.open("w", encoding="utf-8") as output:
        driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=output, stderr=output)
    try:
        address = f"http://127.0.0.1:{_port(driver, log)}"
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        wanted["unhandledPromptBehavior"] = "ignore"
        session = _ask("POST", f"{address}/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        try:
            yield Browser(f"{address}/session/{session}")
        finally:
            _ask("DELETE", f"{address}/session/{session}")
    finally:
        driver.terminate()
        driver.wait(START_SECONDS)


def _port(driver: subprocess.Popen[bytes], log: Path) -> int:
    end = time.monotonic() + START_SECONDS
    mark = "started successfully on port "
    while mark not in (said := log.read_text(encoding="utf-8")):
        if driver.poll() is not None or time.monotonic() > end:
            raise BrowserError(f"chromedriver does not start: {said}")
        time.sleep(0.05)
    return int(said.partition(mark)[2].split(".")[0])


def _ask(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310
    opener: Callable[..., Any] = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    try:
        with opener(request, timeout=ANSWER_SECONDS) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        value = json.load(error)["value"]
        raise BrowserError(f"{value['error']}: {value['message']}") from error
