#!/bin/sh
# Writes down what the repositories have: names of packages, and what they provide. An index of apk tells of commands,
# and of no other files.
#
# usage: apk-index.sh OUT NAME...
#   OUT  directory for what apk says, which index.go reads:
#     index  the fields P and p of the index: name, and what it provides (apk-package(5))
#
# FLAVORKIT_CACHE  directory for the index; it outlives the step
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"

# Indexes of repositories that are not asked for any more.
rm -f "$FLAVORKIT_CACHE"/APKINDEX.*
apk_configure "$@" >/dev/null
apk_index | grep -e '^[Pp]:' >"$1/index" || fail "apk has no index of packages"
