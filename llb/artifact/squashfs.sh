#!/bin/sh
# Packs a root filesystem into a squashfs that holds its kernel and initramfs so that an ISO can
# name them as files of its own: uncompressed, in one piece, at a multiple of a block of ISO 9660.
#
# usage: squashfs.sh ROOT OUT COMPRESSION [LEVEL]
#   OUT/rootfs.squashfs  the system
#   OUT/kernel           offset and size of the kernel in it, in bytes
#   OUT/initrd           those of the initramfs
#
# mksquashfs uses SOURCE_DATE_EPOCH as the time of the filesystem, and as the
# latest time of any file.
set -eu
root=$1 out=$2 compression=$3 level=${4:-}
file=$out/rootfs.squashfs block=2048 fill=boot/.alignment

set -- -noappend -no-progress -quiet -b 1M -comp "$compression"
[ -z "$level" ] || set -- "$@" -Xcompression-level "$level"

# number FILE OFFSET: prints an unsigned 16-bit number.
number() { od -A n -t u2 -j "$2" -N 2 --endian=little "$1" | tr -d ' '; }

# start: prints where the data of the first file begins: after the superblock of 96 bytes and, if
# flag 0x400 is set in it, the compressor's options with their length (Linux, Documentation/filesystems/squashfs.rst).
start() {
	mkdir "$out/empty"
	mksquashfs "$out/empty" "$out/empty.squashfs" "$@"
	at=96
	if [ $(($(number "$out/empty.squashfs" 24) & 0x400)) -ne 0 ]; then
		at=$((at + 2 + ($(number "$out/empty.squashfs" 96) & 0x7fff)))
	fi
	rm -r "$out/empty" "$out/empty.squashfs"
	echo "$at"
}

# align NAME OFFSET: makes a file that fills the space from an offset to the next block.
align() {
	bytes=$(((block - $2 % block) % block))
	# Not the same text twice: mksquashfs stores equal files once.
	yes "$1: This file lets a medium use the kernel and initramfs in its squashfs." | head -c "$bytes" >"$root/$fill/$1"
	touch -d "@$SOURCE_DATE_EPOCH" "$root/$fill/$1"
}

# locate NAME PATH OFFSET: checks that a file is at an offset of the squashfs, and records it.
locate() {
	size=$(stat -c %s "$root/$2")
	cmp -n "$size" -i "$3:0" "$file" "$root/$2"
	echo "$3 $size" >"$out/$1"
}

kernel=boot/$(readlink "$root/boot/vmlinuz") initrd=boot/initrd
at=$(start "$@")
touch -r "$root/boot" "$out/boot"
mkdir "$root/$fill"
align 1 "$at"
initrd_at=$((at + $(stat -c %s "$root/$fill/1")))
initrd_end=$((initrd_at + $(stat -c %s "$root/$initrd")))
align 2 "$initrd_end"
kernel_at=$((initrd_end + $(stat -c %s "$root/$fill/2")))
touch -d "@$SOURCE_DATE_EPOCH" "$root/$fill"
touch -r "$out/boot" "$root/boot"
rm "$out/boot"

# The first four files, in this order, and how to pack them.
order=$out/order priority=32767 these=false
for path in "$fill/1" "$initrd" "$fill/2" "$kernel"; do
	echo "$path $priority" >>"$order"
	priority=$((priority - 1)) these="$these||pathname($path)"
done
mksquashfs "$root" "$file" "$@" -sort "$order" -action "uncompressed@$these" -action "no-fragments@$these"
rm "$order"
locate initrd "$initrd" "$initrd_at"
locate kernel "$kernel" "$kernel_at"
touch -d "@$SOURCE_DATE_EPOCH" "$out"/*
