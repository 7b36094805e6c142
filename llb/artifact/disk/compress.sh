#!/bin/sh
# Compresses a file, or hands it out as it is, with a checksum beside it.
#
# usage: compress.sh FILE OUT COMPRESSION [LEVEL]
#   OUT  the file without what the compression adds to its name
set -eu
file=$1 out=$2 compression=$3 level=${4:-}
. "$(dirname "$0")/checksum.sh"

# read_disk reads past the page cache where the filesystem can: most of a disk is holes, and filling pages with their
# zeros takes longer than all the rest.
read_disk() {
	direct=
	! dd if="$file" of=/dev/null bs=1M count=1 iflag=direct status=none 2>/dev/null || direct=iflag=direct
	dd if="$file" bs=1M ${direct:+"$direct"} status=none
}

# A shell does not tell that the first of a pipe failed: its own file is gone then, at the end.
whole=$(mktemp)

# Both cut what they compress into pieces of a fixed size, so that the number of processors does not show; the + keeps
# xz from another format when there is only one. 2^27 bytes are what every decoder of zstd looks back without being told
# to (zstd(1), --long).
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
