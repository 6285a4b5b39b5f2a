# shellcheck shell=sh
# What this host is: from host.cpio, or from the older rbdroot= kernel parameter.
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2034,SC2154 # the other parts use these variables; eval sets save_value

: "${CONFIG:=/etc/diskless}" "${RUN:=/run/diskless}" "${PROC:=/proc}"

# Values that hold when nothing was read: a host that does not know itself still has to reboot in the end.
config_defaults()
{
	DISKLESS_HOST='' DISKLESS_MAC='' DISKLESS_ADDRESS='' DISKLESS_GATEWAY='' DISKLESS_NAMESERVERS=''
	DISKLESS_MONITORS='' DISKLESS_MS_MODE='' DISKLESS_USER=''
	DISKLESS_POOL='' DISKLESS_NAMESPACE='' DISKLESS_IMAGE='' DISKLESS_SNAPSHOT='-' DISKLESS_PARTITION=''
	DISKLESS_BOOT_SERVER='' DISKLESS_BOOT_EXPORT=''
	DISKLESS_EXITRD=yes DISKLESS_SHUTDOWN_TIMEOUT=120 DISKLESS_BOOT_TIMEOUT=600 DISKLESS_SHELL=no
	DISKLESS_NETCONSOLE='' DISKLESS_ROOT_OPTIONS=''
}

have_host_conf()
{
	[ -r "$CONFIG/host.conf" ] && [ -r "$CONFIG/key" ]
}

load_host_conf()
{
	# shellcheck source=/dev/null
	. "$CONFIG/host.conf"
}

# The value of kernel parameter $1.
kernel_parameter()
{
	read -r parameter_line <"$PROC/cmdline" || :
	for parameter_word in $parameter_line; do
		case $parameter_word in
		"$1"=*)
			echo "${parameter_word#*=}"
			return
			;;
		esac
	done
	return 1
}

have_rbdroot()
{
	kernel_parameter rbdroot >/dev/null
}

# rbdroot=MONITORS:USER:KEY:POOL:IMAGE[@SNAPSHOT]:[PARTITION]:[OPTIONS] (LTSP pull request 50). The key is not kept: see read_key.
load_rbdroot()
{
	set -f
	IFS=: read -r rbdroot_monitors DISKLESS_USER rbdroot_key DISKLESS_POOL rbdroot_image DISKLESS_PARTITION DISKLESS_ROOT_OPTIONS <<-END
		$(kernel_parameter rbdroot)
	END
	set +f
	rbdroot_key=
	: "$rbdroot_key"
	DISKLESS_IMAGE=${rbdroot_image%%@*}
	case $rbdroot_image in
	*@*) DISKLESS_SNAPSHOT=${rbdroot_image#*@} ;;
	esac
	DISKLESS_MONITORS=$(rbdroot_monitor_list "$rbdroot_monitors")
	DISKLESS_MS_MODE=legacy
	DISKLESS_HOST=$DISKLESS_IMAGE
}

# A port other than 6789 is written with ';', because ':' separates the fields of rbdroot=.
rbdroot_monitor_list()
{
	rbdroot_list=
	for rbdroot_monitor in $(echo "$1" | tr ',' ' '); do
		case $rbdroot_monitor in
		*';'*) rbdroot_monitor=${rbdroot_monitor%%;*}:${rbdroot_monitor#*;} ;;
		*) rbdroot_monitor=$rbdroot_monitor:6789 ;;
		esac
		rbdroot_list=$rbdroot_list${rbdroot_list:+,}$rbdroot_monitor
	done
	echo "$rbdroot_list"
}

# Print the cephx key. Use it in a redirection or a command substitution only: it must never be an argument of a program.
read_key()
{
	if have_host_conf; then
		read -r key_text <"$CONFIG/key"
	else
		IFS=: read -r key_monitors key_user key_text key_rest <<-END
			$(kernel_parameter rbdroot)
		END
		: "$key_monitors" "$key_user" "$key_rest"
	fi
	echo "$key_text"
}

# quoted VALUE: as a word for the shell.
quoted()
{
	printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

# What the operating system and the exitrd need to know; there is no key in it.
save_host_conf()
{
	mkdir -p "$RUN"
	for save_name in HOST MAC ADDRESS GATEWAY NAMESERVERS MONITORS MS_MODE USER POOL NAMESPACE IMAGE SNAPSHOT PARTITION \
		BOOT_SERVER BOOT_EXPORT EXITRD SHUTDOWN_TIMEOUT BOOT_TIMEOUT SHELL NETCONSOLE; do
		eval "save_value=\$DISKLESS_$save_name"
		echo "DISKLESS_$save_name=$(quoted "$save_value")"
	done >"$RUN/host.conf.new"
	mv "$RUN/host.conf.new" "$RUN/host.conf"
}
