#!/bin/sh
# Makes ext filesystems in user space. A library: sourced by the scripts beside it.
#
# Equal trees give equal bytes: identifiers are given, mke2fs takes files in the order of their names, and every time
# is the epoch at the latest. mke2fs 1.47.0 takes the time of its own work from E2FSPROGS_FAKE_TIME, and copies from
# the tree what no tree keeps, the times of access and of the last change of an inode.

# make_ext DIR FILE MIB [OPTION...]: a filesystem of MIB MiB with what is in DIR, with options of mke2fs. Variables say
# what it is: $filesystem, $label, $uuid, and $start, where it is in FILE in MiB. -b, -I and -i are what mke2fs.conf has
# for large filesystems: small ones get to grow.
# shellcheck disable=SC2154 # who calls it sets them
make_ext() {
	directory=$1 file=$2 size_mib=$3
	shift 3
	offset=$((start * 1024 * 1024))
	export E2FSPROGS_FAKE_TIME="$SOURCE_DATE_EPOCH"
	mke2fs -q -F -t "$filesystem" -b 4096 -I 256 -i 16384 -m 0 -L "$label" -U "$uuid" \
		-E "hash_seed=$uuid,lazy_itable_init=0,lazy_journal_init=0,nodiscard,offset=$offset" "$@" -d "$directory" "$file" "${size_mib}M"
	settle_times "$file?offset=$offset" "$directory"
}

# settle_times FILESYSTEM DIR: of all inodes that were made of the directory, which are the first ones that are free in
# a new filesystem.
settle_times() {
	said=$(debugfs -R 'show_super_stats -h' "$1" 2>&1)
	used=$(echo "$said" | awk '/^Inode count:/ {all = $3} /^Free inodes:/ {free = $3} END {print all - free}')
	said=$({
		echo "set_current_time @$SOURCE_DATE_EPOCH"
		awk -v used="$used" -v t="@$SOURCE_DATE_EPOCH" 'BEGIN {
			for (i = 12; i <= used; i++) printf "sif <%d> atime %s\nsif <%d> ctime %s\n", i, t, i, t
		}'
		# In the language of debugfs a quote is doubled inside of quotes.
		find "$2" -mindepth 1 -newermt "@$SOURCE_DATE_EPOCH" -printf '/%P\n' |
			sed -e 's/"/""/g' -e "s|.*|sif \"&\" mtime @$SOURCE_DATE_EPOCH|"
	} | debugfs -w -f - "$1" 2>&1 >/dev/null | sed '/^debugfs [0-9]/d')
	[ -z "$said" ] || {
		echo "$said" | head >&2
		return 1
	}
}
