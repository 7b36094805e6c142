#!/bin/sh
# Library that the scripts that leave out kernel modules source.
#
# FLAVORKIT_OMIT  kernel modules to leave out, one per line: directories below
#                 /lib/modules/VERSION/kernel, or modules without their extension,
#                 whose last part may have wildcards
# FLAVORKIT_KEEP  modules below these to keep anyway, by name, one per line

# omitted KERNEL: prints the files of the kernel's modules to leave out, sorted.
omitted() {
	printf '%s\n' "${FLAVORKIT_OMIT-}" | while IFS= read -r path; do
		[ -n "$path" ] || continue
		if [ -d "$1/$path" ]; then
			find "$1/$path" -type f -name '*.ko*'
		else
			find "$1/${path%/*}" -maxdepth 1 -type f -name "${path##*/}.ko*" 2>/dev/null || true
		fi
	done | LC_ALL=C sort -u | awk '
		BEGIN {
			count = split(ENVIRON["FLAVORKIT_KEEP"], names, "\n")
			for (i = 1; i <= count; i++) keep[names[i]] = 1
		}
		{
			name = $0
			sub(/.*\//, "", name)
			sub(/[.]ko.*/, "", name)
			gsub(/-/, "_", name)
			if (!(name in keep)) print
		}'
}

# unneeded MODULES: of the modules to leave out of a directory such as
# /lib/modules/VERSION, prints those that no other module needs, by path in it.
# A line of modules.dep has all that a module needs, also indirectly
# (modules.dep(5)).
unneeded() {
	{
		(cd "$1" && omitted kernel) | sed 's/^/omit /'
		sed 's/^/dep /' "$1/modules.dep"
	} | awk '
		$1 == "omit" { omit[$2] = 1 }
		$1 == "dep" {
			sub(/:$/, "", $2)
			if ($2 in omit) next
			for (i = 3; i <= NF; i++) needed[$i] = 1
		}
		END { for (module in omit) if (!(module in needed)) print module }' | LC_ALL=C sort
}

# firmware_of DIRECTORY: prints the firmware that the modules on standard input
# name, by path in the directory. It fails if one cannot be read.
firmware_of() {
	(cd "$1" && xargs -r modinfo -F firmware) >"$work/firmware" || return 1
	LC_ALL=C sort -u "$work/firmware"
}

# drop MODULES FIRMWARE: removes the modules to leave out, and the firmware that
# only they name. Firmware stays if a link to it stays.
drop() {
	work=$(mktemp -d)
	unneeded "$1" >"$work/modules"
	(cd "$1" && find kernel -type f -name '*.ko*') | grep -Fvxf "$work/modules" >"$work/stay" || true
	if [ -d "$2" ] && firmware_of "$1" <"$work/modules" >"$work/gone" && firmware_of "$1" <"$work/stay" >"$work/asked"; then
		# Drivers that are built in name theirs here.
		[ ! -f "$1/modules.builtin.modinfo" ] || tr '\000' '\n' <"$1/modules.builtin.modinfo" | sed -n 's/^[^.=]*[.]firmware=//p' >>"$work/asked"
		LC_ALL=C sort -u -o "$work/asked" "$work/asked"
		LC_ALL=C comm -23 "$work/gone" "$work/asked" | drop_firmware "$2"
	fi
	(cd "$1" && xargs -r rm) <"$work/modules"
	find "$1/kernel" -depth -type d -exec rmdir {} + 2>/dev/null || true
	rm -rf "$work"
}

# drop_firmware FIRMWARE: removes the files on standard input, whatever they are
# compressed with. Names with wildcards are of families of files, which other
# drivers may share.
drop_firmware() {
	grep -v '[][*?]' | while IFS= read -r name; do
		for file in "$1/$name" "$1/$name.xz" "$1/$name.zst"; do
			[ ! -e "$file" ] && [ ! -L "$file" ] || printf '%s\n' "$file"
		done
	done >"$work/files"
	while IFS= read -r file; do
		[ ! -L "$file" ] || rm "$file"
	done <"$work/files"
	find "$1" -type l -exec readlink -f {} \; >"$work/targets"
	while IFS= read -r file; do
		if [ -f "$file" ] && ! grep -Fqx "$(readlink -f "$file")" "$work/targets"; then rm "$file"; fi
	done <"$work/files"
	find "$1" -depth -mindepth 1 -type d -exec rmdir {} + 2>/dev/null || true
}
