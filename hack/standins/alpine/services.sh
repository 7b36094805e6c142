# shellcheck shell=bash disable=SC2154  # describe sets the variables
# The services that the catalog enables, by their names in Alpine; sourced by apk.sh. Debian's OpenRC has
# sysvinit scripts for most of them, with other names.

# services TREE: writes each into /etc/init.d, and has it belong to a package.
# shellcheck disable=SC2016  # commands are expanded when the service runs
services() {
	local tree=$1
	service openrc bootmisc 'after localmount' 'mkdir -p /run/lock /var/log /var/tmp; chmod 1777 /tmp /var/tmp'
	service openrc devfs 'after sysfs' 'mkdir -p /dev/pts /dev/shm
	mountpoint -q /dev/pts || mount -t devpts -o gid=5,mode=0620,noexec,nosuid devpts /dev/pts
	mountpoint -q /dev/shm || mount -t tmpfs -o nodev,nosuid,noexec shm /dev/shm'
	service openrc hostname 'after bootmisc' 'hostname "$(cat /etc/hostname 2>/dev/null || echo localhost)"'
	service openrc hwclock 'after modules' 'hwclock -s -u 2>/dev/null || true'
	service openrc killprocs 'keyword -prefix' 'kill_all 15; sleep 1; kill_all 9'
	service openrc localmount 'after udev' 'mount -a'
	service openrc modules 'before hostname hwclock' 'sed -e "s/#.*//" /etc/modules 2>/dev/null | xargs -r -n 1 modprobe -q || true'
	service openrc mount-ro 'after killprocs' 'mount -o remount,ro / 2>/dev/null || true'
	service openrc sysctl 'before bootmisc' 'sysctl --quiet --system || true'
	service eudev udev-trigger 'need udev' 'udevadm trigger --type=subsystems --action=add
	udevadm trigger --type=devices --action=add
	udevadm settle --timeout=30'
	daemon eudev udev 'need devfs' /sbin/udevd
	daemon busybox-openrc acpid 'after localmount' '/bin/busybox acpid -f'
	daemon busybox-openrc crond 'after syslog' '/bin/busybox crond -f'
	daemon busybox-openrc syslog 'after bootmisc' '/bin/busybox syslogd -n'
	daemon busybox-openrc ntpd 'after net' '/usr/sbin/ntpd -d'
	daemon dbus dbus 'after bootmisc' '/usr/bin/dbus-daemon --system --nofork --nopidfile'
	daemon connman connman 'need dbus
	provide net' '/usr/sbin/connmand -n -r'
	daemon openssh-server sshd 'use net' '/usr/sbin/sshd -D'
}

# service PACKAGE NAME DEPENDENCIES COMMANDS: something that is done once.
service() {
	script "$1" "$2" "$3" <<END

start() {
	$4
}
END
}

# daemon PACKAGE NAME DEPENDENCIES COMMAND: a program that keeps running in the foreground.
daemon() {
	script "$1" "$2" "$3" <<END

command=${4%% *}
command_args="${4#"${4%% *}"}"
command_background=true
pidfile=/run/\$RC_SVCNAME.pid

start_pre() {
	mkdir -p /run/dbus /run/sshd /run/openntpd
}
END
}

# script PACKAGE NAME DEPENDENCIES: the rest is on standard input.
script() {
	local file=/etc/init.d/$2
	{
		printf '#!/sbin/openrc-run\n# A stand-in for the service of Alpine.\n\ndepend() {\n\t%s\n}\n' "$3"
		cat
	} >"$tree$file"
	chmod 0755 "$tree$file"
	printf '%s\t%s\n' "$file" "$1" >>"$work/own"
}
