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

# host_arch: this machine in Go's and Debian's spelling.
host_arch() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) die "no support for machine $(uname -m): amd64 and arm64 only" ;;
  esac
}

check_arch() {
  case $1 in
    amd64 | arm64) ;;
    *) die "unknown architecture '$1': use amd64 or arm64" ;;
  esac
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
  local machine=x86_64
  [[ $1 != arm64 ]] || machine=aarch64
  grep -qsx enabled "/proc/sys/fs/binfmt_misc/qemu-$machine"
}
