#!/bin/sh
# Writes down the files of the system that it runs in, as far as somebody asks for them.
#
# usage: installed.sh OUT
#   OUT  file for their paths, one a line
#
# FLAVORKIT_NEEDLE  parts of paths, one a line, that a path has to have one of
set -eu
needles=$(mktemp)
printf '%s\n' "$FLAVORKIT_NEEDLE" >"$needles"
find / -xdev ! -type d >"$needles.all"
grep -F -f "$needles" "$needles.all" >"$1" || : >"$1"
