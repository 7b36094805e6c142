#!/usr/bin/env bash
# Prints the section of a version in CHANGELOG.md as release notes.
#
#   hack/release/notes.sh v1.2.3
set -euo pipefail
version=${1:?usage: hack/release/notes.sh VERSION}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
notes=$(awk -v heading="## [${version#v}]" '
  /^## / || /^\[.*\]: / { inside = index($0, heading) == 1; next }
  inside
' CHANGELOG.md)
if [[ -z $notes ]]; then
  echo "notes: CHANGELOG.md has no section [${version#v}]" >&2
  exit 1
fi
printf '%s\n' "$notes"
