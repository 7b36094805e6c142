#!/bin/sh
# Assembles a disk: writes the GPT and every partition into a sparse file (contract 1.20, 4.1).
#
# usage: disk.sh IN DISK
#   IN/sizes       output of measure.sh. The columns of its table say what is on a partition (table.go)
#   IN/esp.img     EFI system partition, if there is one
#   IN/bios        output of bios.sh, if there is a partition for it
#   IN/NAME        directories for the partitions. The images in their cOS are mounts of one file, so it is copied only
#                  once to each partition
#   IN/tree        static files of partitions, in directories of the same names
#   IN/root        the system, for the boot menu and GRUB modules
#   IN/config.yaml cloud-config for COS_OEM, if there is one
#   FLAVORKIT_DISK_GUID  identifier of the disk
#   FLAVORKIT_MBR_TYPE   type of the EFI system partition in a hybrid MBR, in hexadecimal; empty for no hybrid MBR
# shellcheck disable=SC2154 # each_partition sets the columns
set -eu
in=$1 disk=$2 scripts=$(dirname "$0")
. "$scripts/ext.sh"
. "$scripts/table.sh"

# modules DIR: copies the GRUB modules for UEFI that the menu loads, if they are not built in (contract
# 1.3, 1.20).
modules() {
	find "$in/root/usr" -path '*-efi/*' \( -name loopback.mod -o -name squash4.mod -o -name xzio.mod -o -name gzio.mod \
		-o -name regexp.mod \) | while read -r module; do
		platform=$1/$(basename "$(dirname "$module")")
		mkdir -p "$platform"
		cp "$module" "$platform/"
	done
}

# fill DIR: adds the files of the partition that are not images.
fill() {
	[ ! -e "$in/tree/$name" ] || cp -a "$in/tree/$name/." "$1/"
	# It may contain secrets.
	[ -z "$config" ] || [ ! -e "$in/config.yaml" ] || install -m 0600 "$in/config.yaml" "$1/$config"
	if [ -n "$menu" ]; then
		mkdir -p "$1/$menu"
		cp "$in/root/etc/cos/grub.cfg" "$1/$menu/"
		modules "$1/grub2"
	fi
	# GRUB only writes to a block that exists.
	[ -z "$block" ] || grub-editenv "$1/$block" create
	[ -z "$entry" ] || grub-editenv "$1/$block" set "saved_entry=$entry"
	[ -z "$assessment" ] ||
		sh "$scripts/grub-state" lay "$1" "$in/root/etc/cos/grub_boot_assessment" "$in/root/etc/kairos/branding/grubmenu.cfg"
	find "$1" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

# in_ext COMMAND START: runs a debugfs command on the filesystem at START MiB of the disk.
in_ext() {
	E2FSPROGS_FAKE_TIME="$SOURCE_DATE_EPOCH" debugfs -w -R "$1" "$disk?offset=$(($2 * 1024 * 1024))" 2>/dev/null
}

# label_image LABEL FILE START: labels an image in the filesystem at START MiB of the disk. The label is at byte 120
# of the superblock, which is at byte 1024 of the image (Documentation/filesystems/ext4, "Super Block").
label_image() {
	at=$(in_ext "bmap $2 0" "$3")
	if ! [ "${at:-0}" -gt 0 ] 2>/dev/null; then
		echo "$2 is not in the filesystem at $3 MiB of the disk" >&2
		exit 1
	fi
	{
		printf %s "$1"
		head -c 16 /dev/zero
	} | head -c 16 |
		dd of="$disk" bs=1 seek=$(($3 * 1024 * 1024 + at * 4096 + 1024 + 120)) conv=notrunc status=none
}

# bytes NUMBER COUNT: prints a number as COUNT bytes, in little-endian order.
bytes() {
	number=$1 count=$2
	while [ "$count" -gt 0 ]; do
		# shellcheck disable=SC2059 # the format is what is written
		printf "\\$(printf %03o $((number % 256)))"
		number=$((number / 256)) count=$((count - 1))
	done
}

# patch FILE OFFSET: writes standard input into a file.
patch() { dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# boot_code FIRST: writes the boot code. The code in the master boot record loads the first sector of the partition,
# which loads the others. Both need the sector of what they load, which grub-bios-setup can only write to a device
# (GRUB 2.06, include/grub/i386/pc/boot.h: GRUB_BOOT_MACHINE_KERNEL_SECTOR 0x5c, GRUB_BOOT_MACHINE_DRIVE_CHECK 0x66,
# where a disk gets two nop, and GRUB_BOOT_MACHINE_LIST_SIZE 12 at the end of the first sector).
boot_code() {
	cat "$in/bios/boot.img" >"$work/boot.img"
	bytes "$1" 8 | patch "$work/boot.img" $((0x5c))
	printf '\220\220' | patch "$work/boot.img" $((0x66))
	# After the code come the disk identifier and the partition table.
	head -c 440 "$work/boot.img" | patch "$disk" 0
	cat "$in/bios/core.img" >"$work/core.img"
	bytes $(($1 + 1)) 8 | patch "$work/core.img" $((512 - 12))
	dd if="$work/core.img" of="$disk" bs=512 seek="$1" conv=notrunc status=none
}

# mbr_entry TYPE FIRST SECTORS: prints an entry of the partition table in the
# master boot record (UEFI 2.10, 5.2.1). The cylinder, head and sector
# addresses are those for partitions beyond their range.
mbr_entry() {
	bytes 0 1
	bytes $((0xfffffe)) 3
	bytes $((0x$1)) 1
	bytes $((0xfffffe)) 3
	bytes "$2" 4
	bytes "$3" 4
}

# hybrid FIRST SECTORS: adds one partition to the master boot record, for firmware that cannot read a GPT. The entry with
# type EE marks a GPT. It must start at sector 1, or Linux and U-Boot do not recognise the GPT (is_pmbr_valid in Linux,
# block/partitions/efi.c, and in U-Boot, disk/part_efi.c). It ends before the other partition, because entries must not
# overlap. It is the second entry, because some firmware only reads the first one. gdisk makes the same.
hybrid() {
	{
		mbr_entry "$FLAVORKIT_MBR_TYPE" "$1" "$2"
		mbr_entry ee 1 $(($1 - 1))
	} | patch "$disk" 446
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r mib <"$in/sizes/disk"
mkdir -p "$(dirname "$disk")"
rm -f "$disk"
truncate -s "${mib}M" "$disk"
# describe_partition: prints a line of a script for sfdisk.
describe_partition() {
	echo "start=$((start * 2048)), size=$((size * 2048)), type=$kind, uuid=$guid, name=\"$name\"${attributes:+, attrs=\"$attributes\"}"
}

# write_partition: writes the contents of a partition.
write_partition() {
	case $filesystem in
	'')
		boot_code $((start * 2048))
		;;
	vfat)
		dd if="$in/esp.img" of="$disk" bs=1M seek="$start" conv=notrunc,sparse status=none
		[ -z "${FLAVORKIT_MBR_TYPE-}" ] || hybrid $((start * 2048)) $((size * 2048))
		;;
	*)
		mkdir -p "$in/$name"
		fill "$in/$name"
		# mke2fs looks up the whole extent tree for every block that it writes, which takes ten times as long. So the
		# images get block maps; files that the machine writes get extents.
		set --
		[ ! -d "$in/$name/cOS" ] || set -- -O '^extent,^64bit'
		make_ext "$in/$name" "$disk" "$size" "$@"
		[ $# -eq 0 ] || in_ext "feature extent" "$start" >/dev/null
		;;
	esac
	for image in $labels; do
		label_image "${image#*=}" "${image%%=*}" "$start"
	done
}

{
	printf 'label: gpt\nlabel-id: %s\nunit: sectors\n' "$FLAVORKIT_DISK_GUID"
	each_partition "$in/sizes/table" describe_partition
} | sfdisk --quiet --no-reread --no-tell-kernel "$disk"
each_partition "$in/sizes/table" write_partition
touch -d "@$SOURCE_DATE_EPOCH" "$disk"
