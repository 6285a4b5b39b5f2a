# shellcheck shell=sh
# Early boot: from "the kernel runs" to "the root file system is mounted". Knows nothing of the initramfs it runs in:
# initramfs-tools' scripts call boot_started, boot_root_device and boot_root_mounted at the right moments.
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

: "${LIB:=/usr/lib/diskless}"
for boot_part in report job config network netconsole rbd root hints exitrd halt; do
	# shellcheck source=/dev/null
	. "$LIB/$boot_part.sh"
done

# Is the root ours at all? An initramfs that was built with us must still boot a host with a disk.
boot_is_ours()
{
	have_host_conf || have_rbdroot || [ "$(kernel_parameter root)" = /dev/diskless/root ]
}

boot_started()
{
	boot_is_ours || return 0
	config_defaults
	! have_host_conf || load_host_conf
	stage kernel "release=$(uname -r)"
}

# boot_root_device [NETWORK]: /dev/diskless/root exists when this returns. Otherwise it reboots.
# NETWORK is a command that configures the network where no host.conf says how; it sets NIC.
boot_root_device()
{
	boot_is_ours || return 0
	mkdir -p "$RUN"
	config_defaults
	if have_host_conf; then
		load_host_conf
	elif have_rbdroot; then
		load_rbdroot
		say 4 "the key of client.$DISKLESS_USER is in the kernel parameter rbdroot=, which every user can read in /proc/cmdline: move this host to host.cpio"
	else
		boot_failed config no-config "no $CONFIG/host.conf and key: the boot loader has not loaded host.cpio"
	fi
	boot_network=${1:-network_up}
	! have_host_conf || boot_network=network_up
	netconsole_forget
	until boot_with_retries $(($(now) + DISKLESS_BOOT_TIMEOUT)); do
		boot_failed "$STEP" "$REASON" "$TEXT"
	done
}

# boot_with_retries UNTIL
boot_with_retries()
{
	boot_attempt=1
	boot_pause=2
	boot_network_reported=no
	until boot_once "$1"; do
		# A map that hangs in the kernel must not get a second one beside it.
		[ "$STEP $REASON" != "map timeout" ] || return
		[ $(($(now) + boot_pause)) -lt "$1" ] || return
		say 4 "retry step=$STEP attempt=$boot_attempt wait=$boot_pause error=\"$(quotable "$TEXT")\" reason=$REASON"
		sleep "$boot_pause"
		boot_attempt=$((boot_attempt + 1))
		boot_pause=$((boot_pause * 2))
		[ "$boot_pause" -le 30 ] || boot_pause=30
	done
}

# boot_once UNTIL: every step looks first whether its work is done already.
boot_once()
{
	STEP=network REASON=unknown TEXT='no error text'
	NIC=
	boot_network_result=0
	"$boot_network" || boot_network_result=$?
	# Also when the rest of the network has failed: then somebody hears of it.
	netconsole_start "$NIC"
	[ "$boot_network_result" = 0 ] || return "$boot_network_result"
	if [ "$boot_network_reported" = no ]; then
		stage network "dev=$NIC" "address=$DISKLESS_ADDRESS"
		boot_network_reported=yes
	fi

	STEP=map
	load_driver || return
	boot_mapping=$(find_mapping) || {
		map_image "mapping image=$(image_spec) monitors=$DISKLESS_MONITORS attempt=$boot_attempt" "$1" || return
		boot_mapping=$(find_mapping) || {
			TEXT="the kernel accepted $(image_spec) but shows no such mapping"
			return 1
		}
	}
	boot_device=$(device_name "$boot_mapping")
	wait_for_node "$boot_device" 20 || return
	link_root_device "$boot_device"
	write_hints "$NIC"
	stage map "dev=$boot_device" "image=$(image_spec)"
}

# boot_failed STEP REASON TEXT: reboot, because nobody sits at this console. A shell only where one was asked for; leaving it tries again.
boot_failed()
{
	stage_failed "$1" "$2" "$3"
	if [ "$DISKLESS_SHELL" = yes ]; then
		echo "diskless: a shell as DISKLESS_SHELL=yes asks for; 'exit' tries again" >"$CONSOLE"
		sh -i <>"$CONSOLE" >&0 2>&1
		return
	fi
	# Time to read it.
	sleep 10
	halt_machine reboot
}

# Somebody wants a shell at a certain point of the boot (break= of initramfs-tools); that is no failure.
boot_is_to_break()
{
	read -r break_line <"$PROC/cmdline" || :
	case " $break_line " in
	*" break "* | *" break="*) ;;
	*) return 1 ;;
	esac
}

# boot_root_failed MOUNT_POINT: the initramfs has no root to go on with. Reboots, or returns for the shell that was asked for.
boot_root_failed()
{
	boot_is_ours && ! boot_is_to_break || return 0
	config_defaults
	# Where /run has moved to the new root already, it is below that.
	for boot_conf in "$CONFIG/host.conf" "$RUN/host.conf" "$1$RUN/host.conf"; do
		# shellcheck source=/dev/null
		[ ! -r "$boot_conf" ] || . "$boot_conf"
	done
	mkdir -p "$RUN"
	classify_root_error "$1"
	stage_failed root "$REASON" "$TEXT"
	[ "$DISKLESS_SHELL" != yes ] || return 0
	# Time to read it.
	sleep 10
	# If nothing is mounted, this releases the lock.
	! boot_mapping=$(find_mapping) || bounded unmap 10 unmap "$boot_mapping" || :
	halt_machine reboot
}

boot_root_mounted()
{
	boot_is_ours || return 0
	config_defaults
	# shellcheck source=/dev/null
	. "$RUN/host.conf"
	stage root
	[ "$DISKLESS_EXITRD" = yes ] || return 0
	install_exitrd || say 3 "the exitrd could not be installed: this host will leave its lock behind at shutdown"
}
