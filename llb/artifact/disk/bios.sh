#!/bin/sh
# Makes the boot code of a disk for BIOS.
#
# usage: bios.sh CHAIN OUT
#   CHAIN  configuration that leads GRUB to the menu on the disk; it gets into the code
#   OUT    folder for boot.img, of the master boot record, and core.img
set -eu
chain=$1 out=$2

cp /usr/lib/grub/i386-pc/boot.img "$out/"
# All that the menu and bootargs.cfg of the system call, for there are no modules on the disk.
grub-mkimage -O i386-pc -p /grub2 -c "$chain" -o "$out/core.img" \
	all_video biosdisk boot cat chain configfile echo ext2 font gettext gfxmenu gfxterm gzio halt linux loadenv \
	loopback ls minicmd normal part_gpt part_msdos probe reboot regexp search search_fs_file search_fs_uuid \
	search_label serial sleep smbios squash4 terminal test true vbe vga
# The partition has 1 MiB (contract 1.20).
[ "$(stat -c %s "$out/core.img")" -le 1048576 ]
touch -d "@$SOURCE_DATE_EPOCH" "$out"/*
