#!/bin/sh
# Packs the content of an extension into a disk image: a filesystem, its verity
# data, and a signature of their root hash if there is a key. Runs without
# privileges, loop devices and mounts, and writes the same bytes every time.
#
# usage: image.sh CONTENT FILE KIND ARCHITECTURE SEED [CERTIFICATE KEY]
#   KIND          sysext or confext
#   ARCHITECTURE  as systemd names it, for the types of the partitions
#   SEED          what the identifiers of the partitions are derived from
set -eu
content=$1 file=$2 kind=$3 architecture=$4 seed=$5
shift 5
. "$(dirname "$0")/checksum.sh"

# What extension.go says about exit codes.
no_certificate=200 no_key=201 other_key=202

if [ $# -gt 0 ]; then
	certificate=$1 key=$2
	openssl x509 -in "$certificate" -noout || exit $no_certificate
	openssl pkey -in "$key" -passin pass: -noout || exit $no_key
	[ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -passin pass: -pubout)" ] || exit $other_key
	set -- --certificate="$certificate" --private-key="$key"
else
	set -- --exclude-partitions=root-verity-sig,usr-verity-sig
fi
systemd-repart --make-ddi="$kind" --offline=yes --copy-source="$content" --architecture="$architecture" --seed="$seed" "$@" "$file"

write_checksums "$file.sha256" "$file"
