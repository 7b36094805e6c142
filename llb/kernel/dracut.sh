#!/bin/sh
# Makes the initramfs for the one kernel of this stage with dracut.
#
# usage: dracut.sh OVERLAY INITRD MANIFEST TOOL...
#   OVERLAY   tree with the configuration and the modules of ours
#   INITRD    file to write
#   MANIFEST  file to write the list of paths inside to
#   TOOL      what must be there (initramfs.sh, need)
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
dracut --force --kver "$version" "$initrd"
chmod 0644 "$initrd"
lsinitrd "$initrd" >"$manifest.long"
awk '$1 ~ /^[-dlcbps][-rwxsStT]+$/ && length($1) == 10 {print "/" $9}' "$manifest.long" | manifest "$manifest"
rm "$manifest.long"
touch -d "@$SOURCE_DATE_EPOCH" "$initrd" "$(dirname "$initrd")" "$(dirname "$(dirname "$initrd")")"
