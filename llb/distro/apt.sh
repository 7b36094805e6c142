#!/bin/sh
# Installs the packages that are given as arguments with apt-get, from the
# package index of this very moment, and removes what differs from run to run.
#
# FLAVORKIT_CACHE    folder for the index and the archives; it outlives the step
# FLAVORKIT_EXCLUDE  paths, one a line, that no package may bring (dpkg(1),
#                    --path-exclude)
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"

cache=$FLAVORKIT_CACHE
mkdir -p "$cache/lists/partial" "$cache/archives/partial"
chown _apt "$cache/lists/partial" "$cache/archives/partial" 2>/dev/null || true

# Each line of the list becomes one option; set -f keeps * as it is written.
options="$cache/options"
{
	printf 'Dir::State::lists "%s/lists";\n' "$cache"
	printf 'Dir::Cache::archives "%s/archives";\n' "$cache"
	printf 'Acquire::Retries "3";\n'
	printf 'Acquire::Languages "none";\n'
	# A mirror that is down is an error, not a reason to use an old index.
	printf 'APT::Update::Error-Mode "any";\n'
	printf 'APT::Install-Recommends "false";\n'
	printf 'APT::Keep-Downloaded-Packages "true";\n'
	printf 'Dpkg::Use-Pty "false";\n'
	printf 'DPkg::Options:: "--force-confold";\n'
	printf '%s\n' "$FLAVORKIT_EXCLUDE" | while IFS= read -r path; do
		[ -z "$path" ] || printf 'DPkg::Options:: "--path-exclude=%s";\n' "$path"
	done
} >"$options"

export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
apt-get -qq -c "$options" update
apt-get -qq -c "$options" -y install -- "$@"
rm -f "$options"

# Archives of older versions would pile up from build to build.
apt-get -qq -o "Dir::State::lists=$cache/lists" -o "Dir::Cache::archives=$cache/archives" autoclean

# Indexes and backups tell when the step ran, not what was installed.
rm -rf /var/cache/apt/*.bin /var/lib/apt/lists/* /var/cache/debconf/*-old /var/lib/dpkg/*-old
clean
