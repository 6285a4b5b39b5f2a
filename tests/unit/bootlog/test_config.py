# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of the boot log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bootlog.config import Config, ConfigError, Forward, Page, Syslog, Unknown, parse_socket, read_config

WHOLE = {
    "listen": ["10.77.0.3:6666", "[fd00::3]:6666"],
    "listen_events": ["10.77.0.3:6667"],
    "boot_servers": ["10.77.0.2"],
    "hosts_file": "/etc/hosts.json",
    "log_directory": "/var/log/boot",
    "database": "/var/lib/boot.sqlite",
    "max_file_bytes": 100000,
    "max_boot_bytes": 1000000,
    "keep_boots": 5,
    "keep_days": 7,
    "unknown": {"rate_per_second": 0, "max_bytes": 100000},
    "forward": {"host": "fluentd.example.org", "port": 24225, "tag": "lab", "shared_key_file": "/etc/key",
                "tls_ca_file": "/etc/ca.pem", "buffer_directory": "/var/lib/buffer", "buffer_max_bytes": 1000000},
    "syslog": {"address": "10.77.0.4", "port": 6514, "protocol": "tcp"},
    "page": {"listen": "10.77.0.3:6680"},
}  # fmt: skip


def read(tmp_path: Path, config: Any) -> Config:
    path = tmp_path / "bootlog.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return read_config(path)


def test_whole_configuration(tmp_path: Path) -> None:
    config = read(tmp_path, WHOLE)
    assert config.listen == ("10.77.0.3:6666", "[fd00::3]:6666")
    assert config.unknown == Unknown(0, 100000)
    assert config.forward == Forward(
        "fluentd.example.org", 24225, "lab", "/etc/key", "/etc/ca.pem", "/var/lib/buffer", 1000000
    )
    assert config.syslog == Syslog("10.77.0.4", 6514, "tcp")
    assert config.page == Page("10.77.0.3:6680")


def test_everything_has_a_default(tmp_path: Path) -> None:
    assert read(tmp_path, {}) == Config()
    assert read(tmp_path, {"forward": None, "syslog": None}) == Config()


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"listen": "10.77.0.3:6666"}, "listen"),
        ({"listen": ["10.77.0.3"]}, "ADDRESS:PORT"),
        ({"listen": ["10.77.0.3:66666"]}, "ADDRESS:PORT"),
        ({"listen": [6666]}, "ADDRESS:PORT"),
        ({"boot_servers": ["boot"]}, "an IP address"),
        ({"log_directory": "log"}, "an absolute path"),
        ({"keep_boots": 0}, "a number from 1"),
        ({"keep_boots": True}, "a number from 1"),
        ({"max_file_bytes": "1 MB"}, "a number from 65536"),
        ({"unknown": None}, "an object"),
        ({"unknown": {"rate": 1}}, "no such setting; there are rate_per_second, max_bytes"),
        ({"forward": {"port": 1}}, "host"),
        ({"forward": {"host": "-"}}, "an address or a host name"),
        ({"syslog": {"address": "10.0.0.1", "protocol": "tls"}}, "udp or tcp"),
        ({"page": {"listen": ":80"}}, "ADDRESS:PORT"),
        ({"lsten": []}, "no such setting"),
        ([], "an object"),
    ],
)
def test_value_that_cannot_be_is_named(tmp_path: Path, config: Any, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, config)
    assert told in str(error.value)


def test_all_problems_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, {"keep_days": 0, "page": {"listen": 1}, "forward": {"host": "", "tag": ""}, "x": 1})
    assert [line.split(": ")[1] for line in str(error.value).splitlines()] == [
        *("x", "keep_days", "page.listen", "forward.host", "forward.tag"),
    ]


def test_file_that_is_missing_or_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.json"):
        read_config(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bad\.json"):
        read_config(tmp_path / "bad.json")


def test_socket_addresses() -> None:
    assert parse_socket("10.77.0.3:6666") == ("10.77.0.3", 6666)
    assert parse_socket("[fd00::3]:6666") == ("fd00::3", 6666)
