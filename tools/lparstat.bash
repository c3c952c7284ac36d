# SPDX-License-Identifier: GPL-2.0
# bash completion for lparstat(8)

_lparstat()
{
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} entry
	local names IFS=$'\n'

	COMPREPLY=()
	case $before in
	-p | --partition)
		for entry in "${LPAR_ROOT-}"/sys/kernel/lpar/partitions/*/; do
			[[ -d $entry ]] || continue
			entry=${entry%/}
			printf -v entry %q "${entry##*/}"
			[[ $entry == "$current"* ]] && COMPREPLY+=("$entry")
		done
		return
		;;
	--prometheus)
		mapfile -t COMPREPLY < <(compgen -W "127.0.0.1:9817" -- "$current")
		return
		;;
	-i | --interval | -c | --count) return ;;
	esac
	names=$'--interval\n--count\n--top\n--hist\n--partition\n--usage\n--json\n--prometheus\n--check\n--version\n--help'
	mapfile -t COMPREPLY < <(compgen -W "$names" -- "$current")
}

complete -F _lparstat lparstat
