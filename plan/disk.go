package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// Disk is an image of a disk.
type Disk struct {
	// Layout is recovery or full.
	Layout string `json:"layout" yaml:"layout"`
	// MiB is the size; 0 is what the partitions need.
	MiB int `json:"mib" yaml:"mib"`
	// GUID of the disk.
	GUID string `json:"guid" yaml:"guid"`
	// Image is the UUID of the filesystem image of the system.
	Image string `json:"image" yaml:"image"`
	// Partitions in their order on the disk.
	Partitions  []Partition `json:"partitions" yaml:"partitions"`
	Compression string      `json:"compression" yaml:"compression"`
	Level       int         `json:"level,omitempty" yaml:"level,omitempty"`
	CloudConfig Content     `json:"cloudConfig,omitzero" yaml:"cloudConfig,omitempty"`
	// Firmware is what a board starts from, or nothing.
	Firmware *Firmware `json:"firmware,omitempty" yaml:"firmware,omitempty"`
	// Tools make the disk, and Convert makes other formats of it.
	Tools   Tools `json:"tools" yaml:"tools"`
	Convert Tools `json:"convert" yaml:"convert"`
}

// Firmware lies on the EFI system partition.
type Firmware struct {
	// Install names the packages that have the files. They are not installed.
	Install `json:",inline" yaml:",inline"`
	// Files of the packages, with wildcards.
	Files []string `json:"files" yaml:"files"`
	// Texts by name: files beside them.
	Texts map[string]string `json:"texts,omitempty" yaml:"texts,omitempty"`
	// MBR is the type of the partition in a hybrid MBR, or empty.
	MBR string `json:"mbr,omitempty" yaml:"mbr,omitempty"`
}

// Partition of a disk, with one filesystem.
type Partition struct {
	Name string `json:"name" yaml:"name"`
	// Label and Filesystem are empty for the boot code of BIOS.
	Label      string `json:"label,omitempty" yaml:"label,omitempty"`
	Filesystem string `json:"filesystem,omitempty" yaml:"filesystem,omitempty"`
	// MiB beside the room for Images images of the system.
	MiB    int `json:"mib" yaml:"mib"`
	Images int `json:"images,omitempty" yaml:"images,omitempty"`
	// FirstBoot makes the partition, not the build.
	FirstBoot bool   `json:"firstBoot,omitempty" yaml:"firstBoot,omitempty"`
	GUID      string `json:"guid" yaml:"guid"`
	UUID      string `json:"uuid,omitempty" yaml:"uuid,omitempty"`
}

// Has tells whether the build makes a partition.
func (d Disk) Has(name string) bool {
	return slices.ContainsFunc(d.Partitions, func(p Partition) bool { return p.Name == name && !p.FirstBoot })
}

// The firmware that a disk starts from.
const (
	firmwareEFI  = "efi"
	firmwareBIOS = "bios"
)

const (
	layoutRecovery = "recovery"
	layoutFull     = "full"

	// defaultXZLevel is that of xz itself.
	defaultXZLevel = 6
	// leastImage is an image of a system with nothing in it (contract 1.20).
	leastImage = 100
)

// partitions are those of an installed system, in MiB (contract 1.20). The
// recovery partition is that of disk images (contract 4.1). The persistent one
// is small: it grows to the end of the disk.
func partitions(layout, firmware string) []Partition {
	later := layout == layoutRecovery
	var all []Partition
	if firmware != firmwareEFI {
		all = append(all, Partition{Name: "bios", MiB: 1})
	}
	if firmware != firmwareBIOS {
		all = append(all, Partition{Name: "efi", Label: "COS_GRUB", Filesystem: "vfat", MiB: 64})
	}
	all = append(all, []Partition{
		{Name: "oem", Label: "COS_OEM", Filesystem: "ext4", MiB: 64},
		{Name: "recovery", Label: "COS_RECOVERY", Filesystem: "ext4", MiB: 150, Images: 2},
		{Name: "state", Label: "COS_STATE", Filesystem: "ext4", MiB: 1000, Images: 3, FirstBoot: later},
		{Name: "persistent", Label: "COS_PERSISTENT", Filesystem: "ext4", MiB: 512, FirstBoot: later},
	}...)
	for i, p := range all {
		all[i].GUID = guid(cmp.Or(p.Label, p.Name))
		if p.Label != "" {
			all[i].UUID = guid(p.Label + "/filesystem")
		}
	}
	return all
}

// guid is the identifier that the agent gives to what has this name (contract
// 1.20), so that an installed machine and a disk image do not differ.
func guid(name string) string { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String() }

func (r *resolver) disk(model *catalog.Model) Disk {
	spec := r.spec.Artifacts.Disk
	d := Disk{
		Layout:      cmp.Or(spec.Layout, layoutRecovery),
		GUID:        guid("KAIROS_DISK"),
		Image:       guid("COS_SYSTEM/filesystem"),
		Compression: cmp.Or(spec.Compression, defaultCompression),
		Level:       spec.Level,
		CloudConfig: r.content(key.DiskCloudConfig, spec.CloudConfig),
		Firmware:    r.firmware(model.Firmware),
		Tools:       r.tools("disk"),
		Convert:     r.tools("convert"),
	}
	d.MiB, _ = specs.ParseSize(spec.Size)
	firmware := cmp.Or(spec.Firmware, firmwareEFI)
	if firmware != firmwareEFI && !r.arch.BIOS {
		r.report(rules.UnsupportedArchitecture, key.DiskFirmware, "write efi, or remove it", "%s has no BIOS", r.arch.Name)
	}
	d.Partitions = partitions(d.Layout, firmware)
	switch d.Compression {
	case "zstd":
		d.Level = cmp.Or(d.Level, defaultZstdLevel)
	case "xz":
		d.Level = cmp.Or(d.Level, defaultXZLevel)
	}
	if least := d.least(); d.MiB > 0 && d.MiB < least && r.sure(key.DiskLayout, key.DiskFirmware) {
		r.report(rules.InvalidValue, key.DiskSize, fmt.Sprintf("write at least %dMiB and room for the system, or leave it out", least), "%s is too small for the partitions", spec.Size)
	}
	return d
}

// firmware is what the model starts from, whatever the userland is.
func (r *resolver) firmware(f *catalog.Firmware) *Firmware {
	if f == nil {
		return nil
	}
	lender := r.cat.Distros[f.From]
	return &Firmware{
		Install: Install{Distro: lender.Name, Base: r.base(lender), Manager: lender.Manager, Areas: f.Areas, Packages: packages(f.Packages)},
		Files:   f.Files,
		Texts:   f.Texts,
		MBR:     f.MBR,
	}
}

// least is what the partitions need for a system with nothing in it, with the
// tables in front and behind.
func (d Disk) least() int {
	sum := 2
	for _, p := range d.Partitions {
		if !p.FirstBoot {
			sum += p.MiB + p.Images*leastImage
		}
	}
	return sum
}
