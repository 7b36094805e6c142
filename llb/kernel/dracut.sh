#!/bin/sh
# Makes the initramfs for the one kernel of this stage with dracut.
#
# usage: dracut.sh OVERLAY INITRD MANIFEST TOOL...
#   OVERLAY   tree with our configuration and dracut modules
#   INITRD    file to write
#   MANIFEST  file NAME.list to write the list of paths inside to; NAME.sizes
#             beside it gets the sizes of the files
#   TOOL      required command (initramfs.sh, need)
#
# What to leave out: modules.sh.
set -eu
# shellcheck source-path=SCRIPTDIR source=initramfs.sh
. "${0%/*}/initramfs.sh"
# shellcheck source-path=SCRIPTDIR source=modules.sh
. "${0%/*}/modules.sh"
overlay=$1 initrd=$2 manifest=$3
shift 3
need "$@"

# omit: prints a dracut configuration that leaves out a list of modules. dracut reads
# a name as a regular expression. Dependencies of included modules are always
# included.
omit() {
	sed 's#.*/##; s#[.]ko.*##; y#-#_#; s/.*/omit_drivers+=" ^&$ "/' | LC_ALL=C sort -u
}

cp -a "$overlay/." /
version=$(basename /lib/modules/*)
depmod -a "$version"
omitted "/lib/modules/$version/kernel" | omit >/etc/dracut.conf.d/99-omit.conf
mkdir -p "$(dirname "$initrd")" "$(dirname "$manifest")"
dracut --force --kver "$version" "$initrd"
chmod 0644 "$initrd"
lsinitrd "$initrd" >"$manifest.long"
awk '$1 ~ /^[-dlcbps][-rwxsStT]+$/ && length($1) == 10 {print "/" $9}' "$manifest.long" | manifest "$manifest"
awk '$1 ~ /^-[-rwxsStT]+$/ {print $5 "\t/" $9}' "$manifest.long" | sizes "$manifest"
rm "$manifest.long"
touch -d "@$SOURCE_DATE_EPOCH" "$initrd" "$(dirname "$initrd")" "$(dirname "$(dirname "$initrd")")"
