#!/bin/sh
# Writes down what dnf 4 or 5 would install, from the repositories' state of this very moment, and installs nothing.
#
# usage: dnf-resolve.sh OUT PACKAGE...
#   OUT  directory for what dnf says, which resolve.go reads:
#     resolved   the table of the transaction, and messages about packages that there are not (dnf install --assumeno)
#     available  name, version, architecture, download size and repository of all packages, with tabs between
#     beside     the packages that there are not, and repositories that have them: a limited or a disabled one
#     archives   the archives, with their checksums (rpm_archives), for FLAVORKIT_LOCK
#     urls       repositories and addresses of archives, likewise
#
# FLAVORKIT_CACHE  directory for metadata; it outlives the step
# FLAVORKIT_LOCK   not empty to download the archives, because dnf does not tell their checksums
# FLAVORKIT_ARCHIVES  directory with archives, which are then all that there is
# FLAVORKIT_REPOSITORIES  directory with the third-party repositories of the spec
# FLAVORKIT_SECRETS  directory with their secrets
# FLAVORKIT_PRIVATE  directory in memory, for files that contain secrets
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"
out=$1
shift

dnf_configure
[ -z "${FLAVORKIT_ARCHIVES-}" ] || set -- "$FLAVORKIT_ARCHIVES"/*.rpm
# The table is as wide as the terminal. A dnf that is told to say no fails.
COLUMNS=400
export COLUMNS
dnf_cached --refresh --assumeno --setopt=install_weak_deps=False install "$@" >"$out/resolved" 2>&1 || true
# Of a limited repository, dnf 4 and 5 say the second and the third.
absent=$(sed -n -e 's/^No match for argument: *//p' \
	-e 's/^All matches were filtered out by exclude filtering for argument: *//p' \
	-e "s/^Argument '\(.*\)' matches only excluded packages[.]\$/\1/p" "$out/resolved")
[ -n "$absent" ] || grep -q -i -e '^Operation aborted' -e '^Nothing to do' "$out/resolved" || {
	cat "$out/resolved" >&2
	unfetched "$out/resolved"
	fail "dnf finds no way to install the packages, see above"
}
[ -z "${FLAVORKIT_ARCHIVES-}" ] || exit 0
dnf_cached -q repoquery --available --qf '%{name}\t%{evr}\t%{arch}\t%{downloadsize}\t%{repoid}\n' >"$out/available"
if [ -n "$absent" ]; then
	whole=--disableexcludes=all
	[ -z "$system" ] || whole='--setopt=disable_excludes=*' # dnf 5
	# shellcheck disable=SC2086  # one a line
	dnf_cached -q "$whole" --enablerepo='*' --disablerepo='*-debuginfo' --disablerepo='*-source' --setopt=skip_if_unavailable=True \
		repoquery --available --qf '%{name}\t%{repoid}\n' $absent >"$out/beside" || true
fi
[ -n "${FLAVORKIT_LOCK-}" ] && [ -z "$absent" ] && ! grep -q -i '^Nothing to do' "$out/resolved" || exit 0

# A test of the transaction verifies signatures as an installation does.
fetch dnf_cached -y --setopt=install_weak_deps=False --setopt=tsflags=test --setopt=keepcache=True install "$@" ||
	fail "dnf cannot download the packages, see above"
rpm_archives "$FLAVORKIT_CACHE" >"$out/archives"
: >"$out/urls"
# dnf has the archives of a repository in REPOSITORY-HASH/packages.
cut -f 5 "$out/archives" | sed 's,/packages/.*,,' | sort -u | while read -r dir; do
	repository=${dir%-*}
	# shellcheck disable=SC2046  # a name has no spaces
	set -- $(grep -F "	$dir/packages/" "$out/archives" | cut -f 2-4 | sed 's/\(.*\)\t\(.*\)\t/\1-\2./')
	if [ -n "$system" ]; then
		dnf_cached -q --repo="$repository" download --url "$@"
	else
		dnf_cached -q --repo="$repository" repoquery --available --location "$@"
	fi </dev/null | sed "s,^,$repository	," >>"$out/urls"
done
