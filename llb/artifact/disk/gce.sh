#!/bin/sh
# Writes a disk as an image of Google Compute Engine, with a checksum beside it:
# a sparse tar archive in the format oldgnu, compressed with gzip, with disk.raw
# of whole GiB in it (Compute Engine, "Manually import boot disks").
#
# usage: gce.sh DISK ARCHIVE
set -eu
disk=$1 archive=$2
. "$(dirname "$0")/checksum.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp --sparse=always "$disk" "$work/disk.raw"
truncate -s %1G "$work/disk.raw"
# A shell does not tell that the first of a pipe failed: its own file is gone
# then, at the end.
whole=$work/whole
: >"$whole"
# Holes are found by their zeros, not by what the filesystem says: filesystems
# differ in where they have holes.
{
	tar -C "$work" --format=oldgnu --sparse --hole-detection=raw --owner=0 --group=0 --numeric-owner --mode=0644 \
		--mtime="@$SOURCE_DATE_EPOCH" -cf - disk.raw || rm "$whole"
} | gzip -n >"$archive"
rm "$whole"
touch -d "@$SOURCE_DATE_EPOCH" "$archive"
write_checksums "$archive.sha256" "$archive"
