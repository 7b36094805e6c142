#!/bin/sh
# Copies device trees of the kernel from the stage that it was installed in.
#
# usage: trees.sh OUT NAME...
#   OUT   directory for the files
#   NAME  of a file, with wildcards of the shell
#
# FLAVORKIT_TREES  directories to look in and below, one per line, with wildcards of the shell
set -eu
out=$1
shift

missing=''
for name; do
	found=$(printf '%s\n' "$FLAVORKIT_TREES" | while IFS= read -r pattern; do
		for dir in $pattern; do
			[ ! -d "$dir" ] || find "$dir/" -name "$name" -type f
		done
	done)
	if [ -z "$found" ]; then
		echo "the kernel has no device tree $name in $(printf %s "$FLAVORKIT_TREES" | tr '\n' ' ')" >&2
		missing=1
		continue
	fi
	printf '%s\n' "$found" | while IFS= read -r file; do
		cp "$file" "$out/"
	done
done
[ -z "$missing" ] || exit 1
find "$out" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
