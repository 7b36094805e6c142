#!/bin/sh
# Makes the EFI system partition of a disk.
#
# usage: espart.sh LOADERS CHAIN IMAGE CONFIG MIB LABEL [FIRMWARE]
#   LOADERS   folder with shim and GRUB, under the names they get in EFI/BOOT
#   CHAIN     configuration that leads GRUB to the menu on the disk
#   CONFIG    folder in which this GRUB looks for its configuration
#   FIRMWARE  folder with what a board starts from
set -eu
loaders=$1 chain=$2 image=$3 config=$4 mib=$5 label=$6 firmware=${7-}
. "$(dirname "$0")/esp.sh"

# Boards start from FAT32 best: https://github.com/raspberrypi/rpi-eeprom/pull/369 and
# https://github.com/raspberrypi/firmware/issues/1738 have those that do not from FAT16.
make_esp "$image" $((mib * 1024)) "$label" 464C4456 "$loaders" "$chain" "$config" ${firmware:+32}
for file in ${firmware:+"$firmware"/*}; do
	mcopy -m -i "$image" "$file" ::/
done
touch -d "@$SOURCE_DATE_EPOCH" "$image"
