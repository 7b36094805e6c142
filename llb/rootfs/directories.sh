#!/bin/sh
# Copies the directories of a userland that are not 0755 or not owned by root,
# without their contents.
#
# usage: directories.sh USERLAND OUT
set -eu
userland=$1 out=$2

umask 022
cd "$userland"
# A directory comes before its contents, so mkdir only makes parents with mode 0755.
find . -xdev -mindepth 1 -type d ! \( -perm 0755 -user 0 -group 0 \) -exec sh -c '
	out=$1
	shift
	for dir; do
		mkdir -p "$out/$dir"
		chown --reference="$dir" "$out/$dir"
		chmod --reference="$dir" "$out/$dir"
	done
' sh "$out" {} +
find "$out" -mindepth 1 -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
