#!/usr/bin/env bash
# Builds the Kairos components from source, as static and reproducible binaries.
#
#   hack/components.sh [NAME...] [--arch ARCH] [--force]
#
# NAME is kairos-agent, immucore, layer-cache (the default: these), edgevpn, k3s, provider-kairos or kairos.
# Versions are pinned in hack/components/NAME/go.mod. layer-cache is our own: cmd/layer-cache. k3s and provider-kairos are substitutes that
# only print their version: hack/components/standin. kairos, the one program for all, is a substitute
# that starts kairos-agent or immucore: hack/components/multicall.
# Result: .cache/components/ARCH/NAME/NAME, one directory each, to pass to a build:
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
      # Its go.mod replaces go-libp2p-pubsub with a fork, but replace directives of a dependency
      # have no effect (go.dev/ref/mod). So this is v0.35.3 with the library's release.
      module=github.com/mudler/edgevpn
      variable=$module/internal.Version
      tags=''
      ;;
    layer-cache | k3s | provider-kairos | kairos) ;;
    *) die "unknown component '$1': use kairos-agent, immucore, layer-cache, edgevpn, k3s, provider-kairos or kairos" ;;
  esac
}

# The default of the catalog, so that the substitute prints the version in the plan.
catalog_version() { sed -n 's/^version: //p' "$root/specs/catalog/components/$1.yaml"; }

# The substitute for the one program: ours, with the programs in it that it starts.
multicall() {
  local name version made_from dir=$cache/components/$arch source=$root/hack/components/multicall
  local out=$dir/kairos stamp=$dir/kairos.stamp
  local programs=(kairos-agent immucore) files=() replace=()
  lock "component-kairos-$arch"
  for name in "${programs[@]}"; do
    files+=("$dir/$name/$name")
    replace+=("\"$source/programs/$name\": \"$dir/$name/$name\"")
  done
  version=$(catalog_version kairos)
  made_from="$version $(digest "$source/main.go" "${files[@]}" "${BASH_SOURCE[0]}") $(go env GOVERSION)"
  if [[ -z $force && -f $out/kairos ]] && current "$stamp" "$made_from"; then
    say "kairos ($arch) is up to date"
    return
  fi
  say "building a stand-in of kairos $version for $arch"
  mkdir -p "$out"
  unfinished=$out/.kairos.tmp
  trap 'rm -f "$unfinished"' EXIT
  (cd "$root" && CGO_ENABLED=0 GOOS=linux GOARCH=$arch go build -trimpath -buildvcs=false \
    -overlay <(printf '{"Replace": {%s, %s}}' "${replace[@]}") \
    -ldflags "-s -w -buildid= -X main.version=$version" -o "$unfinished" ./hack/components/multicall)
  touch -d @0 "$unfinished"
  mv "$unfinished" "$out/kairos"
  printf '%s\n' "$made_from" >"$stamp"
}

# here NAME PACKAGE: builds a program of this repository.
here() {
  local name=$1 package=$2 version
  local out=$cache/components/$arch/$name
  lock "component-$name-$arch"
  version=$(catalog_version "$name")
  say "building $name $version for $arch from $package"
  mkdir -p "$out"
  (cd "$root" && CGO_ENABLED=0 GOOS=linux GOARCH=$arch go build -trimpath -buildvcs=false \
    -ldflags "-s -w -buildid= -X main.name=$name -X main.version=$version" -o "$out/$name" "$package")
  touch -d @0 "$out/$name"
}

standin() {
  say "$1 is a stand-in"
  here "$1" ./hack/components/standin
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
  # A named context keeps file times in the image, so they must not depend on the
  # build.
  touch -d "@$released" "$unfinished"
  mv "$unfinished" "$out/$name"
  printf '%s\n' "$made_from" >"$stamp"
  say "$out/$name ($(du -h "$out/$name" | cut -f1))"
}

arguments "$@"
need go build
((${#names[@]})) || names=(kairos-agent immucore layer-cache)
for name in "${names[@]}"; do describe "$name"; done
for name in "${names[@]}"; do
  case $name in
    k3s | provider-kairos) (standin "$name") ;;
    layer-cache) (here "$name" ./cmd/layer-cache) ;;
    kairos)
      (build kairos-agent)
      (build immucore)
      (multicall)
      ;;
    *) (build "$name") ;;
  esac
done
