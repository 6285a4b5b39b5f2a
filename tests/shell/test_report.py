# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host says about itself, and jobs that may hang."""

from __future__ import annotations

from .conftest import BOOT_ID, Shell


def test_stage_is_one_line_with_host_and_boot(shell: Shell) -> None:
    shell.output("DISKLESS_HOST=pi3; stage map dev=rbd0 image=diskless/pi3/root", "report.sh")
    assert shell.read("kmsg") == f"<5>diskless: stage=map host=pi3 boot={BOOT_ID} dev=rbd0 image=diskless/pi3/root\n"


def test_failed_stage_keeps_its_text_between_quotes(shell: Shell) -> None:
    shell.output("""stage_failed map auth 'a "b"\nc'""", "report.sh")
    assert shell.read("kmsg").endswith("step=map reason=auth text=\"a 'b' c\"\n".replace("\\", ""))
    assert shell.read("kmsg").count("\n") == 1


def test_console_gets_the_line_only_where_the_kernel_does_not_print_it(shell: Shell) -> None:
    shell.output("say 5 hello", "report.sh")
    assert shell.read("console") == ""
    shell.write("proc/sys/kernel/printk", "4\t4\t1\t7\n")  # "quiet"
    shell.output("say 5 hello", "report.sh")
    assert shell.read("console") == "diskless: hello\n"


def test_a_console_that_is_gone_ends_nothing(shell: Shell) -> None:
    shell.write("proc/sys/kernel/printk", "0\t4\t1\t7\n")
    assert shell.output("CONSOLE=/nowhere/tty; say 5 hello; echo on", "report.sh") == "on\n"


def test_job_gives_its_result_and_error_text(shell: Shell) -> None:
    script = "fails() { echo sorry >&2; return 7; }; bounded x 5 fails; echo $? $(job_error x)"
    assert shell.output(script, "report.sh", "job.sh") == "7 sorry\n"


def test_job_that_hangs_is_left_behind_and_can_be_waited_for_again(shell: Shell) -> None:
    script = "bounded x 0 sleep 0.5; echo $?; job_wait x 5; echo $?"
    assert shell.output(script, "report.sh", "job.sh") == "124\n0\n"


def test_second_job_does_not_see_the_result_of_the_first(shell: Shell) -> None:
    assert shell.output("bounded x 5 true; bounded x 0 sleep 1; echo $?", "report.sh", "job.sh") == "124\n"
