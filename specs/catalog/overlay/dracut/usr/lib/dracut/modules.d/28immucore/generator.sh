#!/bin/sh
# systemd generator: makes sysroot.mount part of the boot, with time to wait until immucore has attached the
# image of the root, which may include a check of a large filesystem (contract 1.6).

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
