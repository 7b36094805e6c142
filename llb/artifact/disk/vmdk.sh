#!/bin/sh
# Writes a disk as a stream-optimized VMDK (VMware, "Virtual Disk Format 5.0"),
# with a checksum beside it.
#
# usage: vmdk.sh DISK VMDK GUID
set -eu
disk=$1 vmdk=$2 guid=$3
. "$(dirname "$0")/checksum.sh"

qemu-img convert -f raw -O vmdk -o subformat=streamOptimized,adapter_type=lsilogic,compat6 "$disk" "$vmdk"

# qemu-img draws a random content identifier, 8 hexadecimal digits in the
# descriptor. Nothing else in the file depends on it. It becomes the start of
# the GUID of the disk.
at=$(head -c 65536 "$vmdk" | grep -a -b -o -m 1 '^CID=[0-9a-f]\{8\}$' | cut -d : -f 1)
[ -n "$at" ] || {
	echo "the VMDK has no content identifier where one is expected" >&2
	exit 1
}
printf 'CID=%.8s' "$guid" | dd of="$vmdk" bs=1 seek="$at" conv=notrunc status=none
touch -d "@$SOURCE_DATE_EPOCH" "$vmdk"
write_checksums "$vmdk.sha256" "$vmdk"
