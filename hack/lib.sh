# shellcheck shell=bash
# Shared by hack/*.sh; sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034  # used by the scripts that source this file
cache=$root/.cache

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }
die() {
  say "$@"
  exit 1
}

# usage FILE: the comment block at the head of a script is its help text.
usage() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$1"; }

# archs: the architectures of the catalog, a line each.
archs() { basename -a -s .yaml "$root"/specs/catalog/archs/*.yaml; }

# fact ARCH KEY: a value at the top of the catalog's record of an architecture.
fact() { sed -n "s/^$2: //p" "$root/specs/catalog/archs/$1.yaml"; }

# host_arch: this machine in Go's spelling.
host_arch() {
  local arch
  for arch in $(archs); do
    case $(uname -m) in
      "$arch" | "$(fact "$arch" machine)") echo "$arch" && return ;;
    esac
  done
  die "no support for machine $(uname -m)"
}

# check_arch ARCH: it is one of the catalog.
check_arch() {
  archs | grep -qx "$1" || die "unknown architecture '$1': use $(archs | paste -sd ' ')"
}

# need COMMAND GROUP: COMMAND must exist; hack/deps.sh GROUP installs it.
need() { command -v "$1" >/dev/null || die "'$1' is missing: run hack/deps.sh $2"; }

# digest FILE...: one sum over the contents, to tell whether a result is stale.
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }

# current STAMP TEXT: whether the result that wrote STAMP was made from the same TEXT.
current() { [[ -f $1 && $(<"$1") == "$2" ]]; }

# lock NAME: only one script at a time makes NAME; the others wait and then find it made.
lock() {
  mkdir -p "$cache"
  exec 9>"$cache/.$1.lock"
  flock 9
}

# runs_foreign ARCH: whether the kernel runs programs for ARCH through an emulator.
runs_foreign() {
  grep -qsx enabled "/proc/sys/fs/binfmt_misc/qemu-$(fact "$1" machine)"
}
