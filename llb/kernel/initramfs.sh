#!/bin/sh
# Library that the scripts that make an initramfs source.

# need TOOL...: each is a command, or alternatives joined by " or ", a tab, and what
# needs it. An initramfs tool silently leaves out modules if a command for them is
# missing.
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

# manifest FILE: writes the list of paths on standard input, sorted, to a file. The
# list is empty if the program before the pipe failed.
manifest() {
	LC_ALL=C sort >"$1"
	[ -s "$1" ] || {
		echo "the list of files in the initramfs is empty" >&2
		return 1
	}
}

# sizes FILE: writes the sizes on standard input to the file NAME.sizes beside
# NAME.list. A line has the bytes of a file, a tab and its path.
sizes() {
	LC_ALL=C sort -k 2 >"${1%.list}.sizes"
}
