# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the jobs share. A job says to `host`, with a pause before and after in which nothing happens, so that counters can
# be read:
#   begin PATH "NAME":VALUE,…      what is going to run
#   end "NAME":VALUE,…             what came of it

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
