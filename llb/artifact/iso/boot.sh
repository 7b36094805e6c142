#!/bin/sh
# Makes the images that firmware starts a medium from.
#
# usage: boot.sh LOADERS TREE OUT CONFIG [bios]
#   LOADERS  folder with shim and GRUB, under the names they get in EFI/BOOT
#   TREE     static files of the medium, with boot/grub/grub.cfg
#   OUT      folder for uefi.img, and for eltorito.img and boot_hybrid.img
#   CONFIG   folder in which this GRUB looks for its configuration
set -eu
loaders=$1 tree=$2 out=$3 config=$4 bios=${5:-}
chain=$tree/boot/grub/grub.cfg

. "$(dirname "$0")/esp.sh"

# The size is rounded up to the next 4 MiB (contract 3.3).
unit=$((4 * 1024 * 1024))
bytes=$(cat "$loaders"/* "$chain" "$chain" "$chain" | wc -c)
size=$(((bytes / unit + 1) * unit))
make_esp "$out/uefi.img" $((size / 1024)) EFI_LIVE 464C4156 "$loaders" "$chain" "$config"
# The same beside it, for media that are made by copying files.
mkdir -p "$out/EFI/BOOT"
cp "$loaders"/* "$out/EFI/BOOT/"
cp "$chain" "$out/EFI/BOOT/grub.cfg"
if [ "$config" != /EFI/BOOT ]; then
	mkdir "$out$config"
	cp "$chain" "$out$config/"
fi

if [ -n "$bios" ]; then
	grub=/usr/lib/grub/i386-pc
	grub-mkimage -O i386-pc -p /boot/grub2 -o "$out/core.img" \
		all_video biosdisk boot cat chain configfile echo ext2 font gettext gfxmenu gfxterm gzio halt \
		iso9660 linux loadenv ls minicmd normal part_gpt part_msdos probe reboot regexp search \
		search_fs_file search_fs_uuid search_label serial sleep smbios terminal test true vbe vga
	cat "$grub/cdboot.img" "$out/core.img" >"$out/eltorito.img"
	cp "$grub/boot_hybrid.img" "$out/"
	rm "$out/core.img"
fi
find "$out" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
