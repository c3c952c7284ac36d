# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the benchmarks share on the emulated KVM host: counters, and objects of what a job says. Its user sets $clock,
# $iommu, $address (the adapter's), $bells (a pattern: the emulator's events that are writes to the adapter's doorbells)
# and $counting (not empty: the events are counted, which takes time).
. "$LPAR_TREE/tests/boot/lib.sh"
tracing=/sys/kernel/tracing/events
bench=$LPAR_TREE/tests/bench
oracle=/run/rig/log/guest_errors.log
copied_file=$state/partitions/bench/stats/bytes_copied
dispatches_file=$state/partitions/bench/stats/dispatches
idler=$(cat /run/rig/idler 2>/dev/null || true)
set -o pipefail
# under icount a machine that waits for the outside may see its clock leap
timeout=1000
[ "$clock" != icount ] || timeout=100000

# hits EVENT: of a histogram
hits() { sed -n 's/^ *Hits: //p' "$tracing/$1/hist"; }

# Invalidations of the IOTLB among what the IOMMU driver submits: type 2 in the low four bits of the first word
flushes() {
	local sum=0 key count
	while read -r key count; do
		((key % 16 != 2)) || sum=$((sum + count))
	done < <(sed -n 's/^{ qw0: *\([0-9]*\) } hitcount: *\([0-9]*\).*/\1 \2/p' "$tracing/intel_iommu/qi_submit/hist")
	echo $sum
}

# Writes to the adapter's doorbells, and the guest's doorbells that KVM signalled
adapter_bells() { grep -acE "$bells" $oracle || true; }
guest_bells() { sed -n 's/^ *lpar_doorbell  *\([0-9]*\) .*/\1/p' /sys/kernel/tracing/kprobe_profile; }

# count_events EVENT: of the emulator's
count_events() {
	counting=1
	# both are quick to look up: no process, and no text, for each event
	echo 'hist:keys=common_type' >$tracing/iommu/map/trigger
	echo 'hist:keys=qw0' >$tracing/intel_iommu/qi_submit/trigger
	echo 'p:lpar_doorbell ioeventfd_write' >>/sys/kernel/tracing/kprobe_events
	echo 1 >$tracing/kprobes/lpar_doorbell/enable
	l0 trace-event-set-state "name=$1" enable=true >/dev/null
}

# prepare PATH: before what is counted of a job
prepare() { :; }

# sample: all counters, in `now`. Under icount a nanosecond is an instruction, and the rig's idle task has those that nobody
# needed.
sample() {
	local exits copied=0 dispatches=0 idle=0 clock=${EPOCHREALTIME/./}000
	[ -z "$idler" ] || read -r idle _ <"/proc/$idler/schedstat"
	read -r exits </sys/kernel/debug/kvm/exits
	[ ! -e $copied_file ] || read -r copied <$copied_file
	[ ! -e $dispatches_file ] || read -r dispatches <$dispatches_file
	now=("$exits" "$copied" $((clock - idle)) "$dispatches")
	[ -z "$counting" ] || now+=("$(hits iommu/map)" "$(flushes)" "$(guest_bells)" "$(adapter_bells)")
}

# job ROUND COMMAND…: run a job here; job_on_guest ROUND GUEST-OPTIONS… COMMAND…
job() {
	"${@:2}" | results "$1" /run/rig/log
}
job_on_guest() {
	local log
	log=$(fresh bench)
	guest -o "$log" -t "$timeout" "${@:2}" | results "$1" "$log"
}

# results ROUND FOLDER: make objects of what a job says, which waits each time for a mark there
results() {
	local word path rest before i
	while read -r word path rest; do
		case $word in
		begin)
			prepare "$path"
			sample
			before=("${now[@]}")
			printf '{"clock":"%s","iommu":"%s","path":"%s",%s,"round":%d,' $clock $iommu "$path" "$rest" "$1"
			;;
		end)
			sample
			for i in "${!now[@]}"; do now[i]=$((now[i] - before[i])); done
			printf '%s,"exits":%d,"copied_bytes":%d,"busy_ns":%d,"dispatches":%d' "$path$rest" "${now[@]:0:4}"
			[ -z "$counting" ] ||
				printf ',"iommu_maps":%d,"iommu_flushes":%d,"guest_doorbells":%d,"adapter_doorbells":%d' "${now[@]:4}"
			printf '}\n'
			;;
		*) echo "# $word $path $rest" && continue ;;
		esac
		: >"$2/seen"
	done
}

# bind DRIVER: whichever has it, give the adapter to this one
bind() {
	local device=/sys/bus/pci/devices/$address
	[ "$(basename "$(readlink "$device/driver")")" != "$1" ] || return 0
	echo "$1" >"$device/driver_override"
	echo "$address" >"$device/driver/unbind"
	echo "$address" >"/sys/bus/pci/drivers/$1/bind"
}

# rounds NUMBER EVENT: all paths (`round`), so many times, then once more with the events that are counted switched on
rounds() {
	local i
	# the emulated IOMMU remaps no interrupts
	modprobe vfio_iommu_type1 allow_unsafe_interrupts=1
	modprobe vfio-pci
	[ -e /dev/kvm ] || modprobe kvm_amd 2>/dev/null || modprobe kvm_intel
	lpar-insmod lpar_host
	for ((i = 1; i <= $1; i++)); do round "$i"; done
	count_events "$2"
	round 0
	rmmod lpar_host
}
