#!/bin/sh
# Compresses a file, or hands it out as it is, with a checksum beside it.
#
# usage: compress.sh FILE OUT COMPRESSION [LEVEL]
#   OUT  the file without what the compression adds to its name
set -eu
file=$1 out=$2 compression=$3 level=${4:-}

# Both cut what they compress into pieces of a fixed size, so that the number of processors does not show. The + keeps
# xz from another format when there is one processor only.
case $compression in
zstd)
	out=$out.zst
	# The farthest that every decoder looks back without being told to (zstd(1), --long).
	zstd -q -T0 "-$level" --long=27 -o "$out" "$file"
	;;
xz)
	out=$out.xz
	xz -T+0 "-$level" --stdout "$file" >"$out"
	;;
none)
	cp --sparse=always "$file" "$out"
	;;
esac
touch -d "@$SOURCE_DATE_EPOCH" "$out"
cd "$(dirname "$out")"
sha256sum "$(basename "$out")" >"$(basename "$out").sha256"
