#!/bin/sh
# Takes what an extension changes in a system, and refuses what no extension can
# change. The exit code says what it found first; extension.go has the codes.
#
# usage: changes.sh BASE MADE CHANGES IN OUT RELEASE
#   BASE            the system
#   MADE            the system with the packages and files of the extension
#   CHANGES         the files of MADE that differ from BASE
#   IN/hierarchies  directories that systemd merges by default
#   IN/ignored      paths that are left out, with wildcards
#   IN/services     units that the extension starts
#   IN/release      lines of the release file
#   IN/files        files that are added
#   OUT             gets the content of the extension
#   RELEASE         path of the release file
# FLAVORKIT_VARIABLE names the variable of systemd that the system sets for
# other directories than IN/hierarchies.
set -u
base=$1 made=$2 changes=$3 in=$4 out=$5 release=$6
# shellcheck source-path=SCRIPTDIR source=../../look/look.sh
. "${0%/*}/look.sh"
lists=$(mktemp -d)
trap 'rm -rf "$lists"' EXIT

# tree DIRECTORY TEST...: the paths in a directory, without those that are left out.
tree() {
	top=$1
	shift
	while IFS= read -r pattern; do
		set -- -path "$top$pattern" -prune -o "$@"
	done <"$in/ignored"
	find "$top" -mindepth 1 "$@" -printf '/%P\n'
}

# refuse TEXT: fails for all paths of $lists/found.
refuse() {
	while IFS= read -r path; do
		fail "$path" "$1"
	done <"$lists/found"
}

# below PATH LIST: tells whether a path is in one of the directories of a list.
below() {
	while IFS= read -r dir; do
		case $1 in "$dir" | "$dir"/*) return 0 ;; esac
	done <"$2"
	return 1
}

# same PATH: tells whether a file, or a link, is as the system has it.
same() {
	if [ -L "$changes$1" ]; then
		[ -L "$base$1" ] && [ "$(readlink "$changes$1")" = "$(readlink "$base$1")" ]
	else
		[ ! -L "$base$1" ] && cmp -s "$changes$1" "$base$1"
	fi
}

# Directories that only a machine merges: what its services say, of systemd or OpenRC, or the defaults.
settings=$(cat "$base"/usr/lib/systemd/system/systemd-*ext.service.d/*.conf "$base"/etc/conf.d/systemd-*ext 2>/dev/null |
	sed -n -e 's/^Environment="\{0,1\}//' -e "s/^$FLAVORKIT_VARIABLE=\"\{0,1\}\([^\"]*\).*/\1/p" | tail -n 1)
if [ -n "$settings" ]; then
	printf '%s\n' "$settings" | tr : '\n' >"$lists/merged"
else
	cp "$in/hierarchies" "$lists/merged"
fi

asked=65
tree "$base" | sort >"$lists/before"
tree "$made" | sort >"$lists/after"
comm -23 "$lists/before" "$lists/after" >"$lists/found"
refuse "is deleted"

# Directories that the system has are only the way to files.
asked=66
tree "$changes" -type d | sort >"$lists/directories"
comm -23 "$lists/directories" "$lists/before" >"$lists/new"
tree "$changes" ! -type d ! -type c | sort >>"$lists/new"
while IFS= read -r path; do
	if below "$path" "$lists/merged"; then
		printf '%s\n' "$path" >>"$lists/taken"
	elif [ -d "$changes$path" ] && [ ! -L "$changes$path" ] || ! same "$path"; then
		printf '%s\n' "$path"
	fi
done <"$lists/new" >"$lists/found"
refuse "machines merge nothing here"

asked=67
for dir in "$changes"/usr/lib/modules/*; do
	[ ! -d "$dir" ] || [ -d "$base/usr/lib/modules/${dir##*/}" ] || fail "${dir#"$changes"}" "modules of another kernel"
done

asked=64
[ -s "$lists/taken" ] || fail "$release" "there is nothing to merge"

asked=68
while IFS= read -r unit; do
	# A unit with an instance is made from a template.
	template=$unit
	case $unit in *@?*.*) template=${unit%%@*}@.${unit##*.} ;; esac
	root=$made
	[ -n "$(real "/usr/lib/systemd/system/$template")$(real "/etc/systemd/system/$template")" ] || fail "$unit" "there is no such unit"
done <"$in/services"

# os NAME: a value of the system's os-release(5).
os() {
	root=$base
	{
		text /usr/lib/os-release
		text /etc/os-release
	} | sed -n "s/^$1=//p" | tail -n 1 | tr -d "\"'"
}

asked=69
id='' version=''
if ! grep -q '^ID=' "$in/release"; then
	id=$(os ID) version=$(os VERSION_ID)
	[ -n "$id" ] || fail /etc/os-release "has no ID"
fi
[ "$failed" -eq 0 ] || exit "$failed"

set -e
umask 022
# tar keeps hard links, owners and attributes, and those of the directories on the way.
(
	cd "$changes"
	while IFS= read -r path; do
		dir=${path%/*}
		while [ -n "$dir" ]; do
			printf '.%s\n' "$dir"
			dir=${dir%/*}
		done
		printf '.%s\n' "$path"
	done <"$lists/taken" | sort -u >"$lists/pack"
	tar -c -f "$lists/content" --no-recursion --xattrs --xattrs-include='*' --no-unquote --verbatim-files-from -T "$lists/pack"
)
tar -x -f "$lists/content" -p --xattrs --xattrs-include='*' --same-owner -C "$out"
[ ! -d "$in/files" ] || cp -R "$in/files/." "$out"
mkdir -p "$out${release%/*}"
{
	[ -z "$id" ] || printf 'ID=%s\n' "$id"
	[ -z "$version" ] || printf 'VERSION_ID=%s\n' "$version"
	cat "$in/release"
} >"$out$release"
find "$out" -mindepth 1 -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
