#!/bin/sh
# Makes the initramfs for the one kernel of this stage with mkinitfs(1).
#
# usage: mkinitfs.sh OVERLAY INITRD MANIFEST TOOL...
#   OVERLAY   tree with our configuration, features and /init
#   INITRD    file to write
#   MANIFEST  file NAME.list to write the list of paths inside to; NAME.sizes
#             beside it gets the sizes of the files
#   TOOL      required command (initramfs.sh, need)
set -eu
# shellcheck source-path=SCRIPTDIR source=initramfs.sh
. "${0%/*}/initramfs.sh"
overlay=$1 initrd=$2 manifest=$3
shift 3
need "$@"

cp -a "$overlay/." /
version=$(basename /lib/modules/*)
depmod -a "$version"
mkdir -p "$(dirname "$initrd")" "$(dirname "$manifest")"
mkinitfs -C gzip -o "$initrd" "$version"
chmod 0644 "$initrd"
gzip -dc "$initrd" | cpio -t 2>/dev/null | sed 's#^\.\{0,1\}/*#/#' | manifest "$manifest"
# The cpio of busybox has owner and group in one word, and that of GNU does not.
gzip -dc "$initrd" | cpio -tv 2>/dev/null |
	awk '$1 ~ /^-/ {
		path = $2 ~ /\// ? $6 : $9
		sub(/^\.?\/*/, "/", path)
		print ($2 ~ /\// ? $3 : $5) "\t" path
	}' | sizes "$manifest"
touch -d "@$SOURCE_DATE_EPOCH" "$initrd" "$(dirname "$initrd")" "$(dirname "$(dirname "$initrd")")"
