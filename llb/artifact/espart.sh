#!/bin/sh
# Makes the EFI system partition of a disk.
#
# usage: espart.sh LOADERS CHAIN IMAGE CONFIG MIB LABEL
#   LOADERS  folder with shim and GRUB, under the names they get in EFI/BOOT
#   CHAIN    configuration that leads GRUB to the menu on the disk
#   CONFIG   folder in which this GRUB looks for its configuration
set -eu
loaders=$1 chain=$2 image=$3 config=$4 mib=$5 label=$6
. "$(dirname "$0")/esp.sh"

make_esp "$image" $((mib * 1024)) "$label" 464C4456 "$loaders" "$chain" "$config"
touch -d "@$SOURCE_DATE_EPOCH" "$image"
