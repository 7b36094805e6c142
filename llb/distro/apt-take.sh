#!/bin/sh
# Extracts files from packages without installing them: dependencies are not needed, no package scripts run, and the
# packages may be for another architecture.
#
# usage: apt-take.sh OUT PACKAGE...
#   OUT      directory for the files, by the last part of their path
#   PACKAGE  includes its dependencies in the same version: with linux-image-arm64, the package of the kernel
#
# FLAVORKIT_CACHE    directory for the index; it outlives the step
# FLAVORKIT_AREAS    areas of the archive to enable, one per line, in addition to those of the image
# FLAVORKIT_ARCHIVES directory with the archives of a lock, which are then all that files are extracted from
# FLAVORKIT_ARCH     architecture of the packages
# FLAVORKIT_FILES    paths, one per line, with shell wildcards
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"
out=$1
shift

work=$(mktemp -d)
mkdir "$work/root"
if [ -n "${FLAVORKIT_ARCHIVES-}" ]; then
	set --
	for archive in "$FLAVORKIT_ARCHIVES"/*.deb; do
		dpkg-deb --extract "$archive" "$work/root"
	done
fi
options=$FLAVORKIT_CACHE/options
if [ $# -gt 0 ]; then
	apt_configure "$options"
	apt_foreign "$FLAVORKIT_ARCH" >>"$options"
	apt_refresh "$options"
fi
while [ $# -gt 0 ]; do
	package=$1
	shift
	(cd "$work" && fetch apt-get -qq -c "$options" download "$package")
	dpkg-deb --extract "$work"/*.deb "$work/root"
	version=$(dpkg-deb --field "$work"/*.deb Version)
	# shellcheck disable=SC2046  # a name has no spaces
	set -- "$@" $(dpkg-deb --field "$work"/*.deb Depends | tr ',' '\n' | awk -v same="(= $version)" '$2 " " $3 == same { print $1 }')
	rm "$work"/*.deb
done
rm -f "$options"

printf '%s\n' "$FLAVORKIT_FILES" | while read -r pattern; do
	# shellcheck disable=SC2086 # the shell expands the pattern
	set -- "$work/root"$pattern
	[ -e "$1" ] || fail "no package has $pattern"
	cp "$@" "$out/"
done
rm -rf "$work"
