#!/bin/sh
# Library that the scripts of all package managers source.

# fail MESSAGE
fail() {
	echo "$*" >&2
	exit 1
}

# The third-party repositories of a spec are files in FLAVORKIT_REPOSITORIES. Its file "list" has a line for each:
#   NAME URL HOST STAYS CODE
# HOST is that of the url, STAYS is "stays" for one that stays in the image, and CODE the first exit code that says that
# it is to blame. FLAVORKIT_SECRETS has the secrets of those that have any: NAME is user:password, and NAME.pem a client
# certificate with its key. FLAVORKIT_PRIVATE is in memory, and gone after the step: nothing secret is written elsewhere.

# repositories COMMAND runs a command for each repository, with the words of its line as arguments.
repositories() {
	[ -n "${FLAVORKIT_REPOSITORIES-}" ] || return 0
	while read -r name url host stays code; do
		"$1" "$name" "$url" "$host" "$stays" "$code" </dev/null
	done <"$FLAVORKIT_REPOSITORIES/list"
}

# The mirrors of archives are lines in FLAVORKIT_MIRRORS:
#   ARCHIVE URL CODE
# ARCHIVE is the host and the path of one that the image has, URL that of its mirror, and CODE the exit code that says that
# the mirror cannot be read. Nothing of them is left in the image, unless FLAVORKIT_KEEP_MIRRORS is set.

# mirror_rules: prints what sed replaces.
mirror_rules() {
	[ -n "${FLAVORKIT_MIRRORS-}" ] || return 0
	printf '%s\n' "$FLAVORKIT_MIRRORS" | while read -r archive url code; do
		# The catalog and the language know no other characters that sed would read.
		printf 's#https?://%s(/|[[:space:]]|$)#%s\\1#g\n' "$(printf '%s' "$archive" | sed 's/[.+]/\\&/g')" "$(printf '%s' "$url" | sed 's/&/\\&/g')"
	done
}

# mirrored: copies a list of archives, with their mirrors.
mirrored() {
	sed -E "$(mirror_rules)"
}

# rpm_mirrored: copies a file of repositories (dnf.conf(5)), with their mirrors. One that has a mirror is not looked up in
# lists of mirrors. Fedora's have the url of the archive in a comment.
rpm_mirrored() {
	section=''
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'['*)
			rpm_mirrored_section
			section=''
			;;
		esac
		section=$section$line'
'
	done
	rpm_mirrored_section
}

rpm_mirrored_section() {
	urls=$(printf '%s' "$section" | sed -nE 's/^#?[[:space:]]*(baseurl[[:space:]]*=)/\1/p')
	if [ "$urls" = "$(printf '%s\n' "$urls" | mirrored)" ]; then
		printf '%s' "$section" | mirrored
	else
		printf '%s' "$section" | sed -E -e 's/^#[[:space:]]*(baseurl[[:space:]]*=)/\1/' -e '/^(metalink|mirrorlist)[[:space:]]*=/d' | mirrored
	fi
}

# keep_mirrors FILTER FILE...: writes the mirrors into files of the image, if they stay.
keep_mirrors() {
	[ -n "${FLAVORKIT_KEEP_MIRRORS-}" ] || return 0
	filter=$1
	shift
	for file; do
		[ -f "$file" ] || continue
		"$filter" <"$file" >"$FLAVORKIT_PRIVATE/mirrored"
		cat "$FLAVORKIT_PRIVATE/mirrored" >"$file"
	done
}

# FLAVORKIT_CA is a file with the certificates of an authority, and FLAVORKIT_CA_BUNDLE where the image has those that it
# trusts.

# no_certificate is the exit code for a file without any, which explain in repositories.go reads.
no_certificate=199

# trust: sets trusted to a file with the certificates of the image and of FLAVORKIT_CA; to nothing without the latter.
trust() {
	trusted=''
	[ -n "${FLAVORKIT_CA-}" ] || return 0
	grep -q -e '^-----BEGIN CERTIFICATE-----' "$FLAVORKIT_CA" || exit $no_certificate
	trusted=$FLAVORKIT_PRIVATE/ca.pem
	cat "$FLAVORKIT_CA" >"$trusted"
	echo >>"$trusted"
	[ ! -e "${FLAVORKIT_CA_BUNDLE:-/nowhere}" ] || cat "$FLAVORKIT_CA_BUNDLE" >>"$trusted"
	chmod 0644 "$trusted"
}

# unread_archive is the exit code for an archive of the image that cannot be read, which explain in repositories.go reads.
unread_archive=198

# wrong_clock is the exit code for a clock that no signature and no certificate is valid by, which explain in
# repositories.go reads.
wrong_clock=255

# clock: ends the step if the clock was never set.
clock() {
	[ "$(date +%Y)" -ge 2020 ] || exit $wrong_clock
}

# fetch_errors is what package managers say when they cannot download something.
fetch_errors='^E: (Failed to fetch http|Unable to fetch some archives)|Curl error|Status code: [0-9]|(Failed to|Cannot) download|Download \(curl\) error|Timeout exceeded|Error trying to read from'

# listen COMMAND...: runs a command, and shows what it says. If it fails, the file that heard names has that, too.
listen() {
	heard=$(mktemp)
	mkfifo "$heard.pipe"
	tee "$heard" <"$heard.pipe" >&2 &
	code=0
	"$@" >"$heard.pipe" 2>&1 || code=$?
	rm "$heard.pipe"
	if [ "$code" -eq 0 ]; then
		# Without waiting for tee: a service that a package has started may keep the pipe open.
		rm "$heard"
	else
		wait $!
	fi
	return "$code"
}

# fetch COMMAND...: runs a command that downloads packages. If it cannot, this ends the step.
fetch() {
	listen "$@" || {
		code=$?
		unfetched "$heard"
		return "$code"
	}
}

# unfetched LOG: ends the step if a package manager said that it cannot download something.
unfetched() {
	! grep -qE "$fetch_errors" "$1" || unread "$1"
}

# unread LOG: ends the step with the exit code of what a package manager could not read: the mirror or the third-party
# repository whose address it complained about, or else an archive of the image. Of addresses that begin the same, the
# longest counts.
unread() {
	clock
	# apk shows all that it reads.
	grep -v '^fetch ' "$1" >"$1.errors" || true
	longest=$({
		echo "0 $unread_archive"
		addresses | while read -r url code; do
			! grep -qF -e "$url" "$1.errors" || echo "${#url} $code"
		done
	} | sort -n | tail -n 1)
	exit "${longest##* }"
}

# addresses: prints the addresses of mirrors and of third-party repositories, with their exit codes. Variables of a url are
# expanded in a log.
addresses() {
	[ -z "${FLAVORKIT_MIRRORS-}" ] || printf '%s\n' "$FLAVORKIT_MIRRORS" | cut -d ' ' -f 2,3
	repositories address
}

# address NAME URL HOST STAYS CODE
address() {
	echo "${2%%\$*} $(($5 + unreachable))"
}

# Kinds of failures, in the order that explain in repositories.go reads them.
unreachable=0 untrusted=1 expired=2 unauthorized=3 taken=4

# blame CODE KIND ends the step with the exit code that names a repository and what is wrong with it.
blame() {
	exit $(($1 + $2))
}

# refused CODE LOG shows what a package manager said about a repository, and ends the step.
refused() {
	cat "$2" >&2
	clock
	if grep -qE 'EXPKEYSIG|EXPSIG|KEYEXPIRED|(is|has) expired|not valid yet' "$2"; then
		blame "$1" $expired
	elif grep -qE '(^|[^0-9.])40[13] +[A-Z]|[Cc]ode: 40[13]|HTTP[^ ]*( response:?| error)? 40[13]|Unauthorized|Authentication|Authorization' "$2"; then
		blame "$1" $unauthorized
	elif grep -qE 'NO_PUBKEY|BADSIG|not signed|unsigned|[Ss]ignature|UNTRUSTED|GPG' "$2"; then
		blame "$1" $untrusted
	fi
	blame "$1" $unreachable
}

# own FILE CODE refuses a repository that the image has a file of the same name for.
own() {
	[ ! -e "$1" ] || blame "$2" $taken
}

# login NAME sets user and password, if the repository has a secret.
login() {
	user='' password=''
	[ -e "$FLAVORKIT_SECRETS/$1" ] || return 1
	line=$(head -n 1 "$FLAVORKIT_SECRETS/$1" | tr -d '\r')
	# shellcheck disable=SC2034  # for those that call it
	case $line in
	*:*) user=${line%%:*} password=${line#*:} ;;
	*) fail "the secret of the repository $1 is not user:password" ;;
	esac
}

# rpm_trust NAME URL HOST STAYS CODE has rpm trust the key of a repository, and notes those to forget.
rpm_trust() {
	rpm -q gpg-pubkey >"$FLAVORKIT_PRIVATE/known" || true
	rpm --import "$FLAVORKIT_REPOSITORIES/keys/$1.asc" || blame "$5" $untrusted
	[ "$4" = stays ] || rpm -q gpg-pubkey | grep -vxF -f "$FLAVORKIT_PRIVATE/known" >>"$FLAVORKIT_PRIVATE/forget" || true
}

# rpm_forget takes away the keys of the repositories that do not stay.
rpm_forget() {
	[ -s "${FLAVORKIT_PRIVATE-}/forget" ] || return 0
	while read -r key; do
		rpm -e --allmatches "$key" </dev/null
	done <"$FLAVORKIT_PRIVATE/forget"
}

# FLAVORKIT_ARCHIVES is a directory with the archives of a lock. Packages are then installed from these alone, without a
# network. What downloaded them has verified them.

# rpm_archives DIR: prints a line for each archive below a directory: its sha256, name, version, architecture and path.
rpm_archives() {
	(
		columns=$(mktemp -d)
		cd "$1" || exit
		find . -name '*.rpm' -printf '%P\n' | sort >"$columns/paths"
		xargs -r -d '\n' sha256sum <"$columns/paths" | cut -d ' ' -f 1 >"$columns/sums"
		xargs -r -d '\n' rpm -qp --nosignature --qf '%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\n' <"$columns/paths" >"$columns/names"
		paste "$columns/sums" "$columns/names" "$columns/paths"
		rm -r "$columns"
	)
}

# apk_configure PACKAGE...: reads the index of all repositories, for apk_cached. Those of the spec are read one by one first, to know
# which one is to blame.
apk_configure() {
	with='' keys=${FLAVORKIT_PRIVATE-}/keys list=${FLAVORKIT_PRIVATE-}/repositories
	if [ -n "${FLAVORKIT_ARCHIVES-}" ]; then
		apk_locked "$@"
		return
	fi
	trust
	[ -z "$trusted" ] || export SSL_CERT_FILE="$trusted"
	if [ -n "${FLAVORKIT_REPOSITORIES-}${FLAVORKIT_MIRRORS-}" ]; then
		mkdir -p "$keys"
		cp /etc/apk/keys/* "$keys/"
		[ -z "${FLAVORKIT_REPOSITORIES-}" ] || cp "$FLAVORKIT_REPOSITORIES"/keys/* "$keys/"
		for file in /etc/apk/repositories /etc/apk/repositories.d/*.list; do
			[ ! -e "$file" ] || mirrored <"$file" >>"$list"
		done
		repositories apk_add
		with=$list
	fi
	# If a mirror is down, fail instead of using an old index.
	listen apk_cached update || unread "$heard"
}

# apk_locked PACKAGE...: makes a repository of FLAVORKIT_ARCHIVES, which also is the one that packages name with a tag.
apk_locked() {
	keys=/etc/apk/keys with=$FLAVORKIT_CACHE/repositories arch=$(cat /etc/apk/arch)
	dir=$FLAVORKIT_CACHE/lock
	mkdir -p "$dir/$arch"
	ln -sf "$FLAVORKIT_ARCHIVES"/*.apk "$dir/$arch/"
	apk index --quiet --allow-untrusted --rewrite-arch "$arch" --output "$dir/$arch/APKINDEX.tar.gz" "$dir/$arch"/*.apk
	{
		echo "$dir"
		printf '%s\n' "$@" | sed -n "s|^[^@]*\(@[^=<>~]*\).*|\1 $dir|p" | sort -u
	} >"$with"
}

# apk_cached ARGUMENT...: apk with index and packages in FLAVORKIT_CACHE, and with the repositories of apk_configure.
apk_cached() {
	apk_with "$with" "$@"
}

# apk_with LIST ARGUMENT...: apk with a list of repositories; an empty one is for that of the image.
apk_with() {
	from=$1
	shift
	# shellcheck disable=SC2086  # two options, or none
	apk --cache-dir "$FLAVORKIT_CACHE" ${from:+--keys-dir "$keys" --repositories-file "$from"} \
		${FLAVORKIT_ARCHIVES:+--no-network --allow-untrusted} "$@"
}

# escaped TEXT: every byte as in a url.
escaped() {
	printf '%s' "$1" | od -An -tx1 -v | tr -d ' \n' | sed 's/../%&/g'
}

# apk_add NAME URL HOST STAYS CODE adds a repository to the list, after it was read by itself, to know which one is to
# blame. apk takes credentials in the url, and hides the password when it shows one.
apk_add() {
	own /etc/apk/repositories.d/"$1.list" "$5"
	cp "$FLAVORKIT_REPOSITORIES/repositories.d/$1.list" "$FLAVORKIT_PRIVATE/one"
	if login "$1"; then
		sed -i "s|://|://$(escaped "$user"):$(escaped "$password")@|" "$FLAVORKIT_PRIVATE/one"
	fi
	if [ -e "$FLAVORKIT_SECRETS/$1.pem" ]; then
		export SSL_CLIENT_CERT_FILE="$FLAVORKIT_SECRETS/$1.pem" SSL_CLIENT_KEY_FILE="$FLAVORKIT_SECRETS/$1.pem"
	fi
	apk_with "$FLAVORKIT_PRIVATE/one" update >"$FLAVORKIT_PRIVATE/log" 2>&1 || refused "$5" "$FLAVORKIT_PRIVATE/log"
	cat "$FLAVORKIT_PRIVATE/one" >>"$list"
}

# apk_index: prints the index of all repositories, also of those in directories, which apk does not cache.
apk_index() {
	for index in "$FLAVORKIT_CACHE"/APKINDEX.*.tar.gz; do
		[ ! -f "$index" ] || tar -xzOf "$index" APKINDEX
		echo
	done
	sed -n 's|^\(@[^ ]* \)*/|/|p' "${with:-/etc/apk/repositories}" | while read -r repository; do
		tar -xzOf "$repository/$(cat /etc/apk/arch)/APKINDEX.tar.gz" APKINDEX
		echo
	done
}

# apt_configure OPTIONS: writes a file of options for apt-get (apt.conf(5)), which keeps index and archives in
# FLAVORKIT_CACHE.
apt_configure() {
	mkdir -p "$FLAVORKIT_CACHE/lists/partial" "$FLAVORKIT_CACHE/archives/partial"
	chown _apt "$FLAVORKIT_CACHE/lists/partial" "$FLAVORKIT_CACHE/archives/partial" 2>/dev/null || true
	{
		printf 'Dir::State::lists "%s/lists";\n' "$FLAVORKIT_CACHE"
		printf 'Dir::Cache::archives "%s/archives";\n' "$FLAVORKIT_CACHE"
		printf 'Acquire::Retries "3";\n'
		printf 'Acquire::Languages "none";\n'
		# If a mirror is down, fail instead of using an old index.
		printf 'APT::Update::Error-Mode "any";\n'
		printf 'APT::Keep-Downloaded-Packages "true";\n'
	} >"$1"
	trust
	# What downloads runs as another user, so not the file itself (apt-transport-https(1)).
	[ -z "$trusted" ] || printf 'Acquire::https::CaInfo "%s";\n' "$trusted" >>"$1"
	[ -z "${FLAVORKIT_AREAS-}${FLAVORKIT_MIRRORS-}" ] || apt_widen >>"$1"
}

# apt_widen: prints options for sources with FLAVORKIT_AREAS, one per line, in addition to their own areas
# (sources.list(5)), with mirrors, and for other sources. The sources of the image do not change.
apt_widen() {
	eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
	sources=$FLAVORKIT_CACHE/sources areas=$(printf '%s\n' "${FLAVORKIT_AREAS-}" | tr '\n' ' ')
	rm -rf "$sources"
	mkdir "$sources"
	# shellcheck disable=SC2154  # apt-config sets the two
	for file in "$list" "$parts"/*.list "$parts"/*.sources; do
		[ ! -f "$file" ] || sed -e "s/^Components:.*/& $areas/" -e "/^deb /s/\$/ $areas/" "$file" | mirrored >"$sources/${file##*/}"
	done
	printf 'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "%s";\n' "$sources"
}

# apt_update OPTIONS: reads the index of all repositories. Those of the spec are added to the options, with their pins and
# secrets, and are read one by one first, to know which one is to blame. With the archives of a lock, there is no other
# repository.
apt_update() {
	options=$1
	if [ -n "${FLAVORKIT_ARCHIVES-}" ]; then
		apt_locked >>"$options"
	elif [ -n "${FLAVORKIT_REPOSITORIES-}" ]; then
		apt_add_repositories "$options"
	fi
	apt_refresh "$options"
}

# apt_refresh OPTIONS: reads the index of all archives.
apt_refresh() {
	listen apt-get -qq -c "$1" update || unread "$heard"
}

# apt_locked: makes a repository of the archives in FLAVORKIT_ARCHIVES, and prints options for it. What downloaded them has
# verified them.
apt_locked() {
	index=$FLAVORKIT_CACHE/index
	mkdir -p "$index"
	ln -sfn "$FLAVORKIT_ARCHIVES" "$index/archives"
	for archive in "$FLAVORKIT_ARCHIVES"/*.deb; do
		name=${archive##*/}
		dpkg-deb --field "$archive" >&3
		printf 'Filename: archives/%s\nSize: %s\nSHA256: %s\n\n' "$name" "$(stat -c %s "$archive")" "${name%.deb}" >&3
	done 3>"$index/Packages"
	printf 'deb [trusted=yes] file:%s ./\n' "$index" >"$index/sources.list"
	printf 'Dir::Etc::sourcelist "%s";\nDir::Etc::sourceparts "/dev/null";\n' "$index/sources.list"
	printf 'APT::Sandbox::User "root";\n'
}

# apt_lacks_certificates: whether a repository needs ca-certificates. apt reads https with the certificates of the image,
# which slim ones lack.
apt_lacks_certificates() {
	[ -n "${FLAVORKIT_REPOSITORIES-}" ] && grep -q ' https:' "$FLAVORKIT_REPOSITORIES/list" && [ ! -e /etc/ssl/certs/ca-certificates.crt ]
}

# apt_add_repositories OPTIONS
apt_add_repositories() {
	if apt_lacks_certificates; then
		apt_refresh "$1"
		DEBIAN_FRONTEND=noninteractive fetch apt-get -qq -c "$1" -y install -- ca-certificates
		trust # the same file, with those certificates
	fi
	mkdir -p "$FLAVORKIT_PRIVATE/preferences.d" "$FLAVORKIT_PRIVATE/auth.conf.d" "$FLAVORKIT_PRIVATE/certificates"
	cp /etc/apt/preferences.d/* "$FLAVORKIT_REPOSITORIES"/preferences.d/* "$FLAVORKIT_PRIVATE/preferences.d/" 2>/dev/null || true
	{
		apt_widen
		printf 'Dir::Etc::preferencesparts "%s/preferences.d";\n' "$FLAVORKIT_PRIVATE"
		printf 'Dir::Etc::netrcparts "%s/auth.conf.d";\n' "$FLAVORKIT_PRIVATE"
		repositories apt_secrets
	} >>"$1"
	repositories apt_read
	cp "$FLAVORKIT_REPOSITORIES"/sources.list.d/* "$FLAVORKIT_CACHE/sources/"
}

# apt_secrets NAME URL HOST STAYS CODE: options for the client certificate of a repository, and its line for credentials
# (apt_auth.conf(5), apt-transport-https(1)).
apt_secrets() {
	if login "$1"; then
		printf 'machine %s login %s password %s\n' "$2" "$user" "$password" >"$FLAVORKIT_PRIVATE/auth.conf.d/$1.conf"
		chmod 0600 "$FLAVORKIT_PRIVATE/auth.conf.d/$1.conf"
	fi
	if [ -e "$FLAVORKIT_SECRETS/$1.pem" ]; then
		pem=$FLAVORKIT_PRIVATE/certificates/$1.pem
		# What downloads runs as another user.
		(umask 0377 && cp "$FLAVORKIT_SECRETS/$1.pem" "$pem")
		chown _apt "$pem"
		printf 'Acquire::https::%s::SslCert "%s";\nAcquire::https::%s::SslKey "%s";\n' "$3" "$pem" "$3" "$pem"
	fi
}

# apt_read NAME URL HOST STAYS CODE
apt_read() {
	own /etc/apt/sources.list.d/"$1.sources" "$5"
	apt-get -qq -c "$options" -o Dir::Etc::sourcelist="$FLAVORKIT_REPOSITORIES/sources.list.d/$1.sources" \
		-o Dir::Etc::sourceparts=/dev/null -o APT::Get::List-Cleanup=0 update 2>"$FLAVORKIT_PRIVATE/log" || refused "$5" "$FLAVORKIT_PRIVATE/log"
}

# apt_foreign ARCH: prints options for packages of another architecture, which are not installed.
apt_foreign() {
	printf 'APT::Architecture "%s";\n' "$1"
	printf 'APT::Architectures { "%s"; };\n' "$1"
	# Apt must ignore the installed packages.
	printf 'Dir::State::status "/dev/null";\n'
	printf 'APT::Sandbox::User "root";\n'
}

# dnf_configure: adds the repositories of the spec, for dnf_cached, and reads each by itself, to know which one is to blame.
dnf_configure() {
	dirs='' system=''
	# dnf 5 has a separate cache for root.
	case $(dnf --version) in dnf5*) system=--setopt=system_cachedir=$FLAVORKIT_CACHE ;; esac
	trust
	if [ -n "${FLAVORKIT_ARCHIVES-}" ]; then
		dirs=--setopt=reposdir=$FLAVORKIT_CACHE/none
		return
	fi
	found=/etc/yum.repos.d,/etc/distro.repos.d,/usr/share/dnf5/repos.d
	if [ -n "${FLAVORKIT_MIRRORS-}" ]; then
		found=$FLAVORKIT_PRIVATE/found.d
		mkdir -p "$found"
		# A file of the administrator replaces one of the same name.
		for file in /usr/share/dnf5/repos.d/*.repo /etc/distro.repos.d/*.repo /etc/yum.repos.d/*.repo; do
			[ ! -f "$file" ] || rpm_mirrored <"$file" >"$found/${file##*/}"
		done
		dirs=--setopt=reposdir=$found
	fi
	[ -n "${FLAVORKIT_REPOSITORIES-}" ] || return 0
	mkdir -p "$FLAVORKIT_PRIVATE/repos.d"
	dirs=--setopt=reposdir=$found,$FLAVORKIT_PRIVATE/repos.d
	repositories dnf_add
}

# dnf_cached ARGUMENT...: dnf 4 or 5 with metadata and packages in FLAVORKIT_CACHE, and with the repositories of
# dnf_configure. It fails if a repository cannot be reached, instead of skipping it.
dnf_cached() {
	dnf --setopt=skip_if_unavailable=False --setopt=retries=3 \
		--setopt=cachedir="$FLAVORKIT_CACHE" ${system:+"$system"} ${dirs:+"$dirs"} \
		${trusted:+--setopt=sslcacert="$trusted"} "$@"
}

# dnf_add NAME URL HOST STAYS CODE adds a repository with its credentials.
dnf_add() {
	own /etc/yum.repos.d/"$1.repo" "$5"
	cp "$FLAVORKIT_REPOSITORIES/$1.repo" "$FLAVORKIT_PRIVATE/repos.d/"
	if login "$1"; then
		printf 'username=%s\npassword=%s\n' "$user" "$password" >>"$FLAVORKIT_PRIVATE/repos.d/$1.repo"
	fi
	rpm_trust "$@"
	dnf_cached -y --refresh --repo="$1" makecache >"$FLAVORKIT_PRIVATE/log" 2>&1 || refused "$5" "$FLAVORKIT_PRIVATE/log"
}

# zypper_configure: reads the metadata of all repositories, for zypper_cached. Whether packages are kept is a setting of the
# repository, so the step uses a copy of the settings.
zypper_configure() {
	rm -rf "$FLAVORKIT_CACHE/repos.d"
	mkdir -p "$FLAVORKIT_CACHE/packages"
	if [ -n "${FLAVORKIT_ARCHIVES-}" ]; then
		zypper_locked
		return
	fi
	cp -R /etc/zypp/repos.d "$FLAVORKIT_CACHE/repos.d"
	if [ -n "${FLAVORKIT_MIRRORS-}" ]; then
		for file in "$FLAVORKIT_CACHE/repos.d"/*.repo; do
			rpm_mirrored <"$file" >"$FLAVORKIT_PRIVATE/mirrored"
			cat "$FLAVORKIT_PRIVATE/mirrored" >"$file"
		done
	fi
	zypper_trust
	repositories zypper_add
	zypper_cached --quiet modifyrepo --all --keep-packages
	for alias in ${FLAVORKIT_SKIP_REPOSITORIES-}; do
		# The image may not have it.
		! grep -qsF "[$alias]" "$FLAVORKIT_CACHE/repos.d"/*.repo || zypper_cached --quiet modifyrepo --disable "$alias"
	done
	repositories zypper_read
	# Fail if a repository cannot be reached, instead of using old metadata.
	listen zypper_cached --quiet refresh --force || unread "$heard"
}

# zypper_locked: makes a repository of FLAVORKIT_ARCHIVES, which zypper reads without metadata.
zypper_locked() {
	trusted=''
	mkdir -p "$FLAVORKIT_CACHE/repos.d"
	printf '[lock]\nname=lock\nenabled=1\nautorefresh=0\nbaseurl=dir:%s\ntype=plaindir\ngpgcheck=0\n' "$FLAVORKIT_ARCHIVES" >"$FLAVORKIT_CACHE/repos.d/lock.repo"
	zypper_cached --quiet refresh --force
}

# zypper_trust: has the image trust FLAVORKIT_CA until zypper_distrust, with the tool of the distribution. libzypp trusts the
# certificates in a directory of the image, by names that only the tool makes.
zypper_trust() {
	trust
	[ -z "$trusted" ] || [ -z "${FLAVORKIT_CA_UPDATE-}" ] || {
		mkdir -p "$FLAVORKIT_CA_DIRECTORY"
		cp "$FLAVORKIT_CA" "$FLAVORKIT_CA_DIRECTORY/flavorkit-build.crt"
		$FLAVORKIT_CA_UPDATE
	}
}

# zypper_distrust: takes the certificates away again.
zypper_distrust() {
	[ -z "$trusted" ] || [ -z "${FLAVORKIT_CA_UPDATE-}" ] || {
		rm -f "$FLAVORKIT_CA_DIRECTORY/flavorkit-build.crt"
		$FLAVORKIT_CA_UPDATE
	}
}

# zypper_cached ARGUMENT...: zypper with metadata and packages in FLAVORKIT_CACHE, and with the repositories of
# zypper_configure.
zypper_cached() {
	zypper --non-interactive --reposd-dir "$FLAVORKIT_CACHE/repos.d" --cache-dir "$FLAVORKIT_CACHE/cache" \
		--pkg-cache-dir "$FLAVORKIT_CACHE/packages" "$@"
}

# zypper_add NAME URL HOST STAYS CODE adds a repository. Its url names the file with the credentials, which libzypp reads.
zypper_add() {
	own /etc/zypp/repos.d/"$1.repo" "$5"
	cp "$FLAVORKIT_REPOSITORIES/$1.repo" "$FLAVORKIT_CACHE/repos.d/"
	if login "$1"; then
		(umask 0077 && printf 'username=%s\npassword=%s\n' "$user" "$password" >"$FLAVORKIT_PRIVATE/$1")
	fi
	rpm_trust "$@"
}

# zypper_read NAME URL HOST STAYS CODE reads a repository by itself, to know which one is to blame.
zypper_read() {
	zypper_cached --quiet refresh --force "$1" >"$FLAVORKIT_PRIVATE/log" 2>&1 || refused "$5" "$FLAVORKIT_PRIVATE/log"
}

# rpm_without: sets FLAVORKIT_EXCLUDE as RPM macros while the step runs. RPM
# does not install the directories of %_netsharedpath (rpm's macros.in),
# whichever program calls it.
rpm_without() {
	[ -n "${FLAVORKIT_EXCLUDE-}" ] || return 0
	macros=/etc/rpm/macros.flavorkit
	mkdir -p /etc/rpm
	# shellcheck disable=SC2154  # macros is set above, and kept for the trap
	trap 'rm -f "$macros"' EXIT
	printf '%%_netsharedpath %s\n' "$(printf '%s\n' "$FLAVORKIT_EXCLUDE" | tr '\n' ':' | sed 's/:*$//')" >"$macros"
}

# unmask unmasks units that the base image masks: a machine needs them, although a
# container does not. With FLAVORKIT_MADE, the base is a system that was made before: what it masks stays.
unmask() {
	[ -z "${FLAVORKIT_MADE-}" ] || return 0
	# Not with find, because an image may not have it.
	for unit in /etc/systemd/system/*; do
		[ "$(readlink "$unit" || true)" != /dev/null ] || rm -f "$unit"
	done
}

# remove_users removes the accounts of the base image in FLAVORKIT_REMOVE_USERS,
# one per line, with their home directories.
remove_users() {
	for user in ${FLAVORKIT_REMOVE_USERS-}; do
		! grep -q "^$user:" /etc/passwd || userdel --remove "$user"
	done
}

# clean removes what depends on when and where the step ran.
clean() {
	find /var/log -type f -exec rm -f {} +
	rm -rf /var/log/journal
	find /var/cache/ldconfig /var/cache/man /var/tmp /tmp -mindepth 1 -maxdepth 1 -exec rm -rf {} + 2>/dev/null || true
	# Python writes the time of day into compiled files.
	find /usr/lib/python3* -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
	# Each machine makes its own (contract 1.17).
	rm -f /etc/ssh/ssh_host_*_key* /var/lib/dbus/machine-id /var/lib/systemd/random-seed /etc/iscsi/initiatorname.iscsi
	if [ -e /etc/machine-id ]; then
		: >/etc/machine-id
	fi
	# The day of the build is in field 3 of /etc/shadow (shadow(5)).
	for shadow in /etc/shadow /etc/shadow-; do
		[ ! -e "$shadow" ] || sed -i 's/^\([^:]*:[^:]*:\)[0-9]*:/\119000:/' "$shadow"
	done
}
