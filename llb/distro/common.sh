#!/bin/sh
# What the scripts of all package managers share; they source it.

# fail MESSAGE
fail() {
	echo "$*" >&2
	exit 1
}

# apt_configure OPTIONS: a file of options for apt-get (apt.conf(5)), which keeps the index and the archives in
# FLAVORKIT_CACHE.
apt_configure() {
	mkdir -p "$FLAVORKIT_CACHE/lists/partial" "$FLAVORKIT_CACHE/archives/partial"
	chown _apt "$FLAVORKIT_CACHE/lists/partial" "$FLAVORKIT_CACHE/archives/partial" 2>/dev/null || true
	{
		printf 'Dir::State::lists "%s/lists";\n' "$FLAVORKIT_CACHE"
		printf 'Dir::Cache::archives "%s/archives";\n' "$FLAVORKIT_CACHE"
		printf 'Acquire::Retries "3";\n'
		printf 'Acquire::Languages "none";\n'
		# A mirror that is down is an error, not a reason to use an old index.
		printf 'APT::Update::Error-Mode "any";\n'
		printf 'APT::Keep-Downloaded-Packages "true";\n'
	} >"$1"
	[ -z "${FLAVORKIT_AREAS-}" ] || apt_widen >>"$1"
}

# apt_widen: options for sources with FLAVORKIT_AREAS, one a line, beside the areas of their own (sources.list(5)). The
# image keeps its sources as they are.
apt_widen() {
	eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
	sources=$FLAVORKIT_CACHE/sources areas=$(printf '%s\n' "$FLAVORKIT_AREAS" | tr '\n' ' ')
	rm -rf "$sources"
	mkdir "$sources"
	# shellcheck disable=SC2154  # apt-config sets the two
	for file in "$list" "$parts"/*.list "$parts"/*.sources; do
		[ ! -f "$file" ] || sed -e "s/^Components:.*/& $areas/" -e "/^deb /s/\$/ $areas/" "$file" >"$sources/${file##*/}"
	done
	printf 'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "%s";\n' "$sources"
}

# rpm_without: FLAVORKIT_EXCLUDE as RPM macros, for as long as the step runs.
# RPM leaves out the directories of %_netsharedpath (rpm's macros.in), whichever
# program calls it.
rpm_without() {
	[ -n "${FLAVORKIT_EXCLUDE-}" ] || return 0
	macros=/etc/rpm/macros.flavorkit
	mkdir -p /etc/rpm
	# shellcheck disable=SC2154  # macros is set above, and kept for the trap
	trap 'rm -f "$macros"' EXIT
	printf '%%_netsharedpath %s\n' "$(printf '%s\n' "$FLAVORKIT_EXCLUDE" | tr '\n' ':' | sed 's/:*$//')" >"$macros"
}

# unmask starts again the units that the base image masks, because a container does
# not need them: a machine does.
unmask() {
	# Not with find, which an image need not have.
	for unit in /etc/systemd/system/*; do
		[ "$(readlink "$unit" || true)" != /dev/null ] || rm -f "$unit"
	done
}

# remove_users takes away the accounts of FLAVORKIT_REMOVE_USERS, one a line, which
# the base image brings, with their home directories.
remove_users() {
	for user in ${FLAVORKIT_REMOVE_USERS-}; do
		! grep -q "^$user:" /etc/passwd || userdel --remove "$user"
	done
}

# clean removes what tells when and where the step ran, and not what was
# installed.
clean() {
	find /var/log -type f -exec rm -f {} +
	rm -rf /var/log/journal
	find /var/cache/ldconfig /var/cache/man /var/tmp /tmp -mindepth 1 -maxdepth 1 -exec rm -rf {} + 2>/dev/null || true
	# Python writes the time of day into what it compiles.
	find /usr/lib/python3* -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
	# Every machine makes its own (contract 1.17).
	rm -f /etc/ssh/ssh_host_*_key* /var/lib/dbus/machine-id /var/lib/systemd/random-seed /etc/iscsi/initiatorname.iscsi
	if [ -e /etc/machine-id ]; then
		: >/etc/machine-id
	fi
	# The day of the build is in field 3 of /etc/shadow (shadow(5)).
	for shadow in /etc/shadow /etc/shadow-; do
		[ ! -e "$shadow" ] || sed -i 's/^\([^:]*:[^:]*:\)[0-9]*:/\119000:/' "$shadow"
	done
}
