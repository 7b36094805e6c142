#!/bin/sh
# Writes down what apk would install, from the repositories' state of this very moment, and installs nothing.
#
# usage: apk-resolve.sh OUT PACKAGE...
#   OUT  directory for what apk says, which resolve.go reads:
#     resolved  the steps of the installation (apk add --simulate)
#     index     the fields P, V, A and S of the index: name, version, architecture and size (apk-package(5))
#     policy    which repositories have the packages (apk policy)
#     said      messages about packages that there are not
#
# FLAVORKIT_CACHE  directory for the index; it outlives the step
# FLAVORKIT_REPOSITORIES  directory with the third-party repositories of the spec
# FLAVORKIT_SECRETS  directory with their secrets
# FLAVORKIT_PRIVATE  directory in memory, for files that contain secrets
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"
out=$1
shift

# Indexes of repositories that are not asked for any more.
rm -f "$FLAVORKIT_CACHE"/APKINDEX.*
apk_configure >/dev/null
apk_index | grep -e '^[PVAS]:' -e '^$' >"$out/index" || fail "apk has no index of packages"
: >"$out/policy"
if apk_cached add --simulate "$@" >"$out/resolved" 2>"$out/said"; then
	# shellcheck disable=SC2046  # a name has no spaces
	set -- $(sed -n 's/^([^)]*) [A-Z][a-z]*ing \([^ ]*\) .*/\1/p' "$out/resolved")
	[ $# -eq 0 ] || apk_cached policy "$@" >"$out/policy"
	# apk shows the credentials of a url here.
	sed -i 's|://[^/@]*@|://|' "$out/policy"
else
	grep -q -e '(no such package)' -e 'breaks: world\[' -e 'masked in: ' "$out/said" || {
		cat "$out/resolved" "$out/said" >&2
		fail "apk finds no way to install the packages, see above"
	}
fi
