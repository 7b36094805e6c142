#!/bin/sh
# Installs the packages that are given as arguments with zypper, from the
# repositories' state of this very moment.
#
# FLAVORKIT_CACHE    directory for metadata and packages; it outlives the step
# FLAVORKIT_EXCLUDE  directories, one a line, that no package may bring
# FLAVORKIT_REMOVE_USERS  accounts of the image, one a line, to take away
# FLAVORKIT_SKIP_REPOSITORIES  repositories, by alias, one a line, that are not read
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"

unmask
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
for alias in ${FLAVORKIT_SKIP_REPOSITORIES-}; do
	# One that the image does not have is skipped already.
	! grep -qsF "[$alias]" "$cache/repos.d"/*.repo || zypp --quiet modifyrepo --disable "$alias"
done
# A repository that cannot be reached is an error, not a reason to use what was
# known of it.
zypp --quiet refresh --force || fail "zypper cannot read all repositories, see above"

rpm_without
status=0
zypp --no-refresh install --no-recommends -- "$@" || status=$?
# 102 and 103 ask for a restart of what does not run here (zypper(8), Exit codes). 107: the packages are in, and the
# script of one failed, as those do that look for a running system. What is missing then, the checks see.
case $status in
0 | 102 | 103) ;;
107)
	echo "warning: the script of a package failed; the last transactions are:" >&2
	tail -n 20 /var/log/zypp/history >&2 || true
	;;
*) fail "zypper failed with the exit code $status" ;;
esac

rm -rf /var/cache/zypp /var/lib/zypp/AnonymousUniqueId /var/lib/zypp/AutoInstalled
remove_users
clean
