#!/bin/sh
# Puts a kernel that is no package of the distribution into the stage, at the
# places where a package would have put it.
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
	fail "the kernel's source must hold the modules of one kernel, in /lib/modules or /usr/lib/modules"
fi
version=$(basename "$1")

# The version may be missing in the name, and a link may lead to the kernel.
for kernel in "$source/boot/vmlinuz-$version" "$source"/boot/vmlinuz* "$lib/modules/$version/vmlinuz"; do
	[ ! -f "$kernel" ] || break
done
[ -f "$kernel" ] || fail "the kernel's source holds modules of $version, and no /boot/vmlinuz* for them"

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
