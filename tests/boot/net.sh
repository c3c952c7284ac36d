# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the boot tests of NICs share: $port is the adapter to be shared, its cable ends in the network namespace "wire"
# (10.9.0.2) at a second adapter, which $other is. Their machine needs both of these, which a hub of the emulator joins:
#   -d "-netdev hubport,hubid=7,id=ha -device e1000e,netdev=ha,mac=52:54:00:00:00:01"
#   -d "-netdev hubport,hubid=7,id=hb -device e1000e,netdev=hb,mac=52:54:00:00:00:02"
. "$LPAR_TREE/tests/boot/lib.sh"

on_wire() { ip netns exec wire "$@"; }

# wire_vlan ID ADDRESS: the wire is in this VLAN as well
wire_vlan() {
	modprobe 8021q
	on_wire ip link add link "$other" name "v$1" type vlan id "$1"
	on_wire ip addr add "$2/24" dev "v$1"
	on_wire ip link set "v$1" up
}

# port_up: both ends have addresses, and the host (10.9.0.1) reaches the wire
port_up() {
	modprobe e1000e
	other=$(netdev_of 52:54:00:00:00:02)
	ip netns add wire
	# it answers for an address where that is, and nowhere else
	on_wire busybox sysctl -q -w net.ipv4.conf.all.arp_ignore=1
	ip link set "$other" netns wire
	on_wire ip addr add 10.9.0.2/24 dev "$other"
	on_wire ip link set "$other" up
	port_address
}

# port_address: the host's end only
port_address() {
	port=$(netdev_of 52:54:00:00:00:01)
	ip addr add 10.9.0.1/24 dev "$port"
	ip link set "$port" up
	wait_for "the wire is up" 30 busybox ping -c 1 -W 1 10.9.0.2
}

# host_reaches WHO ADDRESS
host_reaches() { wait_for "the host reaches $1" 20 busybox ping -c 1 -W 2 "$2"; ok "the host reaches $1"; }

# adapter_of_net NETDEV: its PCI address
adapter_of_net() { basename "$(readlink -f "/sys/class/net/$1/device")"; }

# sum_of FILE
sum_of() { md5sum <"$1" | cut -d' ' -f1; }

# nc ends a connection when its input ends: this one is open, and silent
exec {open}<> <(:)
