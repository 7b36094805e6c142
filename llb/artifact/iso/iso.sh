#!/bin/sh
# Writes the hybrid ISO, for CD and disk, BIOS and UEFI (contract 3).
#
# usage: iso.sh IN ISO LABEL
#   IN/squashfs                  output of squashfs.sh
#   IN/loaders                   output of boot.sh
#   IN/tree                      static files
#   IN/config.yaml               cloud-config of the medium, if there is one
#   IN/extensions                system extensions for the installed system, if there are any
set -eu
in=$1 iso=$2 label=$3
. "$(dirname "$0")/checksum.sh"

# The kernel and the initramfs are in the squashfs, at multiples of a block (squashfs.sh). Their
# entries in the directories of the ISO are made to name those blocks: GRUB reads them as files, and
# each byte is there once.
block=2048
# The ISO as a whole and its first partition, which begins at this block, have directories of their
# own (-partition_offset): a machine may find either on a USB stick.
partition=16

# A size that no directory has: directories consist of whole blocks.
placeholder_size=$((block - 1))

# placeholder NAME: makes a file of one block, in place of one of the two.
placeholder() {
	printf '%s' "$1" >"$iso.$1"
	truncate -s "$placeholder_size" "$iso.$1"
	echo "$iso.$1"
}

# first_block PATH: prints the number of the first block of a file in the ISO.
first_block() { echo "$files" | sed -n "s,^File data lba: *[0-9]* *\, *\([0-9]*\) .* '$1'\$,\1,p"; }

# extent BLOCK SIZE: prints the part of a directory record that says where a file is, in hexadecimal:
# two numbers, each little-endian, then big-endian (ECMA-119, 9.1).
extent() {
	for number; do
		printf '%08x' "$number" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1&/'
	done
}

# places TEXT BLOCK: prints where bytes, in hexadecimal, are in the ISO before a block.
places() {
	head -c $(($2 * block)) "$iso" | od -A n -v -t x1 | tr -d ' \n' | awk -v want="$1" '{
		while ((i = index(substr($0, at + 1), want)) > 0) { at += i; if (at % 2) print (at - 1) / 2 }
	}'
}

# share NAME: has the entries of /boot/NAME name its blocks in the squashfs. There is one in each tree
# of ISO 9660 and one in each of Joliet, all before the first file.
share() {
	read -r offset size <"$in/squashfs/$1"
	first=$(first_block "/boot/$1")
	for start in 0 "$partition"; do
		new=$(extent $((system + offset / block - start)) "$size" | sed 's/../0x& /g')
		count=0
		for at in $(places "$(extent $((first - start)) "$placeholder_size")" "$first"); do
			# shellcheck disable=SC2059,SC2086 # the format is the bytes
			printf "$(printf '\\%03o' $new)" | dd of="$iso" bs=1 seek="$at" conv=notrunc status=none
			count=$((count + 1))
		done
		[ "$count" -eq 2 ]
	done
}

set -- -V "$label"
if [ -e "$in/loaders/eltorito.img" ]; then
	set -- "$@" -b boot/eltorito.img -c boot/boot.catalog -no-emul-boot -boot-load-size 4 -boot-info-table \
		--grub2-boot-info --grub2-mbr "$in/loaders/boot_hybrid.img" -eltorito-alt-boot
fi
# The EFI system partition is also a GPT partition, which strict UEFI firmware
# requires.
set -- "$@" -e --interval:appended_partition_2:all:: -no-emul-boot \
	-append_partition 2 0xef "$in/loaders/uefi.img" -appended_part_as_gpt -partition_offset "$partition"

set -- "$@" -graft-points \
	"/=$in/tree" \
	"/rootfs.squashfs=$in/squashfs/rootfs.squashfs" \
	"/boot/kernel=$(placeholder kernel)" \
	"/boot/initrd=$(placeholder initrd)" \
	"/EFI=$in/loaders/EFI"
if [ -e "$in/loaders/eltorito.img" ]; then
	set -- "$@" "/boot/eltorito.img=$in/loaders/eltorito.img" "/boot/boot_hybrid.img=$in/loaders/boot_hybrid.img"
fi
if [ -e "$in/config.yaml" ]; then
	set -- "$@" "/config.yaml=$in/config.yaml"
fi
for image in "$in"/extensions/*; do
	[ ! -e "$image" ] || set -- "$@" "/extensions/${image##*/}=$image"
done
trap 'rm -f "$iso.kernel" "$iso.initrd"' EXIT
xorriso -as mkisofs -quiet -o "$iso" -iso-level 3 -R -J -joliet-long -no-pad --set_all_file_dates "=$SOURCE_DATE_EPOCH" "$@"
files=$(xorriso -report_about WARNING -indev "$iso" -find / -type f -exec report_lba --)
system=$(first_block /rootfs.squashfs)
share kernel
share initrd

write_checksums "$iso.sha256" "$iso"
