#!/bin/sh
# Measures a root filesystem, and lays the partitions of a disk out for it: before the long work, and so that a disk
# that is too small is refused then.
#
# usage: measure.sh ROOT PARTITIONS OUT
#   PARTITIONS  table of table.go. Of its columns, mib is the size beside the images of the root filesystem that it has
#               room for, images is how many, and made is now, or later for the first boot
#   FLAVORKIT_DISK_MIB  size of the disk; 0 is what the partitions need
#   OUT         directory for
#                 image  MiB and inodes of an image of the root filesystem
#                 disk   MiB of the disk
#                 table  the partitions that are made now, with two more columns: start and size, in MiB
set -eu
root=$1 partitions=$2 out=$3 disk=$FLAVORKIT_DISK_MIB

# In KiB of blocks of 4 KiB, a file with many names once. A target of less than 60 bytes is kept in the inode. A directory
# has 8 bytes and the name for each entry, in steps of 4 (Documentation/filesystems/ext4, "Directory Entries"), in blocks
# that may be half full: what find says of it is its size on the builder's filesystem, which may be another.
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
# One block in 1024 says where the others are, an inode takes 256 bytes, and 100 MiB are free (contract 1.20).
mib=$(((kib + kib / 512 + inodes / 4) / 1024 + 100))
echo "$mib $inodes" >"$out/image"

# One MiB in front and one behind for the partition tables (contract 4.1).
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
			printf "the disk is too small: the system on it takes %d MiB, an image of it %d MiB, all partitions together %d MiB, and artifacts.disk.size gives %d MiB\n", image - 100, image, needed, disk > "/dev/stderr"
			print "write at least " needed "MiB, or leave the size out" > "/dev/stderr"
			exit 1
		}
		# The last partition of all takes what is left.
		if (made == count) size[count] += disk - needed
		print names "|start|size" > (out "/table")
		start = 1
		for (i = 1; i <= made; i++) {
			print line[i] "|" start "|" size[i] > (out "/table")
			start += size[i]
		}
		print disk > (out "/disk")
	}' "$partitions"
