#!/bin/sh
# Checks a root filesystem against the Kairos image contract. It looks only: it
# runs nothing of what it checks, so it works for every architecture.
#
# usage: check.sh ROOT MANIFEST CHECKS USERLAND
#   ROOT      the root filesystem
#   MANIFEST  the paths inside its initramfs, one a line
#   CHECKS    what differs from system to system, a kind and a value a line
#   USERLAND  the distribution alone, as its packages left it
#
# Every failure is one line "check failed: NAME: what is wrong".
set -u
root=$1 manifest=$2 checks=$3 userland=$4
failed=0

fail() {
	echo "check failed: $1: $2" >&2
	failed=1
}

# real PATH: the path in the root filesystem with all links followed, as if it
# were /. Prints nothing when there is no such file.
real() {
	chase=$1
	depth=0
	done_part=''
	rest=${chase#/}
	while [ -n "$rest" ]; do
		part=${rest%%/*}
		case $rest in */*) rest=${rest#*/} ;; *) rest='' ;; esac
		case $part in
		'' | .) continue ;;
		..) done_part=${done_part%/*} && continue ;;
		esac
		if [ -L "$root$done_part/$part" ]; then
			depth=$((depth + 1))
			[ "$depth" -lt 40 ] || return 0
			target=$(readlink "$root$done_part/$part")
			rest=$target${rest:+/$rest}
			case $target in /*) done_part='' ;; esac
			continue
		fi
		done_part=$done_part/$part
	done
	[ ! -e "$root$done_part" ] || printf '%s\n' "$root$done_part"
}

# text PATH: what a file of the root filesystem holds, and nothing when there is
# no such file. A link is never followed out of the root filesystem.
text() {
	found=$(real "$1")
	[ -z "$found" ] || [ ! -f "$found" ] || cat "$found"
}

# A program that is empty is what a failed download leaves.
executable() {
	found=$(real "$1")
	[ -n "$found" ] && [ -f "$found" ] && [ -x "$found" ] && [ -s "$found" ]
}

in_path() {
	for dir in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin /system/providers /system/discovery; do
		! executable "$dir/$1" || return 0
	done
	return 1
}

release=$(text /etc/kairos-release)
[ -n "$release" ] || fail "/etc/kairos-release" "missing or empty"

init=''
while read -r kind value; do
	case $kind in
	command) in_path "$value" || fail "command $value" "not found in the PATH" ;;
	program) executable "$value" || fail "program $value" "missing, empty or not executable" ;;
	initramfs) grep -qxF -e "$value" "$manifest" || fail "initramfs $value" "not inside the initramfs" ;;
	file) [ -z "$value" ] || [ -s "$(real "$value")" ] || fail "file $value" "missing or empty" ;;
	release)
		if [ -n "$release" ]; then
			printf '%s\n' "$release" | grep -q "^$value=\"[^\"]\{1,\}\"\$" || fail "/etc/kairos-release" "$value is missing or empty"
		fi
		;;
	init) init=$value ;;
	*) fail "list of checks" "unknown kind $kind" ;;
	esac
done <"$checks"

# Folders that the distribution has merged (catalog, merged): a layer that brings
# a real one hides what is in the other.
for link in "$userland"/* "$userland"/usr/*; do
	path=${link#"$userland"}
	if [ -L "$link" ] && [ "$(readlink "$root$path")" != "$(readlink "$link")" ]; then
		fail "link $path" "a layer replaced the link of the userland"
	fi
done

# Kernel and initramfs (contract 1.5).
kernel=$(real /boot/vmlinuz)
if [ ! -L "$root/boot/vmlinuz" ]; then
	fail "/boot/vmlinuz" "must be a link to the kernel"
elif [ -z "$kernel" ]; then
	fail "/boot/vmlinuz" "its target $(readlink "$root/boot/vmlinuz") is missing"
elif [ ! -s "$kernel" ]; then
	fail "/boot/vmlinuz" "the kernel is empty"
else
	version=${kernel##*/vmlinuz-}
	modules=$(real /lib/modules)
	if [ -z "$modules" ] || [ ! -s "$modules/$version/modules.dep" ]; then
		fail "kernel modules" "no modules of the kernel $version in /lib/modules"
	elif [ "$(find "$modules" -mindepth 1 -maxdepth 1 | wc -l)" -ne 1 ]; then
		fail "kernel modules" "modules of more than one kernel in /lib/modules"
	elif [ -z "$(find "$modules/$version" -name '*.ko*' | head -n 1)" ]; then
		fail "kernel modules" "none of the kernel $version is there"
	fi
	grep -qF -e "/lib/modules/$version/" "$manifest" || fail "initramfs" "holds no modules of the kernel $version"
fi
if [ -L "$root/boot/initrd" ] || [ ! -f "$root/boot/initrd" ] || [ ! -s "$root/boot/initrd" ]; then
	fail "/boot/initrd" "must be a file that is not empty"
fi

# Boot loader files (contract 1.10).
for id in cos fallback recovery statereset; do
	text /etc/cos/grub.cfg | grep -q -e "^[^#]*--id[= ]$id\b" || fail "/etc/cos/grub.cfg" "has no entry $id"
done
text /etc/cos/bootargs.cfg | grep -q "^[^#]*set kernelcmd=" || fail "/etc/cos/bootargs.cfg" "does not set kernelcmd"

# Folders that the read-only root is mounted over (contract 1.4).
for dir in /boot /dev /etc /home /oem /opt /proc /root /run /srv /sys /system/discovery /system/oem /system/providers /tmp /usr/libexec /usr/local /var; do
	[ -d "$(real "$dir")" ] || fail "folder $dir" "missing"
done
if [ ! -L "$root/var/lock" ] && [ ! -d "$root/var/lock" ]; then
	fail "folder /var/lock" "missing"
fi
# A layer brings the folders above its files, with their modes.
mode_is() {
	[ ! -d "$root$2" ] || [ "$(stat -c %u:%g:%a "$root$2")" = "0:0:$1" ] ||
		fail "folder $2" "is $(stat -c %u:%g:%a "$root$2"), not 0:0:$1"
}
mode_is 1777 /tmp
mode_is 1777 /var/tmp
mode_is 700 /root
mode_is 755 /etc
mode_is 755 /usr
[ -n "$(find "$root/system/oem" -name '*.yaml' -type f -size +0 2>/dev/null | head -n 1)" ] || fail "folder /system/oem" "holds no cloud-config stages"

# What must be made by every machine itself (contract 1.17).
if ls "$root"/etc/ssh/ssh_host_*_key* >/dev/null 2>&1; then
	fail "ssh host keys" "every machine would have the same"
fi
for id in /etc/machine-id /var/lib/dbus/machine-id; do
	[ -z "$(text "$id")" ] || fail "$id" "every machine would have the same"
done

# sudo without its setuid bit locks everybody out.
sudo=$(real /usr/bin/sudo)
if [ -n "$sudo" ] && [ "$(stat -c %u:%g:%a "$sudo")" != 0:0:4755 ]; then
	fail "sudo" "is $(stat -c %u:%g:%a "$sudo"), not 0:0:4755"
fi

# Services.
case $init in
systemd)
	for unit in getty.target systemd-udevd.service systemd-logind.service; do
		at=$root/etc/systemd/system/$unit
		# An empty file masks a unit as the link does (systemd.unit(5)).
		if [ "$(readlink "$at")" = /dev/null ] || [ -f "$at" ] && [ ! -s "$at" ]; then
			fail "unit $unit" "is masked"
		fi
	done
	executable /sbin/init || fail "/sbin/init" "missing"
	;;
openrc)
	executable /sbin/openrc || fail "/sbin/openrc" "missing"
	executable /sbin/init || fail "/sbin/init" "missing"
	;;
*) fail "init" "unknown init system $init" ;;
esac

exit "$failed"
