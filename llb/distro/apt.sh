#!/bin/sh
# Installs the packages that are given as arguments with apt-get, from the
# package index of this very moment, and removes what differs from run to run.
#
# FLAVORKIT_CACHE    directory for the index and the archives; it outlives the step
# FLAVORKIT_AREAS    areas of the archive, one a line, beside those that the image asks for
# FLAVORKIT_EXCLUDE  paths, one a line, that no package may bring (dpkg(1),
#                    --path-exclude)
# FLAVORKIT_REMOVE_USERS  accounts of the image, one a line, to take away
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
	printf '%s\n' "${FLAVORKIT_EXCLUDE-}" | while IFS= read -r path; do
		[ -z "$path" ] || printf 'DPkg::Options:: "--path-exclude=%s";\n' "$path"
	done
} >>"$options"

# sysvinit, when it is configured, has the running init start anew: here that is this script, which does not answer, and
# the package would try for a minute. A script and no link to true: one program for all commands, as the coreutils of
# newer releases are, goes by the name that it is called by, and knows no init.
mkdir -p "$FLAVORKIT_CACHE/bin"
rm -f "$FLAVORKIT_CACHE/bin/init"
printf '#!/bin/sh\nexit 0\n' >"$FLAVORKIT_CACHE/bin/init"
chmod 0755 "$FLAVORKIT_CACHE/bin/init"
printf 'DPkg::Path "%s/bin:/usr/sbin:/usr/bin:/sbin:/bin";\n' "$FLAVORKIT_CACHE" >>"$options"

export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
apt-get -qq -c "$options" update
apt-get -qq -c "$options" -y install -- "$@"

# Archives of older versions would pile up from build to build.
apt-get -qq -c "$options" autoclean
rm -f "$options"

# Indexes and backups tell when the step ran, not what was installed.
rm -rf /var/cache/apt/*.bin /var/lib/apt/lists/* /var/cache/debconf/*-old /var/lib/dpkg/*-old
remove_users
clean
