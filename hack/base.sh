#!/usr/bin/env bash
# Makes a Debian base image from the distro's mirror, in place of docker.io/library/debian.
#
#   hack/base.sh debian-12|debian-13 [--arch ARCH] [--force]
#
# Result: .cache/base/NAME-ARCH, an OCI layout, to be handed to a build:
#
#   --build-context debian:12-slim=oci-layout://.cache/base/debian-12-amd64
#
# An image younger than seven days is kept, unless --force. The bytes depend on the state of the
# mirror only. FLAVORKIT_DEBIAN_MIRROR and FLAVORKIT_DEBIAN_SECURITY_MIRROR name other mirrors
# (defaults: http://deb.debian.org/debian, and the same with -security); the image uses them too.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mirror=${FLAVORKIT_DEBIAN_MIRROR:-http://deb.debian.org/debian}
mirror=${mirror%/}
security=${FLAVORKIT_DEBIAN_SECURITY_MIRROR:-$mirror-security}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
max_age_days=7

sources() {
  cat <<END
Types: deb
URIs: $mirror
Suites: $suite $suite-updates
Components: main
Signed-By: $keyring

Types: deb
URIs: $security
Suites: $suite-security
Components: main
Signed-By: $keyring
END
}

# The files that debian:*-slim carries on top of its packages: nothing starts while packages are
# installed, apt keeps no caches, dpkg leaves out documentation.
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

# released: the time of the newest of the three archives, in seconds.
released() {
  local url newest=0 date seconds
  for url in "$mirror/dists/$suite" "$mirror/dists/$suite-updates" "$security/dists/$suite-security"; do
    /usr/lib/apt/apt-helper -qq -o APT::Sandbox::User=root download-file "$url/InRelease" "$work/InRelease" >&2 ||
      die "cannot fetch $url/InRelease: check the network, or set FLAVORKIT_DEBIAN_MIRROR (and FLAVORKIT_DEBIAN_SECURITY_MIRROR)"
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
  sources >"$work/debian.sources"
  dpkg_config >"$work/dpkg"
  apt_config >"$work/apt"
  finish >"$work/finish"
  chmod -R a+rX "$work"
  export work
  TMPDIR=$work mmdebstrap --variant=minbase --arch="$arch" --format=tar \
    --skip=output/dev,chroot/policy-rc.d --dpkgopt="$work/dpkg" \
    --hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr --customize-hook='sh "$work/finish" "$1"' \
    "$suite" "$work/rootfs.tar" "$work/debian.sources" 2>&1 |
    tee "$work/log" | { grep --line-buffered '^[IWE]: ' >&2 || true; } ||
    {
      tail -n 30 "$work/log" >&2
      die "mmdebstrap failed; its last lines are above"
    }
  # Device nodes are left out, the directory is not.
  mkdir "$work/dev"
  tar --append --file "$work/rootfs.tar" --directory "$work" --mode=0755 --mtime="@$SOURCE_DATE_EPOCH" \
    --owner=0 --group=0 --numeric-owner ./dev
}

base='' arch=$(host_arch) force=''
while (($#)); do
  case $1 in
    -h | --help)
      usage "$0"
      exit
      ;;
    --arch)
      arch=${2:?--arch needs an architecture, such as arm64}
      shift
      ;;
    --arch=*) arch=${1#*=} ;;
    --force) force=1 ;;
    -*) die "unknown flag '$1'; see --help" ;;
    *)
      [[ -z $base ]] || die "one base at a time; see --help"
      base=$1
      ;;
  esac
  shift
done
check_arch "$arch"
case $base in
  debian-12) suite=bookworm ;;
  debian-13) suite=trixie ;;
  '') die "which base? use debian-12 or debian-13; see --help" ;;
  *) die "unknown base '$base': use debian-12 or debian-13" ;;
esac

out=$cache/base/$base-$arch stamp=$cache/base/$base-$arch.stamp
made_from="$(digest "${BASH_SOURCE[0]}" "$root/hack/ocilayout/main.go") $mirror $security"
lock "base-$base-$arch"
if [[ -z $force && -f $out/index.json ]] && current "$stamp" "$made_from" &&
  [[ -n $(find "$stamp" -mtime "-$max_age_days") ]]; then
  say "$base ($arch) is up to date"
  exit
fi

need mmdebstrap build
need go build
[[ -f $keyring ]] || die "$keyring is missing: run hack/deps.sh build"
[[ $arch == "$(host_arch)" ]] || runs_foreign "$arch" ||
  die "this machine cannot run $arch programs: run hack/deps.sh foreign"

mkdir -p "$cache/base"
rm -rf --one-file-system "$cache/base/.$base-$arch".* # what a killed run left; the lock is ours
work=$(mktemp -d "$cache/base/.$base-$arch.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM # after mmdebstrap has ended and cleaned up
SOURCE_DATE_EPOCH=$(released)
export SOURCE_DATE_EPOCH
say "making $base ($arch) from $mirror as of $(date -u -d "@$SOURCE_DATE_EPOCH" '+%F %T')"
bootstrap
(cd "$root" && go run ./hack/ocilayout --tar "$work/rootfs.tar" --platform "linux/$arch" --out "$out" \
  --ref "docker.io/library/debian:${base#debian-}-slim" --comment "mmdebstrap --variant=minbase $suite")
printf '%s\n' "$made_from" >"$stamp"
say "$out ($(du -sh "$out" | cut -f1))"
