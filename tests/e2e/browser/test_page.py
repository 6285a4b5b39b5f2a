# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot log page in a real browser: what people see, live, on any screen, whatever hosts say."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.browser.chromium import Browser, chromium

FILES = Path(__file__).parents[3] / "roles" / "bootlog" / "files"
sys.path.insert(0, str(FILES))
from tests.unit.bootlog.filled_store import Store, path_to  # noqa: E402
from tests.unit.bootlog.hostile import HIDDEN, HOSTILE  # noqa: E402

START_SECONDS = 30
ROWS = "return [...document.querySelectorAll('#hosts tr')].filter(row => !row.hidden)"
PHONE, DESKTOP = (390, 844), (1280, 900)
# Screenshots are written here, when there is such a directory.
PICTURES = os.environ.get("BOOTLOG_PICTURES")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("chromium") / "profile") as started:
        yield started


@dataclass
class Page:
    """The page of a store, served by a process of its own."""

    store: Store
    config: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve it."""
        environment = {**os.environ, "PYTHONPATH": str(FILES)}
        command = [sys.executable, "-m", "bootlog", "page", "--config", str(self.config)]
        self.process = subprocess.Popen(command, env=environment)
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/api/hosts", timeout=5).close()  # noqa: S310
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def stop(self) -> None:
        """Serve it no longer."""
        if self.process:
            self.process.terminate()
            self.process.wait(START_SECONDS)
        self.process = None


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A fleet in which two hosts are in trouble."""
    store = Store(tmp_path)
    now = time.time()
    for number in range(1, 13):
        name = f"udoo{number}"
        store.host(name, number)
        for day in range(4, 0, -1):
            began = now - day * 86400
            store.boot(name, began, [*path_to("ready", began, 1 + number / 20), ("shutdown", began + 9000)])
        boot = store.boot(name, now - 4000, path_to("ready", now - 4000), release="6.1.0-28-amd64", lines=3)
        store.say(name, f"systemd[1]: started everything on {name}", now - 5)
        store.write(name, boot, [{"text": f"{name} says line {line}"} for line in range(3)])
    why = {"trouble_stage": "map", "trouble_reason": "no-image", "trouble_text": "rbd: image root not found in udoo7"}
    store.boot("udoo7", now - 200, path_to("network", now - 200), **why)
    store.boot("udoo9", now - 300, path_to("kernel", now - 300))
    config = tmp_path / "bootlog.json"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    paths = {"database": str(store.database), "log_directory": str(store.logs)}
    config.write_text(json.dumps({**paths, "page": {"listen": f"127.0.0.1:{port}"}}), encoding="utf-8")
    served = Page(store, config, port)
    served.start()
    try:
        yield served
    finally:
        served.stop()


@pytest.fixture(autouse=True)
def plain_window(browser: Browser) -> Iterator[None]:
    """Every test begins with the same window, and ends without an error in the browser's console."""
    browser.show_as(*DESKTOP)
    browser.open("about:blank")
    browser.complaints()
    yield
    assert [text for text in browser.complaints() if "ERR_CONNECTION_REFUSED" not in text] == []


def keep(browser: Browser, name: str) -> None:
    """Write a screenshot, if somebody wants them."""
    if PICTURES:
        browser.picture(Path(PICTURES) / f"{name}.png")


def names(browser: Browser) -> list[str]:
    """The hosts that are shown, from the top."""
    return list(browser.run(f"{ROWS}.map(row => row.dataset.name)"))


def test_hosts_in_trouble_are_on_top_with_the_reason(page: Page, browser: Browser) -> None:
    browser.open(page.url)
    assert names(browser)[:3] == ["udoo7", "udoo9", "udoo1"]
    assert len(names(browser)) == 12
    first = browser.run(f"{ROWS}[0].innerText")
    assert "failed" in first
    assert "map: no-image" in first
    assert "image root not found" in first
    assert browser.run("return document.title") == "2 of 12 not ready · Boot log"
    keep(browser, "overview")


def test_boot_is_seen_while_it_happens(page: Page, browser: Browser) -> None:
    browser.open(page.url)
    browser.until("return document.getElementById('live').textContent === 'Live'")
    now = time.time()
    boot = page.store.boot("udoo12", now, [("dhcp", now)])
    browser.until("return document.getElementById('host-udoo12').innerText.includes('dhcp')")
    assert names(browser)[2] == "udoo12"
    page.store.reach(boot, "kernel", now + 1)
    page.store.say("udoo12", "Linux version 6.1", now + 1)
    browser.until("return document.getElementById('host-udoo12').innerText.includes('Linux version 6.1')")
    page.store.reach(boot, "ready", now + 2)
    browser.until("return document.getElementById('host-udoo12').dataset.state === 'ready'")
    assert names(browser)[2] == "udoo1"


def test_filter_works_while_one_types_and_after_a_reload(page: Page, browser: Browser) -> None:
    browser.open(page.url)
    browser.type("#search", "UDOO1 started")
    assert names(browser) == ["udoo1", "udoo10", "udoo11", "udoo12"]
    browser.open(browser.run("return location.href"))
    assert names(browser) == ["udoo1", "udoo10", "udoo11", "udoo12"]
    browser.run("const box = document.getElementById('search'); box.value = ''; box.dispatchEvent(new Event('input'))")
    browser.until(f"{ROWS}.length === 12")
    browser.type("#search", "no such host")
    assert browser.run("return !document.getElementById('none').hidden")


def test_hosts_of_one_state_stay_those_of_that_state(page: Page, browser: Browser) -> None:
    browser.open(f"{page.url}/?state=failed")
    assert names(browser) == ["udoo7"]
    browser.until("return document.getElementById('live').textContent === 'Live'")
    trouble = "UPDATE boot SET trouble_stage = 'root', trouble_text = 'x' WHERE host = 'udoo3' AND ended IS NULL"
    page.store.connection.execute(trouble)
    browser.until(f"{ROWS}.length === 2")
    assert names(browser) == ["udoo3", "udoo7"]


def test_log_of_a_boot_is_searched_and_followed(page: Page, browser: Browser) -> None:
    browser.open(f"{page.url}/hosts/udoo1")
    lines = "return [...document.querySelectorAll('#lines .text')].map(cell => cell.textContent)"
    assert browser.run(lines) == [f"udoo1 says line {line}" for line in range(3)]
    browser.until("return document.getElementById('live').textContent === 'Live'")
    boot = browser.run("return Number(document.getElementById('host').dataset.boot)")
    page.store.write("udoo1", boot, [{"text": "and a new one", "stage": "map", "level": 3}])
    page.store.say("udoo1", "and a new one", time.time())
    browser.until("return document.getElementById('lines').innerText.includes('and a new one')")
    assert len(browser.run(lines)) == 4
    keep(browser, "host")
    browser.type("#log-filter input[type=search]", "LINE 2\n")
    browser.until("return location.search.includes('search=LINE')")
    assert browser.run(lines) == ["udoo1 says line 2"]


def test_host_page_follows_to_the_next_boot(page: Page, browser: Browser) -> None:
    browser.open(f"{page.url}/hosts/udoo1")
    browser.until("return document.getElementById('live').textContent === 'Live'")
    now = time.time()
    boot = page.store.boot("udoo1", now, [("dhcp", now)])
    browser.until("return document.getElementById('host').dataset.boot === arguments[0]", str(boot))
    assert "dhcp" in browser.run("return document.querySelector('.now').innerText")


def test_hostile_text_is_inert(page: Page, browser: Browser) -> None:
    now = time.time()
    boots = {}
    for number, text in enumerate(HOSTILE, 1):
        why = {"trouble_stage": "map", "trouble_text": text}
        boots[number] = page.store.boot(f"udoo{number}", now, path_to("kernel", now), **why)
        stranger = "INSERT INTO unknown_sender VALUES (?, 1, 2, 3, ?)"
        page.store.connection.execute(stranger, (f"10.9.9.{number}", text))

    def say_it(_when: str) -> None:
        for number, text in enumerate(HOSTILE, 1):
            page.store.say(f"udoo{number}", text, time.time())
        page.store.write("udoo1", boots[1], [{"text": text} for text in HOSTILE])
        time.sleep(1.5)  # as old as a view may be

    planted = "return document.querySelectorAll('img, iframe, #planted, svg[onload], body script, [onclick]').length"
    say_it("before")
    for path in ("/", "/hosts/udoo1"):
        browser.open(page.url + path)
        browser.until("return document.getElementById('live').textContent === 'Live'")
        for when in ("with the page", "live"):
            assert browser.run(planted) == 0
            assert browser.alert() is None
            seen = browser.run("return document.body.innerText")
            assert not set(HIDDEN) & set(seen)
            for text in HOSTILE:
                assert not text.isprintable() or " ".join(text.split()) in " ".join(seen.split())
            say_it(when)


def test_nothing_is_wider_than_the_screen(page: Page, browser: Browser) -> None:
    page.store.say("udoo1", "x" * 500, time.time())
    for path in ("/", "/hosts/udoo7", "/hosts/udoo1"):
        for size in (PHONE, (320, 600), (800, 600), DESKTOP):
            browser.show_as(*size)
            browser.open(page.url + path)
            wide = browser.run("return document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, f"{path} is {wide} pixels wider than {size}"
            if size == PHONE:
                keep(browser, f"phone{path.replace('/', '-').rstrip('-')}")


# Relative luminance and contrast as in https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio
CONTRAST = """
const channel = value => value <= 10.3 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4;
const light = colour => {
  const [red, green, blue] = colour.match(/[0-9.]+/g).map(Number).map(channel);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const paper = element => {
  const colour = getComputedStyle(element).backgroundColor;
  return colour.endsWith(", 0)") ? paper(element.parentElement) : colour;
};
const poor = [];
for (const element of document.querySelectorAll("main *, header *")) {
  const says = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (!says || !element.checkVisibility()) continue;
  const [one, other] = [light(getComputedStyle(element).color), light(paper(element))].sort((a, b) => b - a);
  const contrast = (one + 0.05) / (other + 0.05);
  if (contrast < 4.5) poor.push([element.className, element.textContent, contrast]);
}
return poor;
"""


def test_text_can_be_read_in_light_and_in_darkness(page: Page, browser: Browser) -> None:
    for path in ("/", "/hosts/udoo7"):
        for colours in ("light", "dark"):
            browser.show_as(*DESKTOP, colours)
            browser.open(page.url + path)
            paper = browser.run("return getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)")
            assert (sum(paper) < 200) == (colours == "dark")
            assert browser.run(CONTRAST) == []
            keep(browser, f"{colours}{path.replace('/', '-').rstrip('-')}")


def test_everything_can_be_reached_by_keyboard_and_keeps_its_place(page: Page, browser: Browser) -> None:
    browser.open(page.url)
    browser.until("return document.getElementById('live').textContent === 'Live'")
    browser.run("document.querySelector('#host-udoo2 a').focus()")
    page.store.say("udoo2", "a change", time.time())
    browser.until("return document.getElementById('host-udoo2').innerText.includes('a change')")
    assert browser.run("return document.activeElement.textContent") == "udoo2"


def test_page_comes_back_when_the_service_does(page: Page, browser: Browser) -> None:
    browser.open(page.url)
    browser.until("return document.getElementById('live').textContent === 'Live'")
    page.stop()
    browser.until("return document.getElementById('live').textContent.startsWith('No connection')")
    page.store.say("udoo2", "said meanwhile", time.time())
    page.start()
    browser.until("return document.getElementById('host-udoo2').innerText.includes('said meanwhile')", seconds=30)
    assert browser.run("return document.getElementById('live').textContent") == "Live"


def test_without_events_the_page_asks_now_and_then(page: Page, browser: Browser) -> None:
    with browser.every_page("delete window.EventSource"):
        browser.open(page.url)
        page.store.say("udoo2", "asked for", time.time())
        browser.until("return document.getElementById('live').textContent === 'Up to date'", seconds=15)
    assert "asked for" in browser.run("return document.getElementById('host-udoo2').innerText")


def test_without_scripts_everything_can_be_read(page: Page, browser: Browser) -> None:
    browser.scripts(False)
    try:
        browser.open(f"{page.url}/?search=udoo7")
        overview = browser.source()
        browser.open(f"{page.url}/hosts/udoo1?search=line+2")
        host = browser.source()
    finally:
        browser.scripts(True)
    assert "image root not found in udoo7" in overview
    assert "udoo12" not in overview
    assert "udoo1 says line 2" in host
    assert "udoo1 says line 1" not in host
