#!/usr/bin/env bash
# Builds buildkitd, buildctl and buildx from source into .cache/bin.
#
#   hack/tools.sh [--force]
#
# Versions are pinned in hack/tools/go.mod. Running buildkitd needs runc: hack/deps.sh build.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

force=''
case ${1:-} in
  -h | --help)
    usage "$0"
    exit
    ;;
  --force) force=1 ;;
  '') ;;
  *) die "unknown argument '$1'; see --help" ;;
esac
need go build

dir=$root/hack/tools bin=$cache/bin
stamp=$bin/.stamp
made_from="$(digest "$dir/go.mod" "$dir/go.sum" "${BASH_SOURCE[0]}") $(go env GOVERSION)"
lock tools
if [[ -z $force && -x $bin/buildkitd && -x $bin/buildctl && -x $bin/buildx ]] && current "$stamp" "$made_from"; then
  say "up to date"
  exit
fi

cd "$dir"
export CGO_ENABLED=0 GOFLAGS=-mod=readonly
buildkit=$(go list -m -f '{{.Version}}' github.com/moby/buildkit)
buildx=$(go list -m -f '{{.Version}}' github.com/docker/buildx)
say "building BuildKit $buildkit and buildx $buildx"
mkdir -p "$bin"
unfinished=$(mktemp -d "$bin/.build.XXXXXX")
trap 'rm -rf "$unfinished"' EXIT
go build -trimpath -buildvcs=false -o "$unfinished/" \
  -ldflags "-s -w -X github.com/moby/buildkit/version.Version=$buildkit -X github.com/docker/buildx/version.Version=$buildx" \
  github.com/moby/buildkit/cmd/buildkitd github.com/moby/buildkit/cmd/buildctl github.com/docker/buildx/cmd/buildx
mv -f "$unfinished"/* "$bin/"
printf '%s\n' "$made_from" >"$stamp"
say "$bin: $(du -h "$bin/buildkitd" | cut -f1) buildkitd, $(du -h "$bin/buildctl" | cut -f1) buildctl, $(du -h "$bin/buildx" | cut -f1) buildx"
