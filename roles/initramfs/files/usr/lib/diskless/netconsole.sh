# shellcheck shell=sh
# What the kernel says goes to the log hosts of host.conf from now on, and so does what it said before: its buffer is sent as well.
# netconsole knows neither routes nor neighbours, so the hardware address of each target is looked up here
# (https://docs.kernel.org/networking/netconsole.html). Whatever goes wrong is one warning: a host boots without being watched.
# Needs report.sh, config.sh, job.sh and network.sh.
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

: "${PROC:=/proc}"

# The module takes no longer parameter.
NETCONSOLE_LONGEST=255

# Nothing is loaded yet, and every target is still to be found.
netconsole_forget()
{
	netconsole_pending=$DISKLESS_NETCONSOLE
	netconsole_loaded=
}

# "+": the format of /dev/kmsg, with sequence numbers. "r": the kernel's release in front of it, since Linux 6.6.
netconsole_format()
{
	netconsole_release=$(uname -r)
	netconsole_major=${netconsole_release%%.*}
	netconsole_minor=${netconsole_release#*.}
	netconsole_minor=${netconsole_minor%%[!0-9]*}
	if [ $((netconsole_major * 1000 + netconsole_minor)) -ge 6006 ]; then
		echo +r
	else
		echo +
	fi
}

# word_after WORD TEXT...: what stands behind WORD.
word_after()
{
	word_wanted=$1
	shift
	while [ $# -gt 1 ]; do
		if [ "$1" = "$word_wanted" ]; then
			echo "$2"
			return
		fi
		shift
	done
	return 1
}

# netconsole_hop NIC ADDRESS: "NEIGHBOUR SOURCE", as the kernel would send to ADDRESS.
netconsole_hop()
{
	hop_route=$(ip "$(ip_family "$2")" route get "$2" oif "$1" 2>/dev/null) || return
	# shellcheck disable=SC2086 # words
	hop_source=$(word_after src $hop_route) || return
	case "$hop_source $2" in
	# No address of the right scope yet: a router has to announce the network first.
	*" fe80:"*) ;;
	fe80:*) return 1 ;;
	esac
	# shellcheck disable=SC2086 # words
	hop_neighbour=$(word_after via $hop_route) || hop_neighbour=$2
	echo "$hop_neighbour $hop_source"
}

# netconsole_mac NIC NEIGHBOUR: the hardware address, if the kernel knows it.
netconsole_mac()
{
	ip "$(ip_family "$2")" neigh show dev "$1" | awk -v neighbour="$2" '
		$1 == neighbour { for (i = 2; i < NF; i++) if ($i == "lladdr") { print $(i + 1); found = 1; exit } }
		END { exit !found }'
}

# netconsole_target NIC TARGET: the words of the module parameter for ADDRESS:PORT or [ADDRESS]:PORT. Asks the network once for what is
# not known, and fails until there is an answer.
netconsole_target()
{
	target_port=${2##*:}
	target_address=${2%:*}
	target_address=${target_address#[}
	target_address=${target_address%]}
	target_hop=$(netconsole_hop "$1" "$target_address") || return
	target_source=${target_hop#* }
	target_hop=${target_hop% *}
	target_mac=$(netconsole_mac "$1" "$target_hop") || {
		case " $netconsole_asked " in
		*" $target_hop "*) ;;
		*)
			netconsole_asked="$netconsole_asked $target_hop"
			# Three times: the kernel may be about to give up an earlier question, and drops the packet that goes with it.
			ping "$(ip_family "$target_hop")" -c 3 -W 1 -I "$1" "$target_hop" >/dev/null 2>&1 &
			;;
		esac
		return 1
	}
	target_words="$(netconsole_format)@$target_source/$1,$target_port@$target_address/$target_mac"
}

# netconsole_find NIC: moves targets whose hardware address is known from netconsole_pending to netconsole_found.
netconsole_find()
{
	netconsole_still=
	for netconsole_wanted in $netconsole_pending; do
		if ! netconsole_target "$1" "$netconsole_wanted"; then
			netconsole_still=$netconsole_still${netconsole_still:+ }$netconsole_wanted
			continue
		fi
		target_words=$netconsole_found${netconsole_found:+;}$target_words
		if [ ${#target_words} -gt "$NETCONSOLE_LONGEST" ]; then
			say 4 "netconsole reason=too-long text=\"$netconsole_wanted has to wait for the operating system: the module takes $NETCONSOLE_LONGEST characters\""
		else
			netconsole_found=$target_words
		fi
	done
	netconsole_pending=$netconsole_still
}

# netconsole_load PARAMETER: the console level comes first, because the buffer is filtered as it is sent. One number: the other three stay.
netconsole_load()
{
	echo 8 >"$PROC/sys/kernel/printk"
	[ -z "$netconsole_loaded" ] || modprobe -r netconsole
	modprobe netconsole "netconsole=$1"
}

# netconsole_start NIC: may be repeated; a target that is found late gets the whole buffer as well. Takes 3 seconds at most while
# something does not answer, no matter how many.
netconsole_start()
{
	[ -n "$netconsole_pending" ] && [ -n "$1" ] && has_carrier "$1" || return 0
	netconsole_found=$netconsole_loaded
	netconsole_asked=
	netconsole_until=$(($(now) + 3))
	netconsole_find "$1"
	while [ -n "$netconsole_pending" ] && [ "$(now)" -lt "$netconsole_until" ]; do
		sleep 0.1
		netconsole_find "$1"
	done
	[ -z "$netconsole_pending" ] ||
		say 4 "netconsole reason=unreachable text=\"no way to $netconsole_pending: no route, or no answer to ARP or neighbour discovery\""
	[ "$netconsole_found" != "$netconsole_loaded" ] || return 0
	if bounded netconsole 10 netconsole_load "$netconsole_found"; then
		netconsole_loaded=$netconsole_found
		return
	fi
	say 4 "netconsole reason=unknown text=\"$(quotable "the kernel refuses netconsole=$netconsole_found: $(job_error netconsole)")\""
	netconsole_pending=
	[ -z "$netconsole_loaded" ] || bounded netconsole 10 modprobe netconsole "netconsole=$netconsole_loaded" || :
}
