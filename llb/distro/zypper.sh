#!/bin/sh
# Installs the packages in the arguments with zypper, from the current state
# of the repositories.
#
# FLAVORKIT_CACHE    directory for metadata and packages; without FLAVORKIT_ARCHIVES, it outlives the step
# FLAVORKIT_ARCHIVES directory with the archives of a lock, which are then the only repository; each is named by its sha256
# FLAVORKIT_EXCLUDE  directories not to install, one per line
# FLAVORKIT_REMOVE_USERS  accounts of the image to remove, one per line
# FLAVORKIT_SKIP_REPOSITORIES  repositories to ignore, by alias, one per line
# FLAVORKIT_REPOSITORIES  directory with the third-party repositories of the spec
# FLAVORKIT_SECRETS  directory with their secrets
# FLAVORKIT_PRIVATE  directory in memory, for files that contain secrets
# FLAVORKIT_MIRRORS  mirrors of archives, one per line
# FLAVORKIT_KEEP_MIRRORS  not empty if they stay in the image
# FLAVORKIT_CA       file with the certificates of an authority to trust
# FLAVORKIT_CA_BUNDLE  file with those that the image trusts
# FLAVORKIT_CA_DIRECTORY  directory for certificates that the image trusts
# FLAVORKIT_CA_UPDATE  command that reads it
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"

unmask
zypper_configure
rpm_without
status=0
fetch zypper_cached --no-refresh install --no-recommends -- "$@" || status=$?
# 102 and 103 ask to restart programs that do not run here (zypper(8), Exit codes). 107: the packages are installed,
# but the script of one failed, for example because it needs a running system. The checks find what is missing then.
case $status in
0 | 102 | 103) ;;
107)
	echo "warning: the script of a package failed; the last transactions are:" >&2
	tail -n 20 /var/log/zypp/history >&2 || true
	;;
*) fail "zypper failed with the exit code $status" ;;
esac

rpm_forget
zypper_distrust
keep_mirrors rpm_mirrored /etc/zypp/repos.d/*.repo
rm -rf /var/cache/zypp /var/lib/zypp/AnonymousUniqueId /var/lib/zypp/AutoInstalled
remove_users
clean
