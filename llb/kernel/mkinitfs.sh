#!/bin/sh
# Makes the initramfs for the one kernel of this stage with mkinitfs(1).
#
# usage: mkinitfs.sh OVERLAY INITRD MANIFEST TOOL...
#   OVERLAY   tree with the configuration, the features and the /init of ours
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
mkinitfs -C gzip -o "$initrd" "$version"
chmod 0644 "$initrd"
gzip -dc "$initrd" | cpio -t 2>/dev/null | sed 's#^\.\{0,1\}/*#/#' | manifest "$manifest"
touch -d "@$SOURCE_DATE_EPOCH" "$initrd" "$(dirname "$initrd")" "$(dirname "$(dirname "$initrd")")"
