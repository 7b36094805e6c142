#!/bin/sh
# Writes down what apt-get would install, from the package index of this very moment, and installs nothing.
#
# usage: apt-resolve.sh OUT PACKAGE...
#   OUT  directory for what apt says, which resolve.go reads:
#     resolved  the steps of the installation (apt-get -s)
#     uris      the archives, with their sizes and checksums (apt-get --print-uris)
#     said      messages about packages that there are not
#     names     all names of the index, when there are such messages
#     versions  those of the packages in the messages, likewise, with their repositories (apt-cache madison)
#
# FLAVORKIT_CACHE    directory for the index; it outlives the step
# FLAVORKIT_AREAS    areas of the archive, one a line, beside those that the image asks for
# FLAVORKIT_EXTRACT  architecture of packages that files are taken out of (apt-take.sh): of those alone, and of
#                    what they depend on in their own version
# FLAVORKIT_ARCHIVES  directory with archives, which are then all that there is
# FLAVORKIT_REPOSITORIES  directory with the third-party repositories of the spec
# FLAVORKIT_SECRETS  directory with their secrets
# FLAVORKIT_PRIVATE  directory in memory, for files that contain secrets
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "${0%/*}/common.sh"
out=$1
shift

options=$FLAVORKIT_CACHE/options
apt_configure "$options"
{
	printf 'APT::Install-Recommends "false";\n'
	printf 'Acquire::ForceHash "SHA256";\n'
	[ -z "${FLAVORKIT_EXTRACT-}" ] || apt_foreign "$FLAVORKIT_EXTRACT"
} >>"$options"
before=''
if apt_lacks_certificates; then
	# apt.sh installs them as well, so they count as asked for and not as installed.
	set -- "$@" ca-certificates
	before=$FLAVORKIT_CACHE/status
	eval "$(apt-config shell status Dir::State::status/f)"
	# shellcheck disable=SC2154  # apt-config sets it
	cp "$status" "$before"
fi
apt_update "$options"
# Archives in the cache count, too.
mkdir -p "$FLAVORKIT_CACHE/none/partial"
{
	printf 'Dir::Cache::archives "%s/none";\n' "$FLAVORKIT_CACHE"
	[ -z "$before" ] || printf 'Dir::State::status "%s";\n' "$before"
} >>"$options"

failed=''
: >"$out/resolved"
: >"$out/said"
if [ -n "${FLAVORKIT_EXTRACT-}" ]; then
	set -- "$@" --
	while [ "$1" != -- ]; do
		package=$1
		shift
		if apt-cache -c "$options" --no-all-versions show "$package" >"$out/show" 2>/dev/null; then
			version=$(sed -n 's/^Version: //p' "$out/show")
			# shellcheck disable=SC2046  # a name has no spaces
			set -- "$@" "$package" $(sed -n 's/^Depends: //p' "$out/show" | tr ',' '\n' | awk -v same="(= $version)" '$2 " " $3 == same { print $1 }')
		else
			echo "E: Unable to locate package $package" >>"$out/said"
			failed=1
		fi
	done
	shift
	rm -f "$out/show"
	[ -n "$failed" ] || apt-get -qq -c "$options" --print-uris download "$@" >"$out/uris"
else
	apt-get -qq -c "$options" -s install -- "$@" >"$out/resolved" 2>"$out/said" || failed=1
	[ -n "$failed" ] || apt-get -qq -c "$options" -y --print-uris install -- "$@" >"$out/uris"
fi
if [ -n "$failed" ]; then
	grep -q -e '^E: Unable to locate package ' -e "^E: Version '" -e ' has no installation candidate$' "$out/said" || {
		cat "$out/resolved" "$out/said" >&2
		fail "apt-get finds no way to install the packages, see above"
	}
	apt-cache -c "$options" pkgnames >"$out/names"
	for package; do
		! grep -qwF -e "${package%%=*}" "$out/said" || apt-cache -c "$options" madison "${package%%=*}" >>"$out/versions"
	done
fi
rm -f "$options"
