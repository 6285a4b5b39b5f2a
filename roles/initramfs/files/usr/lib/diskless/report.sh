# shellcheck shell=sh
# What the host says about itself: on /dev/kmsg, so that netconsole carries it, and on the console.
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

: "${KMSG:=/dev/kmsg}" "${CONSOLE:=/dev/console}" "${PROC:=/proc}"

# Seconds since the kernel started: the clock of early boot, which nothing sets back.
now()
{
	read -r now_uptime now_idle <"$PROC/uptime"
	: "$now_idle"
	echo "${now_uptime%.*}"
}

boot_id()
{
	read -r boot_id_value <"$PROC/sys/kernel/random/boot_id" || boot_id_value=unknown
	echo "$boot_id_value"
}

# Text that fits between the double quotes of key="...".
quotable()
{
	printf '%s' "$*" | tr '\n\t"' "  '" | cut -c 1-400
}

# say LEVEL TEXT: LEVEL as in printk (3 error, 4 warning, 5 notice).
say()
{
	say_level=$1
	shift
	echo "<$say_level>diskless: $*" >>"$KMSG"
	if ! kernel_prints "$say_level"; then
		# A console that has gone away must not end a boot.
		echo "diskless: $*" 2>/dev/null >>"$CONSOLE" || :
	fi
}

# Does the kernel itself print messages of level $1 on the console?
kernel_prints()
{
	# The shell reads byte by byte, and the kernel ends this file after the first: read gets the number and reports a failure.
	read -r console_level console_rest <"$PROC/sys/kernel/printk" || :
	: "$console_rest"
	[ "$1" -lt "${console_level:-0}" ]
}

# stage NAME [KEY=VALUE...]
stage()
{
	stage_name=$1
	shift
	say 5 "stage=$stage_name host=${DISKLESS_HOST:-unknown} boot=$(boot_id)${1:+ $*}"
}

# stage_failed STEP REASON TEXT
stage_failed()
{
	stage failed "step=$1" "reason=$2" "text=\"$(quotable "$3")\""
}
