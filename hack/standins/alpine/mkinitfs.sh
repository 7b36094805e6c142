#!/bin/sh
# A substitute for Alpine's mkinitfs(1), for one kernel, with the documented options that a build needs. It
# refuses all others. It adds the files of features.d with the libraries of programs, and modules with their
# dependencies.
set -eu

die() {
	echo "mkinitfs: $*" >&2
	exit 1
}

config=/etc/mkinitfs/mkinitfs.conf features_dirs=/etc/mkinitfs/features.d init=/usr/share/mkinitfs/initramfs-init
compression=gzip out='' asked=''
while getopts c:C:F:hi:o:P:q option; do
	case $option in
	c) config=$OPTARG ;;
	C) compression=$OPTARG ;;
	F) asked=$OPTARG ;;
	i) init=$OPTARG ;;
	o) out=$OPTARG ;;
	P) features_dirs="$OPTARG $features_dirs" ;;
	q) ;;
	*) die "usage: mkinitfs [-q] [-c configfile] [-C compression] [-F features] [-i initfile] [-o outfile] [-P featuresdir] [kernelversion]" ;;
	esac
done
shift $((OPTIND - 1))
kernel=${1:-$(uname -r)}
modules=/lib/modules/$kernel
[ -d "$modules" ] || die "$modules does not exist or is not a directory"
case $compression in
gzip) compress='gzip -9' ;;
xz) compress='xz -C crc32 -T 0' ;;
zstd) compress='zstd -19' ;;
*) die "compression $compression is not supported" ;;
esac
features=''
# shellcheck source=/dev/null
. "$config"
[ -z "$asked" ] || features=$asked
out=${out:-/boot/initramfs-${kernel##*-}}

# feature KIND DIR: the existing files that the patterns of all features match; of a directory all files in it.
feature() {
	for name in ${features:-}; do
		for dir in $features_dirs; do
			[ -f "$dir/$name.$1" ] || continue
			sed -e '/^#/d' -e '/^$/d' -e 's#^/*##' "$dir/$name.$1" | while read -r pattern; do
				for file in "$2"/$pattern; do
					if [ -d "$file" ]; then
						find "$file/" -type f
					elif [ -e "$file" ]; then
						echo "$file"
					fi
				done
			done
			break
		done
	done
}

# with_links FILE: the file, and each that its links lead to.
with_links() {
	file=$1
	echo "$file"
	while [ -L "$file" ]; do
		target=$(readlink "$file")
		case $target in /*) file=$target ;; *) file=$(cd "${file%/*}" && cd "$(dirname "$target")" && pwd)/${target##*/} ;; esac
		echo "$file"
	done
}

# with_needs: adds what links lead to, and the libraries of programs.
with_needs() {
	while read -r file; do
		with_links "$file"
		ldd "$file" 2>/dev/null | sed -n 's#^.*[[:space:]]\(/[^ ]*\) (0x.*#\1#p' | while read -r library; do
			with_links "$library"
		done
	done
}

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
echo "==> initramfs: creating $out"
mkdir -p "$tree/dev" "$tree/proc" "$tree/sys" "$tree/bin" "$tree/sbin" "$tree/run" "$tree/newroot" "$tree/lib/modules"
feature files '' | with_needs | sort -u | sed 's#^/##' | (cd / && cpio --quiet -pdm "$tree")
install -m 0755 "$init" "$tree/init"

feature modules "$modules" | sed "s#^$modules/*##; s#//*#/#g" | awk -v deps="$modules/modules.dep" '
	BEGIN {
		while ((getline line < deps) > 0) {
			split(line, part, ": *")
			needs[part[1]] = part[2]
		}
	}
	function take(module,   all, i, n) {
		if (module in taken) return
		taken[module] = 1
		print module
		n = split(needs[module], all, " ")
		for (i = 1; i <= n; i++) take(all[i])
	}
	$0 in needs { take($0) }
' | sort -u | sed "s#^#lib/modules/$kernel/#" | (cd / && cpio --quiet -pdm "$tree")
for file in modules.order modules.builtin; do
	[ ! -f "$modules/$file" ] || cp "$modules/$file" "$tree/lib/modules/$kernel/"
done
depmod -b "$tree" "$kernel"

[ -z "${SOURCE_DATE_EPOCH:-}" ] || find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$tree" && find . | sort | cpio --quiet --renumber-inodes -o -H newc | $compress) >"$out"
