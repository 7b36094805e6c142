#!/bin/sh
# Packs a root filesystem into a squashfs.
#
# usage: squashfs.sh ROOT FILE COMPRESSION [LEVEL]
#
# mksquashfs takes the time of the filesystem, and the latest time of any file,
# from SOURCE_DATE_EPOCH.
set -eu
root=$1 file=$2 compression=$3 level=${4:-}

set -- -comp "$compression"
[ -z "$level" ] || set -- "$@" -Xcompression-level "$level"
mksquashfs "$root" "$file" -noappend -no-progress -quiet -b 1M "$@"
touch -d "@$SOURCE_DATE_EPOCH" "$file"
