# shellcheck shell=bash
# Library that hack/*.sh source.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034  # used by the scripts that source this file
cache=$root/.cache

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }
die() {
  say "$@"
  exit 1
}

# usage FILE: prints the comment block at the top of a script as its help
# text.
usage() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$1"; }

# archs: prints the architectures of the catalog, one per line.
archs() { basename -a -s .yaml "$root"/specs/catalog/archs/*.yaml; }

# fact ARCH KEY: prints a top-level value of an architecture in the catalog.
fact() { sed -n "s/^$2: //p" "$root/specs/catalog/archs/$1.yaml"; }

# host_arch: prints the architecture of this machine, as Go names it.
host_arch() {
  local arch
  for arch in $(archs); do
    case $(uname -m) in
      "$arch" | "$(fact "$arch" machine)") echo "$arch" && return ;;
    esac
  done
  die "no support for machine $(uname -m)"
}

# check_arch ARCH: fails if the architecture is not in the catalog.
check_arch() {
  archs | grep -qx "$1" || die "unknown architecture '$1': use $(archs | paste -sd ' ')"
}

# arguments ARGUMENT...: reads --arch and --force into arch and force, and the rest into names.
# shellcheck disable=SC2034  # used by the scripts that source this file
arguments() {
  arch=$(host_arch) force='' names=()
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
      *) names+=("$1") ;;
    esac
    shift
  done
  check_arch "$arch"
}

# need COMMAND GROUP: fails if COMMAND does not exist; hack/deps.sh GROUP
# installs it.
need() { command -v "$1" >/dev/null || die "'$1' is missing: run hack/deps.sh $2"; }

# digest FILE...: prints a checksum over the contents, to find out whether a
# result is outdated.
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }

# current STAMP TEXT: whether the result that wrote STAMP was made from the same TEXT.
current() { [[ -f $1 && $(<"$1") == "$2" ]]; }

# lock NAME: only one script at a time makes NAME; the others wait, and then use it.
lock() {
  mkdir -p "$cache"
  exec 9>"$cache/.$1.lock"
  flock 9
}

# runs_foreign ARCH: whether the kernel runs programs for ARCH through an emulator.
runs_foreign() {
  grep -qsx enabled "/proc/sys/fs/binfmt_misc/qemu-$(fact "$1" machine)"
}
