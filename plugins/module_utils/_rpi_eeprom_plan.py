# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task makes of the configuration of the Pi's bootloader, and everything that speaks against it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils import _rpi_eeprom_filters as filters
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_checks import of_size, remarks
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_keys import KEYS, kind_of, problem, same
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_text import BootConf


@dataclass(frozen=True)
class Wish:
    """What a task wants: in ``config`` a value for each key, or None to remove it from the section."""

    config: Mapping[str, Any]
    section: str = filters.ALL
    board: str = "cm4"
    allow_unknown: bool = False


@dataclass(frozen=True)
class Plan:
    """The configuration that comes out; ``problems`` forbid it, ``warnings`` do not."""

    before: BootConf
    after: BootConf
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def plan(text: str, wish: Wish) -> Plan:
    """Plan the changes to a text. What is not named in the wish stays as it is, right or wrong."""
    before = BootConf.parse(text)
    refused = [*_section_problems(wish), *_key_problems(wish)]
    after = before
    for key, value in wish.config.items():
        if value is None:
            after = after.without(wish.section, key)
        elif problem(key, value) is None:
            after = _with(after, wish.section, key, kind_of(key).render(value))
    refused += _signed(before, after)
    true = () if wish.section == filters.ALL else filters.implied(wish.section)
    forbidden, warnings = [], []
    for remark in remarks(after, wish.board, true):
        own = bool(set(remark.keys) & set(wish.config))
        if remark.forbidden and own:
            forbidden.append(remark.text)
        elif own:
            warnings.append(remark.text)
        elif remark.forbidden:
            warnings.append(f"left as it is: {remark.text}")
    for remark in of_size(after):
        (forbidden if remark.forbidden else warnings).append(remark.text)
    return Plan(before, after, (*refused, *forbidden), (*warnings, *_overriding(after, wish)))


def _with(conf: BootConf, section: str, key: str, value: str) -> BootConf:
    return conf.with_setting(section, key, value, lambda other: same(key, other, value))


def _section_problems(wish: Wish) -> list[str]:
    if wish.section == filters.CONFIG_TXT:
        return ["section config.txt is not for the bootloader: the firmware appends it to config.txt"]
    if not wish.section or any(character in wish.section for character in "[]\n\r"):
        return [f"section {wish.section!r}: expected the text between the brackets, such as all, cm4 or gpio7=0"]
    wrong = filters.problem(wish.section)
    return [f"section: {wrong}"] if wrong else []


def _key_problems(wish: Wish) -> list[str]:
    found = []
    for key, value in wish.config.items():
        if key not in KEYS and not wish.allow_unknown:
            alike = nearest(key.upper(), KEYS)
            found.append(f"{key} is not documented{alike or ' and allow_unknown is not set'}")
        elif not key.isascii() or not key.replace("_", "").isalnum():
            found.append(f"{key!r} cannot be a key")
        elif value is not None:
            wrong = problem(key, value)
            found += [wrong] if wrong else []
    return found


def _signed(before: BootConf, after: BootConf) -> list[str]:
    signing = {setting.value for setting in after.settings() if setting.key == "SIGNED_BOOT"} - {"", "0"}
    if not signing or before == after:
        return []
    return [
        "the configuration is for secure boot (SIGNED_BOOT): changed without a new signature it stops the board from "
        "booting; make the image with the vendor's update-pieeprom.sh and your key"
    ]


def _overriding(after: BootConf, wish: Wish) -> list[str]:
    """Return where other sections go before what the task sets, on its board or under some condition."""
    own = after.effective(filters.implied(wish.section))
    found = []
    for setting in after.settings():
        mine = own.get(setting.key)
        if mine is None or wish.config.get(setting.key) is None or setting.line <= mine.line:
            continue
        if filters.hold(filters.model_of(setting.filters), filters.MODELS[wish.board]):
            found.append(
                f"{setting.key} {setting.value} in {filters.show(setting.filters)}, line {setting.line + 1}, goes "
                f"before {mine.value} where that section applies"
            )
    return found
