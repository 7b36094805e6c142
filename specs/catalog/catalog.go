// Package catalog is what flavorkit knows about the world, as data: the
// distributions, the programs that make a root filesystem a Kairos one, and
// the tools that artifacts are made with. Go code holds no fact about any of
// them.
package catalog

import (
	"embed"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"
)

//go:embed distros components tools
var builtin embed.FS

// Catalog is everything that is known, by name.
type Catalog struct {
	Distros    map[string]*Distro
	Components map[string]*Component
	Tools      map[string]*Toolbox
}

// Distro is one release of a distribution: distros/<name>.yaml.
type Distro struct {
	// Name that specs use, such as debian-12.
	Name string `yaml:"name"`
	// Title for people.
	Title string `yaml:"title"`
	// Family, Flavor and Release become KAIROS_FAMILY, KAIROS_FLAVOR and
	// KAIROS_FLAVOR_RELEASE (contract 1.8).
	Family  string `yaml:"family"`
	Flavor  string `yaml:"flavor"`
	Release string `yaml:"release"`
	// Base is the image that everything starts from.
	Base string `yaml:"base"`
	// Manager is the package manager: apt, zypper, apk or dnf.
	Manager string `yaml:"manager"`
	// Architectures that the distribution is supported on, as Go names them.
	Architectures []string `yaml:"architectures"`
	// UsrMerged tells that /lib, /bin and /sbin are links into /usr, so that
	// no layer may bring a real /lib.
	UsrMerged bool `yaml:"usrMerged"`
	// Prepare are files, by path, that hooks of packages look at, so that they
	// leave to flavorkit what is its own work.
	Prepare map[string]string `yaml:"prepare"`
	// Exclude are paths that no package may bring, as patterns of the package
	// manager: with wildcards for apt, folders for zypper and dnf.
	Exclude []string `yaml:"exclude"`
	// Directories that the system needs beside those of every system.
	Directories []string `yaml:"directories"`
	// Links by path, to what other programs call by another name.
	Links map[string]string `yaml:"links"`
	// Groups of userland packages, by purpose.
	Groups []Group `yaml:"groups"`
	// Kernel says how the distribution donates its kernel.
	Kernel Kernel `yaml:"kernel"`
	// Loaders are the signed EFI programs of the userland, by architecture.
	Loaders map[string]Loader `yaml:"loaders"`
	// Inits are the init systems that the userland can have; the order counts,
	// the first is the default.
	Inits []Init `yaml:"inits"`
}

// Group is a set of packages with one purpose.
type Group struct {
	Name string `yaml:"name"`
	// Why the group is there.
	Why string `yaml:"why"`
	// Optional groups can be switched off by a spec.
	Optional bool `yaml:"optional"`
	// Arch, Init and Variant limit the group, when set.
	Arch    []string `yaml:"arch"`
	Init    string   `yaml:"init"`
	Variant string   `yaml:"variant"`
	// Packages by name.
	Packages map[string]Package `yaml:"packages"`
}

// Package is the reason for a package.
type Package struct {
	// Why it is on the list.
	Why string `yaml:"why"`
	// Commands that it is there for. Each must be found in the finished root
	// filesystem, as long as the package is on the list.
	Commands []string `yaml:"commands"`
}

// UnmarshalYAML takes a plain string for the reason alone.
func (p *Package) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		p.Why = n.Value
		return nil
	}
	type plain Package
	return n.Load((*plain)(p), yaml.WithKnownFields())
}

// Kernel is how a distribution donates a kernel.
type Kernel struct {
	// Packages by architecture: the kernel and its firmware. The first is the
	// kernel, the one that a spec can replace or pin.
	Packages map[string][]string `yaml:"packages"`
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
	// Shim is the first stage; it is started by the firmware.
	Shim string `yaml:"shim"`
	// Grub is started by shim, from media that are not installed systems.
	Grub string `yaml:"grub"`
	// Default is the name that the firmware looks for on removable media.
	Default string `yaml:"default"`
	// GrubName is the name by which shim looks for its second stage.
	GrubName string `yaml:"grubName"`
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
	// Why it is there.
	Why string `yaml:"why"`
	// Version that is the default.
	Version string `yaml:"version"`
	// URL and Checksums of the publisher, with {version} and {arch}.
	URL       string `yaml:"url"`
	Checksums string `yaml:"checksums"`
	// Arch is how the publisher spells the architectures.
	Arch map[string]string `yaml:"arch"`
	// Install is the path in the root filesystem.
	Install string `yaml:"install"`
	// Variants that have the component without being asked. Empty: a spec has
	// to name it.
	Variants []string `yaml:"variants"`
}

// Toolbox is a set of programs that artifacts are made with, in a vertex of
// its own: tools/<name>.yaml.
type Toolbox struct {
	Name string `yaml:"name"`
	Why  string `yaml:"why"`
	// Distro that the tools are packages of.
	Distro string `yaml:"distro"`
	// Groups of packages.
	Groups []Group `yaml:"groups"`
}

// Builtin returns the catalog that is part of flavorkit.
func Builtin() (*Catalog, error) { return Load(builtin) }

// Load reads a catalog from folders of files. Where two have an entry of the
// same name, the later one counts.
func Load(sources ...fs.FS) (*Catalog, error) {
	c := &Catalog{Distros: map[string]*Distro{}, Components: map[string]*Component{}, Tools: map[string]*Toolbox{}}
	for _, source := range sources {
		if err := errors.Wrap(readAll(source, "distros", c.Distros), "read the catalog"); err != nil {
			return nil, err
		}
		if err := errors.Wrap(readAll(source, "components", c.Components), "read the catalog"); err != nil {
			return nil, err
		}
		if err := errors.Wrap(readAll(source, "tools", c.Tools), "read the catalog"); err != nil {
			return nil, err
		}
	}
	return c, c.validate()
}

// readAll reads every YAML file of a folder into entries, by file name.
func readAll[T any](source fs.FS, folder string, entries map[string]*T) error {
	files, err := fs.Glob(source, folder+"/*.yaml")
	if err != nil {
		return err
	}
	for _, file := range files {
		data, err := fs.ReadFile(source, file)
		if err != nil {
			return err
		}
		entry := new(T)
		if err := yaml.Load(data, entry, yaml.WithKnownFields()); err != nil {
			return errors.Wrap(err, file)
		}
		entries[strings.TrimSuffix(path.Base(file), ".yaml")] = entry
	}
	return nil
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
