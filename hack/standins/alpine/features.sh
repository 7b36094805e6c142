# shellcheck shell=bash disable=SC2154  # describe sets the variables
# The features of Alpine's mkinitfs that the substitute needs; sourced by apk.sh.

# features TREE: writes them into /etc/mkinitfs/features.d.
features() {
	local dir=$1/etc/mkinitfs/features.d
	mkdir -p "$dir"
	lines /bin/busybox /bin/sh /sbin/modprobe /etc/modprobe.d/*.conf >"$dir/base.files"
	lines kernel/drivers/block/loop.ko* kernel/fs/overlayfs kernel/fs/nls >"$dir/base.modules"
	lines kernel/drivers/ata/*.ko* >"$dir/ata.modules"
	lines kernel/drivers/cdrom kernel/fs/isofs kernel/fs/udf >"$dir/cdrom.modules"
	lines /sbin/cryptsetup >"$dir/cryptsetup.files"
	lines kernel/drivers/md/dm-crypt.ko* kernel/crypto >"$dir/cryptsetup.modules"
	lines kernel/net/packet >"$dir/dhcp.modules"
	lines kernel/fs/ext4 >"$dir/ext4.modules"
	lines kernel/drivers/md/dm-*.ko* >"$dir/lvm.modules"
	lines kernel/drivers/mmc >"$dir/mmc.modules"
	lines kernel/drivers/net/ethernet/intel kernel/drivers/net/ethernet/realtek >"$dir/network.modules"
	lines kernel/drivers/nvme >"$dir/nvme.modules"
	lines kernel/drivers/md >"$dir/raid.modules"
	lines kernel/drivers/scsi/* kernel/drivers/message/fusion >"$dir/scsi.modules"
	lines kernel/fs/squashfs >"$dir/squashfs.modules"
	lines kernel/drivers/usb/host kernel/drivers/usb/storage kernel/drivers/hid >"$dir/usb.modules"
	lines kernel/drivers/virtio kernel/drivers/block/virtio_blk.ko* kernel/drivers/net/virtio_net.ko* kernel/drivers/scsi/virtio_scsi.ko* >"$dir/virtio.modules"
	lines kernel/fs/xfs >"$dir/xfs.modules"
}

lines() { printf '%s\n' "$@"; }
