# shellcheck shell=sh
# Files in /run that make the operating system keep the device and leave the network card alone.
# Needs config.sh and rbd.sh.
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154 # eval sets network_value

: "${RUN:=/run/diskless}" "${RUNTIME:=/run}" "${DEV:=/dev}" "${PROC:=/proc}"

# /dev/diskless/root now, and again when the operating system's udev sees the device.
link_root_device()
{
	mkdir -p "$DEV/diskless" "$RUNTIME/udev/rules.d"
	echo "SUBSYSTEM==\"block\", KERNEL==\"$1\", SYMLINK+=\"diskless/root\"" >"$RUNTIME/udev/rules.d/60-diskless-root.rules"
	ln -sfn "../$1" "$DEV/diskless/root"
}

set_hostname()
{
	[ -z "$DISKLESS_HOST" ] || echo "$DISKLESS_HOST" >"$PROC/sys/kernel/hostname"
}

# NIC: what carries the root must never be taken down or reconfigured.
keep_nic_unmanaged()
{
	mkdir -p "$RUNTIME/systemd/network" "$RUNTIME/NetworkManager/conf.d"
	cat >"$RUNTIME/systemd/network/05-diskless.network" <<-END
		# The root file system is on this network card.
		[Match]
		MACAddress=$DISKLESS_MAC

		[Link]
		Unmanaged=yes
	END
	cat >"$RUNTIME/NetworkManager/conf.d/05-diskless.conf" <<-END
		# The root file system is on this network card.
		[device-diskless]
		match-device=mac:$DISKLESS_MAC
		managed=0
	END
}

write_resolv_conf()
{
	for nameserver in $DISKLESS_NAMESERVERS; do
		echo "nameserver $nameserver"
	done >"$RUN/resolv.conf"
}

# write_network NIC
write_network()
{
	for network_name in MAC ADDRESS GATEWAY NAMESERVERS; do
		eval "network_value=\$DISKLESS_$network_name"
		echo "$network_name=$(quoted "$network_value")"
	done >"$RUN/network"
	echo "NIC=$(quoted "$1")" >>"$RUN/network"
}

in_brackets_if_v6()
{
	case $1 in
	*:*) echo "[$1]" ;;
	*) echo "$1" ;;
	esac
}

# /boot is this host's boot tree on the boot server, so that what apt puts there is what boots next.
# No default dependencies: the network is up since early boot, and network-online.target may wait for cards that are not ours.
# Detached lazily and softly mounted, so that a boot server that is gone stops neither the boot nor the shutdown.
write_boot_mount()
{
	[ -n "$DISKLESS_BOOT_SERVER" ] && [ -n "$DISKLESS_BOOT_EXPORT" ] || return 0
	mkdir -p "$RUNTIME/systemd/system/multi-user.target.wants"
	cat >"$RUNTIME/systemd/system/boot.mount" <<-END
		[Unit]
		Description=Boot tree of this host on the boot server
		DefaultDependencies=no
		Conflicts=umount.target
		Before=umount.target
		After=local-fs.target

		[Mount]
		What=$(in_brackets_if_v6 "$DISKLESS_BOOT_SERVER"):$DISKLESS_BOOT_EXPORT
		Where=/boot
		Type=nfs4
		Options=proto=tcp,softerr,timeo=100,retrans=3,nosuid,nodev,noatime
		TimeoutSec=60
		LazyUnmount=yes
		ForceUnmount=yes
	END
	ln -sfn ../boot.mount "$RUNTIME/systemd/system/multi-user.target.wants/boot.mount"
	write_boot_mount_retry
	write_firmware_mount
}

# A boot server that did not answer at boot is asked again every minute: systemd itself tries a mount only once.
write_boot_mount_retry()
{
	mkdir -p "$RUNTIME/systemd/system/timers.target.wants"
	cat >"$RUNTIME/systemd/system/diskless-boot-mount.service" <<-END
		[Unit]
		Description=Mount the boot tree if it is not mounted
		ConditionPathIsMountPoint=!/boot

		[Service]
		Type=oneshot
		ExecStart=systemctl --no-block start boot.mount
		# Not a line a minute about a condition that is not met.
		LogLevelMax=notice
	END
	cat >"$RUNTIME/systemd/system/diskless-boot-mount.timer" <<-END
		[Unit]
		Description=Look every minute whether the boot tree is mounted

		[Timer]
		OnCalendar=minutely
	END
	ln -sfn ../diskless-boot-mount.timer "$RUNTIME/systemd/system/timers.target.wants/diskless-boot-mount.timer"
}

# The package raspi-firmware writes what a disk would need to /boot/firmware, config.txt among it, and refuses to be updated, as do
# kernels, when that is no mount point. It gets a directory of the root, which nothing boots from: see update-kernel-cfg.
write_firmware_mount()
{
	[ "$(uname -m)" = aarch64 ] || return 0
	mkdir -p "$RUNTIME/systemd/system/boot.mount.wants"
	cat >"$RUNTIME/systemd/system/boot-firmware.mount" <<-END
		[Unit]
		Description=Directory that raspi-firmware may write to
		DefaultDependencies=no
		Conflicts=umount.target
		Before=umount.target
		ConditionPathExists=/usr/lib/raspi-firmware

		[Mount]
		What=/var/lib/diskless/firmware
		Where=/boot/firmware
		Type=none
		Options=bind
		TimeoutSec=10
		LazyUnmount=yes
	END
	ln -sfn ../boot-firmware.mount "$RUNTIME/systemd/system/boot.mount.wants/boot-firmware.mount"
}

# write_hints NIC
write_hints()
{
	save_host_conf
	set_hostname
	keep_nic_unmanaged
	write_resolv_conf
	write_network "$1"
	write_boot_mount
}
