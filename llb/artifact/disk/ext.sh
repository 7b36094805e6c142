#!/bin/sh
# Makes ext filesystems in user space. Other scripts source this library.
#
# Equal trees give equal bytes: identifiers are fixed, mke2fs takes files in the order of their names, and no time is
# later than the epoch. mke2fs 1.47.0 takes the current time from E2FSPROGS_FAKE_TIME, but copies the access and
# change times of inodes from the tree, and these differ in every build.

# make_ext DIR FILE MIB [OPTION...]: makes a filesystem of MIB MiB with the contents of DIR, with options of mke2fs.
# Variables describe it: $filesystem, $label, $uuid, and $start, its offset in FILE in MiB. -b, -I and -i are the values
# of mke2fs.conf for large filesystems, because small ones will grow.
# shellcheck disable=SC2154 # the caller sets them
make_ext() {
	directory=$1 file=$2 size_mib=$3
	shift 3
	offset=$((start * 1024 * 1024))
	export E2FSPROGS_FAKE_TIME="$SOURCE_DATE_EPOCH"
	mke2fs -q -F -t "$filesystem" -b 4096 -I 256 -i 16384 -m 0 -L "$label" -U "$uuid" \
		-E "hash_seed=$uuid,lazy_itable_init=0,lazy_journal_init=0,nodiscard,offset=$offset" "$@" -d "$directory" "$file" "${size_mib}M"
	settle_times "$file?offset=$offset" "$directory"
}

# settle_times FILESYSTEM DIR: sets the times of all inodes of the directory, which are the first free ones of a new
# filesystem.
settle_times() {
	said=$(debugfs -R 'show_super_stats -h' "$1" 2>&1)
	used=$(echo "$said" | awk '/^Inode count:/ {all = $3} /^Free inodes:/ {free = $3} END {print all - free}')
	said=$({
		echo "set_current_time @$SOURCE_DATE_EPOCH"
		awk -v used="$used" -v t="@$SOURCE_DATE_EPOCH" 'BEGIN {
			for (i = 12; i <= used; i++) printf "sif <%d> atime %s\nsif <%d> ctime %s\n", i, t, i, t
		}'
		# debugfs doubles a quote inside quotes.
		find "$2" -mindepth 1 -newermt "@$SOURCE_DATE_EPOCH" -printf '/%P\n' |
			sed -e 's/"/""/g' -e "s|.*|sif \"&\" mtime @$SOURCE_DATE_EPOCH|"
	} | debugfs -w -f - "$1" 2>&1 >/dev/null | sed '/^debugfs [0-9]/d')
	[ -z "$said" ] || {
		echo "$said" | head >&2
		return 1
	}
}
