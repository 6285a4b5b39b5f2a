# shellcheck shell=sh
# Map and unmap the root image through the kernel's own interface (Documentation/ABI/testing/sysfs-bus-rbd).
# A function that fails sets REASON and TEXT. Needs report.sh, job.sh and config.sh.
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2034 # the caller reads REASON and TEXT

: "${SYS:=/sys}" "${DEV:=/dev}"
RBD_BUS=$SYS/bus/rbd

image_spec()
{
	spec="$DISKLESS_POOL/${DISKLESS_NAMESPACE:+$DISKLESS_NAMESPACE/}$DISKLESS_IMAGE"
	[ "$DISKLESS_SNAPSHOT" = - ] || spec="$spec@$DISKLESS_SNAPSHOT"
	echo "$spec"
}

# First line of a sysfs attribute; nothing when the kernel is too old to have it.
attribute()
{
	read -r attribute_value 2>/dev/null <"$1" || attribute_value=
	echo "$attribute_value"
}

# Id (N of rbdN) of the mapping of our image. Never "the newest /dev/rbd*": the host may map other images as well.
find_mapping()
{
	for mapping_dir in "$RBD_BUS"/devices/*; do
		[ -e "$mapping_dir/name" ] || continue
		[ "$(attribute "$mapping_dir/pool")" = "$DISKLESS_POOL" ] || continue
		[ "$(attribute "$mapping_dir/pool_ns")" = "$DISKLESS_NAMESPACE" ] || continue
		[ "$(attribute "$mapping_dir/name")" = "$DISKLESS_IMAGE" ] || continue
		[ "$(attribute "$mapping_dir/current_snap")" = "$DISKLESS_SNAPSHOT" ] || continue
		echo "${mapping_dir##*/}"
		return
	done
	return 1
}

# control add|remove: the file to write to. Where the kernel has the single_major one, it refuses the other.
control()
{
	if [ -e "$RBD_BUS/${1}_single_major" ]; then
		echo "$RBD_BUS/${1}_single_major"
	else
		echo "$RBD_BUS/$1"
	fi
}

map_options()
{
	echo "name=$DISKLESS_USER${DISKLESS_MS_MODE:+,ms_mode=$DISKLESS_MS_MODE}${DISKLESS_NAMESPACE:+,_pool_ns=$DISKLESS_NAMESPACE},mount_timeout=30"
}

# The only place that handles the key: it goes from a variable through the builtin echo into the kernel.
# echo and not printf: BusyBox printf does not say why a write failed.
write_map()
{
	{ set +x; } 2>/dev/null
	echo "$DISKLESS_MONITORS $(map_options),secret=$(read_key) $DISKLESS_POOL $DISKLESS_IMAGE $DISKLESS_SNAPSHOT" >"$(control add)"
}

# Kernel messages since the line that contains $1.
kernel_messages_since()
{
	dmesg | awk -v mark="$1" 'index($0, mark) { text = ""; next } { text = text $0 "\n" } END { printf "%s", text }'
}

# The names of the bits in the hexadecimal number $1 (include/linux and src/include/rbd/features.h).
feature_names()
{
	feature_bits=$(($1))
	feature_list=
	for feature_name in layering striping exclusive-lock object-map fast-diff deep-flatten journaling data-pool operations migrating \
		non-primary dirty-cache; do
		if [ $((feature_bits & 1)) = 1 ]; then
			feature_list="$feature_list${feature_list:+, }$feature_name"
		fi
		feature_bits=$((feature_bits >> 1))
	done
	[ "$feature_bits" = 0 ] || feature_list="$feature_list${feature_list:+, }unknown ones"
	echo "$feature_list"
}

# classify_map_error ERROR KERNEL_MESSAGES: sets REASON and TEXT.
classify_map_error()
{
	case $2 in
	*"unsupported features: 0x"*)
		features=${2##*unsupported features: }
		features=$(echo "$features" | sed 's/[^0-9a-fx].*//;q')
		REASON=unsupported-features
		TEXT="image $(image_spec) has features that kernel $(uname -r) cannot map: $(feature_names "$features") ($features)"
		return
		;;
	esac
	case $1$2 in
	*"does not exist"* | *"No such file"*)
		REASON=no-image
		TEXT="image $(image_spec) does not exist"
		;;
	*"Cannot send after"*)
		REASON=blocklisted
		TEXT="Ceph has blocklisted this host ($DISKLESS_ADDRESS)"
		;;
	*"Permission denied"* | *"not permitted"* | *"authentication failed"*)
		REASON=auth
		TEXT="Ceph refuses client.$DISKLESS_USER: wrong key, no such user, or capabilities that exclude $(image_spec) or this address"
		;;
	*"timed out"* | *"unreachable"* | *"No route"*)
		REASON=unreachable
		TEXT="no answer from the monitors $DISKLESS_MONITORS"
		;;
	*)
		REASON=unknown
		TEXT="mapping $(image_spec) failed: ${1:-no error text}"
		;;
	esac
}

load_driver()
{
	[ -d "$RBD_BUS" ] || modprobe rbd || [ -d "$RBD_BUS" ] || {
		REASON=unknown
		TEXT="kernel module rbd does not load: is it in this initramfs, built for $(uname -r)?"
		return 1
	}
}

# map_image MARK UNTIL: write once and wait, at most until the uptime UNTIL. MARK is a unique line that we log first.
#
# A write that hangs is left alone: killing it while it acquires the exclusive lock gets the client blocklisted, and
# a second one beside it shares that client.
map_image()
{
	say 5 "$1"
	job_start map write_map
	# Longer than mount_timeout: silent monitors have ended it by then.
	until job_wait map 40 || [ -s "$RUN/map.rc" ]; do
		REASON=timeout
		TEXT="the monitors answer, but the kernel has not finished mapping $(image_spec): are the OSDs up?"
		[ "$(now)" -lt "$2" ] || return 1
		say 4 "waiting step=map text=\"$TEXT\""
	done
	if job_wait map 0; then
		job_forget map
		return
	fi
	classify_map_error "$(job_error map)" "$(kernel_messages_since "$1")"
	return 1
}

# device_name ID: rbdN, or its partition.
device_name()
{
	echo "rbd$1${DISKLESS_PARTITION:+p$DISKLESS_PARTITION}"
}

# wait_for_node NAME SECONDS
wait_for_node()
{
	node_until=$(($(now) + $2))
	until [ -b "$DEV/$1" ]; do
		if [ "$(now)" -ge "$node_until" ]; then
			REASON=timeout
			TEXT="mapped, but there is no $DEV/$1 after $2 s"
			return 1
		fi
		sleep 0.1
	done
}

# unmap ID [force]
unmap()
{
	echo "$1${2:+ $2}" >"$(control remove)"
}
