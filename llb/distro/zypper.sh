#!/bin/sh
# Installs the packages that are given as arguments with zypper, from the
# repositories' state of this very moment. A pinned package is NAME=VERSION,
# which zypper reads as it is (zypper(8), Capabilities).
#
# FLAVORKIT_CACHE    folder for metadata and packages; it outlives the step
# FLAVORKIT_EXCLUDE  folders, one a line, that no package may bring
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"

cache=$FLAVORKIT_CACHE
# Packages are kept by a setting of their repository, so the step works on a
# copy of the settings.
rm -rf "$cache/repos.d"
mkdir -p "$cache/packages"
cp -R /etc/zypp/repos.d "$cache/repos.d"

zypp() {
	zypper --non-interactive --reposd-dir "$cache/repos.d" --cache-dir "$cache/cache" --pkg-cache-dir "$cache/packages" "$@"
}

zypp --quiet modifyrepo --all --keep-packages
# A repository that cannot be reached is an error, not a reason to use what was
# known of it.
zypp --quiet refresh --force || fail "zypper cannot read all repositories, see above"

rpm_without
status=0
zypp --no-refresh install --no-recommends -- "$@" || status=$?
# 102 and 103 ask for a restart of what does not run here (zypper(8), Exit codes).
case $status in
0 | 102 | 103) ;;
*) fail "zypper failed with the exit code $status" ;;
esac

rm -rf /var/cache/zypp /var/lib/zypp/AnonymousUniqueId /var/lib/zypp/AutoInstalled
clean
