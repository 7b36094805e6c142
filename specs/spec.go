package specs

// Spec is a whole kairos.spec after all it extends is merged in. The zero
// value of a field means that no file of the chain set it.
type Spec struct {
	// What this spec builds on: a built-in flavor (debian-12), a file beside the
	// spec (./base.spec), or a named context that holds a kairos.spec.
	Extends string `yaml:"extends,omitempty" json:"extends,omitempty"`
	// The name of the product, the first part of file names. Images are named
	// after the flavor, so products of the same flavor and version need separate
	// registries or tags. The default is "kairos".
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// The version of the system: semantic versioning with a leading v, such as
	// v1.4.0. Upgrades compare it.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
	// What the system contains: core (no Kubernetes) or standard (Kubernetes and
	// mesh). The default is core.
	Variant string `yaml:"variant,omitempty" json:"variant,omitempty" jsonschema:"enum=core,enum=standard"`
	// The machine that the system is for: generic, virtual, or a board. The
	// default is generic.
	Model string `yaml:"model,omitempty" json:"model,omitempty"`
	// The distribution of the userland.
	Distro Distro `yaml:"distro,omitempty" json:"distro,omitzero"`
	// The init system of the userland: systemd or openrc.
	Init string `yaml:"init,omitempty" json:"init,omitempty" jsonschema:"enum=systemd,enum=openrc"`
	// The kernel. The default is that of the distribution.
	Kernel Kernel `yaml:"kernel,omitempty" json:"kernel,omitzero"`
	// The initramfs, which finds the root.
	Initramfs Initramfs `yaml:"initramfs,omitempty" json:"initramfs,omitzero"`
	// The Kubernetes of the standard variant. The default is k3s.
	Kubernetes Kubernetes `yaml:"kubernetes,omitempty" json:"kubernetes,omitzero"`
	// The network between the machines of the standard variant. The default is
	// edgevpn.
	Mesh Mesh `yaml:"mesh,omitempty" json:"mesh,omitzero"`
	// Changes to the package list of the catalog.
	Packages Packages `yaml:"packages,omitempty" json:"packages,omitzero"`
	// Files to add to the root filesystem.
	Files []File `yaml:"files,omitempty" json:"files,omitempty"`
	// A cloud-config that is built into the image, for every boot of every
	// machine. For the installer medium alone, see artifacts.iso.cloudConfig.
	CloudConfig Content `yaml:"cloudConfig,omitempty" json:"cloudConfig,omitzero"`
	// Kernel arguments, added after those that Kairos needs.
	Cmdline []string `yaml:"cmdline,omitempty" json:"cmdline,omitempty"`
	// Where programs such as kairos-agent come from. Naming an optional component
	// of the catalog adds it.
	Components map[string]Component `yaml:"components,omitempty" json:"components,omitempty"`
	// Options of what is made from the root filesystem.
	Artifacts Artifacts `yaml:"artifacts,omitempty" json:"artifacts,omitzero"`
	// What the target test boots, and what must hold on the running system.
	Test Test `yaml:"test,omitempty" json:"test,omitzero"`
}

// Distro chooses the distribution. As a plain string it is the name.
type Distro struct {
	// The name of a distribution in the catalog, such as debian-12.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// The image to start from, instead of that of the catalog.
	Base string `yaml:"base,omitempty" json:"base,omitempty"`
}

// Kernel chooses a kernel. As a plain string it is the distribution that the
// kernel comes from.
type Kernel struct {
	// The donor: the distribution in the catalog that the kernel, its modules and
	// firmware come from, and in which the initramfs is made.
	From string `yaml:"from,omitempty" json:"from,omitempty"`
	// The kernel package, instead of that of the catalog.
	Package string `yaml:"package,omitempty" json:"package,omitempty"`
	// The version of the kernel package.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
	// An image with a custom kernel, instead of a package: /boot/vmlinuz*, its
	// modules in /lib/modules or /usr/lib/modules, and firmware if it needs any.
	// The initramfs is made for it in the distribution that from names.
	Image string `yaml:"image,omitempty" json:"image,omitempty"`
	// A named context with a custom kernel, laid out as in image.
	Context string `yaml:"context,omitempty" json:"context,omitempty"`
}

// Initramfs are options of the initramfs, which finds the root of a live medium
// or an installed machine.
type Initramfs struct {
	// A network before the root is there: drivers of network cards and of storage
	// networks, and DHCP. It is for machines that unlock their disks with a key
	// server, or have their root on a storage network; the initramfs is twice as
	// large. Files for netboot always have it. The default is false.
	Network bool `yaml:"network,omitempty" json:"network,omitempty"`
}

// Kubernetes chooses a distribution of Kubernetes. As a plain string it is the
// distribution. It is installed and does not start by itself: the cloud-config
// of a machine enables it.
type Kubernetes struct {
	// A distribution of Kubernetes in the catalog: k3s or k0s.
	Distribution string `yaml:"distribution,omitempty" json:"distribution,omitempty"`
	// The version as the publisher writes it, such as v1.33.9+k3s1. The default
	// is that of the catalog.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
}

// Mesh chooses a mesh network. As a plain string it is the name. It is off until
// the cloud-config of a machine has a network token.
type Mesh struct {
	// The name of a mesh in the catalog, such as edgevpn, or none for no mesh.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// The version as the publisher writes it, such as v0.35.3. The default is
	// that of the catalog.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
}

// NoMesh is the name of no mesh at all.
const NoMesh = "none"

// Packages changes the package list that the catalog gives.
type Packages struct {
	// More packages of the distribution.
	Add []string `yaml:"add,omitempty" json:"add,omitempty"`
	// Packages to remove from the list of the catalog. What other packages
	// depend on is installed all the same.
	Remove []string `yaml:"remove,omitempty" json:"remove,omitempty"`
	// Optional groups of the catalog, each on (true) or off (false).
	Groups map[string]bool `yaml:"groups,omitempty" json:"groups,omitempty"`
}

// Text is a text that may be empty.
type Text string

// Content is text from a file of the build context, or written in place. As
// a plain string it is the file.
type Content struct {
	// A file in the build context.
	From string `yaml:"from,omitempty" json:"from,omitempty"`
	// The text itself. Empty text undoes what an extended spec sets here.
	Content Text `yaml:"content,omitempty" json:"content,omitempty"`
}

// IsZero tells whether no content was given.
func (c Content) IsZero() bool { return c == Content{} }

// File is one file or directory of the root filesystem.
type File struct {
	// The absolute path in the root filesystem.
	Path string `yaml:"path" json:"path"`
	// A file or directory in the build context.
	From string `yaml:"from,omitempty" json:"from,omitempty"`
	// The text of the file, instead of from.
	Content Text `yaml:"content,omitempty" json:"content,omitempty"`
	// The mode of a file in octal, such as 0644, without setuid, setgid and sticky
	// bit. The default is 0644 for content, and the mode of the file for from.
	Mode string `yaml:"mode,omitempty" json:"mode,omitempty" jsonschema:"oneof_type=string;integer"`
	// The owner as uid:gid, in numbers. The default is 0:0.
	Owner string `yaml:"owner,omitempty" json:"owner,omitempty"`
}

// Component says where a program comes from. One of url, image and context;
// a named context with the component's name wins over all of them.
type Component struct {
	// The version of the component; it replaces {version} in URLs. For Kubernetes
	// and mesh, their own version key sets the same.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
	// The URL of a tar.gz archive or of the program itself. {version} and {arch}
	// are replaced.
	URL string `yaml:"url,omitempty" json:"url,omitempty"`
	// The SHA-256 of the download, in hexadecimal, by architecture.
	SHA256 map[string]string `yaml:"sha256,omitempty" json:"sha256,omitempty"`
	// The URL of the publisher's list of SHA-256 checksums, when no sha256 is
	// given. {version} and {arch} are replaced.
	Checksums string `yaml:"checksums,omitempty" json:"checksums,omitempty"`
	// An image to copy the program from.
	Image string `yaml:"image,omitempty" json:"image,omitempty"`
	// A named context to copy the program from.
	Context string `yaml:"context,omitempty" json:"context,omitempty"`
	// The path of the program in the image, the context or the archive. The
	// default is the name of the program, at the top.
	Path string `yaml:"path,omitempty" json:"path,omitempty"`
}

// Artifacts are options of what is made from the root filesystem.
type Artifacts struct {
	// Options of the bootable live and installer medium.
	ISO ISO `yaml:"iso,omitempty" json:"iso,omitzero"`
	// Options of disk images.
	Disk Disk `yaml:"disk,omitempty" json:"disk,omitzero"`
}

// ISO are options of the bootable live and installer medium.
type ISO struct {
	// The compression of the squashfs: zstd, xz, gzip or lz4. The default is zstd.
	Compression string `yaml:"compression,omitempty" json:"compression,omitempty" jsonschema:"enum=zstd,enum=xz,enum=gzip,enum=lz4"`
	// The level of the compression, for zstd 1 to 22 and for gzip 1 to 9. The
	// default is 3 for zstd, which is fast.
	Level int `yaml:"level,omitempty" json:"level,omitempty"`
	// The label of the medium: up to 32 of A to Z, 0 to 9 and _. The live system
	// finds its medium by it, so two media in one machine should not have the same
	// label. The default is COS_LIVE.
	Label string `yaml:"label,omitempty" json:"label,omitempty"`
	// A cloud-config beside the squashfs, which the live system and the installer
	// read. A change of it rebuilds the ISO and nothing else.
	CloudConfig Content `yaml:"cloudConfig,omitempty" json:"cloudConfig,omitzero"`
}

// Disk are options of disk images.
type Disk struct {
	// What the disk contains: recovery ships the recovery system, which installs
	// at the first boot; full boots the installed system at once and is three
	// times as large. The default is recovery.
	Layout string `yaml:"layout,omitempty" json:"layout,omitempty" jsonschema:"enum=recovery,enum=full"`
	// The size of the disk in MiB, GiB or TiB, such as 8GiB. The default is the
	// minimum. The last partition grows at every boot to the end of a larger disk.
	Size string `yaml:"size,omitempty" json:"size,omitempty"`
	// The firmware that boots the disk: efi, bios, or both. The default is efi;
	// bios is for amd64 only.
	Firmware string `yaml:"firmware,omitempty" json:"firmware,omitempty" jsonschema:"enum=efi,enum=bios,enum=both"`
	// The compression of the output file: zstd, xz or none. The default is zstd.
	Compression string `yaml:"compression,omitempty" json:"compression,omitempty" jsonschema:"enum=zstd,enum=xz,enum=none"`
	// The level of the compression, for zstd 1 to 19 and for xz 1 to 9. The
	// default is 3 for zstd and 6 for xz.
	Level int `yaml:"level,omitempty" json:"level,omitempty"`
	// A cloud-config on the partition COS_OEM, where an installer puts its own. A
	// change of it rebuilds the disk and nothing else.
	CloudConfig Content `yaml:"cloudConfig,omitempty" json:"cloudConfig,omitzero"`
}

// Test says how the target test boots the system in an emulated machine, and what
// must hold there for the build to pass.
type Test struct {
	// The artifact to boot: iso, or disk, the raw disk image. The default is iso.
	Artifact string `yaml:"artifact,omitempty" json:"artifact,omitempty" jsonschema:"enum=iso,enum=disk"`
	// The firmware of the machine: efi, or bios, for amd64 only. The default is
	// efi, or bios for a disk that boots from nothing else.
	Firmware string `yaml:"firmware,omitempty" json:"firmware,omitempty" jsonschema:"enum=efi,enum=bios"`
	// The memory of the machine in MiB or GiB. The default is 2GiB.
	Memory string `yaml:"memory,omitempty" json:"memory,omitempty"`
	// The timeout of the whole test, from power on, such as 10m. The default is
	// 30m, because the machine is emulated.
	Timeout string `yaml:"timeout,omitempty" json:"timeout,omitempty"`
	// Assertions, tried one after the other on the running system. Those of
	// extended specs come first.
	Assertions []Assertion `yaml:"assertions,omitempty" json:"assertions,omitempty"`
}

// Assertion is one thing that must hold: one of run, file and service. It is
// tried every second until it does, or its timeout is over.
type Assertion struct {
	// The name in reports. The default is what the assertion checks.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// A shell script that must succeed, run as root. It may have several lines.
	Run string `yaml:"run,omitempty" json:"run,omitempty"`
	// The absolute path of a file or directory that must exist.
	File string `yaml:"file,omitempty" json:"file,omitempty"`
	// A service of systemd or OpenRC that must be active.
	Service string `yaml:"service,omitempty" json:"service,omitempty"`
	// A regular expression that a line of the output of run, or of the file, must
	// match: as grep -E takes it, without escapes such as \d; use classes such as
	// [[:digit:]] instead.
	Matches string `yaml:"matches,omitempty" json:"matches,omitempty"`
	// The timeout of this assertion, from its first try, such as 90s. The default
	// is 5m.
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
