#!/bin/sh
# Puts a disk together: GPT, and every partition written in its place in a sparse file (contract 1.20, 4.1).
#
# usage: disk.sh IN DISK
#   IN/sizes       what measure.sh wrote. What is on a partition is in the columns of its table (table.go)
#   IN/esp.img     EFI system partition, if there is one
#   IN/bios        what bios.sh made, if there is a partition for it
#   IN/NAME        directories for the partitions. The images in their cOS are mounts of one file, so that it is copied to
#                  its places once and not to directories before
#   IN/tree        static files of partitions, in directories of the same names
#   IN/root        the system, for the boot menu and modules of GRUB
#   IN/config.yaml cloud-config for COS_OEM, if there is one
#   FLAVORKIT_DISK_GUID  identifier of the disk
#   FLAVORKIT_MBR_TYPE   type of the EFI system partition in a hybrid MBR, in hexadecimal; empty makes none
# shellcheck disable=SC2154 # each_partition sets the columns
set -eu
in=$1 disk=$2 scripts=$(dirname "$0")
. "$scripts/ext.sh"
. "$scripts/table.sh"

# modules DIR: those of GRUB for EFI that the menu loads, when they are not built in (contract 1.3, 1.20).
modules() {
	find "$in/root/usr" -path '*-efi/*' \( -name loopback.mod -o -name squash4.mod -o -name xzio.mod -o -name gzio.mod \
		-o -name regexp.mod \) | while read -r module; do
		platform=$1/$(basename "$(dirname "$module")")
		mkdir -p "$platform"
		cp "$module" "$platform/"
	done
}

# fill DIR: what belongs on the partition beside images.
fill() {
	[ ! -e "$in/tree/$name" ] || cp -a "$in/tree/$name/." "$1/"
	# Secrets may be in it.
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

# in_ext COMMAND START: a command of debugfs on the filesystem that is START MiB into the disk.
in_ext() {
	E2FSPROGS_FAKE_TIME="$SOURCE_DATE_EPOCH" debugfs -w -R "$1" "$disk?offset=$(($2 * 1024 * 1024))" 2>/dev/null
}

# label_image LABEL FILE START: of an image in the filesystem that is START MiB into the disk. The label is 120 bytes
# into the superblock, which is 1024 bytes into the image (Documentation/filesystems/ext4, "Super Block").
label_image() {
	at=$(in_ext "bmap $2 0" "$3")
	if ! [ "${at:-0}" -gt 0 ] 2>/dev/null; then
		echo "$2 is not in the filesystem that is $3 MiB into the disk" >&2
		exit 1
	fi
	{
		printf %s "$1"
		head -c 16 /dev/zero
	} | head -c 16 |
		dd of="$disk" bs=1 seek=$(($3 * 1024 * 1024 + at * 4096 + 1024 + 120)) conv=notrunc status=none
}

# bytes NUMBER COUNT: a number in so many bytes, from the lowest on.
bytes() {
	number=$1 count=$2
	while [ "$count" -gt 0 ]; do
		# shellcheck disable=SC2059 # the format is what is written
		printf "\\$(printf %03o $((number % 256)))"
		number=$((number / 256)) count=$((count - 1))
	done
}

# patch FILE OFFSET: the bytes of standard input into a file.
patch() { dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# boot_code FIRST: the code in the master boot record loads the first sector of the partition, which loads the others.
# So the one is told where the other is, as grub-bios-setup does with a disk, which it needs a device for (GRUB 2.06,
# include/grub/i386/pc/boot.h: GRUB_BOOT_MACHINE_KERNEL_SECTOR 0x5c, GRUB_BOOT_MACHINE_DRIVE_CHECK 0x66, where a disk
# gets two nop, and GRUB_BOOT_MACHINE_LIST_SIZE 12 at the end of the first sector).
boot_code() {
	cat "$in/bios/boot.img" >"$work/boot.img"
	bytes "$1" 8 | patch "$work/boot.img" $((0x5c))
	printf '\220\220' | patch "$work/boot.img" $((0x66))
	# What follows the code are the identifier of the disk and the table of partitions.
	head -c 440 "$work/boot.img" | patch "$disk" 0
	cat "$in/bios/core.img" >"$work/core.img"
	bytes $(($1 + 1)) 8 | patch "$work/core.img" $((512 - 12))
	dd if="$work/core.img" of="$disk" bs=512 seek="$1" conv=notrunc status=none
}

# mbr_entry TYPE FIRST SECTORS: of the table in the master boot record (UEFI 2.10, 5.2.1). The addresses by cylinder, head and
# sector are those of what is out of their reach.
mbr_entry() {
	bytes 0 1
	bytes $((0xfffffe)) 3
	bytes $((0x$1)) 1
	bytes $((0xfffffe)) 3
	bytes "$2" 4
	bytes "$3" 4
}

# hybrid FIRST SECTORS: one partition in the master boot record too, for firmware that reads no GPT. The entry of the type EE
# is what GPT is known by. It starts at sector 1, or neither Linux nor U-Boot takes it for one (is_pmbr_valid in Linux,
# block/partitions/efi.c, and in U-Boot, disk/part_efi.c), and ends before the other, for entries may not overlap. It is
# the second, so that a firmware which looks at the first alone finds the partition. gdisk makes the same.
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
# describe_partition: a line of a script for sfdisk.
describe_partition() {
	echo "start=$((start * 2048)), size=$((size * 2048)), type=$kind, uuid=$guid, name=\"$name\"${attributes:+, attrs=\"$attributes\"}"
}

# write_partition: what is on a partition.
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
		# mke2fs looks the whole extent tree up for every block that it writes, which takes ten times as long. So the
		# images get block maps; the files of the machine itself get extents.
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
