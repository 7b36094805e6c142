#!/bin/sh
# Checksums of what is handed out. A library: sourced by the scripts beside it.

# write_checksums LIST FILE...: the SHA-256 of each file, by its name alone, so that sha256sum -c finds it in its directory.
write_checksums() {
	list=$1
	shift
	for file; do
		(cd "$(dirname "$file")" && sha256sum -- "$(basename "$file")")
	done >"$list"
}
