#!/bin/sh
# Takes files out of packages that are not installed: nothing that they depend on is needed, no script of theirs runs,
# and they may be for another architecture.
#
# usage: apt-take.sh OUT PACKAGE...
#   OUT      directory that the files get into, by the last part of their path
#   PACKAGE  brings those that it depends on in its own version: linux-image-arm64 the package of a kernel
#
# FLAVORKIT_CACHE    directory for the index; it outlives the step
# FLAVORKIT_AREAS    areas of the archive, one a line, beside those that the image asks for
# FLAVORKIT_ARCH     architecture of the packages
# FLAVORKIT_FILES    paths, one a line, with wildcards of the shell
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"
out=$1
shift

options=$FLAVORKIT_CACHE/options
apt_configure "$options"
{
	printf 'APT::Architecture "%s";\n' "$FLAVORKIT_ARCH"
	printf 'APT::Architectures { "%s"; };\n' "$FLAVORKIT_ARCH"
	# Nothing is installed, as far as apt is to know.
	printf 'Dir::State::status "/dev/null";\n'
	printf 'APT::Sandbox::User "root";\n'
} >>"$options"
apt-get -qq -c "$options" update

work=$(mktemp -d)
mkdir "$work/root"
while [ $# -gt 0 ]; do
	package=$1
	shift
	(cd "$work" && apt-get -qq -c "$options" download "$package")
	dpkg-deb --extract "$work"/*.deb "$work/root"
	version=$(dpkg-deb --field "$work"/*.deb Version)
	# shellcheck disable=SC2046  # a name has no spaces
	set -- "$@" $(dpkg-deb --field "$work"/*.deb Depends | tr ',' '\n' | awk -v same="(= $version)" '$2 " " $3 == same { print $1 }')
	rm "$work"/*.deb
done
rm -f "$options"

printf '%s\n' "$FLAVORKIT_FILES" | while read -r pattern; do
	# shellcheck disable=SC2086  # the shell finds what the pattern stands for
	set -- "$work/root"$pattern
	[ -e "$1" ] || fail "no package has $pattern"
	cp "$@" "$out/"
done
rm -rf "$work"
