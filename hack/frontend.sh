#!/usr/bin/env bash
# Builds the frontend image: one static binary on scratch.
#
#   hack/frontend.sh [--arch ARCH]
#
# Result: .cache/frontend/ARCH, an OCI layout. Use it without a registry:
#
#   docker buildx build --build-context ghcr.io/flavorkit/frontend:1=oci-layout://.cache/frontend/amd64 …
#
# or push it with: go run ./hack/registry push --addr HOST:PORT .cache/frontend/amd64 flavorkit/frontend:1
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

arch=$(host_arch)
while (($#)); do
  case $1 in
    -h | --help)
      usage "$0"
      exit
      ;;
    --arch)
      arch=${2:-}
      check_arch "$arch"
      shift 2
      ;;
    *) die "unknown argument '$1'; see --help" ;;
  esac
done
need go build

lock "frontend-$arch"
cd "$root"
unfinished=$(mktemp -d "$cache/.frontend.XXXXXX")
trap 'rm -rf "$unfinished"' EXIT
mkdir "$unfinished/root"
CGO_ENABLED=0 GOARCH=$arch go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$unfinished/root/frontend" ./cmd/frontend
tar --create --file "$unfinished/root.tar" --directory "$unfinished/root" \
  --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner frontend

# The features of the frontend (gateway.CheckCapability), and that it needs no network.
labels=(
  --label moby.buildkit.frontend.network.none=true
  --label 'moby.buildkit.frontend.caps=moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.contexts.zstd'
  --label org.opencontainers.image.title=flavorkit
  --label org.opencontainers.image.licenses=Apache-2.0
)
go run ./hack/ocilayout --tar "$unfinished/root.tar" --platform "linux/$arch" --out "$cache/frontend/$arch" \
  --ref ghcr.io/flavorkit/frontend:1 --entrypoint /frontend "${labels[@]}" --comment 'hack/frontend.sh'
say "$cache/frontend/$arch: $(du -sh "$cache/frontend/$arch" | cut -f1)"
