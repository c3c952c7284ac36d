# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Run one job in one emulated machine and judge it from outside. `rig` (the KVM host) and `guest` (in that host) share
# this; each sets the variables below and calls machine_run with the emulator and its arguments.
#
# role=host|guest kver=6.1|6.12|debug kernel=DIR image=DIR log=DIR limit=SECONDS kargs="…" job=(SCRIPT ARGS…) shell=1|""

# what must not stand in a kernel log
splats='BUG:|kernel BUG at|WARNING:|Oops|\[#[0-9]+\]|KASAN|UBSAN|refcount_t|general protection|unreferenced object'
splats+='|possible recursive|INFO: lockdep|non-static key|turning off the locking|INFO: task .* blocked|detected (expedited )?stall|hard LOCKUP'
splats+='|unregister_netdevice: waiting|NETDEV WATCHDOG|nobody cared|duplicate filename|yet kobject_put'

# machine_job [VARIABLE…]: write down the job for the machine's init, with the caller's environment that concerns us
machine_job() {
	local name
	LPAR_TREE=$tree LPAR_BUILD=${LPAR_BUILD:-$tree/build} LPAR_KVER=$kver LPAR_KERNEL=$kernel
	RIG_ROLE=$role RIG_CWD=$PWD RIG_SPLATS=$splats RIG_SHELL=$shell RIG_LOG=/run/rig/log RIG_IMAGE=$image RIG_ICOUNT=${icount-}
	RIG_JOB=("${job[@]}")
	for name in "${!LPAR_@}" "${!RIG_@}"; do
		export "${name?}"
		declare -p "$name"
	done >"$log/job"
}

# machine_args: the emulator's arguments that every machine has
machine_args() {
	# not in the log folder: its path may be too long for a socket, and over 9p there are none
	sockets=$(mktemp -d)
	trap machine_stop EXIT
	ln -sfn "$sockets/qmp.sock" "$log/qmp.sock"
	machine=(
		-nodefaults -no-user-config -no-reboot -display none -vga none
		-kernel "$image/vmlinux" -initrd "$image/initramfs"
		-append "console=ttyS0 quiet loglevel=5 panic=-1 net.ifnames=0 random.trust_cpu=on lpar.init=$rig/init $kargs"
		-chardev file,id=console,path=console.log -serial chardev:console
		-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap
		-device virtio-9p-pci,fsdev=root,mount_tag=root
		-fsdev "local,id=log,path=${log//,/,,},security_model=none"
		-device virtio-9p-pci,fsdev=log,mount_tag=log
		-device virtio-serial-pci,id=ports
		-chardev file,id=verdict,path=verdict -device virtserialport,chardev=verdict,name=verdict
		-qmp "unix:$sockets/qmp.sock,server=on,wait=off"
	)
	if [ -n "$shell" ]; then
		machine+=(-chardev stdio,id=tty,signal=off -serial chardev:tty -chardev file,id=output,path=output.log)
	else
		# not stdio: with the end of its input that calls itself disconnected, and the port would block for ever
		machine+=(-chardev file,id=output,path=/dev/stdout,logfile=output.log)
	fi
	machine+=(-device virtserialport,chardev=output,name=output)
}

machine_stop() {
	[ -z "${emulator-}" ] || kill -9 "$emulator" 2>/dev/null || true
	[ -z "${timer-}" ] || kill "$timer" 2>/dev/null || true
	[ -z "$shell" ] || stty sane
	rm -rf "$sockets" "$log/qmp.sock" "$log/pid"
}

# where everybody stands: the processors' registers, and if the host's kernel still answers, the tasks on its console
machine_stuck() {
	"$rig/registers" "$sockets/qmp.sock" >"$log/registers" 2>&1 || true
	[ -p "$sockets/sysrq.in" ] || return 0
	echo t 1<>"$sockets/sysrq.in"
	sleep 10
}

idle=${RIG_IDLE:-90}
# watch EMULATOR: kill it after $limit seconds, or when an emulated host has done nothing for $idle, and leave the reason
# in "hang". The caller waits for the emulator alone: bash 5.2's `wait -n` for the first of two now and then misses it.
watch() {
	local end=$((SECONDS + limit)) used=() stat samples=$((idle / 10)) reason="no verdict after $limit s"
	if [ "$role" = host ] && [ "$RIG_ACCEL" = tcg ] && [ -z "$shell" ]; then
		while ((SECONDS < end)) && read -ra stat 2>/dev/null <"/proc/$1/stat"; do
			# in hundredths of a second
			used+=($((stat[13] + stat[14])))
			if ((${#used[@]} > samples && used[-1] - used[-samples - 1] < 100 * samples)); then
				reason="no verdict, and idle for $idle s"
				break
			fi
			setpriv --pdeathsig KILL sleep 10
		done
	else
		setpriv --pdeathsig KILL sleep "$limit"
	fi
	[ -d "/proc/$1" ] || return 0 # it has ended by itself
	echo "hang: $reason" >"$log/hang"
	machine_stuck
	kill -9 "$1"
}

# machine_run EMULATOR ARGS…: returns the job's status, or 125 and the reasons.
machine_run() {
	local code=0 verdict='' status='' reasons=() pipe reader
	trap 'exit 130' INT TERM HUP
	# the emulator dies with us whatever happens
	if [ -n "$shell" ]; then
		(cd "$log" && exec setpriv --pdeathsig KILL "$@") 2>"$log/emulator.log" <&0 &
	else
		# through a pipe: what the emulator opens by name it would truncate
		exec {pipe}> >(exec cat)
		reader=$!
		(cd "$log" && exec setpriv --pdeathsig KILL "$@") </dev/null 1>&"$pipe" 2>"$log/emulator.log" &
	fi
	emulator=$!
	echo "$emulator" >"$log/pid"
	[ -z "${pipe-}" ] || exec {pipe}>&-
	watch "$emulator" >/dev/null 2>&1 </dev/null &
	timer=$!
	wait "$emulator" 2>/dev/null || code=$? # quiet about a killed one
	kill "$timer" 2>/dev/null || true
	wait "$timer" 2>/dev/null || true
	[ ! -s "$log/hang" ] || mapfile -t reasons <"$log/hang"
	emulator='' timer=''
	[ -z "${reader-}" ] || wait "$reader" || true

	read -r verdict <"$log/verdict" || true
	[[ ! $verdict =~ ^verdict:\ status=([0-9]+)\ problems=[0-9]+$ ]] || status=${BASH_REMATCH[1]}
	if [ -z "$status" ] && [ ${#reasons[@]} -eq 0 ]; then
		if [ "$code" -ne 0 ]; then
			reasons+=("the emulator ended with status $code: $(tail -n 1 "$log/emulator.log")")
		else
			reasons+=("the machine restarted without a verdict: $(tail -n 1 "$log/console.log")")
		fi
	fi
	[ "$code" -eq 0 ] || [ ${#reasons[@]} -gt 0 ] || reasons+=("the emulator ended with status $code after the verdict")
	if [ -s "$log/problems" ]; then
		mapfile -t -O "${#reasons[@]}" reasons <"$log/problems"
	fi
	if grep -aE "$splats" "$log/console.log" >"$log/splats.console"; then
		reasons+=("console: $(head -n 1 "$log/splats.console")")
		# what the kernel says of it, without the registers
		mapfile -t -O "${#reasons[@]}" reasons < <(grep -am1 -B2 -A70 -E "$splats" "$log/console.log" |
			grep -avE '\] (R[A-Z0-9]{2}|E?FLAGS|Code|[FCD][SR][0-9]?|Modules linked in|PKRU)[:(]|\]  \? ' | cut -c1-160 | head -n 30)
	else
		rm -f "$log/splats.console"
	fi
	[ ! -f "$log/trace.log" ] || grep -aE '^Invalid ' "$log/trace.log" >"$log/guest_errors.log" || true
	[ ! -f "$log/guest_errors.log" ] || check_oracle
	if [ ${#reasons[@]} -gt 0 ]; then
		printf '%s\n' "${reasons[@]//$'\r'/}" | sed "s/^/${0##*/}: /" >&2
		say "logs: $log"
		return 125
	fi
	return "$status"
}

# The emulator reports each CPU access to an address with nothing behind it: inside the tag range that is a read of a
# guest's data that returned zeros. Which range, the host module says when it loads.
check_oracle() {
	local from to address line
	while read -r from to; do
		while read -r line; do
			address=${line#* at addr }
			address=$((${address%%,*}))
			if ((address >= from && address <= to)); then
				reasons+=("a tag was touched by a CPU: $line")
				return
			fi
		done < <(grep -aE '^Invalid (read|write) at addr 0x' "$log/guest_errors.log")
	done < <(cat "$log/dmesg.log" "$log/console.log" 2>/dev/null |
		sed -n 's/.*lpar_host: tag range \[mem \(0x[0-9a-f]*\)-\(0x[0-9a-f]*\)\].*/\1 \2/p' | sort -u)
}
