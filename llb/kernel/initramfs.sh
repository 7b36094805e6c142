#!/bin/sh
# What the scripts that make an initramfs share; they source it.

# need TOOL...: each is a command, or several with " or " between, a tab, and what it
# is needed for. A tool that makes an initramfs leaves out, without a word, what it
# lacks a command for.
need() {
	tab=$(printf '\t') missing=''
	for tool; do
		met=''
		for name in ${tool%%"$tab"*}; do
			[ "$name" = or ] || ! command -v "$name" >/dev/null || met=1
		done
		if [ -z "$met" ]; then
			echo "the stage that makes the initramfs has no ${tool%%"$tab"*}; needed for ${tool#*"$tab"}" >&2
			missing=1
		fi
	done
	[ -z "$missing" ]
}

# manifest FILE: writes the list of paths on standard input, sorted, to a file. A list
# that is empty comes from a program that failed in front of a pipe.
manifest() {
	LC_ALL=C sort >"$1"
	[ -s "$1" ] || {
		echo "the list of what is in the initramfs is empty" >&2
		return 1
	}
}
