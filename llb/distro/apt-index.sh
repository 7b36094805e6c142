#!/bin/sh
# Writes down what the repositories have: names of packages, and files as far as somebody asks for them.
#
# usage: apt-index.sh OUT NAME...
#   NAME  a package that somebody asks for
#   OUT   directory for what apt says, which index.go reads:
#     names     all names of packages
#     provides  the packages that provide a NAME which is none of them (apt-cache showpkg)
#     unread    why the lists of files cannot be read, if they cannot
#     files     lines of the lists of files, Contents (https://wiki.debian.org/RepositoryFormat), as far as they match
#
# FLAVORKIT_CACHE   directory for the index; it outlives the step
# FLAVORKIT_AREAS   areas of the archive, one a line, beside those that the image asks for
# FLAVORKIT_NEEDLE  parts of paths, one a line, that a line has to have one of
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"
out=$1
shift

options=$FLAVORKIT_CACHE/options
apt_configure "$options"
apt_refresh "$options"
apt-cache -c "$options" pkgnames >"$out/names"
for name; do
	grep -qxF -e "$name" "$out/names" || apt-cache -c "$options" showpkg "$name" >>"$out/provides" 2>/dev/null
done
# Debian has the lists in each area, Ubuntu beside them (apt.conf(5), Acquire::IndexTargets).
# shellcheck disable=SC2016  # apt expands them
for target in 'Contents-deb $(COMPONENT)/Contents-$(ARCHITECTURE)' 'Contents-old Contents-$(ARCHITECTURE)'; do
	printf 'Acquire::IndexTargets::deb::%s { MetaKey "%s"; ShortDescription "Contents"; Description "$(RELEASE) $(ARCHITECTURE) Contents"; };\n' "${target% *}" "${target#* }"
done >>"$options"
# A mirror may lack lists that go with its names, or have them of another day.
if ! apt-get -qq -c "$options" update 2>"$out/unread"; then
	rm -f "$options"
	exit
fi
rm "$out/unread"
printf '%s\n' "$FLAVORKIT_NEEDLE" >"$out/needle"
for target in Contents-deb Contents-old; do
	# shellcheck disable=SC2016  # apt expands it
	apt-get -c "$options" indextargets --format '$(FILENAME)' "Created-By: $target"
done >"$out/lists"
[ ! -s "$out/lists" ] || : >"$out/files"
while read -r list; do
	/usr/lib/apt/apt-helper cat-file "$list" | grep -F -f "$out/needle" >>"$out/files" || true
done <"$out/lists"
rm -f "$options" "$out/needle" "$out/lists"
