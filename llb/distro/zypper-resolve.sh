#!/bin/sh
# Writes down what zypper would install, from the repositories' state of this very moment, and installs nothing.
#
# usage: zypper-resolve.sh OUT PACKAGE...
#   OUT  directory for what zypper says, which resolve.go reads:
#     resolved   the summary of the installation, and messages about packages that there are not (zypper --xmlout)
#     available  all packages of the repositories (zypper --xmlout search)
#     beside     the packages that there are not, in repositories that are disabled, likewise
#     archives   the archives, with their checksums (rpm_archives), for FLAVORKIT_LOCK
#     repositories  the repositories with their addresses, likewise (zypper --xmlout repos)
#
# FLAVORKIT_CACHE  directory for metadata; it outlives the step
# FLAVORKIT_LOCK   not empty to download the archives, because zypper does not tell their checksums
# FLAVORKIT_SKIP_REPOSITORIES  repositories, by alias, one a line, that are not read
# FLAVORKIT_ARCHIVES  directory with archives, which are then all that there is
# FLAVORKIT_REPOSITORIES  directory with the third-party repositories of the spec
# FLAVORKIT_SECRETS  directory with their secrets
# FLAVORKIT_PRIVATE  directory in memory, for files that contain secrets
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"
out=$1
shift

zypper_configure
status=0
zypper_cached --xmlout --no-refresh install --dry-run --details --no-recommends -- "$@" >"$out/resolved" || status=$?
# 104: there is no such package (zypper(8), Exit codes).
case $status in
0 | 102 | 103 | 104) ;;
*)
	cat "$out/resolved" >&2
	unfetched "$out/resolved"
	fail "zypper finds no way to install the packages, see above"
	;;
esac
zypper_cached --xmlout --no-refresh search --details --type package >"$out/available"
if [ "$status" -eq 104 ]; then
	zypper_cached --quiet modifyrepo --enable --all
	# What is disabled need not be in reach.
	zypper_cached --quiet refresh >&2 || true
	# shellcheck disable=SC2046  # one a line
	zypper_cached --xmlout --no-refresh search --details --type package --match-exact -- \
		$(sed -n "s/.*No provider of &apos;\([^&]*\)&apos; found.*/\1/p" "$out/resolved") >"$out/beside" || true
fi
[ -n "${FLAVORKIT_LOCK-}" ] && [ "$status" -ne 104 ] || exit 0

# zypper verifies what it downloads.
fetch zypper_cached --no-refresh install --download-only --no-recommends -- "$@" || status=$?
case $status in
0 | 102 | 103) ;;
*) fail "zypper cannot download the packages, see above" ;;
esac
rpm_archives "$FLAVORKIT_CACHE/packages" >"$out/archives"
zypper_cached --xmlout repos --details >"$out/repositories"
