#!/bin/sh
# Writes down what apk would install, from the repositories' state of this very moment, and installs nothing.
#
# usage: apk-resolve.sh OUT PACKAGE...
#   OUT  directory for what apk says, which resolve.go reads:
#     resolved  the steps of the installation (apk add --simulate)
#     index     the fields P, V, A and S of the index: name, version, architecture and size (apk-package(5))
#     policy    which repositories have the packages (apk policy)
#     said      messages about packages that there are not
#     archives  the archives that were downloaded, for FLAVORKIT_LOCK: checksum, name, version, nothing, and file
#
# FLAVORKIT_CACHE  directory for the index; it outlives the step
# FLAVORKIT_LOCK   not empty to download the archives, because an index has checksums of their parts only
# FLAVORKIT_ARCHIVES  directory with archives, which are then all that there is
# FLAVORKIT_REPOSITORIES  directory with the third-party repositories of the spec
# FLAVORKIT_SECRETS  directory with their secrets
# FLAVORKIT_PRIVATE  directory in memory, for files that contain secrets
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"
out=$1
shift

# apk_download PACKAGE...: writes the list of archives. An installation, which is thrown away, downloads and verifies them.
apk_download() {
	listen apk_cached add "$@" || unread "$heard"
	sed -n 's/^([^)]*) [A-Z][a-z]*ing \([^ ]*\) (\([^ ]* -> \)*\([^ ]*\))$/\1 \3/p' "$out/resolved" | while read -r name version; do
		# Those of a directory are not in the cache.
		for archive in "$FLAVORKIT_CACHE/$name-$version".*.apk; do
			[ ! -e "$archive" ] || printf '%s\t%s\t%s\t\t%s\n' "$(sha256sum <"$archive" | cut -d ' ' -f 1)" "$name" "$version" "${archive##*/}"
		done
	done >"$out/archives"
}

# apk has one archive of each name and version here.
[ -z "${FLAVORKIT_LOCK-}" ] || FLAVORKIT_CACHE=$(mktemp -d)
# Indexes of repositories that are not asked for any more.
rm -f "$FLAVORKIT_CACHE"/APKINDEX.*
apk_configure "$@" >/dev/null
apk_index | grep -e '^[PVAS]:' -e '^$' >"$out/index" || fail "apk has no index of packages"
: >"$out/policy"
if apk_cached add --simulate "$@" >"$out/resolved" 2>"$out/said"; then
	[ -z "${FLAVORKIT_LOCK-}" ] || apk_download "$@"
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
