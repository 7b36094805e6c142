#!/bin/sh
# Has the userland's own kmod read the modules of the kernel: one of each
# compression. It only says what it found; compat.sh judges.
#
# usage: kmod.sh MODULES FACTS
#   MODULES  the directory of the modules
#   FACTS    file to write:
#              kmod WORDS             what the program calls itself
#              module SUFFIX VERSION  the kernel that a module of this
#                                     compression was built for; no VERSION
#                                     when it cannot be read
set -eu
modules=$1 facts=$2
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

# kmod prints its version and what it was built with (modprobe(8), --version).
# That of busybox knows no such option, and says what it is with the usage.
kmod=$(modprobe --version 2>&1 | head -n 2 | tr -s '\n' ' ' || true)
case $kmod in
*[Bb]usy[Bb]ox*) kmod="the modprobe of BusyBox" ;;
kmod*) ;;
*) kmod="no modprobe" ;;
esac
{
	echo "kmod ${kmod% }"
	for suffix in ko ko.gz ko.xz ko.zst; do
		module=$(find "$modules" -type f -name "*.$suffix" | sort | head -n 1)
		[ -z "$module" ] || echo "module .$suffix $(modinfo -F vermagic "$module" 2>/dev/null | cut -d ' ' -f 1)"
	done
} >"$facts"
