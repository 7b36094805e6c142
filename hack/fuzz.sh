#!/usr/bin/env bash
# Runs every Fuzz function of the repository, one after the other.
#
#   hack/fuzz.sh [SECONDS]
#
# Those that take a spec from its text to a plan and a graph run for SECONDS together (600), and
# each other one for a tenth of that. All of them run, also when one fails. What is found is
# printed, and written into testdata/fuzz beside the function: commit it, and it is a seed of every
# later test.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
  -h | --help)
    usage "$0"
    exit
    ;;
  *[!0-9]*) die "'$1' is no number of seconds; see --help" ;;
esac
total=${1:-600}
((total >= 10)) || die "nothing is found in $total seconds" # go test takes 0 for no end
need go build
cd "$root"

# The packages of the way of a spec: load, resolve, generate.
way=(./specs ./plan ./frontend)
on_way=() others=()
for package in $(git grep -l '^func Fuzz' -- '*_test.go' | xargs -r dirname | sort -u); do
  listed=$(go test -list '^Fuzz' "./$package")
  while read -r name; do
    case " ${way[*]} " in
      *" ./$package "*) on_way+=("./$package $name") ;;
      *) others+=("./$package $name") ;;
    esac
  done < <(sed -n '/^Fuzz/p' <<<"$listed")
done
((${#on_way[@]})) || die "no Fuzz function was found in ${way[*]}"

found=()
# fuzz SECONDS FUNCTION...: runs functions, each a package and a name.
fuzz() {
  local seconds=$1 package name function
  shift
  for function; do
    read -r package name <<<"$function"
    say "$name in $package, $seconds s"
    go test "$package" -run '^$' -fuzz "^$name\$" -fuzztime "${seconds}s" || found+=("$function")
  done
}
fuzz $((total / ${#on_way[@]})) "${on_way[@]}"
fuzz $((total / 10)) "${others[@]}"
((${#found[@]})) || exit 0
git ls-files --others --exclude-standard -- '*/testdata/fuzz/*' | while read -r file; do
  say "$file:"
  cat "$file" >&2
done
die "failed: $(printf '%s; ' "${found[@]}")"
