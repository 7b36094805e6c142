#!/bin/sh
# Makes the filesystems of the tests, with mke2fs and debugfs of e2fsprogs.
set -eu
cd "$(dirname "$0")"
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

mkdir "$tree/etc" "$tree/many"
echo ID=debian >"$tree/etc/os-release"
ln -s os-release "$tree/etc/short"
ln -s "/$(printf 'long/%.0s' $(seq 20))x" "$tree/etc/long"
yes 0123456789abcdef | tr -d '\n' | head -c 409600 >"$tree/large"
printf start >"$tree/sparse"
printf end | dd of="$tree/sparse" bs=1024 seek=200 conv=notrunc status=none
for i in $(seq 0 199); do : >"$tree/many/file-$i"; done
touch "$tree/sudo"
chmod 4755 "$tree/sudo"

for type in ext2 ext4; do
  mke2fs -q -t $type -b 1024 -L COS_ACTIVE -O ^has_journal -d "$tree" $type.img 4M
  gzip -9nf $type.img
done
