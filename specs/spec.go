package specs

// Spec is a whole kairos.spec after all it extends is merged in. The zero
// value of a field means that no file of the chain set it.
type Spec struct {
	// Extends names what this spec builds on: a built-in flavor
	// (debian-12), a file beside the spec (./base.spec), or a named context
	// that holds a kairos.spec.
	Extends string `yaml:"extends,omitempty" json:"extends,omitempty"`
	// Name is the product's name, the first part of file names. Images are called
	// after the flavor, as the field does: products of the same flavor and version
	// need a registry or a tag of their own each. The default is "kairos".
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// Version of the system that is built: semantic versioning with a
	// leading v, such as v1.4.0. Upgrades compare it.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
	// Variant is core (no Kubernetes) or standard (Kubernetes and mesh).
	Variant string `yaml:"variant,omitempty" json:"variant,omitempty" jsonschema:"enum=core,enum=standard"`
	// Model is the machine that the system is for: generic, virtual, or a board.
	Model string `yaml:"model,omitempty" json:"model,omitempty"`
	// Distro is the distribution of the userland.
	Distro Distro `yaml:"distro,omitempty" json:"distro,omitzero"`
	// Init is the init system of the userland: systemd or openrc.
	Init string `yaml:"init,omitempty" json:"init,omitempty" jsonschema:"enum=systemd,enum=openrc"`
	// Kernel chooses the kernel; the default is the distribution's own.
	Kernel Kernel `yaml:"kernel,omitempty" json:"kernel,omitzero"`
	// Kubernetes chooses the Kubernetes of the standard variant. The default is
	// k3s.
	Kubernetes Kubernetes `yaml:"kubernetes,omitempty" json:"kubernetes,omitzero"`
	// Mesh chooses the network between the machines of the standard variant. The
	// default is edgevpn.
	Mesh Mesh `yaml:"mesh,omitempty" json:"mesh,omitzero"`
	// Packages adds to and removes from the catalog's package list.
	Packages Packages `yaml:"packages,omitempty" json:"packages,omitzero"`
	// Files are put into the root filesystem.
	Files []File `yaml:"files,omitempty" json:"files,omitempty"`
	// CloudConfig is built into the image, for every boot of every machine.
	// For the installer medium alone, see artifacts.iso.cloudConfig.
	CloudConfig Content `yaml:"cloudConfig,omitempty" json:"cloudConfig,omitzero"`
	// Cmdline are kernel arguments, added after the ones Kairos needs.
	Cmdline []string `yaml:"cmdline,omitempty" json:"cmdline,omitempty"`
	// Components overrides where programs such as kairos-agent come from, and
	// takes in the ones that the catalog has as optional.
	Components map[string]Component `yaml:"components,omitempty" json:"components,omitempty"`
	// Artifacts are options of what is made from the root filesystem.
	Artifacts Artifacts `yaml:"artifacts,omitempty" json:"artifacts,omitzero"`
	// Test is what the target test boots, and what it asks of the system.
	Test Test `yaml:"test,omitempty" json:"test,omitzero"`
}

// Distro chooses the distribution. As a plain string it is the name.
type Distro struct {
	// Name of a distribution in the catalog, such as debian-12.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// Base is the image to start from instead of the catalog's.
	Base string `yaml:"base,omitempty" json:"base,omitempty"`
}

// Kernel chooses a kernel. As a plain string it is the distribution that the
// kernel comes from.
type Kernel struct {
	// From is the distribution in the catalog that donates the kernel, its
	// modules and firmware, and in which the initramfs is made.
	From string `yaml:"from,omitempty" json:"from,omitempty"`
	// Package replaces the catalog's kernel package.
	Package string `yaml:"package,omitempty" json:"package,omitempty"`
	// Version pins the version of the kernel package.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
	// Image holds a kernel of your own, instead of a package: /boot/vmlinuz*,
	// its modules in /lib/modules or /usr/lib/modules, and firmware if it needs
	// any. The initramfs is made for it in the distribution that from names.
	Image string `yaml:"image,omitempty" json:"image,omitempty"`
	// Context is a named context that holds a kernel of your own, as image.
	Context string `yaml:"context,omitempty" json:"context,omitempty"`
}

// Kubernetes chooses a distribution of Kubernetes. As a plain string it is the
// distribution. It is installed and does not start by itself: the cloud-config
// of a machine enables it.
type Kubernetes struct {
	// Distribution in the catalog: k3s or k0s.
	Distribution string `yaml:"distribution,omitempty" json:"distribution,omitempty"`
	// Version as the publisher writes it, such as v1.33.9+k3s1. The default is
	// the catalog's.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
}

// Mesh chooses a mesh network. As a plain string it is the name. It is off until
// the cloud-config of a machine has a network token.
type Mesh struct {
	// Name of a mesh in the catalog, such as edgevpn, or none to do without.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// Version as the publisher writes it, such as v0.35.3. The default is the
	// catalog's.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
}

// NoMesh is the name of no mesh at all.
const NoMesh = "none"

// Packages changes the package list that the catalog gives.
type Packages struct {
	// Add names further packages of the distribution.
	Add []string `yaml:"add,omitempty" json:"add,omitempty"`
	// Remove takes packages off the catalog's list. What other packages
	// depend on is installed all the same.
	Remove []string `yaml:"remove,omitempty" json:"remove,omitempty"`
	// Groups switches whole groups of the catalog on or off.
	Groups map[string]bool `yaml:"groups,omitempty" json:"groups,omitempty"`
}

// Text is a text that may be empty.
type Text string

// Content is text from a file of the build context, or written in place. As
// a plain string it is the file.
type Content struct {
	// From is a file in the build context.
	From string `yaml:"from,omitempty" json:"from,omitempty"`
	// Content is the text itself. An empty one undoes what an extended spec
	// has here.
	Content Text `yaml:"content,omitempty" json:"content,omitempty"`
}

// IsZero tells whether no content was given.
func (c Content) IsZero() bool { return c == Content{} }

// File is one file or folder of the root filesystem.
type File struct {
	// Path in the root filesystem, absolute.
	Path string `yaml:"path" json:"path"`
	// From is a file or folder in the build context.
	From string `yaml:"from,omitempty" json:"from,omitempty"`
	// Content is the text of the file, instead of from.
	Content Text `yaml:"content,omitempty" json:"content,omitempty"`
	// Mode of a file in octal, such as 0644, without setuid, setgid and sticky bit. The
	// default is 0644 for content, and for from what the file has.
	Mode string `yaml:"mode,omitempty" json:"mode,omitempty" jsonschema:"oneof_type=string;integer"`
	// Owner is uid:gid, in numbers. The default is 0:0.
	Owner string `yaml:"owner,omitempty" json:"owner,omitempty"`
}

// Component says where a program comes from. One of url, image and context;
// a named context with the component's name wins over all of them.
type Component struct {
	// Version of the component; it replaces {version} in urls. Those of
	// Kubernetes and mesh can be written there too.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
	// URL of a tar.gz archive or a bare binary. {version} and {arch} are
	// replaced.
	URL string `yaml:"url,omitempty" json:"url,omitempty"`
	// SHA256 of what url gives, in hexadecimal, by architecture.
	SHA256 map[string]string `yaml:"sha256,omitempty" json:"sha256,omitempty"`
	// Checksums is the url of the publisher's sha256 list, when no sha256 is
	// given. {version} and {arch} are replaced.
	Checksums string `yaml:"checksums,omitempty" json:"checksums,omitempty"`
	// Image to copy the program from.
	Image string `yaml:"image,omitempty" json:"image,omitempty"`
	// Context is a named context to copy the program from.
	Context string `yaml:"context,omitempty" json:"context,omitempty"`
	// Path of the program in the image, the context or the archive. The
	// default is the program's name at the top.
	Path string `yaml:"path,omitempty" json:"path,omitempty"`
}

// Artifacts are options of what is made from the root filesystem.
type Artifacts struct {
	ISO  ISO  `yaml:"iso,omitempty" json:"iso,omitzero"`
	Disk Disk `yaml:"disk,omitempty" json:"disk,omitzero"`
}

// ISO are options of the bootable live and installer medium.
type ISO struct {
	// Compression of the squashfs: zstd, xz, gzip or lz4. The default is
	// zstd.
	Compression string `yaml:"compression,omitempty" json:"compression,omitempty" jsonschema:"enum=zstd,enum=xz,enum=gzip,enum=lz4"`
	// Level of the compression, for zstd 1 to 22 and for gzip 1 to 9. The
	// default is 3 for zstd, which is fast.
	Level int `yaml:"level,omitempty" json:"level,omitempty"`
	// Label of the medium: up to 32 of A to Z, 0 to 9 and _. The live system finds
	// its medium by it, so two media in one machine should not have the same. The
	// default is COS_LIVE.
	Label string `yaml:"label,omitempty" json:"label,omitempty"`
	// CloudConfig lies beside the squashfs and is read by the live system
	// and the installer. Changing it makes the ISO anew, and nothing else.
	CloudConfig Content `yaml:"cloudConfig,omitempty" json:"cloudConfig,omitzero"`
}

// Disk are options of disk images.
type Disk struct {
	// Layout is recovery, which ships the recovery system and installs from it
	// at the first boot, or full, which boots the installed system at once and
	// is three times as large. The default is recovery.
	Layout string `yaml:"layout,omitempty" json:"layout,omitempty" jsonschema:"enum=recovery,enum=full"`
	// Size of the disk in MiB, GiB or TiB, such as 8GiB. The default is the least
	// that the machine can do with. The last partition grows at every boot to
	// the end of a larger disk.
	Size string `yaml:"size,omitempty" json:"size,omitempty"`
	// Firmware that starts the disk: efi, bios, or both. The default is efi; bios
	// is for amd64 alone.
	Firmware string `yaml:"firmware,omitempty" json:"firmware,omitempty" jsonschema:"enum=efi,enum=bios,enum=both"`
	// Compression of the file that is handed out: zstd, xz or none. The default
	// is zstd.
	Compression string `yaml:"compression,omitempty" json:"compression,omitempty" jsonschema:"enum=zstd,enum=xz,enum=none"`
	// Level of the compression, for zstd 1 to 19 and for xz 1 to 9. The default
	// is 3 for zstd and 6 for xz.
	Level int `yaml:"level,omitempty" json:"level,omitempty"`
	// CloudConfig lies on the partition COS_OEM, as what an installer is given
	// does. Changing it makes the disk anew, and nothing else.
	CloudConfig Content `yaml:"cloudConfig,omitempty" json:"cloudConfig,omitzero"`
}

// Test says how the target test boots the system in an emulated machine, and what
// must hold there for the build to pass.
type Test struct {
	// Artifact that is booted: iso, or disk, the raw disk image. The default is
	// iso.
	Artifact string `yaml:"artifact,omitempty" json:"artifact,omitempty" jsonschema:"enum=iso,enum=disk"`
	// Firmware of the machine: efi, or bios, for amd64 alone. The default is efi,
	// or bios for a disk that starts from nothing else.
	Firmware string `yaml:"firmware,omitempty" json:"firmware,omitempty" jsonschema:"enum=efi,enum=bios"`
	// Memory of the machine in MiB or GiB. The default is 2GiB.
	Memory string `yaml:"memory,omitempty" json:"memory,omitempty"`
	// Timeout of the whole test, from switching the machine on, such as 10m. The
	// default is 30m: the machine is emulated.
	Timeout string `yaml:"timeout,omitempty" json:"timeout,omitempty"`
	// Assertions are tried one after the other, on the running system. Those of
	// extended specs come first.
	Assertions []Assertion `yaml:"assertions,omitempty" json:"assertions,omitempty"`
}

// Assertion is one thing that must hold: one of run, file and service. It is
// tried every second until it does, or its timeout is over.
type Assertion struct {
	// Name that reports call it by. The default is what it asks for.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// Run is a shell script that must succeed, run by root. Several lines are
	// possible.
	Run string `yaml:"run,omitempty" json:"run,omitempty"`
	// File is the absolute path of a file or folder that must be there.
	File string `yaml:"file,omitempty" json:"file,omitempty"`
	// Service that must be active: of systemd, or of OpenRC.
	Service string `yaml:"service,omitempty" json:"service,omitempty"`
	// Matches is a regular expression that a line of the output of run, or of the
	// file, must match: as grep -E takes it, without escapes such as \d, for
	// which there are classes such as [[:digit:]].
	Matches string `yaml:"matches,omitempty" json:"matches,omitempty"`
	// Timeout of this assertion, from its first try, such as 90s. The default is
	// 5m.
	Timeout string `yaml:"timeout,omitempty" json:"timeout,omitempty"`
}

// Shorthand is the key that a plain string in place of the mapping is for.
func (Distro) Shorthand() string { return "name" }

// Shorthand is the key that a plain string in place of the mapping is for.
func (Kernel) Shorthand() string { return "from" }

// Shorthand is the key that a plain string in place of the mapping is for.
func (Kubernetes) Shorthand() string { return "distribution" }

// Shorthand is the key that a plain string in place of the mapping is for.
func (Mesh) Shorthand() string { return "name" }

// Shorthand is the key that a plain string in place of the mapping is for.
func (Content) Shorthand() string { return "from" }
