#!/bin/sh
# Makes the EFI system partition of a disk.
#
# usage: espart.sh LOADERS CHAIN IMAGE [FIRMWARE]
#   LOADERS   directory with shim and GRUB, under their names in EFI/BOOT
#   CHAIN     GRUB configuration that loads the menu on the disk
#   FIRMWARE  directory with the firmware of a board
#   FLAVORKIT_MIB    its size
#   FLAVORKIT_ESP_*  describe it (esp.sh)
set -eu
loaders=$1 chain=$2 image=$3 firmware=${4-}
. "$(dirname "$0")/esp.sh"

make_esp "$image" $((FLAVORKIT_MIB * 1024)) "$loaders" "$chain"
for file in ${firmware:+"$firmware"/*}; do
	mcopy -m -i "$image" "$file" ::/
done
touch -d "@$SOURCE_DATE_EPOCH" "$image"
