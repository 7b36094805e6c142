#!/bin/sh
# Writes a disk as a compressed qcow2, with a checksum beside it.
#
# usage: qcow.sh DISK QCOW2
set -eu
disk=$1 file=$2
. "$(dirname "$0")/checksum.sh"

# In order, by which equal disks give equal files. QEMU reads zstd since 5.1 (2020).
qemu-img convert -f raw -O qcow2 -c -o compression_type=zstd "$disk" "$file"
touch -d "@$SOURCE_DATE_EPOCH" "$file"
write_checksums "$file.sha256" "$file"
