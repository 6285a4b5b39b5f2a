# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a golden image."""

from __future__ import annotations

import json

from testinfra.host import Host

RUN = "env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/srv/golden/usr/lib/diskless python3 -m diskless_netconsole"


def test_service_is_enabled(host: Host) -> None:
    assert host.check_output("systemctl --root=/srv/golden is-enabled diskless-netconsole.service") == "enabled"


def test_unit_is_valid(host: Host) -> None:
    verified = host.run("systemd-analyze verify /srv/golden/etc/systemd/system/diskless-netconsole.service")
    assert (verified.rc, verified.stderr) == (0, "")


def test_program_starts_and_has_nothing_to_do(host: Host) -> None:
    """All of its parts are there, those that it shares with the module as well."""
    assert host.check_output(RUN) == "no log hosts: nothing to do"


def test_golden_image_names_no_log_host(host: Host) -> None:
    assert not host.file("/srv/golden/etc/diskless/netconsole.json").exists
    configured = host.file("/srv/configured/etc/diskless/netconsole.json").content_string
    assert json.loads(configured) == {"targets": ["10.77.0.3", "[fd00::3]:514"]}


def test_console_level_stays_raised(host: Host) -> None:
    assert "kernel.printk = 8\n" in host.file("/srv/golden/etc/sysctl.d/90-diskless-netconsole.conf").content_string


def test_wrong_log_host_is_refused(host: Host) -> None:
    host.check_output("""echo '{"targets": ["log1"]}' >/tmp/wrong.json""")
    refused = host.run(f"{RUN} --check /tmp/wrong.json")
    assert (refused.rc, "'log1': expected ADDRESS" in refused.stdout) == (1, True)
