#!/bin/sh
# Makes a fixed VHD from a disk: the disk and a footer of 512 bytes (Microsoft, "Virtual Hard Disk Image
# Format Specification", 1.0). qemu-img would write the time of day and a new identifier.
#
# usage: vhd.sh DISK VHD GUID
set -eu
disk=$1 vhd=$2 guid=$3

# hex DIGITS: prints the bytes of hexadecimal digits.
hex() {
	for byte in $(echo "$1" | sed 's/../& /g'); do
		# shellcheck disable=SC2059 # the format is what is written
		printf "\\$(printf %03o "0x$byte")"
	done
}

size=$(stat -c %s "$disk")
# Seconds since 2000-01-01, the epoch of VHD.
time=$((SOURCE_DATE_EPOCH - 946684800))
[ "$time" -ge 0 ] || time=0

# The maximum geometry: for larger disks, readers use the size (specification, appendix).
geometry=ffff10ff

# footer CHECKSUM
footer() {
	printf conectix
	hex 00000002         # features: the reserved bit, always set
	hex 00010000         # version of the format
	hex ffffffffffffffff # no header of a dynamic disk
	hex "$(printf %08x "$time")"
	printf flvk
	hex 00010000 # version of what made it
	printf Wi2k  # system that it was made on: Windows, for readers know no other but Macintosh
	hex "$(printf %016x "$size")$(printf %016x "$size")"
	hex "$geometry"
	hex 00000002 # fixed
	hex "$(printf %08x "$1")"
	hex "$(echo "$guid" | tr -d -)"
	head -c 428 /dev/zero # not suspended, and what is reserved
}

# The checksum is the complement of the sum of all other bytes.
sum=$(footer 0 | od -An -v -t u1 | awk '{ for (i = 1; i <= NF; i++) sum += $i } END { print sum }')
cp --sparse=always "$disk" "$vhd"
footer $((4294967295 - sum)) >>"$vhd"
touch -d "@$SOURCE_DATE_EPOCH" "$vhd"
