#!/bin/sh
# Installs the packages that are given as arguments with apk, from the package
# index of this very moment.
#
# FLAVORKIT_CACHE    directory for the index and the packages; it outlives the step
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"

# A mirror that is down is an error, not a reason to use an old index.
apk --cache-dir "$FLAVORKIT_CACHE" update || fail "apk cannot read all repositories, see above"
apk --cache-dir "$FLAVORKIT_CACHE" add "$@"

# What a package would have put where the catalog's own file is (Distro.Prepare).
find /etc -name '*.apk-new' -exec rm -f {} +
rm -rf /var/cache/apk/* /lib/apk/db/*.old
clean
