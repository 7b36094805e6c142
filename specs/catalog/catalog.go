// Package catalog is what flavorkit knows about the world, as data: the
// distributions, the programs that make a root filesystem a Kairos one, and
// the tools that artifacts are made with. Go code holds no fact about any of
// them.
package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/internal/arch"
	"github.com/flavorkit/flavorkit/specs"
)

// Catalog is everything that is known, by name.
type Catalog struct {
	Archs      map[string]*Arch
	Distros    map[string]*Distro
	Models     map[string]*Model
	Components map[string]*Component
	// Requirements are what systems need of a kernel and its initramfs.
	Requirements map[string]*Requirements
	Tools        map[string]*Toolbox

	flavors  map[string]specs.Source
	overlays Overlays
	layers   []Layer
}

// Arch is an architecture: archs/<name>.yaml.
type Arch = arch.Arch

// Distro is one release of a distribution: distros/<name>.yaml.
type Distro struct {
	// Name that specs use, such as debian-12.
	Name string `yaml:"name"`
	// Like names a distribution that this one differs from by what it says
	// itself: mappings are merged by key, groups and inits by name.
	Like string `yaml:"like"`
	// Title for people.
	Title string `yaml:"title"`
	// Family, Flavor and Release become KAIROS_FAMILY, KAIROS_FLAVOR and
	// KAIROS_FLAVOR_RELEASE (contract 1.8).
	Family  string `yaml:"family"`
	Flavor  string `yaml:"flavor"`
	Release string `yaml:"release"`
	// Base is the image that everything starts from.
	Base string `yaml:"base"`
	// Manager is the package manager, one of Managers.
	Manager string `yaml:"manager"`
	// Architectures that the distribution is supported on, as Go names them.
	Architectures []string `yaml:"architectures"`
	// Merged are directories at the top and in /usr that are links, with the directories
	// that they point to: no layer may bring a real one.
	Merged map[string]string `yaml:"merged"`
	// Prepare are files, by path, that hooks of packages look at, so that they
	// leave to flavorkit what is its own work.
	Prepare map[string]string `yaml:"prepare"`
	// Exclude are paths that no package may bring, in the form that the package
	// manager takes (Manager.Exclude).
	Exclude []string `yaml:"exclude"`
	// RemoveUsers are accounts of people that the base image brings. They would
	// take the number of the first account that a machine makes, which owns files
	// on the persistent partition.
	RemoveUsers []string `yaml:"removeUsers"`
	// SkipRepositories are repositories of the base image, by alias, that no
	// package is taken from, so that the build does not depend on their host. The
	// system keeps them.
	SkipRepositories []string `yaml:"skipRepositories"`
	// Directories that the system needs beside those of every system.
	Directories []string `yaml:"directories"`
	// Links by path, to what other programs call by another name.
	Links map[string]string `yaml:"links"`
	// Groups of userland packages, by purpose.
	Groups []Group `yaml:"groups"`
	// Kernel says how the distribution donates its kernel.
	Kernel Kernel `yaml:"kernel"`
	// Loaders are the signed EFI programs, by architecture.
	Loaders map[string]Loader `yaml:"loaders"`
	// Overlays are sets of overlay files that systems have beside those of every
	// system.
	Overlays []string `yaml:"overlays"`
	// Inits are the init systems that the userland can have; the order counts,
	// the first is the default.
	Inits []Init `yaml:"inits"`
}

// Model is a kind of machine: models/<name>.yaml.
type Model struct {
	// Name that specs use, such as rpi4.
	Name string `yaml:"name"`
	// Like names a model that this one differs from by what it says itself.
	Like string `yaml:"like"`
	// Title for people.
	Title string `yaml:"title"`
	// Architectures that the machine has, as Go names them. Empty: any.
	Architectures []string `yaml:"architectures"`
	// Console replaces the kernel's serial consoles, such as ttyS0,115200.
	Console []string `yaml:"console"`
	// Cmdline are kernel arguments that the machine needs.
	Cmdline []string `yaml:"cmdline"`
	// Firmware is what has to lie on the EFI system partition for the machine to
	// start from a disk, or nothing.
	Firmware *Firmware `yaml:"firmware"`
	// Distros is what the machine needs of each distribution that supports it.
	// Empty: nothing of any, so that all support it.
	Distros map[string]ModelDistro `yaml:"distros"`
}

// Firmware is what a board starts from, before there is EFI (contract 4.2). It is
// the same for systems of all distributions.
type Firmware struct {
	// From names the distribution that has it in packages.
	From string `yaml:"from"`
	// Areas of the archive that the packages are in, beside those that the base
	// image asks for.
	Areas []string `yaml:"areas"`
	// Packages that have the files, and those that they depend on in their own
	// version.
	Packages []string `yaml:"packages"`
	// Files of the packages, by path, with wildcards of the shell. They get into
	// the root of the partition.
	Files []string `yaml:"files"`
	// Texts by name: files beside them.
	Texts map[string]string `yaml:"texts"`
	// MBR is the type, in hexadecimal, that the partition has in a hybrid MBR, for
	// firmware that reads no GPT. Empty: it reads it.
	MBR string `yaml:"mbr"`
}

// ModelDistro is what a model needs of a distribution.
type ModelDistro struct {
	// Areas of the archive that the kernel packages are in, beside those that the
	// base image asks for.
	Areas []string `yaml:"areas"`
	// Kernel packages instead of the distribution's own, when it donates the
	// kernel. The first is the kernel.
	Kernel []string `yaml:"kernel"`
	// Packages of the userland.
	Packages map[string]Package `yaml:"packages"`
	// Enable lays services over those of the distribution's init systems, by init
	// system and service. One without a target or runlevel is not started.
	Enable map[string]map[string][]string `yaml:"enable"`
}

// Group is a set of packages with one purpose.
type Group struct {
	Name string `yaml:"name"`
	// Why the group is there.
	Why string `yaml:"why"`
	// Optional groups can be switched off by a spec.
	Optional bool `yaml:"optional"`
	// Arch, Model, Init and Variant limit the group, when set.
	Arch    []string `yaml:"arch"`
	Model   []string `yaml:"model"`
	Init    string   `yaml:"init"`
	Variant string   `yaml:"variant"`
	// Packages by name.
	Packages map[string]Package `yaml:"packages"`
}

// Package is the reason for a package.
type Package struct {
	// Why it is on the list.
	Why string `yaml:"why"`
	// Commands that it is there for. Each must be found where the package is
	// installed, as long as it is on the list: in the finished root filesystem, or
	// in the stage that makes the initramfs.
	Commands []string `yaml:"commands"`
	// Firmware that it is there for: files in the directory of firmware, with
	// wildcards of the shell. Each must be found in the finished root filesystem.
	Firmware []string `yaml:"firmware"`
}

// Shorthand implements specs.Shorthander: a plain text is the reason.
func (Package) Shorthand() string { return "why" }

// Kernel is how a distribution donates a kernel.
type Kernel struct {
	// Packages of the kernel by architecture. The first is the one that a spec can
	// replace or pin.
	Packages map[string][]string `yaml:"packages"`
	// Firmware are groups of packages with firmware for the kernel's drivers. A
	// kernel of the user's own brings its own.
	Firmware []Group `yaml:"firmware"`
	// Environment of the package manager in the kernel's stage, for the hooks
	// of kernel packages.
	Environment map[string]string `yaml:"environment"`
	// CompressModules with zstd, for distributions that do not themselves.
	CompressModules bool `yaml:"compressModules"`
	// Initramfs is how the initramfs for the kernel is made.
	Initramfs Initramfs `yaml:"initramfs"`
}

// Initramfs is how a distribution makes an initramfs.
type Initramfs struct {
	// Tool is dracut or mkinitfs.
	Tool string `yaml:"tool"`
	// Overlay is the set of overlay files that the tool needs.
	Overlay string `yaml:"overlay"`
	// Components that go into the initramfs.
	Components []string `yaml:"components"`
	// Groups of packages that are installed beside the kernel.
	Groups []Group `yaml:"groups"`
}

// Loader is where the userland keeps its EFI programs (contract 1.11).
type Loader struct {
	// Shim is the first stage; it is started by the firmware. Without one that is
	// GRUB.
	Shim string `yaml:"shim"`
	// Grub is started by shim, from media that are not installed systems.
	Grub string `yaml:"grub"`
	// DiskGrub is what the agent copies to a disk, where that is another GRUB:
	// it looks for it under certain names only (kairos-sdk, GetEfiGrubFiles).
	DiskGrub string `yaml:"diskGrub"`
	// GrubName is the name by which shim looks for its second stage. The default
	// has the architecture in it, such as grubx64.efi.
	GrubName string `yaml:"grubName"`
	// Config is the directory that is built into GRUB to look for its
	// configuration in, when it is neither /EFI/BOOT nor /boot/grub.
	Config string `yaml:"config"`
	// Packages that hold the programs, for distributions that borrow them.
	Packages []string `yaml:"packages"`
	// From names the distribution that lends its programs to one that has none
	// that are signed. Nothing else is given then.
	From string `yaml:"from"`
}

// Init is an init system in a distribution.
type Init struct {
	// Name is systemd or openrc.
	Name string `yaml:"name"`
	// Enable maps a service to the targets (systemd) or runlevels (OpenRC)
	// that it is started in.
	Enable map[string][]string `yaml:"enable"`
	// Mask names services that never start.
	Mask []string `yaml:"mask"`
}

// Component is a program beside the distribution: components/<name>.yaml.
type Component struct {
	Name string `yaml:"name"`
	// Like names a component that this one differs from by what it says itself.
	Like string `yaml:"like"`
	// Why it is there.
	Why string `yaml:"why"`
	// Kind is what a system has one of at most: kubernetes, mesh or provider. A
	// spec chooses among those of the first two. Programs without a kind stand
	// beside each other.
	Kind string `yaml:"kind"`
	// Variants that have the component without being asked. Of a kind it is the
	// default. Empty: a spec has to name it.
	Variants []string `yaml:"variants"`
	// Version that is the default.
	Version string `yaml:"version"`
	// VersionPattern is a regular expression for the publisher's versions.
	// Empty: any.
	VersionPattern string `yaml:"versionPattern"`
	// URL and Checksums of the publisher, with {version}, {arch} and {suffix}.
	URL       string `yaml:"url"`
	Checksums string `yaml:"checksums"`
	// Arch is how the publisher spells the architectures, and Suffix what it adds
	// to file names for them.
	Arch   map[string]string `yaml:"arch"`
	Suffix map[string]string `yaml:"suffix"`
	// Program is its path in what the publisher hands out. The default is the
	// name of the component.
	Program string `yaml:"program"`
	// Install is the path in the root filesystem.
	Install string `yaml:"install"`
	// Links by path: other names of the program.
	Links map[string]string `yaml:"links"`
	// Files by init system and path, such as units. One that begins with #! can
	// be run. None is enabled.
	Files map[string]map[string]string `yaml:"files"`
}

// Expand puts a version and what the publisher calls an architecture into one
// of the urls of the component, or into one that stands in for it.
func (c *Component) Expand(url, version, arch string) string {
	return strings.NewReplacer(
		"{version}", version,
		"{arch}", cmp.Or(c.Arch[arch], arch),
		"{suffix}", c.Suffix[arch],
	).Replace(url)
}

// Toolbox is a set of programs that artifacts are made with, in a vertex of
// its own: tools/<name>.yaml.
type Toolbox struct {
	Name string `yaml:"name"`
	// Like names a toolbox that this one differs from by what it says itself.
	Like string `yaml:"like"`
	Why  string `yaml:"why"`
	// Distro that the tools are packages of.
	Distro string `yaml:"distro"`
	// Groups of packages. Those without a limit run on any builder.
	Groups []Group `yaml:"groups"`
}

// Flavor is the spec of a flavor; ok is false when there is none of that name.
func (c *Catalog) Flavor(name string) (src *specs.Source, ok bool) {
	flavor, ok := c.flavors[name]
	return &flavor, ok
}

// FlavorNames are those of all flavors, sorted.
func (c *Catalog) FlavorNames() []string { return Names(c.flavors) }

// Names returns the names of entries, sorted.
func Names[T any](entries map[string]T) []string {
	return slices.Sorted(maps.Keys(entries))
}

// Init returns an init system of the distribution by name.
func (d *Distro) Init(name string) (Init, bool) {
	at := slices.IndexFunc(d.Inits, func(i Init) bool { return i.Name == name })
	if at < 0 {
		return Init{}, false
	}
	return d.Inits[at], true
}

// InitNames returns the names of the init systems of the distribution.
func (d *Distro) InitNames() []string {
	names := make([]string, len(d.Inits))
	for i, init := range d.Inits {
		names[i] = init.Name
	}
	return names
}
