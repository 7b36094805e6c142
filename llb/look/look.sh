#!/bin/sh
# Library that the checks source. It reads the root filesystem $root from
# outside, as if it were /, and runs none of its programs.
#
# Each failure is one line "check failed: NAME: what is wrong".
# shellcheck disable=SC2034,SC2154  # the caller sets root and reads failed and asked
failed=0
# The exit code for the key of the spec that requires what is checked.
asked=1

# fail NAME TEXT: the first failure decides the exit code.
fail() {
	echo "check failed: $1: $2" >&2
	[ "$failed" -ne 0 ] || failed=$asked
}

# real PATH: prints the path in the root filesystem with all links resolved,
# as if it were /, or nothing if there is no such file.
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

# text PATH: prints a file of the root filesystem, or nothing if it does not
# exist. Links never lead out of the root filesystem.
text() {
	found=$(real "$1")
	[ -z "$found" ] || [ ! -f "$found" ] || cat "$found"
}

# A failed download leaves an empty program.
executable() {
	found=$(real "$1")
	[ -n "$found" ] && [ -f "$found" ] && [ -x "$found" ] && [ -s "$found" ]
}
