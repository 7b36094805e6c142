#!/bin/sh
# Checks a layer of the spec before it is merged. It only reads files. The exit
# code says what it found first; layers.go has the codes.
#
# usage: layer.sh LAYER USERLAND OUT TO DATABASE...
#   LAYER     the layer, at the paths of the root filesystem
#   USERLAND  the distribution with its packages
#   OUT       gets the directories of USERLAND that are in LAYER, without contents
#   TO        the path that the tree of the layer got
#   DATABASE  directories of package managers
set -u
layer=$1 userland=$2 out=$3 to=$4
shift 4
# shellcheck source-path=SCRIPTDIR source=../look/look.sh
. "${0%/*}/look.sh"

# any DIRECTORY TEST...: the first file in a directory of the layer that find(1) finds.
any() {
	root=$layer
	at=$(real "$1")
	shift
	[ ! -d "$at" ] || find "$at" -mindepth 1 "$@" -print -quit
}

# refuse FILE TEXT: fails if there is a file.
refuse() { [ -z "$1" ] || fail "${1#"$layer"}" "$2"; }

asked=64
if [ "$to" = / ] || [ -d "$layer$to" ] && [ ! -L "$layer$to" ]; then
	[ -n "$(any "$to")" ] || fail "$to" "the tree is empty"
fi

asked=65
refuse "$(any /boot ! -type d \( -name 'vmlinu[xz]*' -o -name 'Image*' -o -name '[bz]*Image*' -o -name 'initr*' \))" "a kernel or an initramfs"
for dir in /usr/lib/modules /lib/modules; do
	refuse "$(any "$dir")" "modules of a kernel"
done

asked=66
for dir; do
	refuse "$(any "$dir" ! -type d)" "the database of a package manager"
done

# A directory hides the link below it, and with it what is behind the link. Anything
# else hides the directory below it.
asked=67
lists=$(mktemp -d)
trap 'rm -rf "$lists"' EXIT
(cd "$layer" && find . -mindepth 1 -type d -printf '/%P\n') >"$lists/directories"
(cd "$layer" && find . -mindepth 1 ! -type d -printf '/%P\n') >"$lists/others"
while IFS= read -r path; do
	if [ -L "$userland$path" ]; then
		fail "$path" "a directory replaces the link to $(readlink "$userland$path")"
	elif [ -e "$userland$path" ] && [ ! -d "$userland$path" ]; then
		fail "$path" "a directory replaces a file"
	fi
done <"$lists/directories"
root=$userland
while IFS= read -r path; do
	if [ -L "$userland$path" ]; then
		[ -d "$(real "$path")" ] || continue # a link to a file, or to what a machine has
		target=$(readlink "$userland$path")
		[ "$(readlink "$layer$path")" = "$target" ] || fail "$path" "replaces the link to the directory $target"
	elif [ -d "$userland$path" ]; then
		fail "$path" "replaces a directory"
	fi
done <"$lists/others"

# A link is followed part by part, as if there were no other links.
asked=68
(cd "$layer" && find . -type l -printf '/%P\n%l\n') >"$lists/links"
while IFS= read -r path && IFS= read -r target; do
	case /$target/ in */../*) ;; *) continue ;; esac
	rest=$target depth=0
	case $target in /*) ;; *) rest=${path%/*}/$target ;; esac
	while [ -n "$rest" ]; do
		case ${rest%%/*} in
		'' | .) ;;
		..) depth=$((depth - 1)) ;;
		*) depth=$((depth + 1)) ;;
		esac
		if [ "$depth" -lt 0 ]; then
			fail "$path" "the link to $target leads out of the system"
			break
		fi
		case $rest in */*) rest=${rest#*/} ;; *) rest='' ;; esac
	done
done <"$lists/links"

asked=69
refuse "$(find "$layer" \( -type b -o -type c -o -type p -o -type s \) -print -quit)" "a device, a socket or a pipe"

asked=70
for dir in /dev /proc /run /sys /tmp /var/lock /var/run /var/tmp; do
	[ -L "$layer$dir" ] || refuse "$(any "$dir" ! -type d)" "$dir is mounted over or emptied at boot"
done

[ "$failed" -eq 0 ] || exit "$failed"

# Directories of the userland may have other owners and modes in the layer. find
# names a directory before those in it.
set -e
umask 022
while IFS= read -r path; do
	if [ -d "$userland$path" ]; then
		mkdir "$out$path"
		chown --reference="$userland$path" "$out$path"
		chmod --reference="$userland$path" "$out$path"
	fi
done <"$lists/directories"
find "$out" -mindepth 1 -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
