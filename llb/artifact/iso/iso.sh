#!/bin/sh
# Writes the hybrid ISO: for CD and disk, for BIOS and EFI (contract 3).
#
# usage: iso.sh IN ISO LABEL
#   IN/squashfs/rootfs.squashfs  the system
#   IN/kernel/vmlinuz            its kernel
#   IN/initramfs/initrd          its initramfs
#   IN/loaders                   what boot.sh made
#   IN/tree                      static files
#   IN/config.yaml               cloud-config of the medium, if there is one
set -eu
in=$1 iso=$2 label=$3
. "$(dirname "$0")/checksum.sh"

set -- -V "$label"
if [ -e "$in/loaders/eltorito.img" ]; then
	set -- "$@" -b boot/eltorito.img -c boot/boot.catalog -no-emul-boot -boot-load-size 4 -boot-info-table \
		--grub2-boot-info --grub2-mbr "$in/loaders/boot_hybrid.img" -eltorito-alt-boot
fi
# The EFI system partition is a GPT partition too, which strict firmware wants.
set -- "$@" -e --interval:appended_partition_2:all:: -no-emul-boot \
	-append_partition 2 0xef "$in/loaders/uefi.img" -appended_part_as_gpt -partition_offset 16

set -- "$@" -graft-points \
	"/=$in/tree" \
	"/rootfs.squashfs=$in/squashfs/rootfs.squashfs" \
	"/boot/kernel=$(readlink -f "$in/kernel/vmlinuz")" \
	"/boot/initrd=$in/initramfs/initrd" \
	"/EFI=$in/loaders/EFI"
if [ -e "$in/loaders/eltorito.img" ]; then
	set -- "$@" "/boot/eltorito.img=$in/loaders/eltorito.img" "/boot/boot_hybrid.img=$in/loaders/boot_hybrid.img"
fi
if [ -e "$in/config.yaml" ]; then
	set -- "$@" "/config.yaml=$in/config.yaml"
fi
xorriso -as mkisofs -quiet -o "$iso" -iso-level 3 -R -J -joliet-long -no-pad --set_all_file_dates "=$SOURCE_DATE_EPOCH" "$@"

write_checksums "$iso.sha256" "$iso"
