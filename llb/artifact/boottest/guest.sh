#!/bin/sh
# Runs assertions on the booted system, one after the other, and reports the results. It is on the test medium, and
# only uses commands that every userland has.
#
# usage: guest.sh ASSERTIONS REPORT
#   ASSERTIONS  directories by number, each with run (a script), file (a path), service (a name) or extension (the name
#               of a file in the directory extensions beside, and its services), with seconds, and optionally matches (a
#               regular expression)
#   REPORT      disk or file for these lines: "passed NUMBER SECONDS" or "failed NUMBER SECONDS" for each assertion,
#               "said NUMBER TEXT" for the last lines of output of a failed one, and "end"
set -u
assertions=$1 report=$2
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
cd /

work=$(mktemp -d)
notes=$work/notes said=$work/said

# note LINE: writes all lines from the beginning each time, because a line cannot
# be appended to a disk.
note() {
	echo "$1" >>"$notes"
	dd if="$notes" of="$report" conv=notrunc,fsync 2>/dev/null
}

# now prints the seconds since the boot. The clock may change while the system runs.
now() { cut -d . -f 1 /proc/uptime; }

active() {
	if [ -d /run/systemd/system ]; then
		systemctl is-active --quiet -- "$1" || {
			systemctl status --no-pager --lines=10 -- "$1"
			return 1
		}
	else
		rc-service "$1" status
	fi
}

# merged NAME: merges the extension, unless that is done.
merged() {
	image=$1.sysext.raw links=/run/extensions
	if [ ! -L "$links/$image" ]; then
		mkdir -p "$links"
		ln -s "${assertions%/*}/extensions/$image" "$links/$image"
		if [ -d /run/systemd/system ]; then
			systemctl restart systemd-sysext
		else
			rc-service systemd-sysext restart
		fi
	fi
	ls "/usr/lib/extension-release.d/extension-release.$1" || {
		active systemd-sysext
		return 1
	}
}

# all SERVICES: whether each service in a file is active.
all() {
	while IFS= read -r service; do
		active "$service" || return 1
	done <"$1"
}

# try DIR SECONDS: whether the assertion holds. Its output is in $said.
try() {
	if [ -e "$1/run" ]; then
		timeout -k 5 "$2" sh "$1/run" </dev/null >"$said" 2>&1 || {
			echo "exit code $?" >>"$said"
			return 1
		}
		text=$said
	elif [ -e "$1/file" ]; then
		text=$(cat "$1/file")
		ls -ld "$text" >"$said" 2>&1 && [ -e "$text" ] || return 1
		[ ! -e "$1/matches" ] || tail -n 20 "$text" >"$said" 2>&1
	elif [ -e "$1/extension" ]; then
		merged "$(cat "$1/extension")" >"$said" 2>&1 || return 1
		[ ! -e "$1/services" ] || all "$1/services" >"$said" 2>&1
		return
	else
		active "$(cat "$1/service")" >"$said" 2>&1
		return
	fi
	[ ! -e "$1/matches" ] || grep -aEqf "$1/matches" "$text"
}

for assertion in "$assertions"/*; do
	number=${assertion##*/} seconds=$(cat "$assertion/seconds") began=$(now)
	verdict=passed left=$seconds
	until try "$assertion" "$left"; do
		sleep 1
		left=$((began + seconds - $(now)))
		[ "$left" -gt 0 ] || {
			verdict=failed
			break
		}
	done
	[ "$verdict" = passed ] || tail -c 2000 "$said" | tail -n 20 | awk -v n="$number" '{ print "said", n, $0 }' >>"$notes"
	note "$verdict $number $(($(now) - began))"
done
note end
