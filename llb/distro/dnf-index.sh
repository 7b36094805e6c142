#!/bin/sh
# Writes down what the repositories have: names of packages, and files as far as somebody asks for them.
#
# usage: dnf-index.sh OUT NAME...
#   NAME  a package that somebody asks for
#   OUT   directory for what dnf says, which index.go reads:
#     names     all names of packages
#     provides  a NAME which is none of them and a package that provides it, with a tab between
#     files     the files of packages that have one of those that are asked for, as far as they match
#
# FLAVORKIT_CACHE   directory for metadata; it outlives the step
# FLAVORKIT_NEEDLE  parts of paths, one a line, that a file has to have one of
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"
out=$1
shift

dnf_configure
dnf_cached -q repoquery --refresh --available --qf '%{name}\n' >"$out/names"
for name; do
	grep -qxF -e "$name" "$out/names" ||
		dnf_cached -q repoquery --available --qf "%{name}\n" --whatprovides "$name" | sed -n "s/..*/$(printf '%s' "$name" | sed 's/[&/\]/\\&/g')	&/p" >>"$out/provides"
done
printf '%s\n' "$FLAVORKIT_NEEDLE" >"$out/needle"
set -f
# A path that begins so is looked up in the lists of files.
# shellcheck disable=SC2046  # one a line, without spaces
set -- $(sed 's,.*,*&*,' "$out/needle")
dnf_cached -q repoquery --available -l "$@" >"$out/all"
grep -F -f "$out/needle" "$out/all" | sort -u >"$out/files" || true
rm -f "$out/needle" "$out/all"
