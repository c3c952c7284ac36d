# SPDX-License-Identifier: GPL-2.0
# bash completion for lparctl(8)

_lparctl_names() # a directory of configfs: the names in it
{
	local entry
	for entry in "${LPAR_ROOT-}/sys/kernel/config/lpar/partitions/$1"*/; do
		[[ -d $entry ]] || continue
		entry=${entry%/}
		printf '%s\n' "${entry##*/}"
	done
}

_lparctl_nics() # the host's network interfaces that are not virtual
{
	local entry
	for entry in "${LPAR_ROOT-}/sys/class/net/"*/device; do
		[[ -e $entry ]] || continue
		entry=${entry%/device}
		printf '%s\n' "${entry##*/}"
	done
}

_lparctl_adapters() # PCI addresses of SR-IOV adapters
{
	local entry
	for entry in "${LPAR_ROOT-}/sys/bus/pci/devices/"*/sriov_totalvfs; do
		[[ -e $entry ]] || continue
		entry=${entry%/sriov_totalvfs}
		printf '%s\n' "${entry##*/}"
	done
}

# The candidates, one a line: those that begin with the current word, quoted. compgen -W would carry out what a name says.
_lparctl_words()
{
	local word
	while IFS= read -r word; do
		printf -v word %q "$word"
		[[ $word == "$2"* ]] && COMPREPLY+=("$word")
	done < <(printf %s "${1:+$1$'\n'}")
}

_lparctl_candidates() # for the last of the words
{
	local current=${words[-1]} before=${words[-2]}
	local word command="" options="" i is_iov=""
	local -a plain=()

	[[ ${words[1]} == iov || ${words[2]-} == iov ]] && is_iov=yes
	case $before in
	--mode)
		_lparctl_words $'auto\ntag\npage\ncopy' "$current"
		return
		;;
	--force)
		_lparctl_words $'disks\nnics\nall' "$current"
		return
		;;
	--adapter)
		if [[ $is_iov ]]; then
			_lparctl_words "$(_lparctl_adapters)" "$current"
		else
			_lparctl_words "$(_lparctl_nics)" "$current"
		fi
		return
		;;
	--trust | --spoofchk)
		if [[ $is_iov ]]; then # of a NIC it is a flag
			_lparctl_words $'on\noff' "$current"
			return
		fi
		;;
	--type)
		_lparctl_words $'nvme\nnic' "$current"
		return
		;;
	--qmp)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		compopt -o filenames 2>/dev/null
		return
		;;
	--owner)
		mapfile -t COMPREPLY < <(compgen -u -- "$current")
		return
		;;
	--qemu)
		mapfile -t COMPREPLY < <(compgen -c -- "$current")
		return
		;;
	--adjuncts | --memory | --quantum | --name | --start | --size | --queues | --serial | --mac | --primary | \
		--vlan | --max-rate | --node | --vfs | --interrupts | --namespaces | --wait | --timeout | --reason | -i | \
		--interval | -c | --count)
		return
		;;
	esac

	# What was said so far, without options and their values.
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		word=${words[i]}
		case $word in
		--adjuncts | --memory | --quantum | --owner | --force | --name | --start | --size | --queues | \
			--serial | --mode | --adapter | --mac | --primary | --vlan | --max-rate | --node | --type | --vfs | \
			--interrupts | --namespaces | --spoofchk | --qmp | --qemu | --wait | --timeout | --reason | -i | --interval | \
			-c | --count)
			((i++))
			;;
		--trust) [[ $is_iov ]] && ((i++)) ;;
		-*) ;;
		*) plain+=("$word") ;;
		esac
	done

	command=${plain[0]-}
	case $command in
	adapter | adjunct | partition | disk | nic | iov)
		[[ ${plain[1]-} ]] && command+=" ${plain[1]}" && plain=("${plain[@]:1}")
		;;
	esac
	plain=("${plain[@]:1}")

	if [[ $current == -* ]]; then
		case $command in
		"partition create") options=$'--memory\n--quantum\n--owner\n--adjuncts\n--own-images\n--qmp\n' ;;
		"partition delete") options=$'--force\n' ;;
		"adjunct register") options=$'--global\n' ;;
		"disk add")
			options=$'--name\n--start\n--size\n--read-only\n--queues\n--serial\n--mode\n'
			;;
		"nic add") options=$'--adapter\n--mac\n--vlan\n--max-rate\n--queues\n--trust\n--primary\n--mode\n' ;;
		"iov assign")
			options=$'--adapter\n--node\n--type\n--vfs\n--queues\n--interrupts\n--namespaces\n--mac\n--vlan\n'
			options+=$'--max-rate\n--trust\n--spoofchk\n--qmp\n--plan\n'
			;;
		"iov release") options=$'--qmp\n--plan\n' ;;
		"iov ask") options=$'--timeout\n' ;;
		"iov refuse") options=$'--reason\n' ;;
		"iov serve") options=$'--once\n' ;;
		diff) options=$'--prune\n' ;;
		apply) options=$'--prune\n--wait\n' ;;
		stat) options=$'--interval\n--count\n--queues\n' ;;
		doctor) options=$'--qemu\n' ;;
		"") options=$'--version\n' ;;
		esac
		_lparctl_words "$options"$'--json\n--help' "$current"
		return
	fi

	case $command:${#plain[@]} in
	:0) _lparctl_words $'adapter\npartition\ndisk\nnic\nadjunct\niov\nsave\ndiff\napply\nstat\ndoctor' "$current" ;;
	adjunct:0) _lparctl_words $'register\nlist\nunregister' "$current" ;;
	"adjunct unregister:0") _lparctl_words "$(_lparctl_names ../adjuncts/)" "$current" ;;
	adapter:0) _lparctl_words $'list\nshow' "$current" ;;
	partition:0) _lparctl_words $'create\nshow\nlist\ndelete' "$current" ;;
	iov:0) _lparctl_words $'list\nassign\nrelease\nrequests\ngrant\nrefuse\nask\nserve' "$current" ;;
	"iov ask:"*)
		_lparctl_words $'mac=\nvlan=\nmtu=\nrate=\nqueues=\nattach=\ndetach=\nreset' "$current"
		compopt -o nospace 2>/dev/null
		;;
	"iov release:"*) _lparctl_words "$(_lparctl_names "")" "$current" ;;
	"iov assign:"*)
		_lparctl_words "$(_lparctl_names "" | sed 's/$/=/')" "$current"
		compopt -o nospace 2>/dev/null
		;;
	disk:0 | nic:0) _lparctl_words $'add\nremove\nlist' "$current" ;;
	"partition show:0" | "partition delete:0" | "disk add:0" | "disk remove:0" | "disk list:0" | \
		"nic add:0" | "nic remove:0" | "nic list:0" | stat:0)
		_lparctl_words "$(_lparctl_names "")" "$current"
		;;
	"disk remove:1") _lparctl_words "$(_lparctl_names "${plain[0]}/disks/")" "$current" ;;
	"nic remove:1") _lparctl_words "$(_lparctl_names "${plain[0]}/nics/")" "$current" ;;
	"adjunct register:1")
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		compopt -o filenames 2>/dev/null
		;;
	save:0 | diff:0 | apply:0)
		mapfile -t COMPREPLY < <(compgen -f -- "${current:-/etc/lpar/}")
		compopt -o filenames 2>/dev/null
		;;
	"disk add:1" | "adapter show:0")
		mapfile -t COMPREPLY < <(compgen -f -- "${current:-/dev/}")
		[[ $command == "disk add" ]] || while IFS= read -r word; do
			[[ $word == "$current"* ]] && COMPREPLY+=("$word") # quoted with the files
		done < <(_lparctl_nics)
		compopt -o filenames 2>/dev/null
		;;
	esac
}

_lparctl()
{
	local i current
	local -a words=()

	# bash takes a colon for a word of its own: PCI and MAC addresses
	for ((i = 0; i <= COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == :* || (i -gt 0 && ${words[-1]} == *:) ]]; then
			words[-1]+=${COMP_WORDS[i]}
		else
			words+=("${COMP_WORDS[i]}")
		fi
	done
	COMPREPLY=()
	_lparctl_candidates
	# and replaces only what comes after it
	current=${words[-1]}
	[[ $current == *:* && $COMP_WORDBREAKS == *:* ]] && COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*:}"}"}")
}

complete -F _lparctl lparctl
