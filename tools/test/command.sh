#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The built command as people meet it: exit codes, streams, a tree of plain files as the machine,
# the man page and the completion.
#   command.sh LPARCTL SOURCES
set -u

tool=$1
sources=$2
root=$(mktemp -d) || exit 1
trap 'rm -rf "$root"' EXIT
export LPAR_ROOT=$root
failures=0
checks=0

fail() {
	printf 'FAIL: %s\n' "$*" >&2
	failures=$((failures + 1))
}

# expect STATUS PATTERN ARGUMENTS…: PATTERN must match what it says, on either stream
expect() {
	local want=$1 pattern=$2 said status
	shift 2
	said=$("$tool" "$@" 2>&1)
	status=$?
	checks=$((checks + 1))
	[[ $status == "$want" ]] || fail "lparctl $*: exit $status, not $want: $said"
	[[ $said =~ $pattern ]] || fail "lparctl $*: said '$said'"
	[[ $said != *$'\e'* ]] || fail "lparctl $*: colours without a terminal"
	[[ $said != *"runtime error"* && $said != *Sanitizer* ]] || fail "lparctl $*: $said"
}

partitions=$root/sys/kernel/config/lpar/partitions
state=$root/sys/kernel/lpar/partitions
node=$root/sys/devices/pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1

# ------------------------------------------------- nothing there, then a machine

expect 1 'modprobe lpar_host' partition list
[[ -e /dev/lpar-manage || $EUID != 0 ]] ||
	LPAR_ROOT='' expect 1 'on the host, modprobe lpar_host; in a guest, modprobe lpar_guest' iov requests
expect 0 '^lparctl [0-9]' --version
expect 2 'lparctl: A subcommand is required' --json
expect 1 'bad +module' doctor

mkdir -p "$partitions" "$state" "$node/queue" "$root"/sys/{block,class/block} "$root/dev" \
	"$root/proc/self"
echo 2097152 >"$node/size"
echo 259:0 >"$node/dev"
ln -s ../devices/pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1 "$root/sys/block/nvme0n1"
ln -s ../../block/nvme0n1 "$root/sys/class/block/nvme0n1"
: >"$root/dev/nvme0n1"

# A plain directory has no attributes: the first step after mkdir fails and is taken back.
expect 1 'memory_limit cannot be set.*does not have it' partition create web --memory 1G
[[ ! -e $partitions/web ]] || fail "a failed create left its directory"
expect 1 "own_images cannot be set to '1': this module does not have it" partition create web --own-images
[[ ! -e $partitions/web ]] || fail "a failed create left its directory"
expect 0 '^$' partition create web
expect 1 "exists already" partition create web
mkdir "$partitions/web/disks"
expect 1 'device cannot be set' disk add web /dev/nvme0n1
[[ ! -e $partitions/web/disks/d0 ]] || fail "a failed add left its directory"
expect 1 '/dev/null is not a block device' disk add web /dev/null
expect 1 '/dev/lpar is not there: modprobe lpar_host' adapter list
: >"$root/dev/lpar"
expect 1 '/dev/lpar does not know the question' adapter list
expect 0 'web +no' partition list
expect 0 '"partitions": \[' partition list -j
expect 0 '"partitions": \[' -j partition list
expect 2 'disk add: .*--mode' disk add web /dev/nvme0n1 --mode fast

mkdir -p "$state/web/stats"
echo 41 >"$state/web/stats/requests"
expect 0 'requests +41' stat
expect 0 'requests +0' stat web -i 0.1 -c 1
expect 0 '"rates":\{"requests":0.0\}' stat web -j -i 0.1 -c 2
"$tool" stat >/dev/full 2>/dev/null && fail "stat to a full device succeeded"

expect 1 'knows no NICs' nic add web --adapter eth0
mkdir -p "$partitions/web/nics" "$root/sys/class/net/eth0"
expect 1 'adapter cannot be set' nic add web --adapter eth0
[[ ! -e $partitions/web/nics/n0 ]] || fail "a failed add left its directory"
expect 1 "no network interface 'eth1'" nic add web --adapter eth1
expect 2 'not a MAC address' nic add web --adapter eth0 --mac 1

rmdir "$partitions/web/disks" "$partitions/web/nics"

toml=$root/etc/lpar.toml
expect 0 '1 partitions, 0 disks' save "$toml"
expect 0 '^# .*\[partitions\.web\]$' save -
expect 0 '^$' diff "$toml"
echo '[partitions.db]' >>"$toml"
expect 1 '^\+ partition db$' diff "$toml"
expect 2 'No such file' diff "$toml.not"
expect 1 '/sys/new/lpar.toml: (Operation not permitted|Permission denied|Read-only file system)' save /sys/new/lpar.toml
# who applies waits for who applies or assigns
mkdir -p "$root/run/lpar"
exec 9>"$root/run/lpar/iov.json.lock"
flock 9
timeout 1 "$tool" apply "$toml" && fail "apply did not wait"
[[ ! -e $partitions/db ]] || fail "apply did not wait"
exec 9>&-
expect 1 "-:4:1: " apply - < <(printf '\n\n\n=')
expect 2 'apply: .*--wait' apply --wait -1
vfs=$root/vfs.toml
printf '[[partitions.web.vfs]]\nadapter = "0000:03:00.0"\n' >"$vfs"
expect 1 '^\+ vfs web/0000:03:00.0: number 1$' diff "$vfs"
expect 1 "vfs web/0000:03:00.0: $vfs:1:1: 0000:03:00.0 is no SR-IOV adapter" apply "$vfs"
expect 0 '"vfs": 0' save -j "$toml.json"
echo 'number = "two"' >>"$vfs"
expect 2 "$vfs:3:10: number: a number is wanted" diff "$vfs"
expect 0 '^$' partition delete web
[[ ! -e $partitions/web ]] || fail "delete left the directory"

# ------------------------------ each option is in the man page and the completion

leaves=("adapter list" "adapter show" "partition create" "partition show" "partition list"
	"partition delete" "disk add" "disk remove" "disk list" "nic add" "nic remove" "nic list" "adjunct register"
	"adjunct list" "adjunct unregister" "iov list"
	"iov assign" "iov release" "iov requests" "iov grant" "iov refuse" "iov ask" "iov serve" "save"
	"diff" "apply" "stat" "doctor")
completion=$(<"$sources/lparctl.bash")
manual=$(<"$sources/lparctl.8")
for leaf in "${leaves[@]}"; do
	checks=$((checks + 1))
	[[ $manual == *".Cm $leaf"* ]] || fail "lparctl.8 lacks $leaf"
	# shellcheck disable=SC2086 # two words
	for option in $("$tool" $leaf --help | sed -n '/^Options/,/^Examples/p' |
		grep -oE '^ +(-[a-z],)?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
		[[ $completion == *"$option"* ]] || fail "lparctl.bash lacks $option"
		[[ $manual == *"-${option#--}"* ]] || fail "lparctl.8 lacks $option"
	done
done
if command -v mandoc >/dev/null; then
	for page in lparctl lparstat; do
		warnings=$(mandoc -T lint -W warning "$sources/$page.8") || fail "$page.8: $warnings"
	done
fi

# ------------------------------------------------------------------- completion

# shellcheck source=/dev/null
source "$sources/lparctl.bash"

# complete_to "CANDIDATES" WORDS…: what is offered for the last word
complete_to() {
	local want=$1
	shift
	COMP_WORDS=(lparctl "$@")
	COMP_CWORD=$#
	_lparctl
	checks=$((checks + 1))
	[[ ${COMPREPLY[*]-} == "$want" ]] || fail "completion of '$*': '${COMPREPLY[*]-}', not '$want'"
}
mkdir -p "$partitions"/{web,db}/{disks/d,nics/n}{0,1} "$root"/sys/class/net/{eth0/device,lo}
complete_to "partition" pa
complete_to "adapter partition disk nic adjunct iov save diff apply stat doctor" ""
complete_to "/dev/null" apply --wait 3 /dev/nul
complete_to "add remove list" disk ""
complete_to "db web" disk add ""
complete_to "web" -j disk remove w
complete_to "d0 d1" disk remove web ""
complete_to "auto tag page copy" disk add web --mode ""
complete_to "--name" disk add web --na
complete_to "add remove list" nic ""
complete_to "n0 n1" nic remove web ""
complete_to "db web" nic list ""
complete_to "eth0" nic add web --adapter ""
complete_to "db web" nic add --adapter eth0 ""
complete_to "" nic add web ""
complete_to "--trust" nic add web --tr
complete_to "--own-images" partition create --own-
complete_to "--global" adjunct register --gl
complete_to "/dev/null" adjunct register --global sum /dev/nul
complete_to "eth0" adapter show eth
complete_to "/dev/null" adapter show /dev/nul
complete_to "disks nics all" partition delete web --force ""
complete_to "db web" stat -i 1 ""
complete_to "list assign release requests grant refuse ask serve" iov ""
complete_to "db= web=" iov assign ""
complete_to "web=" iov assign db=1 --vfs 2 w
complete_to "--namespaces" iov assign --names
complete_to "on off" iov assign web=1 --trust ""
complete_to "db web" iov release ""
complete_to "mac= mtu=" iov ask 0000:03:10.0 m
complete_to "--reason" iov refuse 7 --r
mkdir -p "$root/sys/bus/pci/devices/0000:03:00.0"
: >"$root/sys/bus/pci/devices/0000:03:00.0/sriov_totalvfs"
complete_to "0000:03:00.0" iov assign web=1 --adapter ""
# as bash splits it, and what it wants after the last colon
complete_to "03:00.0" iov assign web=1 --adapter 0000 :
complete_to "03:00.0" iov assign web=1 --adapter 0000 : 0
complete_to "00.0" iov assign web=1 --adapter 0000 : 03 : 00
complete_to "n0 n1" nic remove --mac 52 : 54 web ""
complete_to "nvme nic" iov assign web=1 --type ""
complete_to "web=" iov assign --node 0 --type nic w
complete_to "" iov assign web=1 --node ""
complete_to "web=" iov assign --trust on w
complete_to "db web" nic add --adapter eth0 --trust ""
complete_to "" disk remove nobody ""
complete_to "" stat web ""

# what a name says is not carried out
# shellcheck disable=SC2016
name='$(echo)' quoted='\$\(echo\)'
mkdir -p "$partitions/$name/disks/$name" "$root/sys/class/net/$name/device"
complete_to "$quoted" nic add web --adapter '\$'
complete_to "$quoted" partition show '\$'
complete_to "$quoted=" iov assign '\$'
complete_to "$quoted" disk remove "$name" ""
complete_to "$name" adapter show "${name:0:1}"
rm -r "${partitions:?}/$name" "$root/sys/class/net/$name"

# shellcheck source=/dev/null
source "$sources/lparstat.bash"

# stat_to "CANDIDATES" WORDS…
stat_to() {
	local want=$1
	shift
	COMP_WORDS=(lparstat "$@")
	COMP_CWORD=$#
	_lparstat
	checks=$((checks + 1))
	[[ ${COMPREPLY[*]-} == "$want" ]] || fail "completion of lparstat '$*': '${COMPREPLY[*]-}', not '$want'"
}
mkdir -p "$state"/{web,db}
stat_to "db web" -j -p ""
stat_to "web" --partition w
stat_to "--prometheus" --pr
stat_to "" -i ""
mkdir "$state/$name"
stat_to "$quoted" -p '\$'

stat=${tool%/*}/lparstat
manual=$(<"$sources/lparstat.8")
completion=$(<"$sources/lparstat.bash")
for option in $("$stat" --help | grep -o -- '--[a-z]*' | sort -u); do
	checks=$((checks + 1))
	[[ $option == --json || $manual == *"-${option#--}"* ]] || fail "lparstat.8 lacks $option"
	[[ $completion == *"$option"* ]] || fail "lparstat.bash lacks $option"
done
tool=$stat
expect 2 'choose one' -t --json
expect 2 'needs -i' -c 3
expect 1 'BTF'
rm -r "$root/sys/kernel"
expect 1 'modprobe lpar_host'

[[ $failures == 0 ]] || exit 1
echo "command.sh: $checks checks passed"
