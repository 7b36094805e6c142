#!/bin/sh
# systemd generator: sysroot.mount is part of the boot, and has time to wait for immucore to attach the image
# that holds the root label, which may include the check of a large file system (contract 1.6).

dir=$1
[ -n "$dir" ] || exit 1

mkdir -p "$dir/sysroot.mount.d"
cat > "$dir/sysroot.mount.d/immucore-timeout.conf" << 'EOF'
[Mount]
TimeoutSec=300
EOF

wants=$dir/initrd-root-fs.target.wants
if [ ! -e "$wants/sysroot.mount" ] && [ ! -e "$dir/initrd-root-fs.target.requires/sysroot.mount" ]; then
    mkdir -p "$wants"
    ln -s ../sysroot.mount "$wants/sysroot.mount"
fi
