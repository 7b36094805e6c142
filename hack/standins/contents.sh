# shellcheck shell=bash disable=SC2154  # describe sets the variables
# Makes the contents of a substitute's packages, for package managers other than apt; sourced by
# standins.sh.
#
# It compares two trees: the image, and the image with all Debian packages for the names installed. A
# package gets the new files of its Debian packages. All other new files (dependencies, accounts, caches,
# links of alternatives) are in the package flavorkit-standin, which all others require.

# contents TREE: makes the image's tree, $work/all with everything installed, and for each name its files in
# $work/files/NAME, with $work/requires (name and what it requires) and $work/versions (name and version).
contents() {
  local bare=$1 all=$work/all name
  local -A debian=()
  unpack "$bare"
  apt_install "$bare" "${base[@]}"
  cp -a "$bare" "$all"
  for name in "${names[@]}"; do
    [[ ${behind[$name]} != - ]] || continue
    for package in ${behind[$name]}; do debian[$package]=1; done
  done
  apt_install "$all" "${!debian[@]}"

  : >"$work/moved"
  : >"$work/own"
  without "$bare"
  firmware_files "$all" | sed "s#^/usr/lib/firmware#$([[ $layout == unmerged ]] || echo /usr)/lib/firmware#" >>"$work/own"
  "places_${manager}" "$all"
  {
    owners "$all"
    cat "$work/own"
  } >"$work/owners"
  without_dpkg "$bare"
  without_dpkg "$all"
  lay_out "$bare"
  lay_out "$all"
  mkdir "$work/files"
  for name in flavorkit-standin "${names[@]}"; do : >"$work/files/$name"; done
  comm -13 <(listing "$bare") <(listing "$all") | cut -f1 |
    awk -F'\t' -v dir="$work/files" '
      FILENAME != "-" { owner[$1] = $2; next }
      {
        name = owner[$1]
        # In an unmerged tree, links belong to their targets.
        if (name == "" && $1 ~ "^/(bin|sbin|lib|lib64)/") name = owner["/usr" $1]
        # Files that depmod makes are not in any package.
        if (name == "" && $1 ~ "/lib/modules/") next
        print $1 > (dir "/" (name == "" ? "flavorkit-standin" : name))
      }' "$work/owners" -
}

# without TREE: removes from the image what that of the distribution does not have: files of packages that are
# essential only in Debian, and those that are part of another package.
without() {
  local tree=$1 package part path name
  for package in "${absent[@]}"; do
    [[ -f $tree/var/lib/dpkg/info/$package.list ]] || die "$package is not there to be taken out"
    while IFS= read -r path; do
      case $path in /bin/* | /usr/bin/* | /usr/sbin/*) rm -f "$tree$path" ;; esac
    done <"$tree/var/lib/dpkg/info/$package.list"
  done
  for part in "${parts[@]}"; do
    name=${part%% *} path=${part#* }
    [[ -e $all$path ]] || die "$path is not there to be a part of $name"
    rm -f "$tree$path"
    [[ $layout != one-bin ]] || path=${path/#\/usr\/sbin\//\/usr\/bin\/}
    printf '%s\t%s\n' "$path" "$name" >>"$work/own"
  done
}

# firmware_files TREE: creates fake firmware files, and prints each with its package.
firmware_files() {
  local file path
  for file in "${firmware[@]}"; do
    path=/usr/lib/firmware/${file#* }
    mkdir -p "$(dirname "$1$path")"
    echo "flavorkit stand-in" >"$1$path"
    printf '%s\t%s\n' "$path" "${file%% *}"
  done
}

# listing TREE: a line for each path that tells whether it has changed. Not what every machine makes itself.
listing() {
  (
    cd "$1" || exit
    find . -mindepth 1 \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./var/cache -o -path ./var/log \
      -o -path ./etc/hosts -o -path ./etc/machine-id -o -path ./var/lib/dbus/machine-id -o -path './etc/ssh/ssh_host_*' \
      -o -name __pycache__ \) -prune -o \
      -type d -printf '/%P\tdir %m %U %G\n' -o -type l -printf '/%P\tlink %l\n' -o -printf '/%P\t%m %U %G %s %T@\n'
  ) | LC_ALL=C sort
}

# place OLD NEW: a file has another place in the distribution. Several files: OLD... DIRECTORY/
place() {
  local new=${!#} file to
  for file in "${@:1:$#-1}"; do
    to=$new
    [[ $new != */ ]] || to=$new${file##*/}
    mkdir -p "$all$(dirname "$to")"
    mv "$all$file" "$all$to"
    printf '%s\t%s\n' "$file" "$to" >>"$work/moved"
  done
}

# owners TREE: every path of a package with the first name that it stands behind. Others that it stands
# behind require that one. What is no file of a package is in $work/own, in the same form.
owners() {
  local name package file
  local -A first=()
  for name in "${names[@]}"; do
    echo "$name flavorkit-standin" >>"$work/requires"
    [[ ${behind[$name]} != - ]] || continue
    package=${behind[$name]%% *}
    # shellcheck disable=SC2016  # a pattern of dpkg-query
    echo "$name $(chroot "$1" dpkg-query -W -f '${Version}' "$package")" >>"$work/versions"
    for package in ${behind[$name]}; do
      if [[ -n ${first[$package]:-} ]]; then
        echo "$name ${first[$package]}" >>"$work/requires"
        continue
      fi
      first[$package]=$name
      for file in "$1/var/lib/dpkg/info/$package"{,:amd64}.list; do
        [[ ! -f $file ]] || sed "s/\$/\t$name/" "$file"
      done
      # The kernel of the day is a package of its own.
      [[ $package != linux-image-amd64 ]] || sed "s/\$/\t$name/" "$1"/var/lib/dpkg/info/linux-image-[0-9]*.list
    done
  done | awk -F'\t' -v layout="$layout" '
    FILENAME != "-" { moved[$1] = $2; next }
    {
      path = $1
      if (path ~ "^/(bin|sbin|lib|lib64)/") path = "/usr" path
      if (path in moved) path = moved[path]
      if (layout == "one-bin") sub("^/usr/sbin/", "/usr/bin/", path)
      if (layout == "unmerged" && path ~ "^/usr/lib/(modules|firmware)/") path = substr(path, 5)
      print path "\t" $2
    }' "$work/moved" -
}
