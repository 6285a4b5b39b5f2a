# shellcheck shell=sh
# Run what may hang in the kernel (state D: no signal ends it) without hanging with it.
# Needs report.sh.
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

: "${RUN:=/run/diskless}"

# job_start NAME COMMAND...: COMMAND runs beside us; its result and error text appear in $RUN/NAME.{rc,err}.
# COMMAND may be a function of this shell, so that a secret stays in a variable and out of every argument list.
job_start()
{
	job_name=$1
	shift
	rm -f "$RUN/$job_name.rc"
	(
		"$@" 2>"$RUN/$job_name.err"
		echo $? >"$RUN/$job_name.rc"
	) &
}

# job_wait NAME SECONDS: the job's own result; 124 while it still runs. May be called again.
job_wait()
{
	job_until=$(($(now) + $2))
	until [ -s "$RUN/$1.rc" ]; do
		[ "$(now)" -lt "$job_until" ] || return 124
		sleep 0.1
	done
	read -r job_rc <"$RUN/$1.rc"
	return "$job_rc"
}

# bounded NAME SECONDS COMMAND...: wait at most SECONDS; 124 when COMMAND was left behind, still running.
bounded()
{
	bounded_name=$1
	bounded_seconds=$2
	shift 2
	job_start "$bounded_name" "$@"
	job_wait "$bounded_name" "$bounded_seconds"
}

job_forget()
{
	rm -f "$RUN/$1.rc" "$RUN/$1.err"
}

job_error()
{
	tr '\n' ' ' <"$RUN/$1.err"
}
