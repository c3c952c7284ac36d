# SPDX-License-Identifier: GPL-2.0
# bash completion for lpar-adjunct(1)

_lpar_adjunct()
{
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i plain=0
	local options="--room --pages --quantum --timeout --afterwards --submit --repeat --threads --raw --stats --own --pci --device --help"

	COMPREPLY=()
	case $before in
	--room | --pages | --quantum | --timeout | --repeat | --threads | --pci) return ;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--room | --pages | --quantum | --timeout | --repeat | --threads | --pci | --device) ((i++)) ;;
		-*) ;;
		*) ((++plain)) ;;
		esac
	done
	if [[ $plain -eq 0 ]]; then
		mapfile -t COMPREPLY < <(compgen -W "call query devices --help --version" -- "$current")
	elif [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
	elif [[ $plain -ge 3 || $before == --device ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		compopt -o filenames 2>/dev/null
	fi
}

complete -F _lpar_adjunct lpar-adjunct
