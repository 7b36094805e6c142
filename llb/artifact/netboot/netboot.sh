#!/bin/sh
# Writes the files to boot machines over HTTP (contract 3.6), for one directory of a web server.
#
# usage: netboot.sh IN OUT NAME
#   IN/squashfs/rootfs.squashfs  the system
#   IN/kernel/vmlinuz            its kernel
#   IN/initramfs/initrd          its initramfs
#   FLAVORKIT_CMDLINE            kernel arguments beside those that name the files
set -eu
in=$1 out=$2 name=$3
. "$(dirname "$0")/checksum.sh"

cp "$(readlink -f "$in/kernel/vmlinuz")" "$out/$name-kernel"
cp "$in/initramfs/initrd" "$out/$name-initrd"
cp "$in/squashfs/rootfs.squashfs" "$out/$name.squashfs"

# iPXE finds files next to its script; cwduri is the URL of that directory (ipxe.org/cfg/cwduri). A kernel that UEFI
# boots only finds its initramfs by name.
args="initrd=$name-initrd root=live:\${cwduri}/$name.squashfs rd.live.squashimg=$name.squashfs $FLAVORKIT_CMDLINE"
cat >"$out/$name.ipxe" <<END
#!ipxe
# To install machines unattended, set config_url in a script that chains to this one:
#   set config_url https://example.com/cloud-config.yaml
isset \${config_url} && set config config_url=\${config_url} || clear config
kernel $name-kernel $args \${config}
initrd --name $name-initrd $name-initrd
boot
END
touch -d "@$SOURCE_DATE_EPOCH" "$out"/*
write_checksums "$out/$name.netboot.sha256" "$out"/*
