#!/bin/sh
# Installs the packages in the arguments with apk, from the current package
# index.
#
# FLAVORKIT_CACHE    directory for the index and the packages; without FLAVORKIT_ARCHIVES, it outlives the step
# FLAVORKIT_ARCHIVES directory with the archives of a lock, which are then the only repository; each is named NAME-VERSION.apk
# FLAVORKIT_REPOSITORIES  directory with the third-party repositories of the spec
# FLAVORKIT_SECRETS  directory with their secrets
# FLAVORKIT_PRIVATE  directory in memory, for files that contain secrets
# FLAVORKIT_MIRRORS  mirrors of archives, one per line
# FLAVORKIT_KEEP_MIRRORS  not empty if they stay in the image
# FLAVORKIT_CA       file with the certificates of an authority to trust
# FLAVORKIT_CA_BUNDLE  file with those that the image trusts
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"

# apk_untag NAME URL HOST STAYS CODE takes the tag of a repository that does not stay from the list of what was asked for.
apk_untag() {
	[ "$4" = stays ] || sed -i "s/@$(printf '%s' "$1" | sed 's/[.]/[.]/g')\([<>=~]\|\$\)/\1/" /etc/apk/world
}

apk_configure "$@"
listen apk_cached add "$@" || {
	failed=$?
	# apk does not say which archive lacks a package.
	listen apk_cached update || unread "$heard"
	exit "$failed"
}
repositories apk_untag
keep_mirrors mirrored /etc/apk/repositories /etc/apk/repositories.d/*.list

# Files that a package did not install because the catalog has its own
# (Distro.Prepare).
find /etc -name '*.apk-new' -exec rm -f {} +
rm -rf /var/cache/apk/* /lib/apk/db/*.old
clean
