#!/bin/sh
# Checks a root filesystem against the Kairos image contract. It only reads
# files and runs none of the programs, so it works for every architecture.
#
# usage: check.sh ROOT CHECKS USERLAND [LENDER]
#   ROOT      the root filesystem
#   CHECKS    what differs from system to system, a line each: the exit code when it
#             fails, a kind and a value. The kind files has none: it is for what
#             files of the spec can break. So is cloud-config.
#   USERLAND  only the distribution with its packages
#   LENDER    the distribution that has the EFI programs, if they are copied
#
# Kernel and initramfs are checked by compat.sh.
set -u
root=$1 checks=$2 userland=$3 lender=${4-}
# shellcheck source-path=SCRIPTDIR source=../look/look.sh
. "${0%/*}/look.sh"

in_path() {
	for dir in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin /system/providers /system/discovery; do
		! executable "$dir/$1" || return 0
	done
	return 1
}

# matches PATTERN: the files of the lender that match, each after a space.
matches() (
	IFS=
	for file in "$lender"$1; do
		if [ -e "$file" ] || [ -L "$file" ]; then printf ' %s' "${file#"$lender"}"; fi
	done
)

tab=$(printf '\t')
release=$(text /etc/kairos-release)
init='' masked='' exit_init=1 exit_files=1 exit_config=1
while read -r asked kind value; do
	case $kind in
	files) exit_files=$asked ;;
	cloud-config) exit_config=$asked ;;
	command) in_path "$value" || fail "command $value" "not found in the PATH" ;;
	need) # alternatives joined by " or ", a tab, and the reason
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
	one)
		matching=$(matches "$value")
		case $matching in
		'') fail "file $value" "no file of the distribution matches" ;;
		' '*' '*) fail "file $value" "one file has to match, and there are$matching" ;;
		esac
		;;
	init) init=$value exit_init=$asked ;;
	mask) masked="$masked $value " ;;
	*) fail "list of checks" "unknown kind $kind" ;;
	esac
done <"$checks"
asked=$exit_files

[ -n "$release" ] || fail "/etc/kairos-release" "missing or empty"

# Directories that the distribution has merged (catalog, merged): a layer with a real
# directory hides the contents of the other one.
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
# A layer contains the parent directories of its files, with owners and modes.
directories() {
	(cd "$1" && find . -xdev -mindepth 1 -type d -printf '%U:%G:%m /%P\n' | LC_ALL=C sort)
}
lists=$(mktemp -d)
trap 'rm -rf "$lists"' EXIT
directories "$userland" >"$lists/userland"
directories "$root" >"$lists/root"
LC_ALL=C comm -23 "$lists/userland" "$lists/root" >"$lists/changed"
while read -r mode dir; do
	# Otherwise it is missing or a replaced link, which other checks report.
	[ ! -d "$root$dir" ] || fail "directory $dir" "is $(stat -c %u:%g:%a "$root$dir"), not $mode as in the userland"
done <"$lists/changed"
[ -n "$(find "$root/system/oem" -name '*.yaml' -type f -size +0 2>/dev/null | head -n 1)" ] || fail "directory /system/oem" "has no cloud-config stages"

# Each machine must make these itself (contract 1.17).
if ls "$root"/etc/ssh/ssh_host_*_key* >/dev/null 2>&1; then
	fail "ssh host keys" "all machines would have the same"
fi
for id in /etc/machine-id /var/lib/dbus/machine-id; do
	[ -z "$(text "$id")" ] || fail "$id" "all machines would have the same"
done

if text /etc/iscsi/initiatorname.iscsi | grep -q '^InitiatorName='; then
	fail "/etc/iscsi/initiatorname.iscsi" "all machines would have the same"
fi

# User accounts are made on the machine. One in the image would take the user ID
# of the first account on an upgraded machine, which owns files. 65534 is nobody;
# systemd uses 60000 and more (its docs, UIDS-GIDS).
if [ -f "$userland/etc/passwd" ]; then
	while IFS=: read -r user _ uid _; do
		if [ "$uid" -ge 1000 ] && [ "$uid" -lt 60000 ] && text /etc/passwd | grep -q "^$user:"; then
			fail "account $user" "is part of the distribution and has the user ID $uid, which the first account of a machine gets"
		fi
	done <"$userland/etc/passwd"
fi

# With the password "!", an sshd without PAM, such as Alpine's, treats the account
# as locked and refuses keys too (sshd(8), Login process). "*" is no valid password
# either.
for dir in /system/oem /oem; do
	asked=$exit_config
	at=$(real "$dir")
	[ -n "$at" ] || continue
	grep -rlE "^[[:space:]]*\"?passwd\"?:[[:space:]]*[\"']?!" "$at" --include='*.yaml' 2>/dev/null | sort >"$lists/locked" || true
	while read -r file; do
		fail "cloud-config ${file#"$root"}" "passwd: \"!\" locks the account for SSH keys too; write \"*\""
	done <"$lists/locked"
done

asked=$exit_files
# Without its setuid bit, sudo does not work for anybody. Distributions differ in who may
# read it.
sudo=$(real /usr/bin/sudo)
if [ -n "$sudo" ]; then
	mode=$(stat -c %u:%g:%a "$sudo")
	case $mode in
	0:0:4[157][15][15]) ;;
	*) fail "sudo" "is $mode; must be owned by root, setuid and executable for all, such as 0:0:4755" ;;
	esac
fi

# Services.
asked=$exit_init
case $init in
systemd)
	for unit in getty.target systemd-udevd.service systemd-logind.service; do
		at=$root/etc/systemd/system/$unit
		# An empty file masks a unit, like the link (systemd.unit(5)).
		if [ "$(readlink "$at")" = /dev/null ] || [ -f "$at" ] && [ ! -s "$at" ]; then
			fail "unit $unit" "is masked"
		fi
	done
	# Container base images mask units that a machine needs.
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
