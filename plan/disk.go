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

// Disk is a disk image.
type Disk struct {
	// Layout is recovery or full.
	Layout string `json:"layout" yaml:"layout"`
	// MiB is the size; 0 for the size that the partitions need.
	MiB int `json:"mib" yaml:"mib"`
	// GUID of the disk.
	GUID string `json:"guid" yaml:"guid"`
	// Image is the UUID of the filesystem image of the system.
	Image string `json:"image" yaml:"image"`
	// Partitions in the order on the disk.
	Partitions  []Partition `json:"partitions" yaml:"partitions"`
	Compression string      `json:"compression" yaml:"compression"`
	Level       int         `json:"level,omitempty" yaml:"level,omitempty"`
	CloudConfig Content     `json:"cloudConfig,omitzero" yaml:"cloudConfig,omitempty"`
	// Firmware that a board starts from, or nil.
	Firmware *Firmware `json:"firmware,omitempty" yaml:"firmware,omitempty"`
	// Tools make the disk, and Convert makes the other formats.
	Tools   Tools `json:"tools" yaml:"tools"`
	Convert Tools `json:"convert" yaml:"convert"`
}

// Firmware of a board, on the EFI system partition.
type Firmware struct {
	// Install has the packages with the files. They are not installed.
	Install `json:",inline" yaml:",inline"`
	// Files of the packages, with wildcards.
	Files []string `json:"files" yaml:"files"`
	// Trees are device trees of the kernel, by file name, with wildcards. They are in or below the
	// directories TreesIn, which have wildcards too.
	Trees   []string `json:"trees,omitempty" yaml:"trees,omitempty"`
	TreesIn []string `json:"treesIn,omitempty" yaml:"treesIn,omitempty"`
	// Texts are additional files, by name.
	Texts map[string]string `json:"texts,omitempty" yaml:"texts,omitempty"`
	// MBR is the type of the partition in a hybrid MBR; empty for no hybrid MBR.
	MBR string `json:"mbr,omitempty" yaml:"mbr,omitempty"`
}

// Partition of a disk, with one filesystem.
type Partition struct {
	Name string `json:"name" yaml:"name"`
	// Label and Filesystem are empty for the boot code for BIOS.
	Label      string `json:"label,omitempty" yaml:"label,omitempty"`
	Filesystem string `json:"filesystem,omitempty" yaml:"filesystem,omitempty"`
	// MiB is the size, in addition to the room for Images images of the system.
	MiB    int `json:"mib" yaml:"mib"`
	Images int `json:"images,omitempty" yaml:"images,omitempty"`
	// FirstBoot is true if the first boot makes the partition instead of the build.
	FirstBoot bool   `json:"firstBoot,omitempty" yaml:"firstBoot,omitempty"`
	GUID      string `json:"guid" yaml:"guid"`
	UUID      string `json:"uuid,omitempty" yaml:"uuid,omitempty"`
}

// Has reports whether the build makes a partition.
func (d Disk) Has(name string) bool {
	return slices.ContainsFunc(d.Partitions, func(p Partition) bool { return p.Name == name && !p.FirstBoot })
}

// The firmware that can start a disk.
const (
	firmwareEFI  = "efi"
	firmwareBIOS = "bios"
)

const (
	layoutRecovery = "recovery"
	layoutFull     = "full"

	// defaultXZLevel is that of xz itself.
	defaultXZLevel = 6
	// leastImage is the size of an image of an empty system (contract 1.20).
	leastImage = 100
)

// partitions returns those of an installed system, in MiB (contract 1.20). The recovery partition
// is that of disk images (contract 4.1). The persistent partition is small, because it grows to the
// end of the disk.
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

// guid returns the identifier that the agent derives from a name (contract 1.20), so that an
// installed machine and a disk image are the same.
func guid(name string) string { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String() }

func (r *resolver) disk(model *catalog.Model, donor *catalog.Distro) Disk {
	spec := r.spec.Artifacts.Disk
	d := Disk{
		Layout:      cmp.Or(spec.Layout, layoutRecovery),
		GUID:        guid("KAIROS_DISK"),
		Image:       guid("COS_SYSTEM/filesystem"),
		Compression: cmp.Or(spec.Compression, defaultCompression),
		Level:       spec.Level,
		CloudConfig: r.content(key.DiskCloudConfig, spec.CloudConfig),
		Firmware:    r.firmware(model.Firmware, donor),
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

// kernelTrees is where kernels of Fedora, newer ones of Debian, and custom ones have device trees.
const kernelTrees = "/lib/modules/*/dtb"

// firmware returns what the model starts from. It is the same for every userland; the device trees
// may be those of the kernel.
func (r *resolver) firmware(f *catalog.Firmware, donor *catalog.Distro) *Firmware {
	if f == nil {
		return nil
	}
	lender := r.cat.Distros[f.From]
	var in []string
	if len(f.Trees) > 0 {
		in = append([]string{kernelTrees}, donor.Kernel.Trees...)
	}
	return &Firmware{
		Install: Install{Distro: lender.Name, Base: r.base(lender), Manager: lender.Manager, Areas: f.Areas, Packages: packages(f.Packages)},
		Files:   f.Files,
		Trees:   f.Trees,
		TreesIn: in,
		Texts:   f.Texts,
		MBR:     f.MBR,
	}
}

// least returns what the partitions need for an empty system, with both partition tables.
func (d Disk) least() int {
	sum := 2
	for _, p := range d.Partitions {
		if !p.FirstBoot {
			sum += p.MiB + p.Images*leastImage
		}
	}
	return sum
}
