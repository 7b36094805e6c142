#!/bin/sh
# Makes the images that BIOS and UEFI start a medium from.
#
# usage: boot.sh LOADERS TREE OUT
#   LOADERS  directory with shim and GRUB, under their names in EFI/BOOT
#   TREE     static files of the medium, with boot/grub/grub.cfg
#   OUT      directory for uefi.img, and for eltorito.img and boot_hybrid.img
#   FLAVORKIT_BIOS   if not empty, also makes those for BIOS
#   FLAVORKIT_ESP_*  describe the EFI system partition (esp.sh)
set -eu
loaders=$1 tree=$2 out=$3
chain=$tree/boot/grub/grub.cfg

. "$(dirname "$0")/esp.sh"
. "$(dirname "$0")/grub.sh"
config=$(grub_config "$loaders")

# The size is rounded up to the next 4 MiB (contract 3.3).
unit=$((4 * 1024 * 1024))
bytes=$(cat "$loaders"/* "$chain" "$chain" "$chain" | wc -c)
size=$(((bytes / unit + 1) * unit))
make_esp "$out/uefi.img" $((size / 1024)) "$loaders" "$chain"
# The same files in the tree, for media that are made by copying files.
mkdir -p "$out/EFI/BOOT"
cp "$loaders"/* "$out/EFI/BOOT/"
cp "$chain" "$out/EFI/BOOT/grub.cfg"
if [ "$config" != /EFI/BOOT ]; then
	mkdir "$out$config"
	cp "$chain" "$out$config/"
fi

if [ -n "${FLAVORKIT_BIOS-}" ]; then
	grub=/usr/lib/grub/i386-pc
	make_core "$out/core.img" /boot/grub2
	cat "$grub/cdboot.img" "$out/core.img" >"$out/eltorito.img"
	cp "$grub/boot_hybrid.img" "$out/"
	rm "$out/core.img"
fi
find "$out" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
