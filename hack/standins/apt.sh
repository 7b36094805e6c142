# shellcheck shell=bash disable=SC2154  # describe sets the variables
# Substitutes with apt: Debian's mirror, and a repository for packages with other names or contents in
# Ubuntu; sourced by standins.sh.

# make_apt TREE
make_apt() {
  local tree=$1 name packages kernel
  unpack "$tree"
  [[ -z $user ]] || chroot "$tree" useradd --create-home --uid 1000 --shell /bin/bash "$user"
  mkdir "$work/repo"
  local differ=(shim-signed)
  for name in "${names[@]}"; do
    read -ra packages <<<"${behind[$name]}"
    [[ ${behind[$name]} == "$name" ]] || differ+=("${packages[@]}")
  done
  download "$tree" "${differ[@]}"

  for name in "${names[@]}"; do
    read -ra packages <<<"${behind[$name]}"
    if [[ ${packages[*]} == "$name" ]]; then
      continue
    elif [[ ${packages[0]} == "$name" ]]; then
      repack "$name" also_depends "${packages[@]:1}"
    else
      alias_package "$name" "${packages[@]}"
    fi
  done
  repack shim-signed latest_shim
  kernel=$(basename "$(echo "$work"/get/linux-image-[0-9]*)")
  [[ $modules != compressed ]] || repack "${kernel%%_*}" compress_modules
  index_debs "$work/repo"

  mkdir -p "$tree$repo"
  cp "$work/repo"/* "$tree$repo/"
  printf 'Types: deb\nURIs: file:%s\nSuites: ./\nTrusted: yes\n' "$repo" >"$tree/etc/apt/sources.list.d/standin.sources"
  # Changed packages have the same version as Debian's, and take precedence.
  printf 'Package: *\nPin: release o=flavorkit-standin\nPin-Priority: 1001\n' >"$tree/etc/apt/preferences.d/standin"
  printf 'DPkg::Post-Invoke { "rm -rf %s /etc/apt/sources.list.d/standin.sources"; };\n' "$repo" >"$tree/etc/apt/apt.conf.d/standin"
}

# download TREE PACKAGE...: packages of Debian, with the kernel that linux-image-amd64 leads to.
download() {
  mkdir -p "$work/get/partial"
  # shellcheck disable=SC2016  # expanded inside
  debs=$work/get enter "$1" sh -euc '
    apt-get -qq update
    cd /run/debs
    apt-get -qq -o APT::Sandbox::User=root download "$@" "$(apt-cache depends --important linux-image-amd64 | sed -n "s/.* \(linux-image-[0-9].*\)/\1/p")"
  ' download "${@:2}"
  left_behind "$1"
}

# alias_package NAME PACKAGE...: a name that Debian does not have.
alias_package() {
  local dir=$work/$1 file
  mkdir -p "$dir/DEBIAN"
  cat >"$dir/DEBIAN/control" <<END
Package: $1
Version: $(dpkg-deb -f "$work/get/$2"_*.deb Version)
Architecture: amd64
Maintainer: flavorkit
Depends: $(joined "${@:2}")
Description: stand-in for $1
END
  for file in "${firmware[@]}"; do
    [[ ${file%% *} == "$1" ]] || continue
    install -D -m 0644 <(echo "flavorkit stand-in") "$dir/usr/lib/firmware/${file#* }"
  done
  dpkg-deb --root-owner-group -b "$dir" "$work/repo/$1.deb" >/dev/null
}

# repack PACKAGE FUNCTION [ARGUMENT...]: rebuilds Debian's package after the function has changed its tree.
repack() {
  local dir=$work/$1
  dpkg-deb -R "$work/get/$1"_*.deb "$dir"
  "$2" "$dir" "${@:3}"
  dpkg-deb -Zgzip -z1 -b "$dir" "$work/repo/$1.deb" >/dev/null
  rm -rf "$dir"
}

# also_depends TREE PACKAGE...: the package has the content of others, too.
also_depends() {
  sed -i "s/^Depends: /&$(joined "${@:2}"), /" "$1/DEBIAN/control"
}

joined() {
  local all
  printf -v all '%s, ' "$@"
  printf %s "${all%, }"
}

latest_shim() {
  cp "$1/usr/lib/shim/shimx64.efi.signed" "$1/usr/lib/shim/shimx64.efi.signed.latest"
}

compress_modules() {
  find "$1/lib/modules" -name '*.ko' -print0 | xargs -0 -r -n 64 -P "$(nproc)" zstd -q -3 --rm
}

# index_debs DIR: makes a repository of the packages in it (deb822, Packages and Release).
index_debs() (
  cd "$1" || exit
  for deb in *.deb; do
    dpkg-deb -f "$deb"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
  done >Packages
  {
    printf 'Origin: flavorkit-standin\nDate: %s\nSHA256:\n' "$(date -Ru)"
    printf ' %s %s Packages\n' "$(sha256sum Packages | cut -d' ' -f1)" "$(stat -c %s Packages)"
  } >Release
)
