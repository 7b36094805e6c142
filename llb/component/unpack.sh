#!/bin/sh
# Verifies a publisher's file and extracts the program from it.
#
# usage: unpack.sh OUT TARGET PROGRAM FILE [CHECKSUMS]
#   OUT        directory for the root filesystem
#   TARGET     path of the program in it
#   PROGRAM    path of the program in the archive
#   FILE       a tar.gz archive, or the program itself
#   CHECKSUMS  the publisher's list, in the format of sha256sum(1); without it,
#              BuildKit has verified the file
set -eu
out=$1 target=$1$2 program=$3 file=$4 checksums=${5:-}
name=$(basename "$file")

if [ -n "$checksums" ]; then
	# Checksum and name of each line with the name, in upper or lower case.
	lines=$(tr -d '\r' <"$checksums" | awk -v name="$name" '
		{ sub(/^\*?(\.\/)?/, "", $2) }
		tolower($2) == tolower(name) { print tolower($1), $2 }')
	if [ -z "$lines" ]; then
		echo "the publisher's checksum list does not name $name" >&2
		exit 1
	fi
	want=$(echo "$lines" | awk -v name="$name" '$2 == name { print $1; exit }')
	if [ -z "$want" ]; then
		other=$(echo "$lines" | awk '{ print $2; exit }')
		echo "the publisher's checksum list has $name in another case, as $other" >&2
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
*.tar.gz | *.tgz)
	tar -tzf "$file" >"$target"
	# Some archives write ./ before every path.
	member=$(grep -xF -m 1 -e "$program" -e "./$program" "$target") || member=''
	: >"$target"
	[ -z "$member" ] || tar -xzOf "$file" "$member" >"$target"
	;;
*) cat "$file" >"$target" ;;
esac
if [ ! -s "$target" ]; then
	echo "$name has no $program" >&2
	exit 1
fi
chmod 0755 "$target"
find "$out" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
