#!/bin/sh
# Makes the filesystem image that an installed system boots from (contract 1.20).
#
# usage: image.sh ROOT SIZE FILE LABEL UUID
#   SIZE  file with MiB and inodes, of measure.sh
set -eu
root=$1 size=$2 file=$3 label=$4 uuid=$5
. "$(dirname "$0")/ext.sh"

read -r mib inodes <"$size"
truncate -s "${mib}M" "$file"
make_ext ext2 "$label" "$uuid" "$root" "$mib" "$file" 0 -N "$inodes"
touch -d "@$SOURCE_DATE_EPOCH" "$file"
