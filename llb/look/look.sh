#!/bin/sh
# What the checks share; they source it. They look into the root filesystem
# $root from the outside, as if it were /, and run nothing of it.
#
# Every failure is one line "check failed: NAME: what is wrong".
# shellcheck disable=SC2034,SC2154  # root is theirs, and failed for them
failed=0

fail() {
	echo "check failed: $1: $2" >&2
	failed=1
}

# real PATH: the path in the root filesystem with all links followed, as if it
# were /. Prints nothing when there is no such file.
real() {
	chase=$1
	depth=0
	done_part=''
	rest=${chase#/}
	while [ -n "$rest" ]; do
		part=${rest%%/*}
		case $rest in */*) rest=${rest#*/} ;; *) rest='' ;; esac
		case $part in
		'' | .) continue ;;
		..) done_part=${done_part%/*} && continue ;;
		esac
		if [ -L "$root$done_part/$part" ]; then
			depth=$((depth + 1))
			[ "$depth" -lt 40 ] || return 0
			target=$(readlink "$root$done_part/$part")
			rest=$target${rest:+/$rest}
			case $target in /*) done_part='' ;; esac
			continue
		fi
		done_part=$done_part/$part
	done
	[ ! -e "$root$done_part" ] || printf '%s\n' "$root$done_part"
}

# text PATH: what a file of the root filesystem holds, and nothing when there is
# no such file. A link is never followed out of the root filesystem.
text() {
	found=$(real "$1")
	[ -z "$found" ] || [ ! -f "$found" ] || cat "$found"
}

# A program that is empty is what a failed download leaves.
executable() {
	found=$(real "$1")
	[ -n "$found" ] && [ -f "$found" ] && [ -x "$found" ] && [ -s "$found" ]
}
