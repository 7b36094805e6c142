#!/bin/sh
# Checks a root filesystem against the Kairos image contract. It looks only: it
# runs nothing of what it checks, so it works for every architecture.
#
# usage: check.sh ROOT CHECKS USERLAND
#   ROOT      the root filesystem
#   CHECKS    what differs from system to system, a kind and a value a line
#   USERLAND  the distribution alone, as its packages left it
#
# Kernel and initramfs are checked by compat.sh.
set -u
root=$1 checks=$2 userland=$3
# shellcheck source-path=SCRIPTDIR source=../look/look.sh
. "${0%/*}/look.sh"

in_path() {
	for dir in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin /system/providers /system/discovery; do
		! executable "$dir/$1" || return 0
	done
	return 1
}

release=$(text /etc/kairos-release)
[ -n "$release" ] || fail "/etc/kairos-release" "missing or empty"

tab=$(printf '\t')
init='' masked=''
while read -r kind value; do
	case $kind in
	command) in_path "$value" || fail "command $value" "not found in the PATH" ;;
	need) # names with " or " between, a tab, and why
		names=${value%%"$tab"*} met=''
		for name in $names; do
			[ "$name" = or ] || ! in_path "$name" || met=1
		done
		[ -n "$met" ] || fail "command $names" "not found in the PATH; needed for ${value#*"$tab"}"
		;;
	program) executable "$value" || fail "program $value" "missing, empty or not executable" ;;
	file) [ -z "$value" ] || [ -s "$(real "$value")" ] || fail "file $value" "missing or empty" ;;
	release)
		if [ -n "$release" ]; then
			printf '%s\n' "$release" | grep -q "^$value=\"[^\"]\{1,\}\"\$" || fail "/etc/kairos-release" "$value is missing or empty"
		fi
		;;
	init) init=$value ;;
	mask) masked="$masked $value " ;;
	*) fail "list of checks" "unknown kind $kind" ;;
	esac
done <"$checks"

# Directories that the distribution has merged (catalog, merged): a layer that brings
# a real one hides what is in the other.
for link in "$userland"/* "$userland"/usr/*; do
	path=${link#"$userland"}
	if [ -L "$link" ] && [ "$(readlink "$root$path")" != "$(readlink "$link")" ]; then
		fail "link $path" "a layer replaced the link of the userland"
	fi
done

# Boot loader files (contract 1.10).
for id in cos fallback recovery statereset; do
	text /etc/cos/grub.cfg | grep -q -e "^[^#]*--id[= ]$id\b" || fail "/etc/cos/grub.cfg" "has no entry $id"
done

# Directories that the read-only root is mounted over (contract 1.4).
for dir in /boot /dev /etc /home /oem /opt /proc /root /run /srv /sys /system/discovery /system/oem /system/providers /tmp /usr/libexec /usr/local /var; do
	[ -d "$(real "$dir")" ] || fail "directory $dir" "missing"
done
if [ ! -L "$root/var/lock" ] && [ ! -d "$root/var/lock" ]; then
	fail "directory /var/lock" "missing"
fi
# A layer brings the directories above its files, with their owners and modes.
directories() {
	(cd "$1" && find . -xdev -mindepth 1 -type d -printf '%U:%G:%m /%P\n' | LC_ALL=C sort)
}
lists=$(mktemp -d)
trap 'rm -rf "$lists"' EXIT
directories "$userland" >"$lists/userland"
directories "$root" >"$lists/root"
LC_ALL=C comm -23 "$lists/userland" "$lists/root" >"$lists/changed"
while read -r mode dir; do
	# One that is no directory any more is missing, or a link that a layer replaced.
	[ ! -d "$root$dir" ] || fail "directory $dir" "is $(stat -c %u:%g:%a "$root$dir"), not $mode as in the userland"
done <"$lists/changed"
[ -n "$(find "$root/system/oem" -name '*.yaml' -type f -size +0 2>/dev/null | head -n 1)" ] || fail "directory /system/oem" "holds no cloud-config stages"

# What must be made by every machine itself (contract 1.17).
if ls "$root"/etc/ssh/ssh_host_*_key* >/dev/null 2>&1; then
	fail "ssh host keys" "every machine would have the same"
fi
for id in /etc/machine-id /var/lib/dbus/machine-id; do
	[ -z "$(text "$id")" ] || fail "$id" "every machine would have the same"
done

if text /etc/iscsi/initiatorname.iscsi | grep -q '^InitiatorName='; then
	fail "/etc/iscsi/initiatorname.iscsi" "every machine would have the same"
fi

# A machine makes the accounts of people itself. One of the distribution takes the
# number that the first of them has had on a machine that is upgraded, whose files
# keep it. 65534 is nobody; 60000 and more are of systemd (its docs, UIDS-GIDS).
if [ -f "$userland/etc/passwd" ]; then
	while IFS=: read -r user _ uid _; do
		if [ "$uid" -ge 1000 ] && [ "$uid" -lt 60000 ] && text /etc/passwd | grep -q "^$user:"; then
			fail "account $user" "the distribution brings it, with the number $uid, which the first account of a machine has"
		fi
	done <"$userland/etc/passwd"
fi

# A password of "!" locks the account for an sshd without PAM, such as Alpine's, and
# so refuses keys as well (sshd(8), Login process); "*" is no password either.
for dir in /system/oem /oem; do
	at=$(real "$dir")
	[ -n "$at" ] || continue
	grep -rlE "^[[:space:]]*\"?passwd\"?:[[:space:]]*[\"']?!" "$at" --include='*.yaml' 2>/dev/null | sort >"$lists/locked" || true
	while read -r file; do
		fail "cloud-config ${file#"$root"}" "passwd: \"!\" locks an account for keys as well; \"*\" is a password that nobody has"
	done <"$lists/locked"
done

# sudo without its setuid bit locks everybody out. Distributions differ in who may read it.
sudo=$(real /usr/bin/sudo)
if [ -n "$sudo" ]; then
	mode=$(stat -c %u:%g:%a "$sudo")
	case $mode in
	0:0:4[157][15][15]) ;;
	*) fail "sudo" "is $mode, and not setuid for all, such as 0:0:4755" ;;
	esac
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
	# Base images for containers mask units that a machine needs.
	find "$userland/etc/systemd/system" -type l -lname /dev/null 2>/dev/null | sort >"$lists/masked"
	while read -r at; do
		unit=${at##*/}
		case $masked in *" $unit "*) continue ;; esac
		[ "$(readlink "$root${at#"$userland"}")" != /dev/null ] || fail "unit $unit" "the distribution's image masks it"
	done <"$lists/masked"
	;;
openrc) executable /sbin/openrc || fail "/sbin/openrc" "missing" ;;
*) fail "init" "unknown init system $init" ;;
esac

exit "$failed"
