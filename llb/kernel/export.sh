#!/bin/sh
# Extracts the kernel from the stage that it was installed in.
#
# usage: export.sh OUT LIBDIR [zstd]
#   OUT     directory for /boot, modules and firmware
#   LIBDIR  directory of the userland for modules: /lib or /usr/lib
#   zstd    compress uncompressed modules; signatures stay valid, because modprobe
#           unpacks the modules before the kernel checks them
#
# What to leave out: modules.sh. Modules are removed and not changed, so their
# signatures stay valid.
set -eu
# shellcheck source-path=SCRIPTDIR source=modules.sh
. "${0%/*}/modules.sh"
out=$1 lib=$2 compress=${3:-}

set -- /lib/modules/*/kernel
if [ $# -ne 1 ] || [ ! -e "$1" ]; then
	echo "expected exactly one kernel in /lib/modules, found: $*" >&2
	exit 1
fi
version=${1%/kernel}
version=${version##*/}
# Some packages leave this to a hook that does not run here.
[ -e "/lib/modules/$version/modules.dep" ] || depmod -a "$version"

# sole FILE...: prints the file if there is exactly one.
sole() { [ $# -ne 1 ] || [ ! -f "$1" ] || echo "$1"; }

# The names of kernels in distributions (contract 1.5). Some do not contain
# the version. Debian's kernel for riscv64 is uncompressed, and called so.
for kernel in "/boot/vmlinuz-$version" "/boot/Image-$version" "/lib/modules/$version/vmlinuz" "$(sole /boot/vmlinuz-*)" "/boot/vmlinux-$version"; do
	[ ! -f "$kernel" ] || break
done
if [ ! -f "$kernel" ]; then
	echo "no kernel image of version $version; /boot contains:" /boot/* >&2
	exit 1
fi

mkdir -p "$out/boot" "$out$lib"
# It may be a link into the directory of the modules.
cp -pL "$kernel" "$out/boot/vmlinuz-$version"
ln -s "vmlinuz-$version" "$out/boot/vmlinuz"
# The kernel configuration, for the compatibility check. In some distributions it
# is next to the modules, which the check also reads.
for config in "/boot/config-$version" "$(sole /boot/config-*)"; do
	if [ -f "$config" ]; then
		cp -pL "$config" "$out/boot/config-$version"
		break
	fi
done
mkdir -p "$out$lib/modules"
cp -a "/lib/modules/$version" "$out$lib/modules/"
# Dangling links to headers.
rm -f "$out$lib/modules/$version/build" "$out$lib/modules/$version/source"
if [ -d /lib/firmware ]; then
	cp -a /lib/firmware "$out$lib/"
fi
if [ -n "${FLAVORKIT_OMIT-}" ]; then
	drop "$out$lib/modules/$version" "$out$lib/firmware"
fi
if [ -n "$compress" ]; then
	find "$out$lib/modules" -name '*.ko' -print0 | xargs -0 -r -n 64 -P "$(nproc)" zstd -q -9 --rm
fi
if [ -n "$compress${FLAVORKIT_OMIT-}" ]; then
	# depmod only looks below lib.
	if [ "$lib" != /lib ]; then
		ln -s "${lib#/}" "$out/lib"
	fi
	depmod -b "$out" "$version"
	[ "$lib" = /lib ] || rm "$out/lib"
fi
find "$out" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
