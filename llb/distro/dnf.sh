#!/bin/sh
# Installs the packages in the arguments with dnf 4 or 5, from the current
# state of the repositories.
#
# FLAVORKIT_CACHE    directory for metadata and packages; without FLAVORKIT_ARCHIVES, it outlives the step
# FLAVORKIT_ARCHIVES directory with the archives of a lock, which are then all that is installed; each is named by its sha256
# FLAVORKIT_EXCLUDE  directories not to install, one per line
# FLAVORKIT_REMOVE_USERS  accounts of the image to remove, one per line
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

unmask
# dnf_blame NAME URL HOST STAYS CODE: packages are verified when they are installed, and dnf names the key or the repository.
dnf_blame() {
	if grep -qE "repositories/keys/$1[.]asc|from repo(sitory)? \"?$1\"?" "$heard"; then
		blame "$5" $untrusted
	fi
}

dnf_install() {
	dnf_cached -y --refresh --setopt=install_weak_deps=False --setopt=tsflags=nodocs --setopt=keepcache=True install "$@"
}

# dnf_locked PACKAGE...: installs the archives of the lock. For dnf 5, all count as asked for then, so those that are not
# are marked as dependencies. dnf 4 has this in its history, which is removed.
dnf_locked() {
	dnf_cached -y --setopt=install_weak_deps=False --setopt=tsflags=nodocs install "$FLAVORKIT_ARCHIVES"/*.rpm
	[ -n "$system" ] || return 0
	# shellcheck disable=SC2046  # a name has no spaces
	dnf_cached -y mark dependency $(rpm -qp --nosignature --qf '%{NAME}\n' "$FLAVORKIT_ARCHIVES"/*.rpm)
	dnf_cached -y mark user --skip-unavailable "$@"
}

dnf_configure
rpm_without
install=dnf_install
[ -z "${FLAVORKIT_ARCHIVES-}" ] || install=dnf_locked
fetch $install "$@" || {
	! grep -qE 'GPG|PGP|[Ss]ignature' "$heard" || repositories dnf_blame
	fail "dnf cannot install the packages, see above"
}
rpm_forget
keep_mirrors rpm_mirrored /usr/share/dnf5/repos.d/*.repo /etc/distro.repos.d/*.repo /etc/yum.repos.d/*.repo

# The history has the times of transactions; dnf 4 and 5 have it in different places.
rm -rf /var/cache/dnf /var/cache/libdnf5 /var/lib/dnf/history.sqlite* /var/lib/dnf/countme \
	/usr/lib/sysimage/libdnf5/transaction_history.sqlite*
remove_users
clean
