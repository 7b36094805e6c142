#!/bin/sh
# Makes EFI system partitions without mounting them. A library: sourced by the scripts beside it.

# make_esp IMAGE KIB LOADERS CHAIN: a FAT filesystem of KIB KiB.
#   LOADERS  directory with shim and GRUB, under the names they get in EFI/BOOT
#   CHAIN    configuration that leads this GRUB to its menu
# The environment describes it (artifact.ESP in Go):
#   FLAVORKIT_ESP_LABEL   of the filesystem
#   FLAVORKIT_ESP_ID      volume id, which would be the time of day (mkfs.fat(8), -i); --invariant has one too, and
#                         comes before
#   FLAVORKIT_ESP_CONFIG  directory in which this GRUB looks for its configuration
#   FLAVORKIT_ESP_FAT     bits of an entry of the allocation table; empty lets the size decide
make_esp() {
	image=$1 kib=$2 loaders=$3 chain=$4
	export MTOOLSRC=/dev/null
	mkfs.vfat --invariant ${FLAVORKIT_ESP_FAT:+-F "$FLAVORKIT_ESP_FAT"} -C -n "$FLAVORKIT_ESP_LABEL" -i "$FLAVORKIT_ESP_ID" \
		"$image" "$kib" >/dev/null
	mmd -i "$image" ::/EFI ::/EFI/BOOT ::/boot ::/boot/grub
	for loader in "$loaders"/*; do
		mcopy -m -i "$image" "$loader" ::/EFI/BOOT/
	done
	mcopy -m -i "$image" "$chain" ::/EFI/BOOT/grub.cfg
	mcopy -m -i "$image" "$chain" ::/boot/grub/grub.cfg
	if [ "$FLAVORKIT_ESP_CONFIG" != /EFI/BOOT ]; then
		mmd -i "$image" "::$FLAVORKIT_ESP_CONFIG"
		mcopy -m -i "$image" "$chain" "::$FLAVORKIT_ESP_CONFIG/grub.cfg"
	fi
}
