#!/bin/sh
# Writes a container image as an OCI layout in a tar, from which a Kubernetes
# loads it.
#
# usage: preloaded.sh OUT TARGET BLOBS LAYOUT
#   OUT     directory for the root filesystem
#   TARGET  path of the archive in it
#   BLOBS   directory with the blobs, named by their sha256
#   LAYOUT  directory with oci-layout and index.json
set -eu
out=$1 target=$1$2 blobs=$3 layout=$4

mkdir -p "$(dirname "$target")"
cd "$blobs"
# A name of 64 characters is that of a blob. The files differ between builders in
# owner, mode and time, which are set.
tar --create --file "$target" --format=gnu \
	--owner=0 --group=0 --numeric-owner --mode=u=rw,go=r --mtime="@$SOURCE_DATE_EPOCH" \
	--transform='s,^\([0-9a-f]\{64\}\)$,blobs/sha256/\1,' \
	--directory "$layout" oci-layout index.json --directory "$blobs" -- *
find "$out" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
