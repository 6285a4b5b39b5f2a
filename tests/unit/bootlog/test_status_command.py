# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``diskless-status`` against a real page: what it prints and its exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from bootlog.status_command import local_url, main

FILES = Path(__file__).parents[3] / "roles" / "bootlog" / "files"


def host(name: str, state: str) -> dict[str, Any]:
    plain = {"name": name, "state": state, "stage": state, "since": 1.0, "median_seconds": None, "trouble": None}
    return {**plain, "last": None, "boots": []}


class Page(ThreadingHTTPServer):
    """What the boot log page would answer."""

    answers: dict[str, tuple[int, Any]]

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def hosts(self, *hosts: dict[str, Any]) -> None:
        """Answer with these hosts."""
        self.answers["/api/hosts"] = (200, {"time": 10.0, "hosts": list(hosts), "unknown": []})


class _Answer(BaseHTTPRequestHandler):
    server: Page

    def do_GET(self) -> None:
        """Answer."""
        status, body = self.server.answers.get(self.path, (404, {"error": f"nothing at {self.path}"}))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as the base class has it
        """Say nothing."""


@pytest.fixture
def page() -> Iterator[Page]:
    with Page(("127.0.0.1", 0), _Answer) as server:
        server.answers = {}
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_all_ready_is_success(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    page.hosts(host("udoo1", "ready"))
    assert main(["--url", page.url]) == 0
    assert "1 host: 1 ready" in capsys.readouterr().out


@pytest.mark.parametrize("state", ["failed", "late", "booting", "silent", "down"])
def test_one_host_that_is_not_ready_is_told_by_the_exit_status(page: Page, state: str) -> None:
    page.hosts(host("udoo1", "ready"), host("udoo2", state))
    assert main(["--url", page.url + "/"]) == 1


def test_json_is_what_the_page_says(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    page.hosts(host("udoo1", "booting"))
    assert main(["--url", page.url, "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == page.answers["/api/hosts"][1]


def test_one_host_alone_decides(page: Page) -> None:
    page.answers["/api/hosts/udoo%2F1"] = (200, host("udoo/1", "ready"))
    assert main(["--url", page.url, "--host", "udoo/1"]) == 0


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((404, {"error": "knows no host\x1b[2J"}), r"knows no host\x1b[2J"),
        ((502, b"<html>"), "HTTP status 502; expected the boot log page"),
        ((200, b"<html>"), "expected the boot log page"),
        ((200, {"hosts": [{"name": "x"}]}), "expected that of a boot log page"),
        ((200, [1]), "expected that of a boot log page"),
    ],
)
def test_other_answers_are_errors_that_say_what_is_wrong(
    page: Page, capsys: pytest.CaptureFixture[str], answer: tuple[int, Any], said: str
) -> None:
    page.answers["/api/hosts"] = answer
    assert main(["--url", page.url]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert page.url in error
    assert "\x1b" not in error


def test_page_that_does_not_answer_is_an_error_with_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", "http://127.0.0.1:1"]) == 2
    assert "systemctl status diskless-bootlog-page" in capsys.readouterr().err


def test_other_schemes_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--url", "file:///etc/passwd"])
    assert end.value.code == 2
    assert "expected http://" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("127.0.0.1:6680", "http://127.0.0.1:6680"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("[::]:80", "http://[::1]:80"),
        ("[fd00::3]:6680", "http://[fd00::3]:6680"),
    ],
)
def test_page_of_this_machine_is_where_the_configuration_has_it(tmp_path: Path, listen: str, url: str) -> None:
    config = tmp_path / "bootlog.json"
    config.write_text(json.dumps({"page": {"listen": listen}}), encoding="utf-8")
    assert local_url(config) == url


def test_without_a_configuration_the_default_is_asked(tmp_path: Path) -> None:
    assert local_url(tmp_path / "none") == "http://127.0.0.1:6680"


def _run(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bootlog", "status", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(FILES)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_watching_goes_on_until_it_is_interrupted(page: Page) -> None:
    page.hosts(host("udoo1", "booting"))
    with _run("--url", page.url, "--watch") as process:
        assert process.stdout
        while "1 booting" not in process.stdout.readline():
            pass
        page.hosts(host("udoo1", "ready"))
        while "1 ready" not in process.stdout.readline():
            pass
        process.send_signal(2)
        assert process.wait(10) == 0
        assert process.stderr and process.stderr.read() == ""


def test_reader_that_has_read_enough_is_no_error(page: Page) -> None:
    page.hosts(*(host(f"udoo{number}", "booting") for number in range(5000)))
    with _run("--url", page.url) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(10) == 1
        assert process.stderr and process.stderr.read() == ""


def test_output_to_a_program_is_neither_cut_nor_coloured(page: Page) -> None:
    said = {"time": 1.0, "level": 6, "text": "x" * 3000}
    page.hosts({**host("udoo1", "failed"), "last": said})
    with _run("--url", page.url) as process:
        output, _error = process.communicate(timeout=10)
    assert "x" * 3000 in output
    assert "\x1b" not in output
