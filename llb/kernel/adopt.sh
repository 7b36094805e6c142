#!/bin/sh
# Copies a custom kernel into the stage, to the paths that a kernel package
# would use.
#
# usage: adopt.sh SOURCE
#   SOURCE  tree with one /boot/vmlinuz*, its modules in /lib/modules or
#           /usr/lib/modules, and firmware if it needs any
set -eu
source=$1

fail() {
	echo "$*" >&2
	exit 1
}

for lib in "$source/usr/lib" "$source/lib"; do
	set -- "$lib"/modules/*/
	[ ! -d "$1" ] || break
done
if [ $# -ne 1 ] || [ ! -d "$1" ]; then
	fail "the kernel's source must have the modules of one kernel, in /lib/modules or /usr/lib/modules"
fi
version=$(basename "$1")

# The name may not contain the version, and may be a link to the kernel.
for kernel in "$source/boot/vmlinuz-$version" "$source"/boot/vmlinuz* "$lib/modules/$version/vmlinuz"; do
	[ ! -f "$kernel" ] || break
done
[ -f "$kernel" ] || fail "the kernel's source has modules of $version, but no /boot/vmlinuz* for them"

rm -rf /boot/vmlinuz* /boot/config-* /lib/modules/*
mkdir -p /boot /lib/modules
cp -L "$kernel" "/boot/vmlinuz-$version"
for config in "$source/boot/config-$version" "$source/boot/config"; do
	if [ -f "$config" ]; then
		cp -L "$config" "/boot/config-$version"
		break
	fi
done
cp -a "$lib/modules/$version" /lib/modules/
depmod -a "$version"
if [ -d "$lib/firmware" ]; then
	mkdir -p /lib/firmware
	cp -a "$lib/firmware/." /lib/firmware/
fi
