# shellcheck shell=bash disable=SC2154  # describe sets the variables
# The substitute for Alpine: Debian's OpenRC and busybox, with our scripts as apk and mkinitfs; sourced by
# standins.sh.
# shellcheck source=alpine/services.sh
source "$root/hack/standins/alpine/services.sh"
# shellcheck source=alpine/features.sh
source "$root/hack/standins/alpine/features.sh"

make_apk() {
  local tree=$1
  contents "$tree"
  make_apks "$tree"
  install -m 0755 "$root/hack/standins/alpine/apk.sh" "$tree/usr/bin/apk"
  ln -s ../usr/bin/apk "$tree/sbin/apk"
  mkdir -p "$tree/etc/apk" "$tree/lib/apk/db/triggers" "$tree/var/cache/apk"
  echo x86_64 >"$tree/etc/apk/arch"
  echo "$repo" >"$tree/etc/apk/repositories"
  printf 'alpine-base\nbusybox\n' >"$tree/etc/apk/world"
  printf 'P:%s\nV:1-r0\n\n' alpine-baselayout busybox apk-tools >"$tree/lib/apk/db/installed"
  (cd "$tree" && find ./etc -type f) >"$tree/lib/apk/db/etc"
  # mkinitfs does this when a kernel is installed, unless it is disabled.
  cat >"$tree/lib/apk/db/triggers/mkinitfs" <<'END'
disable_trigger=''
[ ! -f /etc/mkinitfs/mkinitfs.conf ] || . /etc/mkinitfs/mkinitfs.conf
[ -n "$disable_trigger" ] || [ ! -x /sbin/mkinitfs ] || [ ! -d /lib/modules ] || mkinitfs "$(ls /lib/modules)"
END
  echo "rm -rf $repo" >"$tree/lib/apk/db/triggers/standin"
}

# places_apk TREE: where Alpine has what Debian has elsewhere. Some of it is in the image already.
places_apk() {
  local all=$1 tree version
  for tree in "$work/image" "$all"; do
    mkdir -p "$tree/etc/init.d"
    find "$tree/etc/init.d" -type f ! -name cgroups -delete # scripts of sysvinit
    alpine_base "$tree"
  done
  chroot "$all" dpkg --purge --force-depends systemd >/dev/null 2>&1 # multipath-tools of Debian wants it
  [[ ! -e $all/usr/lib/systemd/systemd ]] || die "systemd is in the stand-in for Alpine"
  version=$(basename "$all"/usr/lib/modules/*)
  place "/boot/vmlinuz-$version" /boot/vmlinuz-lts
  ln -s ../lib/systemd/systemd-udevd "$all/usr/sbin/udevd"
  printf '/usr/sbin/udevd\teudev\n' >>"$work/own"
  services "$all"
  features "$all"
  install -m 0755 "$root/hack/standins/alpine/mkinitfs.sh" "$all/usr/sbin/mkinitfs"
  printf 'features="base ext4"\n' >"$all/etc/mkinitfs/mkinitfs.conf"
  (cd "$all" && find etc/mkinitfs usr/sbin/mkinitfs -printf '/%p\tmkinitfs\n') >>"$work/own"
}

# alpine_base TREE: busybox is the shell and init, and all that has no package of its own.
alpine_base() {
  local tree=$1 applet number
  for applet in $(chroot "$tree" busybox --list); do
    # A link may lead out of the tree, to a file of this machine.
    [[ -e $tree/usr/bin/$applet || -L $tree/usr/bin/$applet || -e $tree/usr/sbin/$applet || -L $tree/usr/sbin/$applet ]] ||
      ln -s busybox "$tree/usr/bin/$applet"
  done
  for applet in sh getty init halt poweroff reboot; do
    rm -f "$tree/usr/bin/$applet" "$tree/usr/sbin/$applet"
  done
  ln -s busybox "$tree/usr/bin/sh"
  for applet in getty init halt poweroff reboot; do
    ln -s ../bin/busybox "$tree/usr/sbin/$applet"
  done
  {
    printf '::sysinit:/sbin/openrc sysinit\n::sysinit:/sbin/openrc boot\n::wait:/sbin/openrc default\n'
    for number in 1 2 3 4 5 6; do
      printf 'tty%s::respawn:/sbin/getty 38400 tty%s\n' "$number" "$number"
    done
    printf '::ctrlaltdel:/sbin/reboot\n::shutdown:/sbin/openrc shutdown\n'
  } >"$tree/etc/inittab"
}

# make_apks TREE: a package for each name, in a repository in the tree.
make_apks() {
  local tree=$1 name version requires=() dir=$1$repo/x86_64
  mkdir -p "$dir"
  for name in flavorkit-standin "${names[@]}"; do
    version=$(awk -v name="$name" '$1 == name {print $2}' "$work/versions" | sed 's/^[0-9]*://; s/^\([0-9.]*[0-9]\).*/\1/')-r0
    [[ $version != -r0 ]] || version=1-r0
    mapfile -t requires < <(awk -v name="$name" '$1 == name && $2 != name {print $2}' "$work/requires" | sort -u)
    printf 'pkgname = %s\npkgver = %s\narch = x86_64\n' "$name" "$version" >"$work/.PKGINFO"
    ((${#requires[@]} == 0)) || printf 'depend = %s\n' "${requires[@]}" >>"$work/.PKGINFO"
    sed 's#^#.#' "$work/files/$name" |
      tar -cf - -C "$work" ./.PKGINFO -C "$work/all" --no-recursion --numeric-owner --files-from=- | gzip -1 >"$dir/$name-$version.apk"
    printf 'P:%s\nV:%s\nA:x86_64\nS:%s\n' "$name" "$version" "$(stat -c %s "$dir/$name-$version.apk")"
    # Commands are what an index tells of the files.
    printf 'p:%s\n' "$(sed -n "s#^/\(usr/\)\{0,1\}s\{0,1\}bin/\([^/]*\)\$#cmd:\2=$version#p" "$work/files/$name" | sort -u | tr '\n' ' ')"
    printf 'D:%s\n\n' "${requires[*]}"
  done >"$work/APKINDEX"
  tar -czf "$dir/APKINDEX.tar.gz" -C "$work" APKINDEX
}
