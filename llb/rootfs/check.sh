#!/bin/sh
# Checks a root filesystem against the Kairos image contract. It looks only: it
# runs nothing of what it checks, so it works for every architecture.
#
# usage: check.sh ROOT MANIFEST CHECKS
#   ROOT      the root filesystem
#   MANIFEST  the paths inside its initramfs, one a line
#   CHECKS    what differs from system to system, a kind and a value a line
#
# Every failure is one line "check failed: NAME: what is wrong".
set -u
root=$1 manifest=$2 checks=$3
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

executable() {
	found=$(real "$1")
	[ -n "$found" ] && [ -f "$found" ] && [ -x "$found" ]
}

in_path() {
	for dir in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin /system/providers /system/discovery; do
		! executable "$dir/$1" || return 0
	done
	return 1
}

while read -r kind value; do
	case $kind in
	command) in_path "$value" || fail "command $value" "not found in the PATH" ;;
	program) executable "$value" || fail "program $value" "missing or not executable" ;;
	initramfs) grep -qxF "$value" "$manifest" || fail "initramfs $value" "not inside the initramfs" ;;
	file) [ -z "$value" ] || [ -n "$(real "$value")" ] || fail "file $value" "missing" ;;
	link) [ -L "$root$value" ] || [ ! -e "$root$value" ] || fail "link $value" "a layer replaced the link of the userland by a folder" ;;
	release) grep -q "^$value=\"..*\"\$" "$root/etc/kairos-release" || fail "kairos-release" "$value is missing or empty" ;;
	init) init=$value ;;
	*) fail "list of checks" "unknown kind $kind" ;;
	esac
done <"$checks"

# Kernel and initramfs (contract 1.5).
if [ ! -L "$root/boot/vmlinuz" ]; then
	fail "/boot/vmlinuz" "must be a link to the kernel"
elif [ -z "$(real /boot/vmlinuz)" ]; then
	fail "/boot/vmlinuz" "its target $(readlink "$root/boot/vmlinuz") is missing"
fi
if [ -L "$root/boot/initrd" ] || [ ! -s "$root/boot/initrd" ]; then
	fail "/boot/initrd" "must be a file that is not empty"
fi
modules=$(real /lib/modules)
kernel=$(real /boot/vmlinuz)
version=${kernel##*/vmlinuz-}
if [ -z "$modules" ] || [ ! -e "$modules/$version/modules.dep" ]; then
	fail "kernel modules" "no modules of the kernel $version in /lib/modules"
elif [ "$(find "$modules" -mindepth 1 -maxdepth 1 -type d | wc -l)" -ne 1 ]; then
	fail "kernel modules" "modules of more than one kernel in /lib/modules"
fi
grep -q "/lib/modules/$version/" "$manifest" || fail "initramfs" "holds no modules of the kernel $version"

# Boot loader files (contract 1.10).
for id in cos fallback recovery statereset; do
	grep -q -- "--id[= ]$id\b" "$root/etc/cos/grub.cfg" 2>/dev/null || fail "/etc/cos/grub.cfg" "has no entry $id"
done
grep -q kernelcmd "$root/etc/cos/bootargs.cfg" 2>/dev/null || fail "/etc/cos/bootargs.cfg" "does not set kernelcmd"

# Folders that the read-only root is mounted over (contract 1.4).
for dir in /boot /dev /etc /home /oem /opt /proc /root /run /srv /sys /system/discovery /system/oem /system/providers /tmp /usr/libexec /usr/local /var; do
	[ -d "$(real "$dir")" ] || fail "folder $dir" "missing"
done
if [ ! -L "$root/var/lock" ] && [ ! -d "$root/var/lock" ]; then
	fail "folder /var/lock" "missing"
fi
[ "$(stat -c %a "$root/tmp")" = 1777 ] || fail "folder /tmp" "mode is $(stat -c %a "$root/tmp"), not 1777"
ls "$root"/system/oem/*.yaml >/dev/null 2>&1 || fail "folder /system/oem" "holds no cloud-config stages"

# What must be made by every machine itself (contract 1.17).
if ls "$root"/etc/ssh/ssh_host_*_key* >/dev/null 2>&1; then
	fail "ssh host keys" "every machine would have the same"
fi
[ ! -s "$root/etc/machine-id" ] || fail "/etc/machine-id" "every machine would have the same"

# sudo without its setuid bit locks everybody out.
if in_path sudo; then
	sudo=$(real /usr/bin/sudo)
	[ "$(stat -c %u:%g:%a "$sudo" 2>/dev/null)" = 0:0:4755 ] || fail "sudo" "must be root:root 4755"
fi

# Services.
case ${init:-} in
systemd)
	for unit in getty.target systemd-udevd.service systemd-logind.service; do
		[ "$(readlink "$root/etc/systemd/system/$unit")" != /dev/null ] || fail "unit $unit" "is masked"
	done
	executable /sbin/init || fail "/sbin/init" "missing"
	;;
openrc)
	executable /sbin/openrc || fail "/sbin/openrc" "missing"
	executable /sbin/init || fail "/sbin/init" "missing"
	;;
*) fail "init" "unknown init system ${init:-}" ;;
esac

exit "$failed"
