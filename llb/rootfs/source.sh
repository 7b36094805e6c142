#!/bin/sh
# Looks at a published image of Kairos, and makes what is laid over it. It runs none of its programs. The exit code says
# what is wrong with the image; source.go has the codes.
#
# usage: source.sh IMAGE LAYER BOOT LOADERS ARCH [BOARD...]
#   IMAGE    the image
#   LAYER    gets the files to lay over it: kernel and initramfs by the names that boot loaders know, shim and GRUB if
#            it has none
#   BOOT     gets loaders/, shim and GRUB under their names in EFI/BOOT; config, the directory in which this GRUB
#            looks for its configuration; network/ if the initramfs can load a system over the network
#   LOADERS  where shim and GRUB may be, a line each: image or lent|shim|GRUB|GRUB of disks|name of the first program|
#            name of GRUB|directory of the configuration. Those that are lent are in the system of this script
#   ARCH     architecture that the image has to be for
#   BOARD    models that start from firmware
#   FLAVORKIT_VERSION   version for the release file; empty to keep that of the image
set -eu
image=$1 layer=$2 boot=$3 loaders=$4 arch=$5
shift 5
root=$image
# shellcheck source-path=SCRIPTDIR source=../look/look.sh
. "${0%/*}/look.sh"

# finish: ends the step if anything is wrong so far.
finish() { [ "$failed" -eq 0 ] || exit "$failed"; }

asked=64
release=''
for file in /etc/kairos-release /etc/os-release; do
	if [ -z "$release" ] && text "$file" | grep -q '^KAIROS_'; then release=$file; fi
done
[ -n "$release" ] || fail /etc/kairos-release "missing, and /etc/os-release says nothing about Kairos"
[ -n "$(text /etc/cos/grub.cfg)" ] || fail /etc/cos/grub.cfg "missing or empty; it is the boot menu of an installed system"
finish

# value NAME: prints a value of the release file, which may be quoted.
value() { text "$release" | sed -n "s/^$1=//p" | tail -n 1 | sed -e 's/^"\(.*\)"$/\1/' -e "s/^'\(.*\)'\$/\1/"; }

asked=65
for name in KAIROS_ARCH KAIROS_TARGETARCH; do
	is=$(value "$name")
	[ -z "$is" ] || [ "$is" = "$arch" ] || fail "$release" "$name is $is, not $arch"
done
asked=66
[ "$(value KAIROS_TRUSTED_BOOT)" != true ] || fail "$release" "KAIROS_TRUSTED_BOOT is true"
asked=67
model=$(value KAIROS_MODEL)
for board; do
	[ "$model" != "$board" ] || fail "$release" "KAIROS_MODEL is $model"
done
finish

# led NAME...: the files that names in /boot lead to, each once. Names have wildcards.
led() {
	for name; do
		for file in "$image/boot/"$name; do
			[ ! -f "$(real "/boot/${file##*/}")" ] || real "/boot/${file##*/}"
		done
	done | sort -u
}

# choose PATH FILES: prints the file at a path, or else the only one of a list.
choose() {
	if [ -s "$(real "$1")" ]; then
		real "$1"
	elif [ "$(printf '%s\n' "$2" | wc -l)" -eq 1 ] && [ -s "$2" ]; then
		printf '%s\n' "$2"
	fi
}

# names FILES: prints a list of files of the image in one line.
names() { printf '%s\n' "$1" | sed "s#^$image##" | tr '\n' ' ' | sed 's/ $//'; }

kernels=$(led 'vmlinuz*' 'Image*' 'zImage*' 'uImage*' 'image*') kernel=''
asked=68
if [ -z "$kernels" ]; then
	fail /boot "has no kernel"
else
	kernel=$(choose /boot/vmlinuz "$kernels")
	asked=69
	[ -n "$kernel" ] || fail /boot "has $(names "$kernels"), and no vmlinuz that says which"
fi
all=$(led 'initrd*' 'initramfs*') initrd=''
asked=70
if [ -z "$all" ]; then
	fail /boot "has no initramfs"
else
	initrd=$(choose /boot/initrd "$all")
	asked=71
	[ -n "$initrd" ] || fail /boot "has $(names "$all"), and no initrd that says which"
fi
finish

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
asked=72
lsinitramfs "$initrd" >"$work/list" 2>"$work/said" || {
	cat "$work/said" >&2
	fail "${initrd#"$image"}" "cannot be read"
	finish
}

# inside NAME: whether the initramfs has a file or a directory of a name.
inside() { grep -q -e "^$1\$" -e "/$1\$" "$work/list"; }

# dracut has a module for live media. The init script of Kairos for Alpine, which comes without dracut, knows them itself.
if inside dmsquash-live-root; then
	! inside livenetroot || mkdir "$boot/network"
elif inside immucore && ! grep -q '/dracut' "$work/list"; then
	mkdir "$boot/network"
else
	fail "${initrd#"$image"}" "has neither the module dmsquash-live of dracut nor the init script of Kairos"
fi

# Modules of another kernel cannot be loaded.
asked=73
modules=$(real /lib/modules)
version=${kernel##*/} && version=${version#*-}
if [ ! -d "$modules/$version" ]; then # its name does not tell
	version=$(find "${modules:-$work}" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort | tail -n 1)
fi
has=$(sed -n 's#^\(usr/\)\{0,1\}lib/modules/\([^/]*\)/.*#\2#p' "$work/list" | sort -u)
[ -z "$has" ] || printf '%s\n' "$has" | grep -q -x -F "$version" ||
	fail "${initrd#"$image"}" "has modules of the kernel $(echo "$has" | paste -s -d ' ' -), and ${kernel#"$image"} is $version"

# number FILE OFFSET: prints a number of four bytes, the lowest first.
number() { od -A n -t u4 -j "$2" -N 4 --endian=little "$1" | tr -d ' '; }

# issuers PROGRAM: prints who issued the certificates of the signature of an EFI program. The signature is the fifth
# data directory (PE Format, "Optional Header Data Directories").
issuers() {
	entry=$(($(number "$1" 60) + 24 + 112 + 4 * 8))
	at=$(number "$1" "$entry") size=$(number "$1" $((entry + 4)))
	[ "${size:-0}" -gt 8 ] || return 0
	tail -c "+$((at + 9))" "$1" | head -c "$((size - 8))" >"$work/signature"
	openssl pkcs7 -inform DER -in "$work/signature" -print_certs -noout | sed -n 's/^issuer=.*CN *= *\([^,/]*\).*/\1/p'
}

# starts SHIM GRUB: whether a shim takes the signature of a GRUB: it has a certificate of who issued it.
starts() {
	issuers "$2" >"$work/issuers"
	[ -s "$work/issuers" ] && grep -a -q -F -f "$work/issuers" "$1"
}

asked=74
while IFS='|' read -r kind shim grub disk default name config; do
	root=$image
	[ "$kind" = image ] || root=''
	first='' second=$(real "$grub")
	[ -z "$shim" ] || first=$(real "$shim")
	if [ -n "$second" ] && { [ -z "$shim" ] || [ -n "$first" ]; }; then break; fi
done <"$loaders"
[ -z "$first" ] || starts "$first" "$second" ||
	fail "$grub" "is not signed by the maker of $shim, which does not start it with Secure Boot"
finish

# lay FILE PATH: lays a file over the image.
lay() {
	mkdir -p "$layer${2%/*}"
	cp -p "$1" "$layer$2"
}

mkdir "$boot/loaders"
cp "${first:-$second}" "$boot/loaders/$default"
[ -z "$first" ] || cp "$second" "$boot/loaders/$name"
echo "$config" >"$boot/config"
if [ "$kind" = lent ]; then
	echo "the image has no GRUB, or a shim without one; $shim $grub are laid over it"
	[ -z "$first" ] || lay "$first" "$shim"
	lay "$second" "$grub"
	lay "$(real "$disk")" "$disk"
fi

root=$image
named=${kernel##*/}
if [ "$kernel" != "$image/boot/$named" ] || [ "$named" = vmlinuz ]; then
	named=vmlinuz-$version
	lay "$kernel" "/boot/$named"
fi
if [ ! -L "$image/boot/vmlinuz" ] || [ "$(readlink "$image/boot/vmlinuz")" != "$named" ]; then
	mkdir -p "$layer/boot"
	ln -s "$named" "$layer/boot/vmlinuz"
fi
[ "$initrd" = "$image/boot/initrd" ] || lay "$initrd" /boot/initrd

if [ -n "${FLAVORKIT_VERSION-}" ]; then
	file=$(real "$release")
	{
		grep -v '^KAIROS_\(VERSION\|RELEASE\)=' "$file"
		printf 'KAIROS_VERSION="%s"\nKAIROS_RELEASE="%s"\n' "$FLAVORKIT_VERSION" "$FLAVORKIT_VERSION"
	} >"$work/release"
	lay "$work/release" "${file#"$image"}"
fi
find "$layer" "$boot" -mindepth 1 -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
