package disk

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/flavorkit/flavorkit/plan"
)

// content is the type of a partition and what is on it.
type content struct {
	// kind is the GUID of the type (UEFI 2.10, 5.3.3; the default is that of Linux data),
	// attributes are named as sfdisk(8) does.
	kind, attributes string
	// images are files in cOS: images of the system, with their labels. An empty label keeps that
	// of the system.
	images map[string]string
	// menu is the directory for the boot menu.
	menu string
	// config is the file for the cloud-config of the disk.
	config string
	// block is the file in which GRUB keeps variables, entry the boot entry for the first boot.
	block, entry string
	// assessment adds the files of boot assessment.
	assessment bool
}

// linuxData is the type of a partition with a Linux filesystem.
const linuxData = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"

// imageDir is the directory for images of the system on a partition.
const imageDir = "/cOS"

// contents by name of the partition (contract 1.20, 4.1).
func (d *disk) contents() map[string]content {
	oem := content{config: "90_custom.yaml", block: "grubenv"}
	if !d.p.Disk.Has("state") {
		oem.entry = "statereset"
	}
	return map[string]content{
		"bios":     {kind: "21686148-6449-6E6F-744E-656564454649", attributes: "RequiredPartition,LegacyBIOSBootable"},
		"efi":      {kind: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", attributes: "RequiredPartition"},
		"oem":      oem,
		"recovery": {menu: "etc/cos", images: map[string]string{"recovery.img": ""}},
		"state": {
			menu: "grub2", block: "grub_oem_env", assessment: true,
			images: map[string]string{"active.img": "COS_ACTIVE", "passive.img": "COS_PASSIVE"},
		},
	}
}

// columns are the columns of the partition table. Scripts find a column by its name in the first
// line.
func columns() []string {
	return []string{
		"name", "label", "filesystem", "kind", "attributes", "guid", "uuid", "mib", "images", "made",
		"menu", "config", "block", "entry", "assessment", "labels",
	}
}

// row returns the line of a partition.
func (c content) row(p plan.Partition) []string {
	made := "now"
	if p.FirstBoot {
		made = "later"
	}
	kind := c.kind
	if kind == "" {
		kind = linuxData
	}
	assessment := ""
	if c.assessment {
		assessment = "yes"
	}
	var labels []string
	for _, file := range slices.Sorted(maps.Keys(c.images)) {
		if label := c.images[file]; label != "" {
			labels = append(labels, path.Join(imageDir, file)+"="+label)
		}
	}
	return []string{
		p.Name, p.Label, p.Filesystem, kind, c.attributes, p.GUID, p.UUID, strconv.Itoa(p.MiB), strconv.Itoa(p.Images), made,
		c.menu, c.config, c.block, c.entry, assessment, strings.Join(labels, " "),
	}
}

// table returns the table for measure.sh, which passes it on to disk.sh: the names of the columns,
// then a line for each partition. Columns are separated by |, which no value contains.
func (d *disk) table() []byte {
	contents := d.contents()
	lines := []string{strings.Join(columns(), "|")}
	for _, p := range d.p.Disk.Partitions {
		lines = append(lines, strings.Join(contents[p.Name].row(p), "|"))
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}
