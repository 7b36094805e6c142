#!/bin/sh
# Writes a disk as a stream-optimized VMDK (VMware, "Virtual Disk Format 5.0"),
# with a checksum beside it.
#
# usage: vmdk.sh DISK VMDK GUID
set -eu
disk=$1 vmdk=$2 guid=$3
. "$(dirname "$0")/checksum.sh"

qemu-img convert -f raw -O vmdk -o subformat=streamOptimized,adapter_type=lsilogic,compat6 "$disk" "$vmdk"

# qemu-img draws a random content identifier, up to 8 hexadecimal digits in the
# descriptor, which is text in 20 sectors of 512 bytes. Nothing else in the file
# depends on it. It becomes the start of the GUID of the disk.
at=$(head -c 65536 "$vmdk" | grep -a -b -o -m 1 '# Disk DescriptorFile$' | cut -d : -f 1)
id=CID=$(printf %.8s "$guid")
descriptor=$(dd if="$vmdk" bs=512 skip=$((${at:-0} / 512)) count=20 status=none | tr -d '\0' | sed "s/^CID=[0-9a-f]\{1,8\}\$/$id/")
echo "$descriptor" | grep -q -x "$id" || {
	echo "the VMDK has no content identifier where one is expected" >&2
	exit 1
}
printf '%s\n' "$descriptor" >"$vmdk.descriptor"
truncate -s $((20 * 512)) "$vmdk.descriptor"
dd if="$vmdk.descriptor" of="$vmdk" bs=512 seek=$((at / 512)) conv=notrunc status=none
rm "$vmdk.descriptor"
touch -d "@$SOURCE_DATE_EPOCH" "$vmdk"
write_checksums "$vmdk.sha256" "$vmdk"
