#!/bin/sh
# Compresses a file, or copies it, and writes its checksum.
#
# usage: compress.sh FILE OUT COMPRESSION [LEVEL]
#   OUT  the file without the extension of the compression
set -eu
file=$1 out=$2 compression=$3 level=${4:-}
. "$(dirname "$0")/checksum.sh"

# read_disk bypasses the page cache if the filesystem can: most of a disk is holes, and filling pages with zeros for
# them takes longer than everything else.
read_disk() {
	direct=
	! dd if="$file" of=/dev/null bs=1M count=1 iflag=direct status=none 2>/dev/null || direct=iflag=direct
	dd if="$file" bs=1M ${direct:+"$direct"} status=none
}

# The shell does not report a failure of the first command in a pipe. If it fails, its file is
# missing at the end.
whole=$(mktemp)

# Both compress blocks of a fixed size, so the output does not depend on the number of processors; the + keeps xz from
# using another format for a single processor. Every zstd decoder supports a window of 2^27 bytes by default (zstd(1),
# --long).
case $compression in
zstd)
	out=$out.zst
	{ read_disk || rm "$whole"; } | zstd -q -T0 "-$level" --long=27 --stream-size="$(stat -c %s "$file")" -o "$out"
	;;
xz)
	out=$out.xz
	{ read_disk || rm "$whole"; } | xz -T+0 "-$level" --stdout >"$out"
	;;
none)
	cp --sparse=always "$file" "$out"
	;;
esac
rm "$whole"
touch -d "@$SOURCE_DATE_EPOCH" "$out"
write_checksums "$out.sha256" "$out"
