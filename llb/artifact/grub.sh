#!/bin/sh
# Makes GRUB for BIOS. Other scripts source this library.

# make_core IMAGE PREFIX [OPTION...]: makes the core image, with options of grub-mkimage. It has all modules that the
# menus and bootargs.cfg of the system use, because media and disks have none.
make_core() {
	core=$1 prefix=$2
	shift 2
	grub-mkimage -O i386-pc -p "$prefix" -o "$core" "$@" \
		all_video biosdisk boot cat chain configfile echo ext2 font gettext gfxmenu gfxterm gzio halt iso9660 linux \
		loadenv loopback ls minicmd normal part_gpt part_msdos probe reboot regexp search search_fs_file search_fs_uuid \
		search_label serial sleep smbios squash4 terminal test true vbe vga
}
