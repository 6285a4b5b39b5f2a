# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host.cpio tells, and that it never tells the key."""

from __future__ import annotations

from hashlib import sha256

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._host_cpio import HostCpio, read_host_cpio
from ansible_collections.diskless.ceph.plugins.plugin_utils._cpio import Entry, newc

KEY = "AQBlAAAAAAAAABAAMDEyMzQ1Njc4OWFiY2RlZg=="
FINGERPRINT = sha256(KEY.encode()).hexdigest()[:16]
CONF = "DISKLESS_HOST=udoo1\nDISKLESS_GATEWAY=''\nDISKLESS_NAMESERVERS='10.77.0.1 10.77.0.2'\n"
SETTINGS = {"DISKLESS_HOST": "udoo1", "DISKLESS_GATEWAY": "", "DISKLESS_NAMESERVERS": "10.77.0.1 10.77.0.2"}


def _archive(**files: str) -> bytes:
    return newc([Entry(f"etc/diskless/{name.replace('_', '.')}", 0o600, text.encode()) for name, text in files.items()])


def test_settings_are_told_and_the_key_only_by_its_fingerprint() -> None:
    assert read_host_cpio(_archive(host_conf=CONF, key=f"{KEY}\n")) == HostCpio(SETTINGS, FINGERPRINT)


@pytest.mark.parametrize(
    ("archive", "settings", "fingerprint", "problems"),
    [
        (b"garbage", None, None, ("it is no cpio archive in the newc format",)),
        (_archive(host_conf=CONF), SETTINGS, None, ("it lacks etc/diskless/key",)),
        (_archive(key=KEY), None, FINGERPRINT, ("it lacks etc/diskless/host.conf",)),
        (_archive(), None, None, ("it lacks etc/diskless/host.conf", "it lacks etc/diskless/key")),
        (_archive(host_conf="", key=KEY), {}, FINGERPRINT, ("it lacks etc/diskless/host.conf",)),
        (_archive(host_conf=CONF, key="none\n"), SETTINGS, None, ("etc/diskless/key in it holds no cephx key",)),
        (_archive(host_conf=CONF, key=KEY)[:300], SETTINGS, None, ("it is not complete",)),
    ],
)
def test_what_is_missing_or_damaged_is_told(
    archive: bytes, settings: dict[str, str] | None, fingerprint: str | None, problems: tuple[str, ...]
) -> None:
    assert read_host_cpio(archive) == HostCpio(settings, fingerprint, problems)


def test_key_is_not_told_wherever_a_host_has_put_it() -> None:
    conf = f"DISKLESS_HOST={KEY}\nDISKLESS_KEY='x{KEY[:-2]} {KEY}'\n{KEY}\n# {KEY}\n"
    told = repr(read_host_cpio(_archive(host_conf=conf, key=KEY)))
    assert KEY[:30] not in told.replace(f"x{KEY[:-2]}", "")
    assert "(key)" in told


def test_value_that_no_shell_would_read_is_told_as_it_stands() -> None:
    assert read_host_cpio(_archive(host_conf="DISKLESS_HOST='udoo1\n", key=KEY)).settings == {"DISKLESS_HOST": "'udoo1"}
