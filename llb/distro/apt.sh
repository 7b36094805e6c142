#!/bin/sh
# Installs the packages in the arguments with apt-get, from the current
# package index, and removes what differs from run to run.
#
# FLAVORKIT_CACHE    directory for the index and the archives; without FLAVORKIT_ARCHIVES, it outlives the step
# FLAVORKIT_AREAS    areas of the archive to enable, one per line, in addition to those of the image
# FLAVORKIT_EXCLUDE  paths not to install, one per line; ! before one installs what an earlier one leaves out
#                    (dpkg(1), --path-exclude and --path-include)
# FLAVORKIT_ARCHIVES directory with the archives of a lock, which is then the only repository; each is named by its sha256
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
options=$FLAVORKIT_CACHE/options
apt_configure "$options"
# Each line of the list becomes one option.
{
	printf 'APT::Install-Recommends "false";\n'
	printf 'Dpkg::Use-Pty "false";\n'
	printf 'DPkg::Options:: "--force-confold";\n'
	# The result of a step that did not end is thrown away, so dpkg need not wait for the disk.
	printf 'DPkg::Options:: "--force-unsafe-io";\n'
	printf '%s\n' "${FLAVORKIT_EXCLUDE-}" | while IFS= read -r path; do
		case $path in
		'') ;;
		!*) printf 'DPkg::Options:: "--path-include=%s";\n' "${path#!}" ;;
		*) printf 'DPkg::Options:: "--path-exclude=%s";\n' "$path" ;;
		esac
	done
} >>"$options"

# When sysvinit is configured, it restarts the running init. Here that is this script, which does not answer, and the
# package would try for a minute. This is a script and not a link to true, because the single program of newer coreutils
# goes by the name of the link, and has no init.
mkdir -p "$FLAVORKIT_CACHE/bin"
rm -f "$FLAVORKIT_CACHE/bin/init"
printf '#!/bin/sh\nexit 0\n' >"$FLAVORKIT_CACHE/bin/init"
chmod 0755 "$FLAVORKIT_CACHE/bin/init"
printf 'DPkg::Path "%s/bin:/usr/sbin:/usr/bin:/sbin:/bin";\n' "$FLAVORKIT_CACHE" >>"$options"

export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
apt_update "$options"
fetch apt-get -qq -c "$options" -y install -- "$@"

# Remove archives of older versions, which would accumulate.
apt-get -qq -c "$options" autoclean
rm -f "$options"

# Indexes and backups depend on when the step ran, not on what was installed.
rm -rf /var/cache/apt/*.bin /var/lib/apt/lists/* /var/cache/debconf/*-old /var/lib/dpkg/*-old
keep_mirrors mirrored /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources
remove_users
clean
