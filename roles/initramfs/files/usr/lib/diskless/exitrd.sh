# shellcheck shell=sh
# Put the exitrd, the little root that runs after systemd, into /run/initramfs.
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

: "${RUN:=/run/diskless}" "${RUNTIME:=/run}" "${LIB:=/usr/lib/diskless}" "${BUSYBOX:=/bin/busybox}"

# A file system of its own, because /run is mounted noexec and systemd tests that "shutdown" can be executed.
mount_exitrd()
{
	mount -t tmpfs -o mode=0700,size=32m,nosuid,nodev tmpfs "$1"
}

# fill_exitrd DIR
fill_exitrd()
{
	for exitrd_dir in bin dev etc/diskless oldroot proc run sys tmp usr/lib; do
		mkdir -p "$1/$exitrd_dir"
	done
	# kexec with its libraries, when the host has it (see the hook).
	[ ! -d "$LIB/exitrd-kexec" ] || cp -a "$LIB/exitrd-kexec/." "$1/"
	cp "$BUSYBOX" "$1/bin/busybox"
	for exitrd_applet in sh awk cat cut dmesg grep ip ln mkdir mount mv readlink rm sed sleep tac tr umount; do
		ln -sf busybox "$1/bin/$exitrd_applet"
	done
	cp -a "$LIB" "$1/usr/lib/"
	rm -rf "$1/usr/lib/diskless/exitrd-kexec"
	cp "$RUN/host.conf" "$1/etc/diskless/host.conf"
	# systemd wants to see that this is an initrd.
	: >"$1/etc/initrd-release"
	cp "$LIB/shutdown" "$1/shutdown"
	chmod 0755 "$1/shutdown"
}

install_exitrd()
{
	exitrd_new=$RUN/exitrd
	mkdir -p "$exitrd_new" "$RUNTIME/initramfs"
	mount_exitrd "$exitrd_new" || return
	# What the initramfs left there, such as the note that fsck has checked the root.
	cp -a "$RUNTIME/initramfs/." "$exitrd_new/"
	fill_exitrd "$exitrd_new" || return
	mount -o move "$exitrd_new" "$RUNTIME/initramfs" || return
	rmdir "$exitrd_new"
}
