#!/bin/sh
# Has a system trust the certificates of an authority, with the tool of its distribution.
#
# usage: trust.sh CERTIFICATES DIRECTORY LIST COMMAND...
#   CERTIFICATES  file with one or more of them in PEM
#   DIRECTORY     where the tool looks for certificates
#   LIST          file that names those that count, by path below DIRECTORY; empty when all do
#   COMMAND       the tool
set -eu
certificates=$1 directory=$2 list=$3
shift 3

# Exit code for a system without the tool, which Trust reads.
command -v "$1" >/dev/null || exit 200

# Tools name links after the one certificate of a file.
mkdir -p "$directory"
count=0 file=''
tr -d '\r' <"$certificates" >"$directory/.flavorkit"
while IFS= read -r line || [ -n "$line" ]; do
	case $line in
	'-----BEGIN CERTIFICATE-----')
		count=$((count + 1))
		file=flavorkit-$count.crt
		: >"$directory/$file"
		[ -z "$list" ] || echo "$file" >>"$list"
		;;
	esac
	[ -z "$file" ] || printf '%s\n' "$line" >>"$directory/$file"
	case $line in
	'-----END CERTIFICATE-----') file='' ;;
	esac
done <"$directory/.flavorkit"
rm "$directory/.flavorkit"
"$@"
