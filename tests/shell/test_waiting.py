# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a boot that does not end says of itself. Output of systemctl as systemd 252 prints it."""

from __future__ import annotations

from .conftest import Shell

JOBS = """ 87 network-online.target                start waiting
 91 stuck.service                        start running
  1 multi-user.target                    start waiting
123 data.mount                           start running
"""
FAILED = "rpc-statd.service loaded failed failed NFS status monitor for NFSv2/3 locking.\n"
# Ready after the second look; systemctl is a program, because "timeout" starts it.
SYSTEMCTL = """#!/bin/sh
case $1 in
list-jobs) cat "$T/jobs" ;;
list-units) cat "$T/failed" ;;
show)
    case $* in
    *Wants*local-fs.target) echo "-.mount srv.mount nofail.mount systemd-remount-fs.service" ;;
    *local-fs.target) echo "-.mount srv.mount" ;;
    *) echo exit-code ;;
    esac ;;
is-active)
    case $* in
    *" -- -.mount") true ;;
    *.mount) false ;;
    *) [ "$(wc -l <"$T/slept")" -gt 2 ] ;;
    esac ;;
is-system-running) cat "$T/system" ;;
esac
"""
# Time passes in sleep alone.
SCRIPT = """
sleep() { echo "$1" >>"$T/slept"; }
now() { echo $((7 + 30 * $(wc -l <"$T/slept"))); }
unset -f timeout
PATH=$T/bin:$PATH
main
"""


def test_boot_that_waits_names_its_jobs_until_it_is_ready(shell: Shell) -> None:
    shell.write("jobs", JOBS)
    shell.write("failed", FAILED)
    shell.write("slept", "")
    shell.write("system", "starting")
    shell.write("bin/systemctl", SYSTEMCTL)
    (shell.machine / "bin/systemctl").chmod(0o755)
    shell.output(SCRIPT, "waiting")
    failed, *waiting = shell.read("kmsg").splitlines()
    assert failed == "<3>diskless: unit-failed unit=rpc-statd.service result=exit-code"
    jobs = "stuck.service/start data.mount/start"
    assert waiting == [f'<4>diskless: waiting jobs="{jobs}" since={seconds}' for seconds in (30, 60)]
    assert shell.read("slept").split() == ["30"] * 3


def test_boot_that_systemd_gives_up_is_said_to_have_failed(shell: Shell) -> None:
    """With the mount that it needed: it is in no list of what has failed."""
    shell.write("jobs", "")
    shell.write("failed", "")
    shell.write("slept", "")
    shell.write("system", "maintenance")
    shell.write("run/diskless/host.conf", "DISKLESS_HOST='pi3'\n")
    shell.write("bin/systemctl", SYSTEMCTL)
    (shell.machine / "bin/systemctl").chmod(0o755)
    shell.output(SCRIPT, "waiting")
    (line,) = shell.read("kmsg").splitlines()
    assert "stage=failed host=pi3 " in line
    assert "step=userspace reason=emergency-mode" in line
    assert 'text="systemd is in emergency mode; not mounted: srv.mount"' in line
    assert shell.read("slept").split() == ["30"]


def test_many_jobs_stay_a_line(shell: Shell) -> None:
    shell.write("jobs", "".join(f"{number} unit{number}.service start running\n" for number in range(100)))
    script = 'ask_systemd() { cat "$T/jobs"; }; running_jobs\n'
    assert shell.output(script, "waiting").split(" ", 7)[7] == "unit7.service/start and 92 more"
