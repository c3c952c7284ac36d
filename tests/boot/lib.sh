# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the boot tests share. They run as root on the emulated KVM host (tests/rig), need no tool of ours, and print a
# line for each thing that they have seen to hold. The first that does not ends the test.
set -eu
config=/sys/kernel/config/lpar/partitions
state=/sys/kernel/lpar
guests=$LPAR_TREE/tests/boot/guest
nvme=/dev/nvme0n1

# What the guests said last: why a test failed may be there.
last_words() {
	local log
	for log in /run/rig/log/*/output.log; do
		[ ! -s "$log" ] || tail -n 5 "$log" "${log%/*}/emulator.log" 2>/dev/null | sed "s/^/    /"
	done
}

# A test that fails must leave the machine clean, or its reason drowns in what follows from it.
cleanup() {
	local status=$?
	[ $status -eq 0 ] || last_words
	if [ $status -ne 0 ] && [ -d "$config" ]; then
		pkill -KILL qemu-system || true
		sleep 1
		for name in "$config"/*; do [ ! -d "$name" ] || remove "${name##*/}" || true; done
		rmdir "${config%/*}"/adjuncts/* 2>/dev/null || true
	fi
	exit $status
}
trap cleanup EXIT

ok() { echo "ok - $*"; }
fail() { echo "not ok - $*"; exit 1; }

# equal WHAT GOT WANTED
equal() {
	[ "$2" = "$3" ] || fail "$1: got '$2', wanted '$3'"
	ok "$1: $2"
}

# silent WHAT COMMAND…: it must succeed, and say nothing
silent() {
	local what=$1 out
	shift
	out=$("$@" 2>&1) || fail "$what: $out"
	equal "$what" "$out" ""
}

# at_least WHAT GOT LEAST; at_most WHAT GOT MOST
at_least() {
	[ "$2" -ge "$3" ] || fail "$1: $2, wanted at least $3"
	ok "$1: $2 (at least $3)"
}
at_most() {
	[ "$2" -le "$3" ] || fail "$1: $2, wanted at most $3"
	ok "$1: $2 (at most $3)"
}

# refused WHAT ERRNO-TEXT COMMAND…: the command must fail, and say this
refused() {
	local what=$1 text=$2 out
	shift 2
	if out=$("$@" 2>&1); then fail "$what: was not refused"; fi
	[[ $out = *"$text"* ]] || fail "$what: refused with '$out', wanted '$text'"
	ok "$what: refused: $text"
}

# faults_wanted: this test has the IOMMU refuse accesses
faults_wanted() { : >/run/rig/faults; }

write() { echo "$2" >"$1"; }

# partition NAME [ATTRIBUTE=VALUE…]
partition() {
	local name=$1 pair
	shift
	mkdir "$config/$name"
	for pair in "$@"; do write "$config/$name/${pair%%=*}" "${pair#*=}"; done
}

# function_at FOLDER ATTRIBUTE=VALUE…: make a disk or NIC and enable it; says why it is refused
function_at() {
	local dir=$1 pair
	shift
	mkdir "$dir"
	for pair in "$@"; do write "$dir/${pair%%=*}" "${pair#*=}"; done
	if ! write "$dir/enable" 1 2>/dev/null; then
		echo "$(<"$dir/status")" >&2
		return 1
	fi
}

# disk PARTITION NAME DEVICE [ATTRIBUTE=VALUE…]
disk() { function_at "$config/$1/disks/$2" "device=$3" "${@:4}"; }

# nic PARTITION NAME NETDEV [ATTRIBUTE=VALUE…]
nic() { function_at "$config/$1/nics/$2" "adapter=$3" "${@:4}"; }

# netdev_of MAC: the network device that has it
netdev_of() { grep -lx "$1" /sys/class/net/*/address | head -n 1 | cut -d/ -f5; }

# remove PARTITION…: with all its disks, NICs and mailboxes
remove() {
	local name
	for name in "$@"; do
		rmdir "$config/$name"/disks/* "$config/$name"/nics/* "$config/$name"/vfs/* 2>/dev/null || true
		rmdir "$config/$name"
	done
}

# counter PARTITION NAME: a partition's counter
counter() {
	if [ -e "$state/partitions/$1/stats/$2" ]; then
		cat "$state/partitions/$1/stats/$2"
	else
		cat "$state/partitions/$1/$2"
	fi
}

# adapter_of DEVICE: its PCI address
adapter_of() {
	local path
	path=$(readlink -f "/sys/class/block/${1#/dev/}")
	grep -o '[0-9a-f]\{4\}:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]\.[0-7]' <<<"$path" | tail -n 1
}

# wait_for WHAT SECONDS COMMAND…: SECONDS is for real hardware; an emulated machine that shares its CPUs has three minutes
# more, and the debug kernel ten
wait_for() {
	local what=$1 limit=$2
	[ "$RIG_ACCEL" != tcg ] || limit=$((limit + 180))
	[[ $LPAR_KVER${LPAR_GUEST_KVER-} != *debug* ]] || limit=$((limit + 600))
	local end=$((SECONDS + limit))
	while ((SECONDS < end)); do
		if "${@:3}" >/dev/null 2>&1; then return; fi
		sleep 0.2
	done
	fail "$what: not after $limit s"
}

# count SMALL FULL: how often; LPAR_SOAK is per cent of the full count, and `make check` takes the small one
count() {
	local n=$(($2 * ${LPAR_SOAK:-0} / 100))
	echo $((n > $1 ? n : $1))
}

# no_splats CONSOLE: of a guest whose log folder goes, or that the rig did not boot
no_splats() { ! grep -saE "$RIG_SPLATS" "$1" || fail "$1"; }

# fresh NAME: a guest's log folder (guest -o NAME) that is not there from an earlier run; prints its path
fresh() {
	no_splats "/run/rig/log/$1/console.log" >&2
	rm -rf "/run/rig/log/$1"
	echo "/run/rig/log/$1"
}

# nothing_left PARTITION…: all that a client had is back
nothing_left() {
	local name
	for name in "$@"; do
		equal "$name: pinned bytes" "$(counter "$name" pinned_bytes)" 0
		equal "$name: windows" "$(counter "$name" windows)" 0
		equal "$name: queues" "$(counter "$name" queues)" 0
	done
}
