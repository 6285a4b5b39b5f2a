# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every supported release has recorded answers to every question."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[1] / "fixtures"
IMAGES = FIXTURES.parents[1] / "lab" / "containers" / "ceph" / "image.toml"
RELEASES = sorted(tomllib.loads(IMAGES.read_text(encoding="utf-8"))["release"])


def test_supported_releases() -> None:
    assert RELEASES == ["14", "16", "18", "20"]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("topic", sorted(path.stem for path in (FIXTURES / "questions").glob("*.toml")))
def test_every_question_was_asked(topic: str, release: str) -> None:
    """What is missing is recorded by ``tests/fixtures/record RELEASE``."""
    questions = tomllib.loads((FIXTURES / "questions" / f"{topic}.toml").read_text(encoding="utf-8"))
    left_out = {name for name, releases in questions.get("not_on", {}).items() if release in releases}
    wanted = set(questions.get("answers", {})) - left_out
    recorded = {path.stem for path in (FIXTURES / release).glob("*.json")}
    assert sorted(wanted - recorded) == []
