#!/bin/sh
# Lays out what machines boot from over HTTP (contract 3.6), all in one directory of a web server.
#
# usage: netboot.sh IN OUT NAME
#   IN/squashfs/rootfs.squashfs  the system
#   IN/kernel/vmlinuz            its kernel
#   IN/initramfs/initrd          its initramfs
#   FLAVORKIT_CONSOLE, FLAVORKIT_CMDLINE  further kernel arguments
set -eu
in=$1 out=$2 name=$3
. "$(dirname "$0")/checksum.sh"

cp "$(readlink -f "$in/kernel/vmlinuz")" "$out/$name-kernel"
cp "$in/initramfs/initrd" "$out/$name-initrd"
cp "$in/squashfs/rootfs.squashfs" "$out/$name.squashfs"

# iPXE finds files beside its script, and cwduri is where that came from (ipxe.org/cfg/cwduri). Firmware that boots the
# kernel by EFI has no other way to know its initramfs but by name.
args="initrd=$name-initrd ip=dhcp rd.neednet=1 root=live:\${cwduri}/$name.squashfs netboot"
args="$args rd.cos.disable rd.live.dir=/ rd.live.squashimg=$name.squashfs rd.live.overlay.overlayfs net.ifnames=1"
args="$args $FLAVORKIT_CONSOLE selinux=0 install-mode $FLAVORKIT_CMDLINE"
cat >"$out/$name.ipxe" <<END
#!ipxe
# Set config_url before, in a script that chains to this one, to have machines install themselves:
#   set config_url https://example.com/cloud-config.yaml
isset \${config_url} && set config config_url=\${config_url} || clear config
kernel $name-kernel ${args% } \${config}
initrd --name $name-initrd $name-initrd
boot
END
touch -d "@$SOURCE_DATE_EPOCH" "$out"/*
write_checksums "$out/$name.netboot.sha256" "$out"/*
