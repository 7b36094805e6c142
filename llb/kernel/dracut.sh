#!/bin/sh
# Makes the initramfs for the one kernel of this stage with dracut.
#
# usage: dracut.sh OVERLAY INITRD MANIFEST
#   OVERLAY   tree with the configuration and the modules of ours
#   INITRD    file to write
#   MANIFEST  file to write the list of paths inside to
set -eu
overlay=$1 initrd=$2 manifest=$3

cp -a "$overlay/." /
version=$(basename /lib/modules/*)
depmod -a "$version"
mkdir -p "$(dirname "$initrd")" "$(dirname "$manifest")"
dracut --force --kver "$version" "$initrd"
chmod 0644 "$initrd"
lsinitrd "$initrd" | awk '$1 ~ /^[-dlcbps][-rwxsStT]{9}/ {print "/" $9}' | sort >"$manifest"
touch -d "@$SOURCE_DATE_EPOCH" "$initrd" "$(dirname "$initrd")" "$(dirname "$(dirname "$initrd")")"
