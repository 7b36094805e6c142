#!/bin/sh
# Makes the filesystem image that an installed system boots from (contract 1.20).
#
# usage: image.sh ROOT SIZE FILE
#   SIZE  file with MiB and inodes, from measure.sh
#   FLAVORKIT_LABEL, FLAVORKIT_UUID  of the filesystem
set -eu
root=$1 size=$2 file=$3
. "$(dirname "$0")/ext.sh"

read -r mib inodes <"$size"
truncate -s "${mib}M" "$file"
# shellcheck disable=SC2034 # make_ext reads them
filesystem=ext2 label=$FLAVORKIT_LABEL uuid=$FLAVORKIT_UUID start=0
make_ext "$root" "$file" "$mib" -N "$inodes"
touch -d "@$SOURCE_DATE_EPOCH" "$file"
