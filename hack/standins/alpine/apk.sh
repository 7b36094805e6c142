#!/bin/sh
# A substitute for Alpine's apk(8) with the documented commands and options that a build needs, for repositories in
# directories and over http. It refuses all others. Dependencies are only names, and packages are not signed.
set -eu

db=/lib/apk/db world=/etc/apk/world
available=$(mktemp) missing=0
trap 'rm -f "$available"' EXIT

# The awk to read packages with, because another package replaces awk.
awk() { busybox awk "$@"; }

die() {
	echo "ERROR: $*" >&2
	exit 1
}

usage() {
	echo "apk: $*" >&2
	echo "apk stand-in of flavorkit, after apk-tools 2.14: apk [--cache-dir DIR] [--keys-dir DIR] [--repositories-file FILE] [--no-cache] [--no-network] [--allow-untrusted] [--update-cache] [--quiet] [--no-progress] add|index|info|policy|update ..." >&2
	exit 1
}

# repository NAME: where the package is.
repository() { awk -v name="$1" '$1 == name { sub("/[^/]*/[^/]*$", "", $3); print $3 }' "$available"; }

# get ADDRESS FILE: copies a file of a repository.
get() {
	case $1 in
	http://*) [ -z "$no_network" ] && busybox wget -q -O "$2" "$1" 2>/dev/null ;;
	*) cp "$1" "$2" 2>/dev/null ;;
	esac
}

# index: NAME VERSION ARCHIVE DEPENDENCIES of all repositories, a package a line.
index() {
	: >"$available"
	while read -r where; do
		case $where in '' | '#'*) continue ;; esac
		where=${where%/}
		if ! get "$where/$(cat /etc/apk/arch)/APKINDEX.tar.gz" "$available.tar.gz" || ! tar -xzOf "$available.tar.gz" APKINDEX >"$available.one" 2>/dev/null; then
			echo "WARNING: opening $where: No such file or directory" >&2
			missing=$((missing + 1))
			continue
		fi
		awk -v where="$where/$(cat /etc/apk/arch)" '
			sub("^P:", "") { name = $0; deps = "" }
			sub("^V:", "") { version = $0 }
			sub("^D:", "") { deps = $0 }
			$0 == "" && name != "" { print name, version, where "/" name "-" version ".apk", deps; name = "" }
		' "$available.one" >>"$available"
		# The cache has indexes that were fetched, by a part of a checksum.
		case $where in http://*) [ -z "${cache:-}" ] || cp "$available.tar.gz" "$cache/APKINDEX.$(echo "$where" | sha1sum | cut -c 1-8).tar.gz" ;; esac
		rm -f "$available.one" "$available.tar.gz"
	done <"$repositories"
}

installed() { grep -qx "P:$1" "$db/installed"; }

# cached: the index that update has left.
cached() {
	if [ -f "${cache:-/var/cache/apk}/APKINDEX" ]; then
		cat "${cache:-/var/cache/apk}/APKINDEX" >"$available"
	fi
}

# refuse FORMAT ARGUMENT...: apk names all that it cannot select.
refuse() {
	[ -n "$unknown" ] || echo "ERROR: unable to select packages:" >&2
	unknown=1
	# shellcheck disable=SC2059  # formats of this file
	printf "$@" >&2
}

# add NAME[=VERSION] WHO: one package and what it depends on.
add() {
	name=${1%%[=<>~]*} pin=''
	case $1 in
	*=*) pin=${1#*=} ;;
	*[\<\>~]*) die "the stand-in knows NAME and NAME=VERSION only, not $1" ;;
	esac
	found=$(awk -v name="$name" '$1 == name' "$available")
	if [ -z "$found" ]; then
		# What is installed need not be in a repository.
		[ -n "$pin" ] || ! installed "$name" || return 0
		refuse '  %s (no such package):\n    required by: %s\n' "$name" "$2"
		return 0
	fi
	version=$(echo "$found" | cut -d' ' -f2)
	if [ -n "$pin" ] && [ "$pin" != "$version" ]; then
		refuse '  %s-%s:\n    breaks: %s\n' "$name" "$version" "$2"
		return 0
	fi
	case " $chosen " in *" $name "*) return 0 ;; esac
	chosen="$chosen $name"
	for dependency in $(echo "$found" | cut -d' ' -f4-); do
		add "$dependency" "$name"
	done
}

# unpack NAME: into the root. A file in /etc that is not of the image or of a package stays, and the package's
# has the ending .apk-new.
unpack() {
	set -- "$1" "$(awk -v name="$1" '$1 == name {print $2}' "$available")" "$(awk -v name="$1" '$1 == name {print $3}' "$available")"
	echo "Installing $1 ($2)"
	archive=$3
	case $archive in
	http://*)
		archive=$available.apk
		get "$3" "$archive" || die "$1-$2: package mentioned in index not found (try 'apk update')"
		# The cache has packages by a part of a checksum, too.
		[ -z "${cache:-}" ] || cp "$archive" "$cache/$1-$2.$(sha1sum <"$archive" | cut -c 1-8).apk"
		;;
	esac
	[ -f "$archive" ] || die "$1-$2: package mentioned in index not found (try 'apk update')"
	set -- "$1" "$2" "$archive"
	tar -tzf "$3" | grep '^\./etc/.*[^/]$' >"$available.etc" || true
	while read -r file; do
		if [ -f "/$file" ] && [ ! -L "/$file" ] && ! grep -qxF "$file" "$db/etc"; then
			echo "$file"
		fi
	done <"$available.etc" >"$available.kept"
	cat "$available.etc" >>"$db/etc"
	tar -xzpf "$3" -C / --numeric-owner --keep-directory-symlink --exclude=./.PKGINFO --exclude-from="$available.kept"
	while read -r file; do
		tar -xzOf "$3" "$file" >"/$file.apk-new"
	done <"$available.kept"
	rm -f "$available.etc" "$available.kept" "$available.apk"
	printf 'P:%s\nV:%s\n\n' "$1" "$2" >>"$db/installed"
}

# describe ARCHIVE ARCH: what an index has of a package.
describe() {
	tar -xzOf "$1" --occurrence=1 ./.PKGINFO | sed -n 's/^pkgname = /P:/p; s/^pkgver = /V:/p'
	printf 'A:%s\nS:%s\n' "$2" "$(stat -L -c %s "$1")"
	printf 'D:%s\n\n' "$(tar -xzOf "$1" --occurrence=1 ./.PKGINFO | sed -n 's/^depend = //p' | tr '\n' ' ')"
}

no_cache='' no_network='' update='' repositories=/etc/apk/repositories
command=''
while [ $# -gt 0 ] && [ -z "$command" ]; do
	case $1 in
	--cache-dir)
		shift
		cache=$1
		;;
	--cache-dir=*) cache=${1#*=} ;;
	--keys-dir) shift ;;
	--repositories-file)
		shift
		repositories=$1
		;;
	--no-network) no_network=1 ;;
	--allow-untrusted) ;;
	--no-cache) no_cache=1 ;;
	-U | --update-cache) update=1 ;;
	-q | --quiet | --no-progress) ;;
	-*) usage "unrecognized option '$1'" ;;
	*) command=$1 ;;
	esac
	shift
done
[ -z "${cache:-}" ] || [ -d "$cache" ] || die "Unable to open cache $cache: No such file or directory"

case $command in
update)
	[ $# -eq 0 ] || usage "update takes no arguments"
	index
	echo "$missing unavailable, 0 stale; $(wc -l <"$available") distinct packages available"
	[ -z "${cache:-}" ] || cp "$available" "$cache/APKINDEX"
	exit "$missing"
	;;
add)
	names='' simulate=''
	for argument; do
		case $argument in
		--no-cache) no_cache=1 ;;
		-U | --update-cache) update=1 ;;
		-q | --quiet | --no-progress) ;;
		-s | --simulate) simulate=1 ;;
		-*) usage "unrecognized option '$argument'" ;;
		*) names="$names $argument" ;;
		esac
	done
	# Without an index of its own, apk knows no package until it is told to fetch one. It reads directories without that.
	if [ -n "$no_cache$update$no_network" ]; then
		index
	else
		cached
	fi
	chosen='' unknown=''
	for name in $names; do
		add "$name" "world[$name]"
	done
	[ -z "$unknown" ] || exit 1
	if [ -n "$simulate" ]; then
		step=0 steps=0
		for name in $chosen; do
			installed "$name" || steps=$((steps + 1))
		done
		for name in $chosen; do
			installed "$name" || {
				step=$((step + 1))
				echo "($step/$steps) Installing $name ($(awk -v name="$name" '$1 == name {print $2}' "$available"))"
			}
		done
		echo "OK: $(grep -c '^P:' "$db/installed") packages"
		exit
	fi
	for name in $chosen; do
		installed "$name" || unpack "$name"
	done
	for name in $names; do
		grep -qxF "$name" "$world" || echo "$name" >>"$world"
	done
	for trigger in "$db"/triggers/*; do
		[ ! -f "$trigger" ] || sh "$trigger"
	done
	echo "OK: $(grep -c '^P:' "$db/installed") packages"
	;;
index)
	arch=$(cat /etc/apk/arch) output=''
	while [ $# -gt 0 ]; do
		case $1 in
		--quiet | --allow-untrusted) ;;
		--rewrite-arch)
			shift
			arch=$1
			;;
		--output)
			shift
			output=$1
			;;
		-*) usage "unrecognized option '$1'" ;;
		*) break ;;
		esac
		shift
	done
	[ -n "$output" ] || usage "index needs --output"
	made=$(mktemp -d)
	for archive; do
		describe "$archive" "$arch"
	done >"$made/APKINDEX"
	tar -czf "$output" -C "$made" APKINDEX
	rm -r "$made"
	;;
info)
	[ "${1:-}" != -e ] || {
		shift
		for name; do installed "$name" || exit 1; done
	}
	sed -n 's/^P://p' "$db/installed" | sort
	;;
policy)
	cached
	for name; do
		version=$(awk -v name="$name" '$1 == name {print $2}' "$available")
		[ -z "$version" ] || printf '%s policy:\n  %s:\n    %s\n' "$name" "$version" "$(repository "$name")"
	done
	;;
'') usage "which command?" ;;
*) usage "'$command' is not an apk command of the stand-in" ;;
esac
