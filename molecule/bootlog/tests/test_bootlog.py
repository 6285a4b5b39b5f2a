# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts send arrives in files, on the page, in the metrics and on the terminal; and who may do what."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

PAGE = "http://127.0.0.1:6680"
UNITS = ("diskless-bootlog.service", "diskless-bootlog-page.service")
SOCKETS = ("diskless-bootlog-netconsole.socket", "diskless-bootlog-events.socket")
BOOT_ID = "0a1b2c3d-0000-4000-8000-{:012x}"


def get(host: Host, path: str) -> str:
    """The body of a page, by Python because there is no curl."""
    script = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=10).read().decode(), end='')"
    return str(host.check_output("python3 -c %s %s", script, PAGE + path))


def say(host: Host, address: str, text: str, port: int = 6666) -> None:
    """Let a host send a datagram."""
    host.check_output("say.py %s %s %s", address, str(port), text)


def stage(host: str, name: str, number: int) -> str:
    """A marker as the kernel would send it, one each second."""
    return f"14,{number},{number}000000,-;diskless: stage={name} host={host} boot={BOOT_ID.format(1)}"


def until(check: Callable[[], Any], seconds: float = 15) -> Any:
    """What a check returns once it is true."""
    end = time.monotonic() + seconds
    while not (result := check()) and time.monotonic() < end:
        time.sleep(0.2)
    return result


def fleet(host: Host) -> dict[str, dict[str, Any]]:
    """The hosts of the page by name."""
    return {each["name"]: each for each in json.loads(get(host, "/api/hosts"))["hosts"]}


def test_boot_is_seen_everywhere(host: Host) -> None:
    for number, name in enumerate(("kernel", "network", "map", "root", "userspace", "ready")):
        say(host, "127.0.0.11", stage("udoo1", name, number))
    say(host, "127.0.0.11", "6,9,9000000,-;eth0: link <b>up</b> \\x1b[31m")
    seen = until(lambda: (found := fleet(host)["udoo1"])["last"] and "link" in found["last"]["text"] and found)
    assert (seen["state"], seen["stage"]) == ("ready", "ready")
    page = get(host, "/hosts/udoo1")
    assert "eth0: link &lt;b&gt;up&lt;/b&gt; \\x1b[31m" in page
    log = json.loads(get(host, "/api/hosts/udoo1/log?search=LINK"))
    assert len(log["lines"]) == 1
    path = f"/var/log/diskless-bootlog/udoo1/{log['boot']:08d}.jsonl"
    lines = [json.loads(line) for line in host.file(path).content_string.splitlines()]
    assert [line["stage"] for line in lines if "stage" in line][-1] == "ready"
    assert 'host_state{host="udoo1",state="ready",stage="ready"} 1' in get(host, "/metrics")
    status = host.run("diskless-status --host udoo1")
    assert (status.rc, status.stdout.split()[:3]) == (0, ["udoo1", "ready", "ready"])


def test_failure_names_the_stage_and_the_line(host: Host) -> None:
    say(host, "127.0.0.12", stage("cm1", "kernel", 1))
    say(host, "127.0.0.12", stage("cm1", "network", 2))
    retry = 'diskless: retry step=map attempt=2 wait=4 error="rbd: add failed" reason=auth'
    say(host, "127.0.0.12", f"12,3,3000000,-;{retry}")
    seen = until(lambda: (found := fleet(host)["cm1"])["trouble"] and found)
    assert seen["state"] == "failed"
    assert seen["trouble"] == {"stage": "map", "reason": "auth", "text": "rbd: add failed"}
    status = host.run("diskless-status")
    assert status.rc == 1
    first = status.stdout.splitlines()[1]
    assert first.startswith("cm1") and "map: auth" in first


def test_events_of_the_boot_server_are_seen_before_there_is_a_kernel(host: Host) -> None:
    for text in ("7 vendor class: PXEClient:Arch:00000", "7 DHCPDISCOVER(eth0) 52:54:00:77:00:13"):
        say(host, "127.0.0.1", json.dumps({"time": time.time(), "message": text}), 6667)
    assert until(lambda: fleet(host)["storm"]["stage"] == "dhcp")


def test_events_are_believed_from_boot_servers_alone(host: Host) -> None:
    say(host, "127.0.0.12", json.dumps({"time": time.time(), "message": "sent /x to 127.0.0.12"}), 6667)
    assert until(lambda: "diskless_bootlog_receiver_events_rejected_total" in get(host, "/metrics"))


def test_restart_in_the_middle_loses_nothing(host: Host) -> None:
    storm = "systemd-run --quiet --unit=storm-of-lines say.py 127.0.0.13 6666 20000 %s"
    host.check_output(storm, "6,{},1000,-;line {}")
    for _restart in range(3):
        time.sleep(0.3)
        host.check_output("systemctl restart diskless-bootlog.service")
    until(lambda: host.run("systemctl is-active storm-of-lines").stdout.strip() == "inactive", 60)
    until(lambda: "19999" in (json.loads(get(host, "/api/hosts/storm"))["last"] or {}).get("text", ""), 30)
    count = "cat /var/log/diskless-bootlog/storm/*.jsonl | grep --count 'line [0-9]*\"'"
    assert int(host.check_output(count)) == 20000
    assert fleet(host)["storm"]["lost"] == 0


def test_page_stays_while_the_receiver_is_away(host: Host) -> None:
    host.check_output(f"systemctl stop {' '.join(SOCKETS)} diskless-bootlog.service")
    try:
        host.check_output("systemctl restart diskless-bootlog-page.service")
        assert until(lambda: "udoo1" in host.run(f"diskless-status --url {PAGE}").stdout)
    finally:
        host.check_output(f"systemctl start {' '.join(SOCKETS)} diskless-bootlog.service")
    say(host, "127.0.0.11", "6,99,99000000,-;back again")
    assert until(lambda: fleet(host)["udoo1"]["last"]["text"] == "back again")


def test_receiver_goes_on_when_the_page_is_killed(host: Host) -> None:
    host.check_output("systemctl kill --signal=KILL diskless-bootlog-page.service")
    say(host, "127.0.0.11", "6,100,100000000,-;nobody looks")
    assert until(lambda: host.run(f"diskless-status --url {PAGE}").rc != 2)
    assert until(lambda: fleet(host)["udoo1"]["last"]["text"] == "nobody looks")


def test_health_is_told(host: Host) -> None:
    assert json.loads(get(host, "/healthz"))["receiver"] == "alive"


def test_page_is_bound_to_the_configured_address_alone(host: Host) -> None:
    listening = host.check_output("ss --no-header --listening --tcp --numeric sport = :6680").split()
    assert listening[3] == "127.0.0.1:6680"


@pytest.mark.parametrize("unit", UNITS)
def test_services_are_hardened_and_not_root(host: Host, unit: str) -> None:
    verdict = host.check_output(f"systemd-analyze security --no-pager {unit}").splitlines()[-1]
    assert " OK " in verdict, verdict
    pid = host.check_output(f"systemctl show --property=MainPID --value {unit}")
    status = host.file(f"/proc/{pid}/status").content_string
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert "0" not in fields["Uid"].split()
    assert int(fields["CapEff"], 16) == 0
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


@pytest.mark.parametrize("unit", [*UNITS, *SOCKETS])
def test_systemd_understands_every_line_of_the_units(host: Host, unit: str) -> None:
    """It would ignore what it does not, and the service would have less of a sandbox than is written there."""
    checked = host.run(f"systemd-analyze verify --man=no {unit}")
    assert (checked.rc, checked.stdout + checked.stderr) == (0, "")


def test_page_cannot_write_what_the_receiver_owns_nor_read_its_key(host: Host) -> None:
    pid = host.check_output("systemctl show --property=MainPID --value diskless-bootlog-page.service")
    ids = dict(line.split(":\t", 1) for line in host.file(f"/proc/{pid}/status").content_string.splitlines())
    user, group = ids["Uid"].split()[0], ids["Gid"].split()[0]
    become = f"setpriv --reuid {user} --regid {group} --groups {','.join(ids['Groups'].split())}"
    assert host.run(f"{become} cat /var/lib/diskless-bootlog/bootlog.sqlite").rc == 0
    assert host.run(f"{become} touch /var/lib/diskless-bootlog/planted").rc != 0
    assert host.run(f"{become} sh -c '>>/var/lib/diskless-bootlog/bootlog.sqlite'").rc != 0
    assert host.run(f"{become} cat /etc/diskless/bootlog-shared-key").rc != 0


def test_secret_is_in_its_file_alone(host: Host) -> None:
    key = host.file("/etc/diskless/bootlog-shared-key")
    assert (key.user, key.mode) == ("diskless-bootlog", 0o600)
    assert key.content_string == "a key that nobody may see"
    assert host.run("grep --recursive 'key that nobody' /etc/diskless/bootlog.json /etc/systemd /var/log").rc == 1


@pytest.mark.parametrize("port", [6666, 6667])
def test_much_may_wait_in_the_sockets(host: Host, port: int) -> None:
    said = host.check_output(f"ss --no-header --udp --listening --numeric --memory sport = :{port}")
    assert int(re.search(r",rb([0-9]+),", said)[1]) == 2 * 64 * 1024 * 1024  # type: ignore[index]


@pytest.mark.parametrize("unit", [*UNITS, *SOCKETS])
def test_units_run_now_and_after_a_reboot(host: Host, unit: str) -> None:
    assert host.run(f"systemctl is-active {unit}").stdout.strip() == "active"
    assert host.run(f"systemctl is-enabled {unit}").stdout.strip() == "enabled"


def test_broken_configuration_is_refused_by_name(host: Host) -> None:
    host.check_output("printf '{\"keep_boots\": 0}' >/tmp/config")
    refused = host.run("/usr/bin/python3 -sP /usr/local/lib/diskless/bootlog-check config /tmp/config")
    assert refused.rc == 1
    assert "keep_boots: 0; expected a number from 1" in refused.stderr
