#!/bin/sh
# Measures a root filesystem and computes the partitions of a disk for it. This comes first, so that the build fails
# early if the disk is too small.
#
# usage: measure.sh ROOT PARTITIONS OUT
#   PARTITIONS  table of table.go. In its columns, images is the number of images that a partition has room for, mib its
#               size without these, and made is now, or later for partitions that the first boot makes
#   FLAVORKIT_DISK_MIB  size of the disk; 0 for the size that the partitions need
#   OUT         directory for
#                 image  MiB and inodes of an image of the root filesystem
#                 disk   MiB of the disk
#                 table  the partitions that are made now, with two more columns: start and size, in MiB
set -eu
root=$1 partitions=$2 out=$3 disk=$FLAVORKIT_DISK_MIB

# Sizes are in KiB, in blocks of 4 KiB. A file with several names counts once. A link target of less than 60 bytes is in
# the inode. A directory has 8 bytes and the name for each entry, rounded up to 4 (Documentation/filesystems/ext4,
# "Directory Entries"), in blocks that may be half full. The size that find prints for it is that on the builder's
# filesystem, which may be another one.
used=$(LC_ALL=C find "$root" -printf '%D:%i\t%y\t%s\t%h\t%f\n' | LC_ALL=C awk -F '\t' '
	{ entries[$4] += 8 + int((length($5) + 3) / 4) * 4 }
	!seen[$1]++ {
		inodes++
		if ($2 == "d") blocks++
		else if ($2 == "f" || $2 == "l" && $3 >= 60) blocks += int(($3 + 4095) / 4096)
	}
	END {
		for (directory in entries) blocks += int(entries[directory] / 2048)
		print blocks * 4, inodes
	}')
kib=${used% *} inodes=${used#* }
inodes=$((inodes + inodes / 4 + 1024))
# One block in 1024 is for block maps, an inode takes 256 bytes, and 100 MiB are free (contract 1.20).
mib=$(((kib + kib / 512 + inodes / 4) / 1024 + 100))
echo "$mib $inodes" >"$out/image"

# One MiB at the start and one at the end for the partition tables (contract
# 4.1).
awk -F '|' -v image="$mib" -v disk="$disk" -v out="$out" '
	NR == 1 {
		for (i = 1; i <= NF; i++) column[$i] = i
		names = $0
		next
	}
	{
		count++
		size[count] = $column["mib"] + $column["images"] * image
		all += size[count]
		if ($column["made"] == "now") { made = count; needed += size[count] }
		line[count] = $0
	}
	END {
		needed += 2
		if (disk == 0) disk = all + 2
		if (disk < needed) {
			printf "the disk is too small: the system takes %d MiB, an image of it %d MiB, all partitions together %d MiB, but artifacts.disk.size is %d MiB\n", image - 100, image, needed, disk > "/dev/stderr"
			print "write at least " needed "MiB, or leave the size out" > "/dev/stderr"
			exit 1
		}
		# The last partition takes the remaining space.
		if (made == count) size[count] += disk - needed
		print names "|start|size" > (out "/table")
		start = 1
		for (i = 1; i <= made; i++) {
			print line[i] "|" start "|" size[i] > (out "/table")
			start += size[i]
		}
		print disk > (out "/disk")
	}' "$partitions"
