#!/bin/sh
# Installs the packages that are given as arguments with dnf 4 or 5, from the
# repositories' state of this very moment.
#
# FLAVORKIT_CACHE    directory for metadata and packages; it outlives the step
# FLAVORKIT_EXCLUDE  directories, one a line, that no package may bring
# FLAVORKIT_REMOVE_USERS  accounts of the image, one a line, to take away
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"

unmask
# dnf 5 has a cache of its own for root.
system=''
case $(dnf --version) in dnf5*) system=--setopt=system_cachedir=$FLAVORKIT_CACHE ;; esac

rpm_without
# A repository that cannot be reached is an error, not one to go without.
dnf install -y --refresh \
	--setopt=install_weak_deps=False --setopt=tsflags=nodocs \
	--setopt=skip_if_unavailable=False --setopt=retries=3 \
	--setopt=keepcache=True --setopt=cachedir="$FLAVORKIT_CACHE" ${system:+"$system"} "$@"

# The history of transactions tells when they were; dnf 4 and 5 have it in different places.
rm -rf /var/cache/dnf /var/cache/libdnf5 /var/lib/dnf/history.sqlite* /var/lib/dnf/countme \
	/usr/lib/sysimage/libdnf5/transaction_history.sqlite*
remove_users
clean
