#!/usr/bin/env bash
# Builds the Kairos components from source, as static and reproducible binaries.
#
#   hack/components.sh [NAME...] [--arch ARCH] [--force]
#
# NAME is kairos-agent, immucore (the default: both), edgevpn, k3s or provider-kairos.
# Versions are pinned in hack/components/NAME/go.mod. k3s and provider-kairos are stand-ins, which
# tell their version and nothing else: hack/components/standin.
# Result: .cache/components/ARCH/NAME/NAME, a directory each, to be handed to a build:
#
#   --build-context kairos-agent=.cache/components/amd64/kairos-agent
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# module, the variable that holds its version, and the build tags of its own releases
describe() {
  case $1 in
    kairos-agent)
      module=github.com/kairos-io/kairos-agent/v2
      variable=$module/internal/common.VERSION
      tags=nogit
      ;;
    immucore)
      module=github.com/kairos-io/immucore
      variable=$module/internal/version.version
      tags=nogit,nounpack
      ;;
    edgevpn)
      # The fork of go-libp2p-pubsub that its own go.mod asks for counts only there: a dependency's
      # replace directives do nothing (go.dev/ref/mod). This is v0.35.3 with the library's release.
      module=github.com/mudler/edgevpn
      variable=$module/internal.Version
      tags=''
      ;;
    k3s | provider-kairos) ;;
    *) die "unknown component '$1': use kairos-agent, immucore, edgevpn, k3s or provider-kairos" ;;
  esac
}

# The default of the catalog, so that the stand-in tells what a system is said to have.
standin() {
  local name=$1 version
  local out=$cache/components/$arch/$name catalog=$root/specs/catalog/components/$name.yaml
  lock "component-$name-$arch"
  version=$(sed -n 's/^version: //p' "$catalog")
  say "building a stand-in of $name $version for $arch"
  mkdir -p "$out"
  (cd "$root" && CGO_ENABLED=0 GOOS=linux GOARCH=$arch go build -trimpath -buildvcs=false \
    -ldflags "-s -w -buildid= -X main.name=$name -X main.version=$version" -o "$out/$name" ./hack/components/standin)
  touch -d @0 "$out/$name"
}

build() {
  local name=$1 module variable tags
  describe "$name"
  local dir=$root/hack/components/$name out=$cache/components/$arch/$name
  local stamp=$out.stamp made_from
  lock "component-$name-$arch"
  made_from="$(digest "$dir/go.mod" "$dir/go.sum" "${BASH_SOURCE[0]}") $(go env GOVERSION)"
  if [[ -z $force && -f $out/$name ]] && current "$stamp" "$made_from"; then
    say "$name ($arch) is up to date"
    return
  fi

  local version released
  cd "$dir"
  go mod download "$module"
  read -r version released < <(go list -mod=readonly -m -f '{{.Version}} {{.Time.Unix}}' "$module")
  say "building $name $version for $arch"
  mkdir -p "$out"
  unfinished=$out/.$name.tmp
  trap 'rm -f "$unfinished"' EXIT
  CGO_ENABLED=0 GOOS=linux GOARCH=$arch GOFLAGS=-mod=readonly \
    go build -trimpath -buildvcs=false -tags "$tags" \
    -ldflags "-s -w -buildid= -X $variable=$version" \
    -o "$unfinished" "$module"
  # A named context carries times into the image, so they must not depend on the build.
  touch -d "@$released" "$unfinished"
  mv "$unfinished" "$out/$name"
  printf '%s\n' "$made_from" >"$stamp"
  say "$out/$name ($(du -h "$out/$name" | cut -f1))"
}

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
need go build
((${#names[@]})) || names=(kairos-agent immucore)
for name in "${names[@]}"; do describe "$name"; done
for name in "${names[@]}"; do
  case $name in
    k3s | provider-kairos) (standin "$name") ;;
    *) (build "$name") ;;
  esac
done
