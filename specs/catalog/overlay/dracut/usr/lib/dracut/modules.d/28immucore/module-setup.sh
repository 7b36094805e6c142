#!/bin/bash
# dracut module: immucore mounts the root of a Kairos system in the initramfs (contract 1.6).

# called by dracut
check() {
    return 0
}

# called by dracut
depends() {
    echo rootfs-block dm fs-lib lvm
    return 0
}

# called by dracut
installkernel() {
    local _module
    local -a _modules=(
        # The root: overlay over a loop-mounted image, or over the squashfs of a medium; and partitions with FAT.
        overlay loop squashfs isofs ext4 vfat nls_ascii nls_cp437 nls_iso8859-1 nls_utf8
        # Media and disks, by name: dracut finds drivers of block devices by the kernel functions that they call. 055
        # and older look for one that Linux 6.0 has renamed, so they leave out mmc_block and xen-blkfront with a newer
        # kernel.
        ahci ata_piix nvme sd_mod sr_mod uas usb_storage ehci_pci xhci_pci
        mmc_block sdhci sdhci_pci sdhci_acpi sdhci_iproc bcm2835 bcm2835_sdhost
        # The card of a Raspberry Pi 5, with the pins that power it.
        sdhci_brcmstb gpio_brcmstb pinctrl_brcmstb_bcm2712
        virtio_blk virtio_pci virtio_scsi hv_storvsc vmw_pvscsi xen_blkfront
        megaraid_sas mpt3sas
        # HTTP boot of an ISO that firmware keeps in memory.
        nfit libnvdimm nd_pmem nd_btt dax_pmem
        # Virtual media of management controllers are USB devices behind this controller.
        xhci_pci_renesas
        # Encrypted partitions, unlocked by a TPM.
        dm_crypt tpm_crb tpm_tis tpm_ftpm_tee
    )
    # Not a module in all kernels. Added one at a time, because dracut skips the rest of a list after a module
    # that a kernel does not have, also in the list of filesystems.
    for _module in "${_modules[@]}"; do
        hostonly='' instmods "$_module"
    done
    return 0
}

# called by dracut
install() {
    local _bin
    local -a _missing=()
    # Commands that immucore runs, and that the rootfs stage of /system/oem
    # may use.
    local -a _needed=(
        immucore
        awk blkid cat cp cryptsetup cut dmsetup e2fsck findmnt fsck gawk grep head
        losetup lsblk lvm mkdir mkfs.ext2 mkfs.ext3 mkfs.ext4 mkfs.vfat mount mv
        readlink rm rsync sed sort sync tail touch tr udevadm umount
    )

    for _bin in "${_needed[@]}"; do
        find_binary "$_bin" &> /dev/null || _missing+=("$_bin")
    done
    if ((${#_missing[@]} > 0)); then
        # Fail the build, because the initramfs would fail on the machine, where nobody sees why.
        dfatal "immucore: not found in the build stage of the kernel: ${_missing[*]}"
        exit 1
    fi

    inst_multiple "${_needed[@]}"
    # For stages that change partitions, optional filesystems of the installer, repairs in the emergency shell,
    # and TPM unlock.
    inst_multiple -o mkfs.fat fsck.ext2 fsck.ext3 fsck.ext4 fsck.vfat resize2fs tune2fs \
        mkfs.xfs xfs_repair mkfs.btrfs parted partprobe partx sfdisk less \
        "$systemdutildir"/systemd-cryptsetup

    inst_script "$moddir/generator.sh" "$systemdutildir/system-generators/immucore-generator"
    inst_simple "$moddir/immucore.service" "$systemdsystemunitdir/immucore.service"
    mkdir -p "$initdir$systemdsystemunitdir/initrd.target.requires"
    ln -sf ../immucore.service "$initdir$systemdsystemunitdir/initrd.target.requires/immucore.service"

    # Names without a resolver.
    inst_simple /etc/hosts

    dracut_need_initqueue
}
