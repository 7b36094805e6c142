#!/bin/sh
# Makes the boot code of a disk for BIOS.
#
# usage: bios.sh CHAIN OUT
#   CHAIN  GRUB configuration that loads the menu on the disk; it becomes part of the code
#   OUT    directory for boot.img, for the master boot record, and core.img
set -eu
chain=$1 out=$2
. "$(dirname "$0")/grub.sh"

cp /usr/lib/grub/i386-pc/boot.img "$out/"
make_core "$out/core.img" /grub2 -c "$chain"
# The partition has 1 MiB (contract 1.20).
[ "$(stat -c %s "$out/core.img")" -le 1048576 ]
touch -d "@$SOURCE_DATE_EPOCH" "$out"/*
