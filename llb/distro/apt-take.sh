#!/bin/sh
# Takes files out of packages that are not installed: nothing that they depend on is needed, no script of theirs runs,
# and they may be for another architecture.
#
# usage: apt-take.sh OUT PACKAGE...
#   OUT      folder that the files get into, by the last part of their path
#   PACKAGE  one without files stands for those that it depends on
#
# FLAVORKIT_CACHE    folder for the index and the archives; it outlives the step
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

# has_files ARCHIVE: beside its documentation.
has_files() { dpkg-deb --fsys-tarfile "$1" | tar -t | grep -v '^\./usr/share/doc/' | grep -q '[^/]$'; }

work=$(mktemp -d)
mkdir "$work/root"
while [ $# -gt 0 ]; do
	package=$1
	shift
	# 'URI' FILE SIZE HASH
	archive=$(apt-get -qq -c "$options" --print-uris download "$package" | cut -d ' ' -f 2)
	[ -n "$archive" ] || fail "there is no package $package for $FLAVORKIT_ARCH"
	(cd "$FLAVORKIT_CACHE/archives" && apt-get -qq -c "$options" download "$package")
	archive=$FLAVORKIT_CACHE/archives/$archive
	if has_files "$archive"; then
		dpkg-deb --extract "$archive" "$work/root"
	else
		# A, B (= 1) | C: of each the first name.
		depends=$(dpkg-deb --field "$archive" Depends | tr , '\n' | sed 's/^ *\([^ (|:]*\).*/\1/')
		# shellcheck disable=SC2086  # a name has no spaces
		set -- $depends "$@"
	fi
done
apt-get -qq -c "$options" autoclean
rm -f "$options"

printf '%s\n' "$FLAVORKIT_FILES" | while read -r pattern; do
	# shellcheck disable=SC2086  # the shell finds what the pattern stands for
	set -- "$work/root"$pattern
	[ -e "$1" ] || fail "no package has $pattern"
	cp "$@" "$out/"
done
rm -rf "$work"
