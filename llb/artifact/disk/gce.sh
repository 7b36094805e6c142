#!/bin/sh
# Writes a disk as an image for Google Compute Engine, and its checksum: a
# sparse tar archive in the format oldgnu, compressed with gzip, with disk.raw
# in whole GiB (Compute Engine, "Manually import boot disks").
#
# usage: gce.sh DISK ARCHIVE
set -eu
disk=$1 archive=$2
. "$(dirname "$0")/checksum.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp --sparse=always "$disk" "$work/disk.raw"
truncate -s %1G "$work/disk.raw"
# The shell does not report a failure of the first command in a pipe. If it
# fails, its file is missing at the end.
whole=$work/whole
: >"$whole"
# Find holes by their zeros, because filesystems differ in where they have
# holes.
{
	tar -C "$work" --format=oldgnu --sparse --hole-detection=raw --owner=0 --group=0 --numeric-owner --mode=0644 \
		--mtime="@$SOURCE_DATE_EPOCH" -cf - disk.raw || rm "$whole"
} | gzip -n >"$archive"
rm "$whole"
touch -d "@$SOURCE_DATE_EPOCH" "$archive"
write_checksums "$archive.sha256" "$archive"
