#!/bin/sh
# Checksums of output files. Other scripts source this library.

# write_checksums LIST FILE...: writes the SHA-256 of each file without its directory, so that sha256sum -c finds it next to
# the list.
write_checksums() {
	list=$1
	shift
	for file; do
		(cd "$(dirname "$file")" && sha256sum -- "$(basename "$file")")
	done >"$list"
}
