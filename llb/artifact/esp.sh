#!/bin/sh
# Makes EFI system partitions without mounting them. A library: sourced by the scripts beside it.

# make_esp IMAGE KIB LABEL ID LOADERS CHAIN CONFIG [FAT]: a FAT filesystem of KIB KiB.
#   ID       volume id, which would be the time of day (mkfs.fat(8), -i); --invariant has one too, and comes before
#   LOADERS  folder with shim and GRUB, under the names they get in EFI/BOOT
#   CHAIN    configuration that leads this GRUB to its menu
#   CONFIG   folder in which this GRUB looks for its configuration
#   FAT      bits of an entry of the allocation table, which depend on the size otherwise
make_esp() {
	image=$1 kib=$2 label=$3 id=$4 loaders=$5 chain=$6 config=$7 fat=${8-}
	export MTOOLSRC=/dev/null
	mkfs.vfat --invariant ${fat:+-F "$fat"} -C -n "$label" -i "$id" "$image" "$kib" >/dev/null
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
