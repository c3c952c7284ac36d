# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the rig's scripts share: messages and the cache of build products.

rig=$(readlink -f "${BASH_SOURCE[0]%/*}")
tree=${rig%/tests/rig}
cache=${LPAR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lpar}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 125; }

# hash_of INPUT...: a short name for what goes into a build product
hash_of() { printf '%s\n' "$@" | sha256sum | cut -c1-16; }

# cached NAME INPUTS BUILDER: print the folder that holds the product; when there is none yet, BUILDER makes it in the
# folder given as its argument. The builder's own text is among the inputs, so that changing it builds anew, and the
# rename comes last, so that an interrupted build leaves nothing that could be taken for a product. To be called where
# errexit is in force (not in a condition), so that it is in the builder.
cached() {
	local name=$1 builder=$3 dir tmp status
	dir=$cache/$name-$(hash_of "$2" "$(declare -f "$builder")")
	if [ ! -d "$dir" ]; then
		mkdir -p "$cache"
		set +e
		(
			set -eu
			flock 9
			[ ! -d "$dir" ] || exit 0 # somebody else built it while we waited
			rm -rf "$cache/tmp.$name".*
			tmp=$(mktemp -d "$cache/tmp.$name.XXXXXX")
			chmod 755 "$tmp"
			"$builder" "$tmp" 9>&- >&2
			mv "$tmp" "$dir"
			# products that nothing has asked for in a fortnight
			find "$cache" -maxdepth 1 -name "$name-????????????????" -mtime +14 -exec rm -rf {} +
		) 9>"$cache/$name.lock"
		status=$?
		set -e
		[ $status -eq 0 ] || die "cannot build $name"
	fi
	touch -c "$dir"
	printf '%s\n' "$dir"
}
