# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection's own caps allow instead of Ceph's ``profile rbd``, which may fence off whole networks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable

# Exactly one client: what comes after the / is its nonce, a random 32-bit number, in Ceph's own spelling. The number
# has to be written out like this. Ceph reads 0000 and 4294967296 as 0, which stands for every client of an address,
# and takes /0024 or /4294967320 for the prefix length of a network. 2 nonces in a million do not fit the pattern.
NONCE = (
    "([1-9][0-9]{3,8}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}"
    "|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|42949[0-5][0-9]{4})"
)

_FIRST_BLOCKLIST_RELEASE = 16
_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Profile:
    """A named set of caps on the images of one pool or one namespace of it."""

    name: str
    pool: str
    namespace: str = ""


def blocklist_words(release: int) -> tuple[str, ...]:
    """Return the words that clients use: those before 5.10 and their like say blacklist, also to newer clusters."""
    return ("blocklist", "blacklist") if release >= _FIRST_BLOCKLIST_RELEASE else ("blacklist",)


def fence_one_instance(address: str, release: int) -> list[str]:
    """Return the mon grants to blocklist single client instances; ``address`` is the pattern of their addresses."""
    return [
        f"allow command 'osd {word}' with {word}op=add addr regex '^{address}:0/{NONCE}$'"
        for word in blocklist_words(release)
    ]


def profile_caps(profile: Profile, release: int) -> dict[str, str]:
    """Return the caps that a profile stands for, in the words of this release."""
    return _PROFILES[profile.name](profile, release)


def profile_problems(profile: Profile) -> list[str]:
    """Return why a profile cannot be turned into caps."""
    if not profile.pool:
        return [f"profile {profile.name} needs a pool"]
    return [
        f"{option} {value!r}: only letters, digits and . _ - can stand in caps"
        for option, value in (("pool", profile.pool), ("namespace", profile.namespace))
        if value and not _NAME.fullmatch(value)
    ]


def _where(profile: Profile) -> str:
    return f"pool={profile.pool}" + (f" namespace={profile.namespace}" if profile.namespace else "")


def _narrow_rbd(profile: Profile, release: int) -> dict[str, str]:
    mon = ["profile simple-rados-client", *fence_one_instance("[^/]+", release)]
    return {"mon": ", ".join(mon), "osd": f"profile rbd {_where(profile)}"}


def _narrow_rbd_read_only(profile: Profile, _release: int) -> dict[str, str]:
    return {"mon": "profile simple-rados-client", "osd": f"profile rbd-read-only {_where(profile)}"}


_PROFILES: dict[str, Callable[[Profile, int], dict[str, str]]] = {
    "narrow_rbd": _narrow_rbd,
    "narrow_rbd_read_only": _narrow_rbd_read_only,
}
PROFILES = tuple(_PROFILES)
