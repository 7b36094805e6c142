#!/bin/sh
# Takes the kernel out of the stage that it was installed in.
#
# usage: export.sh OUT LIBDIR [zstd]
#   OUT     directory for /boot, modules and firmware
#   LIBDIR  where the userland has its modules: /lib or /usr/lib
#   zstd    compress modules that are not; signatures stay valid, for modprobe
#           unpacks before the kernel looks
set -eu
out=$1 lib=$2 compress=${3:-}

set -- /lib/modules/*/kernel
if [ $# -ne 1 ] || [ ! -e "$1" ]; then
	echo "expected exactly one kernel in /lib/modules, found: $*" >&2
	exit 1
fi
version=${1%/kernel}
version=${version##*/}
# Where a package leaves it to a hook that does not run here.
[ -e "/lib/modules/$version/modules.dep" ] || depmod -a "$version"

# sole FILE...: the file, if there is one and no other.
sole() { [ $# -ne 1 ] || [ ! -f "$1" ] || echo "$1"; }

# The names that distributions give a kernel (contract 1.5). Some leave the
# version out.
for kernel in "/boot/vmlinuz-$version" "/boot/Image-$version" "/lib/modules/$version/vmlinuz" "$(sole /boot/vmlinuz-*)"; do
	[ ! -f "$kernel" ] || break
done
if [ ! -f "$kernel" ]; then
	echo "no kernel image of version $version, /boot holds:" /boot/* >&2
	exit 1
fi

mkdir -p "$out/boot" "$out$lib"
# It may be a link to where the modules are.
cp -pL "$kernel" "$out/boot/vmlinuz-$version"
ln -s "vmlinuz-$version" "$out/boot/vmlinuz"
# Its configuration, which the compatibility check reads. Some have it beside the
# modules instead, which is as good.
for config in "/boot/config-$version" "$(sole /boot/config-*)"; do
	if [ -f "$config" ]; then
		cp -pL "$config" "$out/boot/config-$version"
		break
	fi
done
mkdir -p "$out$lib/modules"
cp -a "/lib/modules/$version" "$out$lib/modules/"
# Links to headers that are not there.
rm -f "$out$lib/modules/$version/build" "$out$lib/modules/$version/source"
if [ -n "$compress" ]; then
	find "$out$lib/modules" -name '*.ko' -print0 | xargs -0 -r -n 64 -P "$(nproc)" zstd -q -9 --rm
	# depmod looks below lib only.
	if [ "$lib" != /lib ]; then
		ln -s "${lib#/}" "$out/lib"
	fi
	depmod -b "$out" "$version"
	[ "$lib" = /lib ] || rm "$out/lib"
fi
if [ -d /lib/firmware ]; then
	cp -a /lib/firmware "$out$lib/"
fi
find "$out" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
