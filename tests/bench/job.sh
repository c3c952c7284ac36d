# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the jobs share. A job says what is going to run, and what came of it, and waits each time until `results` has read
# its counters:
#   begin PATH "NAME":VALUE,…
#   end "NAME":VALUE,…
say() {
	echo "$*"
	until [ -e "$RIG_LOG/seen" ]; do sleep 0.02; done
	rm "$RIG_LOG/seen"
}

# interrupts PATTERN: so far, of the lines in /proc/interrupts that match
interrupts() {
	local sum=0 line words word
	while read -r line; do
		[[ $line =~ $1 ]] || continue
		read -ra words <<<"${line#*:}"
		for word in "${words[@]}"; do
			[[ $word =~ ^[0-9]+$ ]] || break
			sum=$((sum + word))
		done
	done </proc/interrupts
	echo $sum
}
