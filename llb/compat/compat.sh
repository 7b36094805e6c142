#!/bin/sh
# Checks that kernel, modules, initramfs and userland fit each other. It looks
# only, and runs nothing of what it looks at, so it works for every
# architecture.
#
# usage: compat.sh ROOT INITRAMFS NEEDS FACTS
#   ROOT       the root filesystem
#   INITRAMFS  directory with the initramfs as it was made (boot/initrd) and the
#              list of the paths inside it (initrd.list)
#   NEEDS      what is needed, a line each, tabs between the words:
#                source   what the kernel is of, for messages
#                arch     architecture of the system
#                tool     what made the initramfs
#                remedy   what to do about a kernel that lacks something
#                beside   yes for an initramfs beside that of the system
#                kernel   exit code for a kernel that is not as it must be
#                files    exit code for what files of the spec can break
#                other categories: compat.awk
#   FACTS      what kmod.sh found
#
# Every failure is one line "check failed: NAME: what is wrong; what for; what
# to do".
set -u
root=$1 initramfs=$2 needs=$3 facts=$4
here=${0%/*}
# shellcheck source-path=SCRIPTDIR source=../look/look.sh
. "$here/look.sh"

word() { sed -n "s/^$1	//p" "$needs"; }
source=$(word source) arch=$(word arch) remedy=$(word remedy)
beside=$(word beside) exit_kernel=$(word kernel) exit_files=$(word files)

# bytes FILE OFFSET COUNT: in hexadecimal.
bytes() { od -An -v -tx1 -j"$2" -N"$3" "$1" 2>/dev/null | tr -d ' \n'; }

# number FILE OFFSET COUNT: a number with its lowest byte first.
number() {
	# shellcheck disable=SC2046  # one word a byte
	set -- $(od -An -v -tu1 -j"$2" -N"$3" "$1" 2>/dev/null)
	echo $((${1:-0} + 256 * ${2:-0} + 65536 * ${3:-0} + 16777216 * ${4:-0}))
}

# raw FILE: a kernel image without its compression, and nothing when that is of
# a kind that is not known here.
raw() {
	case $(bytes "$1" 0 8) in
	1f8b*) gzip -dc "$1" 2>/dev/null ;;
	4d5a????7a696d67) # EFI zboot (linux, drivers/firmware/efi/libstub/zboot-header.S)
		case $(bytes "$1" 24 4) in
		677a6970) tail -c "+$(($(number "$1" 8 4) + 1))" "$1" | head -c "$(number "$1" 12 4)" | gzip -dc 2>/dev/null ;;
		7a737464) ! command -v zstd >/dev/null || tail -c "+$(($(number "$1" 8 4) + 1))" "$1" | head -c "$(number "$1" 12 4)" | zstd -dc 2>/dev/null ;;
		esac
		;;
	*) cat "$1" ;;
	esac
}

# built_for FILE: the architecture of a kernel image, if it is one that can be told.
built_for() {
	if [ "$(bytes "$1" 514 4)" = 48647253 ]; then # HdrS (linux, Documentation/arch/x86/boot.rst)
		# Bit 0 of xloadflags, XLF_KERNEL_64.
		[ $(($(number "$1" 566 2) % 2)) -eq 1 ] && echo amd64 || echo i386
		return
	fi
	case $(raw "$1" | tail -c +57 | head -c 4 | od -An -v -tx1 | tr -d ' \n') in
	41524d64) echo arm64 ;;   # ARMd (linux, Documentation/arch/arm64/booting.rst)
	52534305) echo riscv64 ;; # RSC\x05 (linux, Documentation/arch/riscv/boot-image-header.rst)
	*)
		# An EFI program, which can be told without unpacking what is in it (PE Format, "Machine Types").
		[ "$(bytes "$1" 0 2)" = 4d5a ] || return
		case $(bytes "$1" "$(($(number "$1" 60 4) + 4))" 2) in
		64aa) echo arm64 ;;
		6450) echo riscv64 ;;
		esac
		;;
	esac
}

# inside FILE: the version that a kernel image has of itself. The header of x86
# has the place of it at 0x20e; the others have the banner somewhere.
inside() {
	if [ "$(bytes "$1" 514 4)" = 48647253 ]; then
		tail -c "+$(($(number "$1" 526 2) + 513))" "$1" | head -c 128 | tr '\000\n' '  ' | cut -d ' ' -f 1
	else
		raw "$1" | grep -a -o 'Linux version [^ ]*' | head -n 1 | cut -d ' ' -f 3
	fi
}

asked=$exit_kernel
# The kernel (contract 1.5), and from here on its version by name.
kernel=$(real /boot/vmlinuz)
version=''
if [ ! -L "$root/boot/vmlinuz" ]; then
	fail "/boot/vmlinuz" "must be a link to the kernel"
elif [ -z "$kernel" ]; then
	fail "/boot/vmlinuz" "its target $(readlink "$root/boot/vmlinuz") is missing"
elif [ ! -s "$kernel" ]; then
	fail "/boot/vmlinuz" "the kernel is empty"
else
	version=${kernel##*/vmlinuz-}
	is=$(built_for "$kernel") said=$(inside "$kernel")
	if [ -n "$is" ] && [ "$is" != "$arch" ]; then
		fail "/boot/vmlinuz" "is a kernel for $is; the system is for $arch; $remedy"
	elif [ -z "$said" ]; then
		echo "check skipped: /boot/vmlinuz: no version can be read in a kernel of this kind, its name says $version"
	elif [ "$said" != "$version" ]; then
		fail "/boot/vmlinuz" "is the kernel $said, the modules and its name say $version; a kernel loads the modules of its own version only; $remedy"
	fi
fi

# Its modules: those of one kernel, of that version, which kmod reads.
modules=$(real /lib/modules)
if [ -n "$version" ]; then
	if [ -z "$modules" ] || [ ! -s "$modules/$version/modules.dep" ]; then
		fail "kernel modules" "no modules of the kernel $version in /lib/modules; $remedy"
	elif [ "$(find "$modules" -mindepth 1 -maxdepth 1 | wc -l)" -ne 1 ]; then
		fail "kernel modules" "modules of more than one kernel in /lib/modules"
	elif [ -z "$(find "$modules/$version" -name '*.ko*' | head -n 1)" ]; then
		fail "kernel modules" "none of the kernel $version is there; $remedy"
	fi
fi
kmod=''
while read -r kind value of; do
	case $kind in
	kmod) kmod="$value${of:+ $of}" ;;
	module)
		if [ -z "$of" ]; then
			fail "kernel modules *$value" "the userland cannot read them ($kmod); $remedy"
		elif [ -n "$version" ] && [ "$of" != "$version" ]; then
			fail "kernel modules *$value" "are built for the kernel $of; the kernel is $version; $remedy"
		fi
		;;
	esac
done <"$facts"

# The initramfs that was made, and no other.
asked=$exit_files
if [ -L "$root/boot/initrd" ] || [ ! -f "$root/boot/initrd" ] || [ ! -s "$root/boot/initrd" ]; then
	fail "/boot/initrd" "must be a file that is not empty"
elif [ "$beside" != yes ] && ! cmp -s "$root/boot/initrd" "$initramfs/boot/initrd"; then
	fail "/boot/initrd" "is not the one that was made for the kernel; take it out of the files of the spec"
fi

# The hand-over to the userland (kernel argument init=, whose default it is).
executable /sbin/init || fail "/sbin/init" "missing; the initramfs starts it at last"

# The arguments of the kernel (contract 1.10).
if [ -z "$(text /etc/cos/bootargs.cfg)" ]; then
	fail "/etc/cos/bootargs.cfg" "missing or empty; GRUB has no kernel to load without it"
else
	for name in kernel initramfs kernelcmd; do
		text /etc/cos/bootargs.cfg | grep -q "^[^#]*set $name=" || fail "/etc/cos/bootargs.cfg" "does not set $name"
	done
fi

text /etc/cos/cmdline.cfg | grep -q '^set system_args=.' || fail "/etc/cos/cmdline.cfg" "does not set system_args, so the kernel gets no arguments but its root"

# What is needed of the kernel and inside the initramfs.
asked=$exit_kernel
if [ -n "$version" ] && [ -s "$modules/$version/modules.dep" ]; then
	config=''
	for file in "/boot/config-$version" "/lib/modules/$version/config"; do
		config=$(real "$file")
		[ -z "$config" ] || break
	done
	[ -n "$config" ] || fail "kernel config" "neither /boot/config-$version nor /lib/modules/$version/config is there; what the kernel of $source can do is not known without it; $remedy"
	firmware=$(real /lib/firmware)
	code=0
	{
		sed 's/^/need	/' "$needs"
		(cd "$modules/$version" && find . -type f -name '*.ko*' | sed 's#^\./#file	#')
		sed 's/^/dep	/' "$modules/$version/modules.dep"
		[ ! -f "$modules/$version/modules.builtin" ] || sed 's/^/builtin	/' "$modules/$version/modules.builtin"
		[ -z "$config" ] || sed -n 's/^CONFIG_\([A-Z0-9a-z_]*\)=[ym]$/config	\1/p' "$config"
		sed 's/^/inside	/' "$initramfs/initrd.list"
		if [ -n "$firmware" ]; then (cd "$firmware" && find . \( -type f -size +0 -o -type l \) | sed 's#^\./#firmware	#'); fi
	} | awk -F '\t' -v "version=$version" -v "config=$config" -v "kernel=$exit_kernel" -f "$here/compat.awk" >&2 || code=$?
	[ "$failed" -ne 0 ] || failed=$code
fi

exit "$failed"
