#!/usr/bin/env bash
# Builds local substitutes for base images of unreachable distributions: Debian images with a
# repository whose packages have the distribution's names, for its own package manager.
#
#   hack/standins.sh [NAME...] [--force]
#
# NAME is a distribution in hack/standins/standins.yaml (default: all); amd64 only.
# Result: .cache/standins/NAME-amd64, one OCI layout each, to pass to a build:
#
#   --build-context ubuntu:24.04=oci-layout://.cache/standins/ubuntu-24.04-amd64
#
# They have the names, paths and commands of the real distribution, but Debian's files, in the current
# versions. A substitute is kept until its scripts, the packages in the catalog or its Debian base
# change, unless --force is given. Mirrors are used as in hack/base.sh.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=standins/tree.sh
source "$root/hack/standins/tree.sh"
# shellcheck source=standins/apt.sh
source "$root/hack/standins/apt.sh"
# shellcheck source=standins/contents.sh
source "$root/hack/standins/contents.sh"
# shellcheck source=standins/rpm.sh
source "$root/hack/standins/rpm.sh"
# shellcheck source=standins/apk.sh
source "$root/hack/standins/apk.sh"

# describe NAME: sets the facts of a substitute as variables.
describe() {
  local key rest facts
  facts=$("$list" "$1") || exit 1
  title='' ref='' manager='' from='' layout='' user='' modules='' shim='' grub='' base=() absent=() os=() names=() parts=() firmware=()
  declare -gA behind=()
  while read -r key rest; do
    case $key in
      base) read -ra base <<<"$rest" ;;
      absent) read -ra absent <<<"$rest" ;;
      part) parts+=("$rest") ;;
      firmware) firmware+=("$rest") ;;
      os) os+=("$rest") ;;
      package)
        names+=("${rest%% *}")
        behind[${rest%% *}]=${rest#* }
        ;;
      *) printf -v "$key" %s "$rest" ;;
    esac
  done <<<"$facts"
  local scripts=("$root"/hack/standins.sh "$root"/hack/standins/tree.sh) stamp=$cache/base/$from-amd64.stamp
  case $manager in
    apt) scripts+=("$root"/hack/standins/apt.sh) ;;
    apk) scripts+=("$root"/hack/standins/{contents,apk,alpine/*}.sh) ;;
    *) scripts+=("$root"/hack/standins/{contents,rpm}.sh) ;;
  esac
  made_from="$(digest <(echo "$facts") "${scripts[@]}") $(<"$stamp") of $(stat -c %Y "$stamp")"
}

# os_release TREE: writes what the system is, and which distribution it
# substitutes.
os_release() {
  rm -f "$1/etc/os-release"
  {
    printf 'NAME="%s (flavorkit stand-in)"\nPRETTY_NAME="%s (flavorkit stand-in, made of %s)"\n' "${title%% *}" "$title" "$from"
    printf '%s\n' "${os[@]}"
    printf 'HOME_URL="https://github.com/flavorkit/flavorkit"\n'
  } >"$1/usr/lib/os-release"
  ln -s ../usr/lib/os-release "$1/etc/os-release"
}

make_one() {
  local name=$1 out=$cache/standins/$1-amd64
  lock "standin-$name"
  describe "$name"
  if [[ -z $force && -f $out/index.json ]] && current "$out.stamp" "$made_from"; then
    say "$name is up to date"
    return
  fi
  rm -rf --one-file-system "$cache/standins/.$name".* # left by a killed run; we have the lock
  work=$(mktemp -d "$cache/standins/.$name.XXXXXX")
  trap 'rm -rf --one-file-system "$work"' EXIT
  trap 'exit 130' INT TERM
  say "making a stand-in for $title out of $from"
  "make_$manager" "$work/image"
  os_release "$work/image"
  pack "$work/image" "$work/image.tar"
  (cd "$root" && go run ./hack/ocilayout --tar "$work/image.tar" --platform linux/amd64 --out "$out" --ref "$ref" \
    --label "io.flavorkit.stand-in=made of $from" --comment "hack/standins.sh $name")
  printf '%s\n' "$made_from" >"$out.stamp"
  say "$out ($(du -sh "$out" | cut -f1))"
}

force='' wanted=()
while (($#)); do
  case $1 in
    -h | --help)
      usage "$0"
      exit
      ;;
    --force) force=1 ;;
    -*) die "unknown flag '$1'; see --help" ;;
    *) wanted+=("$1") ;;
  esac
  shift
done
need go build
need rpmbuild standins
need createrepo_c standins
((EUID == 0)) || die "needs root, for chroot"
[[ $(host_arch) == amd64 ]] || die "stand-ins are for amd64, and are made there"

mkdir -p "$cache/standins"
list=$(mktemp "$cache/standins/.list.XXXXXX")
trap 'rm -f "$list"' EXIT
(cd "$root" && go build -o "$list" ./hack/standins)
((${#wanted[@]})) || read -ra wanted <<<"$("$list" | tr '\n' ' ')"
for name in "${wanted[@]}"; do
  "$list" "$name" >/dev/null || exit 1
done
for name in "${wanted[@]}"; do
  "$root/hack/base.sh" "$("$list" "$name" | sed -n 's/^from //p')"
  (make_one "$name")
done
