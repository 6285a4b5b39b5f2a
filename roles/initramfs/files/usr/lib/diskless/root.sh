# shellcheck shell=sh
# Why the root file system is not there although its image is mapped: from what fsck and the kernel have said.
# Needs report.sh and rbd.sh.
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2034 # the caller reads REASON and TEXT

: "${PROC:=/proc}" "${DEV:=/dev}" "${RUNTIME:=/run}"

# last_words: the last three lines of the input as one.
last_words()
{
	tail -n 3 | awk '{ $1 = $1; printf "%s%s", separator, $0; separator = "; " }'
}

# What fsck has said, without what logsave(8) puts around it.
fsck_words()
{
	grep -v -e '^Log of fsck' -e 'exited with status code' -e '^[A-Z][a-z][a-z] [A-Z][a-z][a-z] .*:[0-9][0-9] [0-9]*$' -e '^-*$' \
		-e '(i.e., without' "$RUNTIME/initramfs/fsck.log" 2>/dev/null | last_words
}

# What the kernel has said of devices and file systems since the image was mapped.
root_kernel_words()
{
	kernel_messages_since 'diskless: stage=map' |
		sed 's/^\[[^]]*\] *//' |
		grep -E 'rbd[0-9]|libceph|I/O error|-fs |XFS|BTRFS|JBD2|VFS' | last_words
}

# Is something mounted at $1?
is_mounted()
{
	awk -v at="$1" '$2 == at { found = 1 } END { exit !found }' "$PROC/mounts"
}

# The initramfs notes a check that went well; no note and no log: it did not check.
fsck_failed()
{
	[ -s "$RUNTIME/initramfs/fsck.log" ] && [ ! -e "$RUNTIME/initramfs/fsck-root" ]
}

# classify_root_error MOUNT_POINT: sets REASON and TEXT.
classify_root_error()
{
	root_words=$(root_kernel_words)
	if is_mounted "$1"; then
		REASON=no-init
		TEXT="the root file system has no init that can be started"
	elif [ ! -e "$DEV/diskless/root" ]; then
		REASON=no-device
		TEXT="there is no $DEV/diskless/root${root_words:+: $root_words}"
	elif fsck_failed; then
		REASON=fsck
		TEXT="$(fsck_words)${root_words:+; $root_words}"
	elif [ -n "$root_words" ]; then
		REASON=mount
		TEXT=$root_words
	else
		REASON=no-filesystem
		TEXT="no file system is found on $DEV/diskless/root"
	fi
}
