# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of the Pi bootloader's configuration: every line as it is, and changes that leave all others alone. No I/O.

The format is that of config.txt: one ``KEY=value`` a line, comments that begin with ``#``, conditional filters in
brackets. Of the settings that apply, the last one counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Callable, Iterable

from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_filters import (
    ALL,
    CONFIG_TXT,
    Filters,
    combine,
    hold,
    implied,
    of_section,
)

_FILTER = re.compile(r"\s*\[([^\]]*)\]\s*")
_SETTING = re.compile(r"\s*([^\s=#\[][^\s=]*)\s*=(.*)", re.DOTALL)
_END_OF_LINE = re.compile(r"\r?\n?\Z")


@dataclass(frozen=True)
class Setting:
    """One line ``KEY=value``: ``line`` counts from 0, ``filters`` are those that it stands under."""

    line: int
    filters: Filters
    key: str
    value: str


@dataclass(frozen=True)
class _Block:
    """Lines from ``start`` (a filter, or the first line of the text) to before ``end``, under the same filters."""

    start: int
    end: int
    filters: Filters


@dataclass(frozen=True)
class BootConf:
    """A configuration. Each line has its own end, so that the text stays as it is."""

    lines: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> BootConf:
        """Split a text, any text, into lines."""
        return cls(tuple(re.findall(r"[^\n]*\n|[^\n]+\Z", text)))

    @property
    def text(self) -> str:
        """The text."""
        return "".join(self.lines)

    def settings(self) -> list[Setting]:
        """Return the settings that the bootloader reads, in order."""
        return [
            Setting(line, block.filters, match.group(1), match.group(2).strip())
            for block in self._blocks()
            for line in range(block.start, block.end)
            for match in [_SETTING.fullmatch(self.lines[line])]
            if match
        ]

    def filters(self) -> list[tuple[int, str]]:
        """Return the lines with filters, and their names."""
        found = [(line, _FILTER.fullmatch(self.lines[line])) for line in range(self._end())]
        return [(line, match.group(1)) for line, match in found if match]

    def others(self) -> list[tuple[int, str]]:
        """Return the lines that are no setting, no filter, no comment and not empty."""
        known = {setting.line for setting in self.settings()} | {line for line, dummy in self.filters()}
        rest = [(line, self.lines[line].strip()) for line in range(self._end()) if line not in known]
        return [(line, text) for line, text in rest if text and not text.startswith("#")]

    def effective(self, true: Iterable[str]) -> dict[str, Setting]:
        """Return the setting of each key that counts where these filters hold."""
        return {setting.key: setting for setting in self.settings() if hold(setting.filters, true)}

    def with_setting(self, section: str, key: str, value: str, same: Callable[[str], bool]) -> BootConf:
        """Return a configuration whose section has this setting, and in which nothing broader overrides it later.

        :param same: tells whether a value means the same as the wanted one, so that it can stay as it is written.
        """
        own = [setting for setting in self.settings() if self._is_own(setting, section, key)]
        counts = self.effective(implied(section)).get(key)
        if own and counts and same(own[-1].value) and same(counts.value):
            return self
        if own and counts == own[-1]:
            return self._with_value(own[-1], value)
        # Where it stands it has no effect.
        return self.without(section, key)._with_line(section, key, value)

    def without(self, section: str, key: str) -> BootConf:
        """Return the configuration without this key in this section."""
        gone = {setting.line for setting in self.settings() if self._is_own(setting, section, key)}
        return replace(self, lines=tuple(text for line, text in enumerate(self.lines) if line not in gone))

    @staticmethod
    def _is_own(setting: Setting, section: str, key: str) -> bool:
        return setting.key == key and setting.filters == of_section(section)

    def _with_value(self, setting: Setting, value: str) -> BootConf:
        old = self.lines[setting.line]
        indent = old[: len(old) - len(old.lstrip())]
        return self._insert(setting.line, [f"{indent}{setting.key}={value}{self._end_of(old)}"], instead=1)

    def _with_line(self, section: str, key: str, value: str) -> BootConf:
        own = [block for block in self._blocks() if block.filters == of_section(section)]
        counts = self.effective(implied(section)).get(key)
        new = f"{key}={value}\n"
        if section == ALL:
            return self._insert(self._place_for_all(key), [new])
        if own and (counts is None or counts.line < own[-1].start):
            return self._insert(self._last_line(own[-1]), [new])
        last = self._blocks()[-1]
        between = [] if combine(last.filters, section) == of_section(section) else [f"[{ALL}]\n"]
        return self._insert(last.end, [*between, f"[{section}]\n", new])

    def _place_for_all(self, key: str) -> int:
        """Return where a new line for all boards goes: not behind what other sections say of this key."""
        others = [setting.line for setting in self.settings() if setting.key == key]
        blocks = [
            block for block in self._blocks() if not block.filters and block.start <= min(others, default=block.end)
        ]
        used = {setting.line for setting in self.settings()}
        with_settings = [block for block in blocks if used.intersection(range(block.start, block.end))]
        with_filter = [block for block in blocks if block.end > block.start and self._is_filter(block.start)]
        return self._last_line((with_settings or with_filter or blocks)[0])

    def _last_line(self, block: _Block) -> int:
        """Return where a new line of the block goes: after its last setting, so that trailing comments stay behind."""
        settings = [setting.line for setting in self.settings() if block.start <= setting.line < block.end]
        if settings:
            return settings[-1] + 1
        return block.start + 1 if block.end > block.start and self._is_filter(block.start) else block.end

    def _is_filter(self, line: int) -> bool:
        return _FILTER.fullmatch(self.lines[line]) is not None

    def _insert(self, line: int, new: list[str], instead: int = 0) -> BootConf:
        before, after = list(self.lines[:line]), self.lines[line + instead :]
        if before and not before[-1].endswith("\n"):
            before[-1] += "\n"
        return replace(self, lines=(*before, *new, *after))

    @staticmethod
    def _end_of(line: str) -> str:
        return "".join(_END_OF_LINE.findall(line))

    def _end(self) -> int:
        """Return the line at which the part of the bootloader ends."""
        found = [_FILTER.fullmatch(text) for text in self.lines]
        names = [match.group(1) if match else None for match in found]
        return names.index(CONFIG_TXT) if CONFIG_TXT in names else len(names)

    def _blocks(self) -> list[_Block]:
        blocks = []
        start, filters = 0, of_section(ALL)
        for line, name in self.filters():
            blocks.append(_Block(start, line, filters))
            start, filters = line, combine(filters, name)
        return [*blocks, _Block(start, self._end(), filters)]
