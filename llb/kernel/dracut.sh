#!/bin/sh
# Makes the initramfs for the one kernel of this stage with dracut.
#
# usage: dracut.sh OVERLAY INITRD MANIFEST TOOL...
#   OVERLAY   tree with the configuration and the modules of ours
#   INITRD    file to write
#   MANIFEST  file to write the list of paths inside to
#   TOOL      what must be there (initramfs.sh, need)
#
# FLAVORKIT_OMIT  kernel modules to leave out, one a line: directories below
#                 /lib/modules/VERSION/kernel, or modules there without their extension
# FLAVORKIT_KEEP  modules below these that are taken all the same, by name, one a line
set -eu
# shellcheck source-path=SCRIPTDIR source=initramfs.sh
. "${0%/*}/initramfs.sh"
overlay=$1 initrd=$2 manifest=$3
shift 3
need "$@"

# omitted KERNEL: the names of the modules to leave out that a kernel has.
omitted() {
	printf '%s\n' "$FLAVORKIT_OMIT" | while IFS= read -r path; do
		[ -n "$path" ] || continue
		if [ -d "$1/$path" ]; then
			find "$1/$path" -type f -name '*.ko*'
		else
			find "$1/${path%/*}" -maxdepth 1 -type f -name "${path##*/}.ko*" 2>/dev/null || true
		fi
	done | sed 's#.*/##; s#[.]ko.*##; y#-#_#'
}

# omit: a configuration of dracut that leaves out the modules of a list. A name is an
# expression there. What a module that is taken depends on is taken all the same.
omit() {
	LC_ALL=C sort -u | grep -Fvx "$FLAVORKIT_KEEP" | sed 's/.*/omit_drivers+=" ^&$ "/'
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
rm "$manifest.long"
touch -d "@$SOURCE_DATE_EPOCH" "$initrd" "$(dirname "$initrd")" "$(dirname "$(dirname "$initrd")")"
