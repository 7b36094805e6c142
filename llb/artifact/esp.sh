#!/bin/sh
# Makes EFI system partitions without mounting them. Other scripts source this library.

# grub_config LOADERS: prints the directory in which GRUB looks for its configuration.
grub_config() {
	if [ -n "${FLAVORKIT_ESP_CONFIG-}" ]; then
		echo "$FLAVORKIT_ESP_CONFIG"
	else
		cat "$1.config"
	fi
}

# make_esp IMAGE KIB LOADERS CHAIN: makes a FAT filesystem of KIB KiB.
#   LOADERS  directory with shim and GRUB, under their names in EFI/BOOT
#   CHAIN    GRUB configuration that loads the menu
# The environment describes it (artifact.ESP in Go):
#   FLAVORKIT_ESP_LABEL   of the filesystem
#   FLAVORKIT_ESP_ID      volume id, which would otherwise be the time of day (mkfs.fat(8), -i). --invariant also sets
#                         one, so it must come before
#   FLAVORKIT_ESP_CONFIG  directory in which GRUB looks for its configuration; if empty, the file LOADERS.config says it
#   FLAVORKIT_ESP_FAT     bits of an entry of the allocation table; if empty, it depends on the size
make_esp() {
	image=$1 kib=$2 loaders=$3 chain=$4 config=$(grub_config "$3")
	export MTOOLSRC=/dev/null
	mkfs.vfat --invariant ${FLAVORKIT_ESP_FAT:+-F "$FLAVORKIT_ESP_FAT"} -C -n "$FLAVORKIT_ESP_LABEL" -i "$FLAVORKIT_ESP_ID" \
		"$image" "$kib" >/dev/null
	mmd -i "$image" ::/EFI ::/EFI/BOOT ::/boot ::/boot/grub
	for loader in "$loaders"/*; do
		mcopy -m -i "$image" "$loader" ::/EFI/BOOT/
	done
	mcopy -m -i "$image" "$chain" ::/EFI/BOOT/grub.cfg
	mcopy -m -i "$image" "$chain" ::/boot/grub/grub.cfg
	if [ "$config" != /EFI/BOOT ]; then
		mmd -i "$image" "::$config"
		mcopy -m -i "$image" "$chain" "::$config/grub.cfg"
	fi
}
