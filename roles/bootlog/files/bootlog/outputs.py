# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outputs that the configuration asks for."""

from __future__ import annotations

from pathlib import Path

from .config import Config
from .line import Output


def outputs(config: Config) -> list[Output]:
    """Return them, started. Raises OSError when one cannot be used."""
    wanted: list[Output] = []
    if config.forward is not None:
        # Only where it is wanted must python3-msgpack be there.
        from .fluent_connection import Server  # noqa: PLC0415
        from .forward import Forward, Settings  # noqa: PLC0415

        fluentd = config.forward
        server = Server(
            fluentd.host,
            fluentd.port,
            Path(fluentd.shared_key_file) if fluentd.shared_key_file else None,
            Path(fluentd.tls_ca_file) if fluentd.tls_ca_file else None,
        )
        wanted.append(Forward(server, Settings(Path(fluentd.buffer_directory), fluentd.buffer_max_bytes, fluentd.tag)))
    if config.syslog is not None:
        from . import syslog_output  # noqa: PLC0415

        syslog = config.syslog
        wanted.append(syslog_output.SyslogOutput(syslog.address, syslog.port, syslog.protocol))
    return wanted
