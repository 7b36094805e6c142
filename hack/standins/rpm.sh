# shellcheck shell=bash disable=SC2154  # describe sets the variables
# Substitutes with zypper and dnf; sourced by standins.sh.

make_zypper() {
  contents "$1"
  make_rpms "$1"
  mkdir -p "$1/etc/zypp/repos.d"
  printf '[standin]\nname=flavorkit stand-in\nenabled=1\nautorefresh=0\nbaseurl=dir:%s\ntype=rpm-md\ngpgcheck=0\n' "$repo" >"$1/etc/zypp/repos.d/standin.repo"
}

make_dnf() {
  contents "$1"
  # Fedora's own modes.
  chmod 0550 "$1/root"
  chmod 4111 "$work/all/usr/bin/sudo"
  make_rpms "$1"
  mkdir -p "$1/etc/yum.repos.d"
  printf '[standin]\nname=flavorkit stand-in\nenabled=1\nbaseurl=file://%s\ngpgcheck=0\n' "$repo" >"$1/etc/yum.repos.d/standin.repo"
  # Debian's RPM brings a plugin that Fedora's image leaves out, and that needs privileges.
  mkdir -p "$1/etc/rpm"
  echo '%__transaction_unshare %{nil}' >"$1/etc/rpm/macros.standin"
}

# places_zypper TREE: where openSUSE has what Debian has elsewhere.
places_zypper() {
  local all=$1 file
  loaders
  # SUSE's shim looks for grub.efi. A changed shim has no signature that counts: no Secure Boot.
  LC_ALL=C sed -i 's/g\x00r\x00u\x00b\x00x\x006\x004\x00.\x00e\x00f\x00i\x00/g\x00r\x00u\x00b\x00.\x00e\x00f\x00i\x00\x00\x00\x00\x00\x00\x00/' \
    "$all$shim"
  rpm_places "$all"
}

# places_dnf TREE: where Fedora has what Debian has elsewhere.
places_dnf() {
  local all=$1 version
  loaders
  version=$(basename "$all"/usr/lib/modules/*)
  for file in vmlinuz config System.map; do
    place "/boot/$file-$version" "/usr/lib/modules/$version/$file"
  done
  place /usr/lib/systemd/system/chrony.service /usr/lib/systemd/system/chronyd.service
  rpm_places "$all"
}

# loaders: the EFI programs, where the distribution has them.
loaders() {
  place /usr/lib/shim/shimx64.efi.signed "$shim"
  place /usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed "$grub"
}

# rpm_places TREE: moves what has other names in both.
rpm_places() {
  local all=$1 file
  place /usr/lib/systemd/system/ssh.service /usr/lib/systemd/system/sshd.service
  for file in "$all"/usr/{bin,sbin}/grub-*; do
    file=${file#"$all"}
    place "$file" "${file/grub-/grub2-}"
  done
}

# make_rpms TREE: a package for each name, in a repository in the tree. RPM knows accounts by name only, and
# those of the packages are there when all are installed: owners are set at the end, and the repository goes.
make_rpms() {
  local tree=$1 name all=$work/all spec=$work/standin.spec
  mkdir -p "$work/rpms" "$work/rpmbuild"
  {
    cat <<'SPEC'
Name: flavorkit-standin
Version: 1
Release: 1.standin
Summary: What the stand-ins for packages have in common
License: Apache-2.0
AutoReqProv: no
Provides: /bin/sh
%description
%{summary}.
%posttrans
SPEC
    (cd "$all" && find . -xdev \( -not -user root -o -not -group root \) -not -path './proc/*' -printf '[ ! -e "/%P" ] || { chown -h %U:%G "/%P" && chmod %m "/%P"; }\n')
    echo "rm -rf $repo /etc/zypp/repos.d/standin.repo /etc/yum.repos.d/standin.repo"
    rpm_files flavorkit-standin ''
    for name in "${names[@]}"; do
      printf '%%package -n %s\nSummary: stand-in for %s\nAutoReqProv: no\nVersion: %s\n' "$name" "$name" "$(rpm_version "$name")"
      awk -v name="$name" '$1 == name && $2 != name {print "Requires: " $2}' "$work/requires" | sort -u
      printf '%%description -n %s\n%%{summary}.\n' "$name"
      rpm_files "$name" "-n $name"
    done
  } >"$spec"
  rpmbuild -bb --quiet --target x86_64 --buildroot "$all" \
    --define "_topdir $work/rpmbuild" --define "_rpmdir $work/rpms" --define '_binary_payload w1T0.zstdio' \
    --define '_build_id_links none' --define '__spec_install_pre :' --define '__os_install_post :' --define 'debug_package %{nil}' \
    --define '_unpackaged_files_terminate_build 0' "$spec" >"$work/log" 2>&1 ||
    {
      tail -n 30 "$work/log" >&2
      die "rpmbuild failed; its last lines are above"
    }
  mkdir -p "$tree$repo"
  mv "$work"/rpms/x86_64/*.rpm "$tree$repo/"
  createrepo_c --quiet "$tree$repo"
}

# rpm_version NAME: the version of the Debian package behind it, without its revision; 1 when there is none.
rpm_version() {
  awk -v name="$1" '$1 == name {found = $2} END {print found == "" ? 1 : found}' "$work/versions" | sed 's/^[0-9]*://; s/-[^-]*$//; s/[^A-Za-z0-9.+~]/_/g'
}

# rpm_files NAME OPTIONS
rpm_files() {
  local path
  printf '%%files %s\n%%defattr(-,root,root,-)\n' "$2"
  while IFS= read -r path; do
    [[ ! -d $work/all$path || -L $work/all$path ]] || printf '%%dir '
    printf '"%s"\n' "${path//%/%%}"
  done <"$work/files/$1"
}
