#!/bin/sh
# Writes a disk as a compressed qcow2, and its checksum.
#
# usage: qcow.sh DISK QCOW2
set -eu
disk=$1 file=$2
. "$(dirname "$0")/checksum.sh"

# Writing in order makes equal files from equal disks. QEMU reads zstd since 5.1
# (2020).
qemu-img convert -f raw -O qcow2 -c -o compression_type=zstd "$disk" "$file"
touch -d "@$SOURCE_DATE_EPOCH" "$file"
write_checksums "$file.sha256" "$file"
