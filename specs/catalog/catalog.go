// Package catalog holds the facts about the world as data: distributions, the programs that make a
// root filesystem a Kairos one, and the tools for artifacts. Go code has no fact about any of them.
package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"golang.org/x/mod/semver"

	"github.com/flavorkit/flavorkit/internal/arch"
	"github.com/flavorkit/flavorkit/specs"
)

// Catalog has all records, by name.
type Catalog struct {
	Archs      map[string]*Arch
	Distros    map[string]*Distro
	Models     map[string]*Model
	Components map[string]*Component
	// Modules are classes of kernel modules.
	Modules map[string]*ModuleClass
	// Requirements are what systems need of a kernel and its initramfs.
	Requirements map[string]*Requirements
	Tools        map[string]*Toolbox

	flavors  map[string]specs.Source
	overlays Overlays
	layers   []Layer
	// merged and ranges tell where a value is written.
	merged map[string]*yaml.Node
	ranges map[*yaml.Node]specs.Range
}

// Arch is an architecture: archs/<name>.yaml.
type Arch = arch.Arch

// Distro is one release of a distribution: distros/<name>.yaml.
type Distro struct {
	// Name that specs use, such as debian-12.
	Name string `yaml:"name"`
	// Like names a distribution that this record is laid over: mappings are merged by key, groups
	// and inits by name.
	Like string `yaml:"like"`
	// Title for people.
	Title string `yaml:"title"`
	// Family, Flavor and Release become KAIROS_FAMILY, KAIROS_FLAVOR and KAIROS_FLAVOR_RELEASE
	// (contract 1.8).
	Family  string `yaml:"family"`
	Flavor  string `yaml:"flavor"`
	Release string `yaml:"release"`
	// EOL is the last day with updates from the distribution, such as 2026-05-31; empty when none
	// is announced. Updates for subscribers alone do not count. A record that is like another says
	// its own, or takes it away.
	EOL string `yaml:"eol"`
	// Releases is the list of all releases; nil when none is known. It counts for one flavor: a
	// record with another flavor that is like this one has no list unless it names one.
	Releases *Releases `yaml:"releases"`
	// Base is the image that everything starts from.
	Base string `yaml:"base"`
	// Manager is the package manager, one of Managers.
	Manager string `yaml:"manager"`
	// Architectures that the distribution is supported on, as Go names them.
	Architectures []string `yaml:"architectures"`
	// Merged are directories at the top and in /usr that are links, with their targets. No layer
	// may bring a real directory in their place.
	Merged map[string]string `yaml:"merged"`
	// Prepare are files, by path, that turn off hooks of packages, because flavorkit does their
	// work.
	Prepare map[string]string `yaml:"prepare"`
	// Exclude are paths that no package may bring, in the form that the package manager takes
	// (Manager.Exclude). Where that has wildcards, ! before a path keeps what one before it leaves out.
	Exclude []string `yaml:"exclude"`
	// Files are groups of files that the userland's packages do not bring either, by purpose.
	Files []FileGroup `yaml:"files"`
	// RemoveUsers are user accounts of the base image. They would take the uid of the first account
	// that a machine creates, which owns files on the persistent partition.
	RemoveUsers []string `yaml:"removeUsers"`
	// SkipRepositories are repositories of the base image, by alias, that the build does not use,
	// so that it does not depend on their host. The system keeps them.
	SkipRepositories []string `yaml:"skipRepositories"`
	// Archives are the public archives that the base image takes packages from, by a name that
	// specs use (mirrors.archives): hosts and paths, without a scheme.
	Archives map[string][]string `yaml:"archives"`
	// Snapshots are URLs by the name of an archive, where locked builds look in this order for what the
	// archive does not have any more: of what it had at a time, which replaces {time}, such as
	// 20261128T000000Z, or of another mirror, which keeps more.
	Snapshots map[string][]string `yaml:"snapshots"`
	// Authorities say how a system is made to trust a certificate.
	Authorities Authorities `yaml:"authorities"`
	// Directories that the system needs in addition to those of every system.
	Directories []string `yaml:"directories"`
	// Links by path, for programs that expect another name.
	Links map[string]string `yaml:"links"`
	// Groups of userland packages, by purpose.
	Groups []Group `yaml:"groups"`
	// Kernel says how the distribution donates its kernel.
	Kernel Kernel `yaml:"kernel"`
	// Loaders are the signed EFI programs, by architecture.
	Loaders map[string]Loader `yaml:"loaders"`
	// Overlays are sets of overlay files in addition to those of every system.
	Overlays []string `yaml:"overlays"`
	// Cmdline are kernel arguments that systems of the distribution need.
	Cmdline []string `yaml:"cmdline"`
	// Inits are the init systems of the userland. The first is the default.
	Inits []Init `yaml:"inits"`
}

// Authorities are how a distribution is made to trust more certificates.
type Authorities struct {
	// Directory for files in PEM, with the extension crt.
	Directory string `yaml:"directory"`
	// List of the files that count, by path below the directory; empty when all do.
	List string `yaml:"list"`
	// Bundle is the file with all certificates that the distribution trusts.
	Bundle string `yaml:"bundle"`
	// Update is the command that reads them, with its arguments.
	Update []string `yaml:"update"`
}

// Model is a kind of machine: models/<name>.yaml.
type Model struct {
	// Name that specs use, such as rpi4.
	Name string `yaml:"name"`
	// Like names a model that this record is laid over.
	Like string `yaml:"like"`
	// Title for people.
	Title string `yaml:"title"`
	// Architectures of the machine, as Go names them. Empty means any.
	Architectures []string `yaml:"architectures"`
	// Console replaces the kernel's serial consoles, such as ttyS0,115200.
	Console []string `yaml:"console"`
	// Cmdline are kernel arguments that the machine needs.
	Cmdline []string `yaml:"cmdline"`
	// Firmware are the files that the machine needs on the EFI system partition to start from a
	// disk; nil for none.
	Firmware *Firmware `yaml:"firmware"`
	// Distros is what the machine needs from each distribution that supports it. Empty means that
	// it needs nothing, so all support it.
	Distros map[string]ModelDistro `yaml:"distros"`
}

// Firmware is what a board starts before UEFI (contract 4.2). It is the same for systems of all
// distributions.
type Firmware struct {
	// From names the distribution that packages it.
	From string `yaml:"from"`
	// Areas of the archive with the packages, in addition to those of the base image.
	Areas []string `yaml:"areas"`
	// Packages that have the files.
	Packages []string `yaml:"packages"`
	// Files of the packages, by path, with shell wildcards. They go to the root of the partition.
	Files []string `yaml:"files"`
	// Trees are device trees of the kernel, by file name, with shell wildcards. They go there too,
	// for boards that do not start with those of another kernel.
	Trees []string `yaml:"trees"`
	// Texts by name: files beside them.
	Texts map[string]string `yaml:"texts"`
	// MBR is the type of the partition in a hybrid MBR, in hexadecimal, for firmware that cannot
	// read GPT. Empty means no hybrid MBR.
	MBR string `yaml:"mbr"`
}

// ModelDistro is what a model needs from a distribution.
type ModelDistro struct {
	// Areas of the archive with the kernel packages, in addition to those of the base image.
	Areas []string `yaml:"areas"`
	// Kernel packages instead of the distribution's own, when it donates the kernel. The first is
	// the kernel.
	Kernel []string `yaml:"kernel"`
	// Packages of the userland.
	Packages map[string]Package `yaml:"packages"`
	// Enable overrides the services of the distribution, by init system and service. A service
	// without a target or runlevel is not started.
	Enable map[string]map[string][]string `yaml:"enable"`
}

// Group is a set of packages with one purpose.
type Group struct {
	Name string `yaml:"name"`
	// Why the group is there.
	Why string `yaml:"why"`
	// Optional groups can be switched off in a spec.
	Optional bool `yaml:"optional"`
	// Arch, Model, Init and Variant limit the group, when set.
	Arch    []string `yaml:"arch"`
	Model   []string `yaml:"model"`
	Init    string   `yaml:"init"`
	Variant string   `yaml:"variant"`
	// Modules are classes of kernel modules that a group of firmware is for. A root filesystem
	// without any of them goes without the group.
	Modules []string `yaml:"modules"`
	// Packages by name.
	Packages map[string]Package `yaml:"packages"`
}

// Package is the reason for a package.
type Package struct {
	// Why it is on the list.
	Why string `yaml:"why"`
	// Commands that it provides. A check requires each of them where the package is installed: in
	// the root filesystem, or in the stage that makes the initramfs.
	Commands []string `yaml:"commands"`
	// Firmware that it provides: files below /lib/firmware, with shell wildcards. A check requires
	// each of them in the root filesystem.
	Firmware []string `yaml:"firmware"`
}

// FileGroup is a set of files of packages that a userland goes without.
type FileGroup struct {
	Name string `yaml:"name"`
	// Why a userland goes without them.
	Why string `yaml:"why"`
	// Optional groups can be brought back by a spec.
	Optional bool `yaml:"optional"`
	// Paths in the form that the package manager takes (Manager.Exclude).
	Paths []string `yaml:"paths"`
}

// Shorthand implements specs.Shorthander: a plain text is the reason.
func (Package) Shorthand() string { return "why" }

// Kernel describes the kernel that a distribution donates.
type Kernel struct {
	// Packages of the kernel by architecture. The first is the one that a spec can replace or pin.
	Packages map[string][]string `yaml:"packages"`
	// Firmware are groups of packages with firmware for the kernel's drivers. A custom kernel
	// brings its own.
	Firmware []Group `yaml:"firmware"`
	// Environment of the package manager in the kernel stage, for the hooks of kernel packages.
	Environment map[string]string `yaml:"environment"`
	// CompressModules with zstd, for distributions that ship them uncompressed.
	CompressModules bool `yaml:"compressModules"`
	// Trees are directories in which the packages have device trees, with shell wildcards, in
	// addition to dtb beside the modules.
	Trees []string `yaml:"trees"`
	// Initramfs describes how to make the initramfs for the kernel.
	Initramfs Initramfs `yaml:"initramfs"`
}

// Initramfs describes how a distribution makes an initramfs.
type Initramfs struct {
	// Tool is dracut or mkinitfs.
	Tool string `yaml:"tool"`
	// Overlay is the set of overlay files that the tool needs.
	Overlay string `yaml:"overlay"`
	// Network is the set of overlay files that the tool needs beside it for an initramfs that can
	// use a network.
	Network string `yaml:"network"`
	// Components inside the initramfs.
	Components []string `yaml:"components"`
	// Groups of packages that are installed with the kernel.
	Groups []Group `yaml:"groups"`
}

// Loader is where the userland keeps its EFI programs (contract 1.11).
type Loader struct {
	// Shim is the first stage, which the firmware starts. Without shim, the firmware starts GRUB.
	Shim string `yaml:"shim"`
	// Grub is the second stage on live media.
	Grub string `yaml:"grub"`
	// DiskGrub is the second stage on disks, where it differs. The agent knows only certain names
	// of it (kairos-sdk, GetEfiGrubFiles).
	DiskGrub string `yaml:"diskGrub"`
	// GrubName is the file name that shim starts. The default depends on the architecture, such as
	// grubx64.efi.
	GrubName string `yaml:"grubName"`
	// Config is the directory in which GRUB looks for its configuration, if neither /EFI/BOOT nor
	// /boot/grub.
	Config string `yaml:"config"`
	// Copies are programs that their packages keep below a directory with their version, where the
	// agent does not look: by the path above, the path in the package, with shell wildcards that
	// exactly one file matches.
	Copies map[string]string `yaml:"copies"`
	// Packages with the programs, for distributions that borrow them.
	Packages []string `yaml:"packages"`
	// From names the distribution to borrow the programs from, if the distribution has no signed
	// ones. The other fields are empty then.
	From string `yaml:"from"`
}

// Init is an init system in a distribution.
type Init struct {
	// Name is systemd or openrc.
	Name string `yaml:"name"`
	// Version is that of systemd, the number alone, such as 257. 0 means that nothing is known to
	// depend on it.
	Version int `yaml:"version"`
	// Merges tells that a service of the overlay of the init system merges system extensions. Systemd
	// does that itself, and starts services of extensions, too.
	Merges bool `yaml:"merges"`
	// Cmdline are kernel arguments that it needs.
	Cmdline []string `yaml:"cmdline"`
	// Enable maps a service to the targets (systemd) or runlevels (OpenRC) that it is started in.
	Enable map[string][]string `yaml:"enable"`
	// Mask names services that never start.
	Mask []string `yaml:"mask"`
}

// Component is a program from outside the distribution: components/<name>.yaml.
type Component struct {
	Name string `yaml:"name"`
	// Like names a component that this record is laid over.
	Like string `yaml:"like"`
	// Why it is there.
	Why string `yaml:"why"`
	// Kind is kubernetes, mesh, provider or cache, or empty. A system has at most one component of a
	// kind; a spec can choose kubernetes and mesh, and has to switch cache on.
	Kind string `yaml:"kind"`
	// Variants that have the component by default. Empty means that a spec must name it.
	Variants []string `yaml:"variants"`
	// Version that is the default.
	Version string `yaml:"version"`
	// Follows names the component whose version this one has too. It has none of its own, and only
	// systems with the other can have it.
	Follows string `yaml:"follows"`
	// Releases is the publisher's list; nil when none is known.
	Releases *Releases `yaml:"releases"`
	// VersionPattern is a regular expression for the publisher's versions. Empty: any.
	VersionPattern string `yaml:"versionPattern"`
	// EOL has the last day with updates, such as 2027-06-28, by the release that the version is of,
	// such as v1.36.
	EOL map[string]string `yaml:"eol"`
	// URL and Checksums of the publisher, with {version}, {arch} and {suffix}.
	URL       string `yaml:"url"`
	Checksums string `yaml:"checksums"`
	// Arch has the publisher's names of the architectures that it builds for, and Suffix what it
	// adds to file names for them.
	Arch   map[string]string `yaml:"arch"`
	Suffix map[string]string `yaml:"suffix"`
	// Program is its path in the publisher's archive. The default is the name of the component.
	Program string `yaml:"program"`
	// Install is the path in the root filesystem.
	Install string `yaml:"install"`
	// Merged is the path in an extension, if machines merge nothing at the path in the root filesystem.
	Merged string `yaml:"merged"`
	// Links by path: other names of the program.
	Links map[string]string `yaml:"links"`
	// Files by init system and path, such as units. A file that begins with #! is executable. No
	// service is enabled.
	Files map[string]map[string]string `yaml:"files"`
	// Images is the directory from which a Kubernetes loads archives of container images when it
	// starts.
	Images string `yaml:"images"`
	// Settings is the path of a file that gets what a spec says to a component of its kind, as YAML.
	Settings string `yaml:"settings"`
	// Provides names the components that a multi-call program replaces: it acts by the name that it is
	// called by, and their paths become links to it. Only the key kairos of a spec chooses such a
	// component, and a catalog has one at most.
	Provides []string `yaml:"provides"`
	// Since is the first version of a multi-call program.
	Since string `yaml:"since"`
	// Stages of cloud-configs that the agent in the program runs beside those of all agents, each
	// with the last version that does not run it.
	Stages map[string]string `yaml:"stages"`
	// With is the release for a system with a multi-call program, by the name of that program.
	With map[string]Release `yaml:"with"`
}

// Release is what differs in a component when another program decides about its version.
type Release struct {
	// URL, Checksums and Links are those of a component, and all are replaced.
	URL       string            `yaml:"url"`
	Checksums string            `yaml:"checksums"`
	Links     map[string]string `yaml:"links"`
}

// StagesOf returns the stages that a version runs beside those of all agents, sorted.
func (c *Component) StagesOf(version string) []string {
	var stages []string
	for _, stage := range Names(c.Stages) {
		if semver.Compare(version, c.Stages[stage]) > 0 {
			stages = append(stages, stage)
		}
	}
	return stages
}

// MultiCall returns the multi-call program; nil when the catalog has none.
func (c *Catalog) MultiCall() *Component {
	for _, name := range Names(c.Components) {
		if component := c.Components[name]; len(component.Provides) > 0 {
			return component
		}
	}
	return nil
}

// Expand replaces {version}, {arch} and {suffix} in a URL of the component, or in one that replaces
// it.
func (c *Component) Expand(url, version, arch string) string {
	return strings.NewReplacer(
		"{version}", version,
		"{arch}", cmp.Or(c.Arch[arch], arch),
		"{suffix}", c.Suffix[arch],
	).Replace(url)
}

// EndOfLife is the last day with updates for a version of the component; empty when none is known.
func (c *Component) EndOfLife(version string) string {
	for release, day := range c.EOL {
		if version == release || strings.HasPrefix(version, release+".") {
			return day
		}
	}
	return ""
}

// Ended reports whether a version is of a release before all that have a last day, which had none left
// to write down.
func (c *Component) Ended(version string) bool {
	releases := slices.SortedFunc(maps.Keys(c.EOL), CompareVersions)
	return len(releases) > 0 && CompareVersions(version, releases[0]) < 0
}

// Toolbox is a set of programs that make artifacts: tools/<name>.yaml.
type Toolbox struct {
	Name string `yaml:"name"`
	// Like names a toolbox that this record is laid over.
	Like string `yaml:"like"`
	Why  string `yaml:"why"`
	// Distro that packages the tools.
	Distro string `yaml:"distro"`
	// Groups of packages. Those without a limit run on any build platform.
	Groups []Group `yaml:"groups"`
}

// Flavor returns the spec of a flavor; ok is false when there is no such flavor.
func (c *Catalog) Flavor(name string) (src *specs.Source, ok bool) {
	flavor, ok := c.flavors[name]
	return &flavor, ok
}

// FlavorNames returns the names of all flavors, sorted.
func (c *Catalog) FlavorNames() []string { return Names(c.flavors) }

// ArchiveNames are those of all distributions, sorted.
func (c *Catalog) ArchiveNames() []string {
	all := map[string]bool{}
	for _, d := range c.Distros {
		for name := range d.Archives {
			all[name] = true
		}
	}
	return Names(all)
}

// OfKind returns the names of the components of a kind, sorted.
func (c *Catalog) OfKind(kind string) []string {
	return slices.DeleteFunc(Names(c.Components), func(name string) bool { return c.Components[name].Kind != kind })
}

// OptionalGroups are the groups of packages that a spec can switch, with those of firmware for the
// kernel of a donor.
func (d *Distro) OptionalGroups(donor *Distro) []Group {
	return slices.DeleteFunc(slices.Concat(d.Groups, donor.Kernel.Firmware), func(g Group) bool { return !g.Optional })
}

// OptionalFiles are the groups of files that a spec can switch.
func (d *Distro) OptionalFiles() []FileGroup {
	return slices.DeleteFunc(slices.Clone(d.Files), func(g FileGroup) bool { return !g.Optional })
}

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
