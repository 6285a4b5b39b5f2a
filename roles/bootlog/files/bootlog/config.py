# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of the boot log, /etc/diskless/bootlog.json."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

PATH = Path("/etc/diskless/bootlog.json")
_SOCKET = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<v4>[0-9.]+)):(?P<port>[0-9]{1,5})")
# What a value must be: a check of it, or for an object its class and the checks of its members.
_Check = Callable[[Any], Any]
_Checks = Mapping[str, "_Check | tuple[Callable[..., Any], _Checks]"]
_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


class ConfigError(Exception):
    """The configuration cannot be used; the text has a line for each problem."""


@dataclass(frozen=True)
class Unknown:
    """What is kept of senders that are no known host."""

    rate_per_second: int = 50  # datagrams, of all of them together
    max_bytes: int = 10 * 1024 * 1024  # of unknown.jsonl; as much again of its predecessor


@dataclass(frozen=True)
class Forward:
    """A Fluentd that takes the lines by its forward protocol."""

    host: str
    port: int = 24224
    tag: str = "diskless"  # prefix, before the name of the host
    shared_key_file: str | None = None
    tls_ca_file: str | None = None  # without, there is no TLS
    buffer_directory: str = "/var/lib/diskless-bootlog/forward"
    buffer_max_bytes: int = 256 * 1024 * 1024


@dataclass(frozen=True)
class Syslog:
    """A syslog server that takes the lines."""

    address: str
    port: int = 514
    protocol: str = "udp"


@dataclass(frozen=True)
class Page:
    """The boot log page."""

    listen: str = "127.0.0.1:6680"


@dataclass(frozen=True)
class Config:
    """The whole configuration; sizes in bytes."""

    listen: tuple[str, ...] = ()  # "ADDRESS:PORT" for netconsole, used only without socket activation
    listen_events: tuple[str, ...] = ()  # the same for the events of boot servers
    boot_servers: tuple[str, ...] = ()  # addresses whose events are believed
    hosts_file: str = "/etc/diskless/bootlog-hosts.json"
    log_directory: str = "/var/log/diskless-bootlog"
    database: str = "/var/lib/diskless-bootlog/bootlog.sqlite"
    max_file_bytes: int = 8 * 1024 * 1024
    max_boot_bytes: int = 64 * 1024 * 1024
    keep_boots: int = 20  # per host
    keep_days: int = 90
    unknown: Unknown = field(default_factory=Unknown)
    forward: Forward | None = None
    syslog: Syslog | None = None
    page: Page = field(default_factory=Page)


def read_config(path: Path = PATH) -> Config:
    """Return the configuration of a JSON file. Raises ConfigError with all problems at once."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    problems: list[str] = []
    config = _Section(data, "", problems).build(Config, _CONFIG)
    if config is None or problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    return cast(Config, config)


def parse_socket(text: str) -> tuple[str, int]:
    """Return address and port of ``ADDRESS:PORT`` or ``[V6]:PORT``. Raises ValueError."""
    match = _SOCKET.fullmatch(text)
    if match is None or int(match["port"]) > 65535:  # noqa: PLR2004  # the largest port
        raise ValueError(f"{text!r} is not ADDRESS:PORT")
    return str(ipaddress.ip_address(match["v4"] or match["v6"])), int(match["port"])


class _Section:
    """One JSON object, and where it is, for messages."""

    def __init__(self, data: Any, where: str, problems: list[str]) -> None:
        self._data = data
        self._where = where
        self._problems = problems

    def build(self, kind: Callable[..., Any], checks: _Checks) -> Any:
        if not isinstance(self._data, Mapping):
            self._problem(self._where.rstrip(".") or "the whole", self._data, "an object")
            return None
        for name in self._data:
            if name not in checks:
                self._problem(self._where + name, self._data[name], f"no such setting; there are {', '.join(checks)}")
        before = len(self._problems)
        values = {name: self._value(name, checks[name]) for name in self._data if name in checks}
        if len(self._problems) > before:
            return None
        try:
            return kind(**values)
        except TypeError as error:  # a setting without a default is missing
            self._problem(self._where.rstrip("."), self._data, str(error).partition(" ")[2])
            return None

    def _value(self, name: str, check: Any) -> Any:
        value = self._data[name]
        if isinstance(check, tuple):
            kind, checks = check
            if value is None and name in _OPTIONAL:
                return None
            return _Section(value, f"{self._where}{name}.", self._problems).build(kind, checks)
        try:
            return check(value)
        except ValueError as error:
            self._problem(self._where + name, value, str(error))
            return None

    def _problem(self, name: str, value: Any, expected: str) -> None:
        self._problems.append(f"{name}: {json.dumps(value)[:200]}; expected {expected}")


def _address(value: Any) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError("an IP address") from None


def _socket(value: Any) -> str:
    try:
        parse_socket(value)
    except (TypeError, ValueError):
        raise ValueError("ADDRESS:PORT or [V6]:PORT") from None
    return str(value)


def _list_of(check: Callable[[Any], str]) -> Callable[[Any], tuple[str, ...]]:
    def checked(value: Any) -> tuple[str, ...]:
        try:
            if isinstance(value, list):
                return tuple(check(each) for each in value)
        except ValueError as error:
            raise ValueError(f"a list, each of it {error}") from None
        raise ValueError("a list")

    return checked


def _number(least: int, most: int) -> Callable[[Any], int]:
    def checked(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"a number from {least} to {most}")
        return value

    return checked


def _path(value: Any) -> str:
    if not isinstance(value, str) or not Path(value).is_absolute():
        raise ValueError("an absolute path")
    return value


def _optional_path(value: Any) -> str | None:
    return None if value is None else _path(value)


def _host(value: Any) -> str:
    try:
        return _address(value)
    except ValueError:
        if isinstance(value, str) and _HOST_NAME.fullmatch(value):
            return value
    raise ValueError("an address or a host name")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("text")
    return value


def _protocol(value: Any) -> str:
    if value not in ("udp", "tcp"):
        raise ValueError("udp or tcp")
    return str(value)


_OPTIONAL = ("forward", "syslog")
_PORT = _number(1, 65535)
_SIZE = _number(64 * 1024, 2**50)
_UNKNOWN: _Checks = {"rate_per_second": _number(0, 10000), "max_bytes": _SIZE}
_FORWARD: _Checks = {
    "host": _host,
    "port": _PORT,
    "tag": _text,
    "shared_key_file": _optional_path,
    "tls_ca_file": _optional_path,
    "buffer_directory": _path,
    "buffer_max_bytes": _SIZE,
}
_SYSLOG: _Checks = {"address": _host, "port": _PORT, "protocol": _protocol}
_PAGE: _Checks = {"listen": _socket}
_CONFIG: _Checks = {
    "listen": _list_of(_socket),
    "listen_events": _list_of(_socket),
    "boot_servers": _list_of(_address),
    "hosts_file": _path,
    "log_directory": _path,
    "database": _path,
    "max_file_bytes": _SIZE,
    "max_boot_bytes": _SIZE,
    "keep_boots": _number(1, 100000),
    "keep_days": _number(1, 100000),
    "unknown": (Unknown, _UNKNOWN),
    "forward": (Forward, _FORWARD),
    "syslog": (Syslog, _SYSLOG),
    "page": (Page, _PAGE),
}
