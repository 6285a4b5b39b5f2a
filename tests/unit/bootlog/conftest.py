# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The package is where the role has it; certificates."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "roles" / "bootlog" / "files"))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Make self-signed certificates for 127.0.0.1 and for another machine, each with its key in the same file."""
    directory = tmp_path_factory.mktemp("tls")
    made = {}
    for name, subject in {"own": "IP:127.0.0.1", "other": "DNS:other.example.org"}.items():
        path = directory / f"{name}.pem"
        request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        words = ["-subj", "/CN=fluentd", "-addext", f"subjectAltName={subject}", "-days", "2"]
        files = ["-keyout", str(path) + ".key", "-out", str(path)]
        subprocess.run([*request, *words, *files], check=True, capture_output=True, timeout=30)
        path.write_bytes(path.read_bytes() + Path(f"{path}.key").read_bytes())
        made[name] = path
    return made
