# shellcheck shell=sh
# The end: no caches are written back, no file of the root is touched, and if the kernel's orderly way does not work, sysrq does.
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

: "${PROC:=/proc}" "${BUSYBOX:=/bin/busybox}"

# Run a BusyBox applet with the working directory, a root in memory, as its root: before it reboots, BusyBox looks for /var/log/wtmp,
# and on a root whose Ceph is gone that look never ends. In the background, so that it cannot stop what comes after it.
halt_applet()
{
	"$BUSYBOX" chroot . /bin/busybox "$@" &
	"$BUSYBOX" sleep 5
}

# halt_machine reboot|poweroff|halt|kexec. kexec needs /sbin/kexec, so only the exitrd may ask for it.
# -n: BusyBox would write caches back first, which hangs when the device does.
halt_machine()
{
	case $1 in
	poweroff)
		halt_applet poweroff -n -f
		echo o >"$PROC/sysrq-trigger"
		;;
	halt)
		halt_applet halt -n -f
		;;
	kexec)
		[ ! -x /sbin/kexec ] || /sbin/kexec -e
		;;
	esac
	case $1 in
	reboot | kexec)
		halt_applet reboot -n -f
		echo b >"$PROC/sysrq-trigger"
		;;
	esac
	# Process 1 must not end: the kernel panics.
	while :; do
		"$BUSYBOX" sleep 60
	done
}
