# shellcheck shell=bash disable=SC2154  # describe sets the variables
# Functions for trees of substitutes; sourced by standins.sh.

# The repository inside the image. The first installation removes it, so it does not make systems
# larger.
# shellcheck disable=SC2034  # used by the other scripts
repo=/usr/share/flavorkit-standin

# unpack TREE: a fresh Debian. The one layer of its image is the largest blob.
unpack() {
  mkdir -p "$1"
  # shellcheck disable=SC2012  # the names are digests
  tar -xzf "$(ls -S "$cache/base/$from-amd64"/blobs/sha256/* | head -n 1)" -C "$1"
}

# enter TREE COMMAND...: runs a command in a tree, with mounts that end with it.
enter() {
  # shellcheck disable=SC2016  # expanded inside
  unshare --mount --pid --fork --kill-child sh -euc '
    tree=$1 debs=$2
    shift 2
    mount -t proc proc "$tree/proc"
    mount --rbind /dev "$tree/dev"
    mkdir -p "$tree/run/debs/partial"
    mount --bind "$debs" "$tree/run/debs"
    cat /etc/resolv.conf >"$tree/etc/resolv.conf"
    exec chroot "$tree" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 INITRD=No "$@"
  ' enter "$1" "$debs" "${@:2}"
}

# apt_install TREE PACKAGE...: downloads are shared by all stand-ins of one Debian.
apt_install() {
  local tree=$1
  shift
  debs=$cache/standins/.debs-$from
  mkdir -p "$debs/partial"
  enter "$tree" sh -euc '
    apt-get -qq update
    apt-get -qq -y -o Dir::Cache::archives=/run/debs -o APT::Keep-Downloaded-Packages=true -o Dpkg::Use-Pty=false \
      --no-install-recommends install -- "$@"
  ' apt_install "$@" >"$work/log" 2>&1 || {
    tail -n 30 "$work/log" >&2
    die "apt-get failed; its last lines are above"
  }
  left_behind "$tree"
}

# left_behind TREE: removes files that enter and apt leave.
left_behind() {
  rm -rf "$1/run/debs" "$1/etc/resolv.conf" "$1"/var/lib/apt/lists/* "$1"/var/log/*
}

# without_dpkg TREE: removes Debian's package management.
without_dpkg() {
  rm -rf "${1:?}"/{etc,usr/lib,var/lib,var/cache}/{apt,dpkg} "$1"/usr/{bin,sbin}/{apt,dpkg}* "$1/var/cache/debconf" "$1/usr/sbin/policy-rc.d" \
    "$1"/usr/share/{doc,info,lintian,locale,man} "$1"/var/log/* "$1"/etc/systemd/system/*
}

# lay_out TREE: makes directories where the distribution has them and Debian has links, or vice versa. Before
# that, all files are below /usr.
lay_out() {
  local tree=$1 dir file
  case $layout in
    merged) ;;
    unmerged)
      for dir in bin sbin lib lib64; do
        rm "$tree/$dir"
        mkdir "$tree/$dir"
        for file in "$tree/usr/$dir"/*; do
          case $dir/${file##*/} in
            lib/modules | lib/firmware) mv "$file" "$tree/lib/" ;;
            *) ln -s "../usr/$dir/${file##*/}" "$tree/$dir/${file##*/}" ;;
          esac
        done
      done
      ;;
    one-bin)
      # What is in both directories is a link to the other.
      for file in "$tree"/usr/sbin/*; do
        [[ -e $tree/usr/bin/${file##*/} ]] || mv "$file" "$tree/usr/bin/"
      done
      rm -rf "$tree/usr/sbin"
      ln -s bin "$tree/usr/sbin"
      ;;
    *) die "unknown layout '$layout'" ;;
  esac
}

# pack TREE TAR: without what a running machine has in its directories.
pack() {
  tar --create --file "$2" --directory "$1" --sort=name --numeric-owner --exclude='./'{proc,sys,run,tmp,dev}'/*' .
}
