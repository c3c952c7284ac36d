#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# image.sh SOURCES BUILD: images are what adjunct.h says, and have nothing in them that an adjunct may not use.
set -eu
here=$1 build=$2
fail() { echo "image.sh: $*" >&2; exit 1; }
objdump -v >/dev/null

# head_of IMAGE DRIVES: its words, with names
head_of() {
	read -r magic abi text data bss stack entry drives reserved < <(od -An -v -tu4 -N64 -w64 "$1" | tr -s ' ')
	[ "$magic" -eq $((0x4a44414c)) ] && [ "$abi" -eq 1 ] || fail "$1: magic or version"
	[ "$drives" -eq $2 ] && [ -z "$(tr -d ' 0' <<<"$reserved")" ] || fail "$1: reserved words: $reserved"
	[ "$(stat -c %s "$1")" -eq $(((text + data) * 4096)) ] || fail "$1: its length"
	[ "$text" -ge 1 ] && [ "$stack" -ge 1 ] && [ "$entry" -ge 64 ] && [ "$entry" -lt $((text * 4096)) ] || fail "$1: head"
}

# no_vectors ELF
no_vectors() {
	! objdump -d "$1" | grep -E '%[xyz]mm|%st\(|\bf(ld|st|add|mul)' || fail "$1: FPU or vector code"
}

head_of "$build/edu.image" $((0x11e81234))
for image in checksum loop fault; do
	head_of "$build/$image.image" 0
	# fault has one on purpose
	[ $image = fault ] || no_vectors "$build/$image/$image.elf"
done

key=$build/test.key
printf 'Jefe' >"$key"
umask 022
rm -rf "$build/key"
mkdir -p "$build/key/keykeeper"
touch "$build/key/keykeeper"{.image,/keykeeper.elf,/key.o}
make -s -f "$here/Makefile" BUILD="$build/key" KEY="$key" keykeeper
[ -z "$(find "$build/key" -type f -perm /077)" ] || fail "keykeeper: others can read the key"
head_of "$build/key/keykeeper.image" 0
no_vectors "$build/key/keykeeper/keykeeper.elf"
[ "$data" -ge 1 ] || fail "keykeeper: no data"
grep -q Jefe <(tail -c +$((text * 4096 + 1)) "$build/key/keykeeper.image") || fail "keykeeper: the key is not in its data"
! grep -q Jefe <(head -c $((text * 4096)) "$build/key/keykeeper.image") || fail "keykeeper: the key is in its text"
! make -s -f "$here/Makefile" BUILD="$build/key" keykeeper 2>/dev/null || fail "keykeeper: built without a key"

# An image as its author makes it, in a folder of their own, with functions that the compiler brings. With -g it is the
# same, and the ELF tells what is where.
user=$build/user
rm -rf "$user"
mkdir -p "$user"
cat >"$user/string.cc" <<'C'
#include <bit>
#include <lpar/service.hh>
bool lpar::service::initialise() { return true; }
lpar::service::Answer lpar::service::serve(const Request &request) {
    return {LPAR_OK, uint32_t(std::popcount(request.op) + static_cast<unsigned __int128>(request.op) / request.in.size())};
}
C
cat >"$user/Makefile" <<M
include $here/sdk/image.mk
stack = 4
\$(eval \$(call lpar_image,mine,string.cc,\$(stack)))
M
make -s -C "$user" BUILD=plain
no_vectors "$user/plain/mine/mine.elf"
make -s -C "$user" BUILD=debug mine_flags=-g
cmp "$user/plain/mine.image" "$user/debug/mine.image" || fail "-g changes an image"
where=$(addr2line -e "$user/debug/mine/mine.elf" "$(nm -C "$user/debug/mine/mine.elf" | awk '/ T lpar::service::serve/ { print $1 }')")
[[ $where == */string.cc:4 ]] || fail "addr2line says $where"
make -s -C "$user" BUILD=plain -q || fail "what has been made is made again"
sed -i 's/^stack = .*/stack = 5/' "$user/Makefile"
make -s -C "$user" BUILD=plain
head_of "$user/plain/mine.image" 0
[ "$stack" -eq 5 ] || fail "another stack in the Makefile made no other image"
! make -s -C "$user" BUILD=none stack=0 2>"$user/log" || fail "an image without a stack was linked"
grep -q 'no stack' "$user/log" || fail "$(cat "$user/log")"

# What does not fit a slot is refused when it is linked.
cat >"$build/big.cc" <<'C'
#include <lpar/service.hh>
char big[4096 * 250];
bool lpar::service::initialise() { return big[0] == 0; }
lpar::service::Answer lpar::service::serve(const Request &request) { big[request.op % sizeof(big)]++; return {}; }
C
cat >"$build/big.mk" <<M
BUILD := $build
include $here/sdk/image.mk
\$(eval \$(call lpar_image,big,$build/big.cc))
M
if make -s -f "$build/big.mk" "$build/big.image" 2>"$build/big.log"; then fail "an image of 1 MB was linked"; fi
grep -q 'more than a slot has room for' "$build/big.log" || fail "$(cat "$build/big.log")"
