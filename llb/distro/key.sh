#!/bin/sh
# Reads the public key of a repository, and writes it as a package manager takes it. The key is not trusted by this: the
# spec names it, or has its checksum.
#
# usage: key.sh FORM KEY OUT
#   FORM  binary    OpenPGP, as it is or taken out of its text form (RFC 9580, 6.2)
#         armored   OpenPGP as text
#         rsa       PEM (RFC 7468, 13)
#   KEY   the file that the spec names; it may hold several OpenPGP keys
#   OUT   the file to make
#
# The exit code 200 is for a file without a public key, 201 for one that is binary and must be text.
set -eu
form=$1 key=$2 out=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A file of another system may end its lines with a carriage return.
tr -d '\r' <"$key" >"$work/text"

has() {
	grep -q "^-----BEGIN $1-----" "$work/text"
}

# is_binary: a public key packet comes first, in the old or the new format (RFC 9580, 4.2 and 5.5.1.1).
is_binary() {
	case $(od -An -tx1 -N1 "$1" | tr -d ' ') in 98 | 99 | 9a | c6) ;; *) return 1 ;; esac
}

case $form in
rsa)
	has 'PUBLIC KEY' || exit 200
	cp "$work/text" "$out"
	;;
armored)
	if has 'PGP PUBLIC KEY BLOCK'; then
		cp "$work/text" "$out"
	elif is_binary "$key"; then
		exit 201
	else
		exit 200
	fi
	;;
binary)
	if has 'PGP PUBLIC KEY BLOCK'; then
		# Each block is decoded by itself. Before the first empty line are headers, and a line that begins with = is a
		# checksum.
		awk -v dir="$work/block" '
			/^-----BEGIN PGP PUBLIC KEY BLOCK-----/ { file = dir sprintf("%03d", ++blocks); head = 1; next }
			/^-----END / { file = ""; next }
			file == "" { next }
			head { if ($0 ~ /^[ \t]*$/) head = 0; next }
			!/^=/ { print >file }
		' "$work/text"
		for block in "$work"/block*; do
			[ -e "$block" ] || exit 200
			base64 -d "$block" >>"$work/binary" || exit 200
		done
	else
		cp "$key" "$work/binary"
	fi
	is_binary "$work/binary" || exit 200
	cp "$work/binary" "$out"
	;;
*)
	echo "unknown form $form" >&2
	exit 1
	;;
esac
chmod 0644 "$out"
