# shellcheck shell=sh
# The network card that carries the root. Used in early boot and again in the exitrd, so every step may be repeated.
# A function that fails sets REASON and TEXT. Needs report.sh.
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2034 # the caller reads REASON and TEXT

: "${SYS:=/sys}" "${PROC:=/proc}"

# Name of the card with MAC address $1. Only cards: a bridge or VLAN on top of one has the same address.
nic_by_mac()
{
	nic_wanted=$(echo "$1" | tr 'A-F' 'a-f')
	for nic_dir in "$SYS"/class/net/*; do
		[ -e "$nic_dir/device" ] || continue
		read -r nic_mac <"$nic_dir/address" || continue
		if [ "$nic_mac" = "$nic_wanted" ]; then
			echo "${nic_dir##*/}"
			return
		fi
	done
	return 1
}

# " eth0=52:54:00:00:00:01 eth1=…": what there is instead of the card that was wanted.
nic_list()
{
	for nic_dir in "$SYS"/class/net/*; do
		[ -e "$nic_dir/device" ] || continue
		read -r nic_mac <"$nic_dir/address" || continue
		printf ' %s=%s' "${nic_dir##*/}" "$nic_mac"
	done
}

# wait_for_nic MAC SECONDS: sets NIC.
wait_for_nic()
{
	nic_until=$(($(now) + $2))
	until NIC=$(nic_by_mac "$1"); do
		if [ "$(now)" -ge "$nic_until" ]; then
			nic_seen=$(nic_list)
			REASON=no-nic
			TEXT="no network card has the address $1; found:${nic_seen:- none, is its driver in the initramfs?}"
			return 1
		fi
		sleep 0.2
	done
}

# udev renames a card as long as nobody uses it; a name taken before that is wrong a moment later.
settle_udev()
{
	command -v udevadm >/dev/null || return 0
	udevadm settle --timeout=10 || :
}

has_carrier()
{
	# Reading it fails with EINVAL while the card is down.
	read -r carrier 2>/dev/null <"$SYS/class/net/$1/carrier" && [ "$carrier" = 1 ]
}

# wait_for_carrier NIC SECONDS
wait_for_carrier()
{
	carrier_until=$(($(now) + $2))
	until has_carrier "$1"; do
		if [ "$(now)" -ge "$carrier_until" ]; then
			REASON=no-carrier
			TEXT="$1 has no link after $2 s: cable or switch port?"
			return 1
		fi
		sleep 0.2
	done
}

ip_family()
{
	case $1 in
	*:*) echo -6 ;;
	*) echo -4 ;;
	esac
}

# A static address is ours: duplicate address detection would only make the first packets wait (BusyBox ip has no "nodad").
skip_address_detection()
{
	for dad_file in "$PROC/sys/net/ipv6/conf/$1/accept_dad" "$PROC/sys/net/ipv6/conf/$1/dad_transmits"; do
		[ ! -w "$dad_file" ] || echo 0 >"$dad_file"
	done
}

has_address()
{
	ip "$(ip_family "$2")" addr show dev "$1" | grep -qF " $2 "
}

# put_address NIC ADDRESS/PREFIX
put_address()
{
	has_address "$1" "$2" || ip "$(ip_family "$2")" addr add "$2" dev "$1"
}

put_gateway()
{
	[ -z "$2" ] || ip "$(ip_family "$2")" route replace default via "$2" dev "$1"
}

# The network of host.conf, whatever state it is in now: sets NIC.
network_up()
{
	wait_for_nic "$DISKLESS_MAC" 20 || return
	settle_udev
	NIC=$(nic_by_mac "$DISKLESS_MAC") || return
	skip_address_detection "$NIC"
	ip link set dev "$NIC" up || network_command_failed "ip link set dev $NIC up" || return
	wait_for_carrier "$NIC" 20 || return
	put_address "$NIC" "$DISKLESS_ADDRESS" || network_command_failed "ip addr add $DISKLESS_ADDRESS dev $NIC" || return
	put_gateway "$NIC" "$DISKLESS_GATEWAY" || network_command_failed "ip route replace default via $DISKLESS_GATEWAY dev $NIC"
}

# The same without waiting and without a word, for the guard to repeat. It does not look whether the address is there: "ip addr show"
# opens /etc/iproute2/rt_scopes, which may be on a root that answers no more.
network_put_back()
{
	NIC=$(nic_by_mac "$DISKLESS_MAC") || return
	ip link set dev "$NIC" up
	ip "$(ip_family "$DISKLESS_ADDRESS")" addr add "$DISKLESS_ADDRESS" dev "$NIC"
	put_gateway "$NIC" "$DISKLESS_GATEWAY"
}

network_command_failed()
{
	REASON=unknown
	TEXT="'$1' failed"
	return 1
}
