#!/usr/bin/env bash
# Installs missing packages for development with apt. Only the installation needs root.
#
#   hack/deps.sh [GROUP...]
#
# Groups (default: build boot test):
#   build    to build images: base images, buildkitd
#   boot     to boot them in a VM
#   test     to check images and scripts
#   standins to build local substitutes for unreachable distributions (hack/standins.sh)
#   foreign  to build and boot for the other architectures of the catalog
#   browser  to look at the report of a build
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# others: prints the other architectures of the catalog.
others() { archs | grep -vx "$(host_arch)"; }

# emulator ARCH: prints Debian's packages with QEMU and with UEFI. A later release may be the first that has them: then
# only VMs in the build can use them, which are from that release.
emulator() {
  local file=$root/specs/catalog/archs/$1.yaml
  grep -q '^  from: ' "$file" || sed -n 's/^ *debian: {qemu: \(.*\), firmware: \(.*\)}$/\1 \2/p' "$file"
}

# group, Debian package, reason
packages() {
  local arch qemu firmware
  while read -r arch; do
    read -r qemu firmware < <(emulator "$arch") || continue
    printf '%s\n' "foreign $qemu boots images for $arch" "foreign $firmware UEFI firmware for $arch"
  done < <(others)
  read -r qemu firmware < <(emulator "$(host_arch)")
  cat <<END
build runc buildkitd runs build steps with it
build mmdebstrap hack/base.sh makes base images with it
build debian-archive-keyring mmdebstrap checks Debian's signatures with it
boot $qemu boots images
boot $firmware UEFI firmware for booting images
test xorriso reads ISO images
test squashfs-tools reads the root filesystem inside an ISO
test mtools reads EFI partitions
test e2fsprogs reads ext4 partitions of disk images
test dosfstools makes EFI partitions
test fdisk reads partition tables
test grub-common makes environment blocks of GRUB
test qemu-utils reads qcow2 and VHD
test zstd reads compressed disks
test xz-utils reads compressed disks
test gnupg signs the repositories of tests
test shellcheck checks shell scripts
test busybox is one of the shells that the console is tested with
standins rpm rpmbuild makes the packages of openSUSE and Fedora
standins createrepo-c makes their repositories
foreign qemu-user-static runs programs of another architecture
foreign arch-test mmdebstrap checks with it whether foreign programs run
foreign binfmt-support tells the kernel about qemu-user-static
browser chromium shows the report of a build
END
}

# binfmt-support registers qemu-user-static for programs of other architectures when a machine
# boots. This one has booted already, or is a container.
enable_foreign() {
  local other=$1
  runs_foreign "$other" && return
  if ((EUID != 0)); then
    die "programs of $other do not run yet, and making them run needs root: sudo hack/deps.sh foreign"
  fi
  mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc ||
    die "cannot mount binfmt_misc: does the kernel have it?"
  update-binfmts --enable
  runs_foreign "$other" || die "programs of $other still do not run: see update-binfmts --display"
  say "programs of $other run through qemu-user-static"
}

groups=()
while (($#)); do
  case $1 in
    -h | --help)
      usage "$0"
      exit
      ;;
    build | boot | test | standins | foreign | browser) groups+=("$1") ;;
    *) die "unknown group '$1': use build, boot, test, standins, foreign or browser" ;;
  esac
  shift
done
((${#groups[@]})) || groups=(build boot test)

command -v go >/dev/null || die "Go is missing: install Go 1.26 or newer from https://go.dev/dl"

have_apt=''
if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then have_apt=1; fi

missing=() reasons=''
while read -r group package reason; do
  [[ " ${groups[*]} " == *" $group "* ]] || continue
  if [[ $have_apt && $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]]; then continue; fi
  missing+=("$package")
  reasons+=$(printf '\n  %-24s %s' "$package" "$reason")
done < <(packages)

if ! ((${#missing[@]})); then
  say "${groups[*]}: nothing is missing"
elif [[ ! $have_apt ]]; then
  die "no apt here: install what these Debian packages hold, with your own package manager:$reasons"
elif ((EUID != 0)); then
  die "missing, and installing needs root: sudo hack/deps.sh ${groups[*]}$reasons"
else
  say "installing:$reasons"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update >&2 || say "apt-get update failed; trying with the package lists at hand"
  apt-get -q install --yes --no-install-recommends "${missing[@]}" >&2 ||
    die "apt-get could not install: ${missing[*]}"
fi
if [[ " ${groups[*]} " == *" foreign "* ]]; then
  while read -r other; do enable_foreign "$other"; done < <(others)
fi
