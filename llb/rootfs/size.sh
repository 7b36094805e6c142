#!/bin/sh
# Fails if a part of the system is larger than the spec allows, and names the ten
# largest parts of it.
#
# usage: size.sh ROOT INITRAMFS [KEY LIMIT CODE]...
#   ROOT       the root filesystem
#   INITRAMFS  directory with initrd, and with initrd.sizes: a line for each file
#              inside it, with its bytes, a tab and its path
#   KEY        size.root or size.initramfs
#   LIMIT      in MiB
#   CODE       exit code if it is larger
set -eu
root=$1 initramfs=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# files: prints the bytes, a tab and the path of each file of the root. Names of one
# file count once.
files() {
	find "$root" -xdev -type f -printf '%s\t%D:%i\t/%P\n' | LC_ALL=C sort -t "	" -k 3 |
		awk -F '\t' '!($2 in seen) { seen[$2] = 1; print $1 "\t" $3 }'
}

# sum: adds up the first numbers of the lines on standard input.
sum() { awk -F '\t' '{ bytes += $1 } END { printf "%.0f\n", bytes }'; }

# parts: prints the ten largest parts of the files on standard input. A file of
# 4 MiB or more is a part of its own, unless it is a kernel module. All others
# belong to the directory three deep that they are in, but modules and firmware
# to deeper ones.
parts() {
	awk -F '\t' '
		{
			deep = 3
			if ($2 ~ /^(\/usr)?\/lib\/modules\/[^\/]+\/kernel\//) deep = $2 ~ /^\/usr/ ? 7 : 6
			else if ($1 >= 4194304) deep = 99
			else if ($2 ~ /^(\/usr)?\/lib\/firmware\//) deep = $2 ~ /^\/usr/ ? 4 : 3
			n = split($2, name, "/")
			part = ""
			for (i = 2; i <= n && i <= deep + 1; i++) part = part "/" name[i]
			if (n > deep + 1) part = part "/"
			else if (deep != 99) part = substr($2, 1, length($2) - length(name[n]))
			bytes[part] += $1
		}
		END { for (part in bytes) printf "%.0f\t%s\n", bytes[part], part }' |
		LC_ALL=C sort -k 1,1nr -k 2 | head -n 10
}

# mib: prints the bytes of the lines on standard input in MiB.
mib() { awk -F '\t' '{ printf "%9.1f MiB  %s\n", $1 / 1048576, $2 }'; }

while [ $# -gt 0 ]; do
	key=$1 limit=$2 code=$3
	shift 3
	case $key in
	size.root)
		what="the root filesystem"
		files >"$work/files"
		bytes=$(sum <"$work/files")
		;;
	size.initramfs)
		what="the initramfs"
		bytes=$(stat -L -c %s "$initramfs/initrd")
		cat "$initramfs/initrd.sizes" >"$work/files"
		;;
	*)
		echo "unknown key $key" >&2
		exit 1
		;;
	esac
	size=$(printf '%s\n' "$bytes" | awk '{ printf "%.1f", $1 / 1048576 }')
	if [ "$bytes" -le $((limit * 1048576)) ]; then
		echo "$what has $size MiB of $limit MiB"
		continue
	fi
	{
		echo "check failed: $key: $what has $size MiB, the limit is $limit MiB. Its largest parts, unpacked:"
		parts <"$work/files" | mib
	} >&2
	[ "$failed" -ne 0 ] || failed=$code
done
exit "$failed"
