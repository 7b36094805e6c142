#!/bin/sh
# Verifies a publisher's file and takes the program out of it.
#
# usage: unpack.sh TARGET PROGRAM FILE [CHECKSUMS]
#   TARGET     where the program goes
#   PROGRAM    its path inside the archive
#   FILE       a tar.gz archive, or the bare program
#   CHECKSUMS  the publisher's list, as sha256sum(1) writes it; without it the
#              file has been verified before
set -eu
target=$1 program=$2 file=$3 checksums=${4:-}

if [ -n "$checksums" ]; then
	name=$(basename "$file")
	want=$(awk -v name="$name" '{sub(/^\*/, "", $2)} $2 == name {print $1; exit}' "$checksums")
	if [ -z "$want" ]; then
		echo "the publisher's checksum list does not name $name" >&2
		exit 1
	fi
	have=$(sha256sum "$file" | cut -d' ' -f1)
	if [ "$want" != "$have" ]; then
		echo "checksum mismatch of $name: the publisher's list says $want, the file has $have" >&2
		exit 1
	fi
fi

mkdir -p "$(dirname "$target")"
case $file in
*.tar.gz | *.tgz) tar -xzOf "$file" "$program" >"$target" ;;
*) cat "$file" >"$target" ;;
esac
if [ ! -s "$target" ]; then
	echo "$(basename "$file") holds no $program" >&2
	exit 1
fi
chmod 0755 "$target"
find "/out" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
