#!/bin/sh
# Writes down what the repositories have: names of packages, and files as far as somebody asks for them. The metadata
# that zypper reads tell of files in /etc and in directories called bin and sbin (its search --file-list).
#
# usage: zypper-index.sh OUT NAME...
#   NAME  a package that somebody asks for
#   OUT   directory for what zypper says, which index.go reads:
#     available  all packages (zypper --xmlout search)
#     provides   the packages that provide a NAME (zypper search --verbose)
#     files      the packages that have files which match
#
# FLAVORKIT_CACHE   directory for metadata; it outlives the step
# FLAVORKIT_NEEDLE  parts of paths, one a line, that a file has to have one of
# FLAVORKIT_SKIP_REPOSITORIES  repositories, by alias, one a line, that are not read
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"
out=$1
shift

# found FILE OPTION...: what zypper finds. 104: nothing (zypper(8), Exit codes).
found() {
	to=$1 status=0
	shift
	zypper_cached --no-refresh "$@" >"$to" || status=$?
	case $status in 0 | 104) ;; *) fail "zypper failed with the exit code $status" ;; esac
}

zypper_configure
found "$out/available" --xmlout search --details --type package
found "$out/provides" search --verbose --provides --match-exact --type package -- "$@"
set -f
# shellcheck disable=SC2086  # one a line
found "$out/files" search --verbose --file-list --type package -- $FLAVORKIT_NEEDLE
