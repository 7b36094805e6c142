package qemu

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestArguments(t *testing.T) {
	const (
		head = "-nodefaults -no-user-config -display none "
		tail = "-device virtio-rng-pci CONSOLE -serial chardev:console "
	)
	ovmf := &firmware{code: "/fw/CODE.fd", codeFormat: "raw", vars: "/fw/VARS.fd", varsFormat: "raw"}
	secure := &firmware{code: "/fw/CODE.ms.qcow2", codeFormat: "qcow2", vars: "/fw/VARS.ms", varsFormat: "raw", smm: true}

	for name, tc := range map[string]struct {
		options Options
		launch  launch
		want    string
	}{
		"iso under BIOS": {
			options: Options{ISO: "/a.iso", BIOSConsole: true},
			launch:  launch{accel: TCG},
			want: head + "-machine q35,graphics=off -cpu max -device VGA -accel tcg -m 2048 -smp 2 " + tail +
				"-drive if=none,id=iso,media=cdrom,readonly=on,format=raw,file=/a.iso " +
				"-device ide-cd,drive=iso,bootindex=0",
		},
		"installation": {
			options: Options{
				ISO: "/a,b.iso", DiskFirst: true, MemoryMiB: 4096, CPUs: 4,
				Disks: []Disk{{Path: "/target", Serial: "target"}, {Path: "/cidata", ReadOnly: true}},
			},
			launch: launch{accel: KVM, firmware: ovmf, vars: "/tmp/vars"},
			want: head + "-machine q35 -cpu host -device VGA -accel kvm -m 4096 -smp 4 " + tail +
				"-drive if=pflash,unit=0,readonly=on,format=raw,file=/fw/CODE.fd " +
				"-drive if=pflash,unit=1,format=raw,file=/tmp/vars " +
				"-drive if=none,id=iso,media=cdrom,readonly=on,format=raw,file=/a,,b.iso " +
				"-device ide-cd,drive=iso,bootindex=2 " +
				"-drive if=none,id=disk0,format=raw,file=/target " +
				"-device virtio-blk-pci,drive=disk0,bootindex=0,serial=target " +
				"-drive if=none,id=disk1,format=raw,readonly=on,file=/cidata " +
				"-device virtio-blk-pci,drive=disk1,bootindex=1",
		},
		"secure boot of a disk, with a network": {
			options: Options{
				Firmware: SecureBoot, Disks: []Disk{{Path: "/d.qcow2", Scratch: true}},
				Forwards: []Forward{{Host: 2222, Guest: 22}},
			},
			launch: launch{accel: TCG, firmware: secure, vars: "/tmp/vars"},
			want: head + "-machine q35,smm=on -cpu max -device VGA -accel tcg -m 2048 -smp 2 " + tail +
				"-drive if=pflash,unit=0,readonly=on,format=qcow2,file=/fw/CODE.ms.qcow2 " +
				"-drive if=pflash,unit=1,format=raw,file=/tmp/vars " +
				"-global driver=cfi.pflash01,property=secure,value=on -global ICH9-LPC.disable_s3=1 " +
				"-drive if=none,id=disk0,format=qcow2,snapshot=on,file=/d.qcow2 " +
				"-device virtio-blk-pci,drive=disk0,bootindex=1 " +
				"-netdev user,id=net0,hostfwd=tcp:127.0.0.1:2222-:22 -device virtio-net-pci,netdev=net0,romfile=",
		},
		"a blank disk, and one that grows": {
			options: Options{Disks: []Disk{{SizeMiB: 100}, {Path: "/d", Scratch: true, SizeMiB: 200}}},
			launch:  launch{accel: TCG, paused: true},
			want: head + "-machine q35 -cpu max -device VGA -accel tcg -m 2048 -smp 2 " + tail +
				"-drive if=none,id=disk0,format=raw,cache=unsafe,file= -device virtio-blk-pci,drive=disk0,bootindex=1 " +
				"-drive if=none,id=disk1,format=raw,snapshot=on,file=/d -device virtio-blk-pci,drive=disk1,bootindex=2 -S",
		},
		"kernel": {
			options: Options{
				Kernel: "/vmlinuz", Initrd: "/initrd", Append: "console=ttyS0", NoReboot: true,
				ExtraArgs: []string{"-s"},
			},
			launch: launch{accel: TCG},
			want: head + "-machine q35 -cpu max -device VGA -accel tcg -m 2048 -smp 2 " + tail +
				"-kernel /vmlinuz -initrd /initrd -append console=ttyS0 -no-reboot -s",
		},
		"arm64": {
			options: Options{Arch: known(t, "arm64"), ISO: "/a.iso"},
			launch:  launch{accel: TCG, firmware: ovmf, vars: "/tmp/vars"},
			want: head + "-machine virt,gic-version=max -cpu cortex-a72 -device virtio-scsi-pci -accel tcg -m 2048 -smp 2 " + tail +
				"-drive if=pflash,unit=0,readonly=on,format=raw,file=/fw/CODE.fd " +
				"-drive if=pflash,unit=1,format=raw,file=/tmp/vars " +
				"-drive if=none,id=iso,media=cdrom,readonly=on,format=raw,file=/a.iso " +
				"-device scsi-cd,drive=iso,bootindex=0",
		},
		"arm64 on arm64": {
			options: Options{Arch: known(t, "arm64"), Kernel: "/Image"},
			launch:  launch{accel: KVM},
			want: head + "-machine virt,gic-version=max -cpu host -device virtio-scsi-pci -accel kvm -m 2048 -smp 2 " + tail +
				"-kernel /Image",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.options.Arch.Name == "" {
				tc.options.Arch = known(t, "amd64")
			}
			o, err := tc.options.resolve()
			require.NoError(t, err)
			l := tc.launch
			for _, d := range o.Disks {
				l.disks = append(l.disks, launchDisk{Disk: d, blank: d.SizeMiB > 0 && !d.Scratch})
			}
			l.console = []string{"CONSOLE"}
			require.Equal(t, strings.Split(tc.want, " "), arguments(o, l))
		})
	}
}

func TestConsoleArguments(t *testing.T) {
	require.Equal(t, []string{
		"-chardev", "socket,id=console,path=/a,,b/console",
		"-chardev", "socket,id=control,path=/a,,b/control",
		"-mon", "chardev=control,mode=control",
	}, socketConsole("/a,b/console", "/a,b/control"))
	require.Equal(t, []string{
		"-chardev", "stdio,id=console,mux=on,signal=off",
		"-mon", "chardev=console,mode=readline",
	}, terminalConsole())
}
