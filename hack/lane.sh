#!/usr/bin/env bash
# Runs a test lane, and fails if none of its tests ran.
#
#   hack/lane.sh NAME ARGUMENT...
#
# The arguments are those of go test. A test with a missing tool fails instead of being
# skipped (FLAVORKIT_REQUIRE_ALL). Result: .cache/lanes/NAME.json, with the end of each
# test, and .cache/lanes/NAME, the number of passed tests.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
  -h | --help)
    usage "$0"
    exit
    ;;
  '' | -*) die "which lane? see --help" ;;
esac
name=$1 lanes=$cache/lanes
shift
need go build

gotestsum() { go tool -modfile="$root/hack/gotestsum/go.mod" gotestsum "$@"; }

cd "$root"
mkdir -p "$lanes"
rm -f "$lanes/$name" "$lanes/$name.json"
began=$SECONDS code=0 format=testname
[[ $name != unit ]] || format=pkgname # there are thousands
FLAVORKIT_REQUIRE_ALL=1 gotestsum --format "$format" --format-hide-empty-pkg --jsonfile-timing-events "$lanes/$name.json" -- "$@" || code=$?

echo "The slowest tests of the lane $name:"
gotestsum tool slowest --num 10 --threshold 1s --jsonfile "$lanes/$name.json"
if ((code)); then exit "$code"; fi
passed=$(grep -c '"Action":"pass".*"Test":' "$lanes/$name.json" || true)
((passed)) || die "the lane $name ran no test: do the names in the Makefile still match?"
echo "$passed" >"$lanes/$name"
say "$name: $passed tests passed in $(((SECONDS - began) / 60)) min $(((SECONDS - began) % 60)) s"
