#!/usr/bin/env bash
# Builds a Debian base image from a Debian mirror, as a substitute for
# docker.io/library/debian.
#
#   hack/base.sh debian-12|debian-13 [--arch ARCH] [--force]
#
# Result: .cache/base/NAME-ARCH, an OCI layout, to pass to a build:
#
#   --build-context debian:12-slim=oci-layout://.cache/base/debian-12-amd64
#
# Keeps an image that is less than seven days old, unless --force is given. The bytes only depend
# on the state of the archives. The packages come from the mirrors of debian and debian-security in
# ~/.config/flavorkit/config.yaml (docs/mirrors.md), if it has any; the image has the public archives.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
max_age_days=7

# sources DEBIAN SECURITY: prints the package sources with these archives.
sources() {
  cat <<END
Types: deb
URIs: $1
Suites: $suite $suite-updates
Components: main
Signed-By: $keyring

Types: deb
URIs: $2
Suites: $suite-security
Components: main
Signed-By: $keyring
END
}

# The files that debian:*-slim has in addition to its packages: no services start while packages
# are installed, apt keeps no caches, dpkg excludes documentation.
dpkg_config() {
  cat <<'END'
force-unsafe-io
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/info/*
path-exclude=/usr/share/linda/*
path-exclude=/usr/share/lintian/overrides/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/man/*
END
}

apt_config() {
  cat <<'END'
Acquire::GzipIndexes "true";
Acquire::Languages "none";
Apt::AutoRemove::SuggestsImportant "false";
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
END
}

# released: prints the time of the newest of the three archives, in seconds.
released() {
  local url newest=0 date seconds
  for url in "${mirror[debian]}/dists/$suite" "${mirror[debian]}/dists/$suite-updates" "${mirror["debian-security"]}/dists/$suite-security"; do
    /usr/lib/apt/apt-helper -qq -o APT::Sandbox::User=root download-file "$url/InRelease" "$work/InRelease" >&2 ||
      die "cannot fetch $url/InRelease: check the network, or name a mirror (docs/mirrors.md)"
    date=$(sed -n '/^Date: /{s///p;q}' "$work/InRelease")
    seconds=$(date -d "${date:-missing}" +%s) || die "$url/InRelease has no date: is this a Debian mirror?"
    ((seconds <= newest)) || newest=$seconds
  done
  echo "$newest"
}

# The last steps inside the new root ($1), run by mmdebstrap.
finish() {
  cat <<'END'
#!/bin/sh
set -eu
cd "$1"
mv etc/dpkg/dpkg.cfg.d/99mmdebstrap etc/dpkg/dpkg.cfg.d/docker
rm -f etc/apt/apt.conf.d/99mmdebstrap etc/apt/sources.list etc/apt/sources.list.d/*
install -m 0644 "$work/apt" etc/apt/apt.conf.d/docker
install -m 0644 "$work/debian.sources" etc/apt/sources.list.d/debian.sources
rm -f etc/hostname etc/resolv.conf etc/.pwd.lock var/cache/apt/*.bin var/cache/debconf/*-old
printf '#!/bin/sh\nexit 101\n' > usr/sbin/policy-rc.d
chmod 0755 usr/sbin/policy-rc.d
END
}

# shellcheck disable=SC2016  # the hook's own shell expands $work and $1
bootstrap() {
  sources "${mirror[debian]}" "${mirror["debian-security"]}" >"$work/mirror.sources"
  sources "${public[debian]}" "${public["debian-security"]}" >"$work/debian.sources"
  dpkg_config >"$work/dpkg"
  apt_config >"$work/apt"
  finish >"$work/finish"
  chmod -R a+rX "$work"
  export work
  TMPDIR=$work mmdebstrap --variant=minbase --arch="$arch" --format=tar \
    --skip=output/dev,chroot/policy-rc.d --dpkgopt="$work/dpkg" \
    --hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr --customize-hook='sh "$work/finish" "$1"' \
    "$suite" "$work/rootfs.tar" "$work/mirror.sources" 2>&1 |
    tee "$work/log" | { grep --line-buffered '^[IWE]: ' >&2 || true; } ||
    {
      tail -n 30 "$work/log" >&2
      die "mmdebstrap failed; its last lines are above"
    }
  # Leave out device nodes, but keep the directory.
  mkdir "$work/dev"
  tar --append --file "$work/rootfs.tar" --directory "$work" --mode=0755 --mtime="@$SOURCE_DATE_EPOCH" \
    --owner=0 --group=0 --numeric-owner ./dev
}

arguments "$@"
((${#names[@]} < 2)) || die "one base at a time; see --help"
base=${names[0]:-}
case $base in
  debian-12) suite=bookworm ;;
  debian-13) suite=trixie ;;
  '') die "which base? use debian-12 or debian-13; see --help" ;;
  *) die "unknown base '$base': use debian-12 or debian-13" ;;
esac

out=$cache/base/$base-$arch stamp=$cache/base/$base-$arch.stamp
made_from="$(digest "${BASH_SOURCE[0]}" "$root/hack/ocilayout/main.go")"
lock "base-$base-$arch"
if [[ -z $force && -f $out/index.json ]] && current "$stamp" "$made_from" &&
  [[ -n $(find "$stamp" -mtime "-$max_age_days") ]]; then
  say "$base ($arch) is up to date"
  exit
fi

need mmdebstrap build
need go build
declare -A public mirror
while read -r archive there here; do
  public[$archive]=$there mirror[$archive]=$here
done < <(cd "$root" && go run ./hack/mirrors "$base")
((${#mirror[@]})) || die "cannot read the mirrors, see above"
[[ -f $keyring ]] || die "$keyring is missing: run hack/deps.sh build"
[[ $arch == "$(host_arch)" ]] || runs_foreign "$arch" ||
  die "this machine cannot run $arch programs: run hack/deps.sh foreign"

mkdir -p "$cache/base"
rm -rf --one-file-system "$cache/base/.$base-$arch".* # left by a killed run; we have the lock
work=$(mktemp -d "$cache/base/.$base-$arch.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM # after mmdebstrap has ended and cleaned up
SOURCE_DATE_EPOCH=$(released)
export SOURCE_DATE_EPOCH
say "making $base ($arch) from ${mirror[debian]} as of $(date -u -d "@$SOURCE_DATE_EPOCH" '+%F %T')"
bootstrap
(cd "$root" && go run ./hack/ocilayout --tar "$work/rootfs.tar" --platform "linux/$arch" --out "$out" \
  --ref "docker.io/library/debian:${base#debian-}-slim" --comment "mmdebstrap --variant=minbase $suite")
printf '%s\n' "$made_from" >"$stamp"
say "$out ($(du -sh "$out" | cut -f1))"
