// Package plan resolves a spec against the catalog, for one platform, into a
// Plan: everything that the graph needs to know, spelled out. Planning is
// pure: it reads nothing but its arguments, and the same arguments give the
// same plan. It imports no BuildKit.
package plan

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// Plan is a fully resolved system for one platform. It is plain data: it can be
// printed, is golden-tested for every flavor, and reads back from JSON as it was
// (Schema).
type Plan struct {
	// Image is the usual name and tag of the OCI image (contract 5.3).
	Image string `json:"image" yaml:"image"`
	// File is the name of every artifact, without its extension.
	File string `json:"file" yaml:"file"`
	// Version of the system, as the spec has it.
	Version string `json:"version" yaml:"version"`
	// Variant is core or standard.
	Variant string `json:"variant" yaml:"variant"`
	// Arch is the architecture as Go names it.
	Arch string `json:"arch" yaml:"arch"`
	// Model is the name of the machine that the system is for.
	Model string `json:"model" yaml:"model"`
	// Userland is the distribution that everything but the kernel is from.
	Userland Userland `json:"userland" yaml:"userland"`
	// Kernel is the donor of vmlinuz, modules, firmware and initramfs.
	Kernel Kernel `json:"kernel" yaml:"kernel"`
	// Components are programs beside the distribution, a layer each.
	Components []Component `json:"components,omitempty" yaml:"components,omitempty"`
	// System is what makes the root filesystem a Kairos one.
	System System `json:"system" yaml:"system"`
	// Files of the user.
	Files []File `json:"files,omitempty" yaml:"files,omitempty"`
	// CloudConfig that is built into the image.
	CloudConfig Content `json:"cloudConfig,omitzero" yaml:"cloudConfig,omitempty"`
	// Release are the lines of /etc/kairos-release, in order.
	Release []Variable `json:"release" yaml:"release"`
	// Checks are what the finished root filesystem is held to.
	Checks Checks `json:"checks" yaml:"checks"`
	// Needs are what userland, kernel and initramfs are held to.
	Needs Needs `json:"needs" yaml:"needs"`
	// ScriptImage is the image in which steps run that need a shell and the usual
	// commands, and nothing of the system.
	ScriptImage string `json:"scriptImage" yaml:"scriptImage"`
	// ISO is the live and installer medium.
	ISO ISO `json:"iso" yaml:"iso"`
	// Disk is the disk image.
	Disk Disk `json:"disk" yaml:"disk"`
	// Test is the boot test; nil when the spec has none.
	Test *Test `json:"test,omitempty" yaml:"test,omitempty"`
	// Origin is where the spec decided about all this. YAML leaves it out.
	Origin Origin `json:"origin,omitzero" yaml:"-"`
}

// Package of a distribution.
type Package struct {
	Name string `json:"name" yaml:"name"`
	// Version that is pinned, as the package manager shows it. Empty: the newest.
	Version string `json:"version,omitempty" yaml:"version,omitempty"`
}

// parsePackage reads a package as specs write it, with a "=" before a version.
func parsePackage(text string) Package {
	name, version, _ := strings.Cut(text, "=")
	return Package{Name: name, Version: version}
}

// String is the package as specs write it.
func (p Package) String() string {
	if p.Version == "" {
		return p.Name
	}
	return p.Name + "=" + p.Version
}

// File is one file or directory of the user.
type File struct {
	// Path in the root filesystem.
	Path    string `json:"path" yaml:"path"`
	Content `json:",inline" yaml:",inline"`
	// Mode in octal, or empty: the default of the spec.
	Mode string `json:"mode,omitempty" yaml:"mode,omitempty"`
	// Owner is uid:gid, or empty.
	Owner string `json:"owner,omitempty" yaml:"owner,omitempty"`
}

// Content is text, or a file of a context.
type Content struct {
	// From is the path of a file or directory, from the top of its context.
	From string `json:"from,omitempty" yaml:"from,omitempty"`
	// Context is the named context that From is in. Empty: the build context.
	Context string `json:"context,omitempty" yaml:"context,omitempty"`
	// Text itself.
	Text string `json:"content,omitempty" yaml:"content,omitempty"`
}

// IsZero tells whether there is none.
func (c Content) IsZero() bool { return c == Content{} }

// Install is a set of packages in an image of a distribution.
type Install struct {
	Distro  string `json:"distro" yaml:"distro"`
	Base    string `json:"base" yaml:"base"`
	Manager string `json:"manager" yaml:"manager"`
	// Areas of the archive that packages are in, beside those that the base image
	// asks for.
	Areas []string `json:"areas,omitempty" yaml:"areas,omitempty"`
	// Packages in the order they are asked for.
	Packages []Package `json:"packages,omitempty" yaml:"packages,omitempty"`
	// Prepare are files, by path, that are there before the first package.
	Prepare map[string]string `json:"prepare,omitempty" yaml:"prepare,omitempty"`
	// Exclude are paths that no package may bring.
	Exclude []string `json:"exclude,omitempty" yaml:"exclude,omitempty"`
	// SkipRepositories are those of the base, by alias, that are not read.
	SkipRepositories []string `json:"skipRepositories,omitempty" yaml:"skipRepositories,omitempty"`
	// RemoveUsers are accounts of the base that are taken away.
	RemoveUsers []string `json:"removeUsers,omitempty" yaml:"removeUsers,omitempty"`
	// Env is the environment of the package manager.
	Env map[string]string `json:"env,omitempty" yaml:"env,omitempty"`
}

// Userland is the distribution without a kernel.
type Userland struct {
	Install `json:",inline" yaml:",inline"`
	// Merged are directories that are links, with the directories that they point to.
	Merged map[string]string `json:"merged,omitempty" yaml:"merged,omitempty"`
	// Loader is where the userland keeps its EFI programs.
	Loader Loader `json:"loader" yaml:"loader"`
}

// Real returns where a path of the root filesystem is without the links of
// merged directories. A layer that brings a real directory would replace the link.
func (u Userland) Real(path string) string {
	for {
		moved := u.follow(path)
		if moved == path {
			return path
		}
		path = moved
	}
}

func (u Userland) follow(path string) string {
	for from, to := range u.Merged {
		if path == from || strings.HasPrefix(path, from+"/") {
			return to + strings.TrimPrefix(path, from)
		}
	}
	return path
}

// Loader are EFI programs and the names they get on a medium.
type Loader struct {
	Shim string `json:"shim" yaml:"shim"`
	Grub string `json:"grub" yaml:"grub"`
	// DiskGrub is the one that is installed on a disk.
	DiskGrub string `json:"diskGrub" yaml:"diskGrub"`
	Default  string `json:"default" yaml:"default"`
	GrubName string `json:"grubName" yaml:"grubName"`
	// Config is the directory in which GRUB looks for its configuration.
	Config string `json:"config" yaml:"config"`
	// From lends the programs to a userland that has none.
	From *Install `json:"from,omitempty" yaml:"from,omitempty"`
}

// Kernel is a stage of its own, made from the donor.
type Kernel struct {
	Install `json:",inline" yaml:",inline"`
	// Own is a kernel that takes the place of a package.
	Own *Own `json:"own,omitempty" yaml:"own,omitempty"`
	// CompressModules with zstd when they are taken out of the donor's stage.
	CompressModules bool `json:"compressModules" yaml:"compressModules"`
	// Initramfs is made in the donor's stage for exactly its kernel.
	Initramfs Initramfs `json:"initramfs" yaml:"initramfs"`
}

// Own is a kernel of the user, in an image or in a named context.
type Own struct {
	Image   string `json:"image,omitempty" yaml:"image,omitempty"`
	Context string `json:"context,omitempty" yaml:"context,omitempty"`
}

// Initramfs is what the initramfs is made with.
type Initramfs struct {
	Tool       string   `json:"tool" yaml:"tool"`
	Overlay    string   `json:"overlay" yaml:"overlay"`
	Components []string `json:"components,omitempty" yaml:"components,omitempty"`
	// Network tells that the initramfs of the system can use a network.
	Network bool `json:"network,omitempty" yaml:"network,omitempty"`
	// NetworkOverlay is what Overlay lacks for a network.
	NetworkOverlay string `json:"networkOverlay" yaml:"networkOverlay"`
	// Omit are classes of kernel modules that are left out.
	Omit []ModuleClass `json:"omit,omitempty" yaml:"omit,omitempty"`
}

// ModuleClass is a class of kernel modules.
type ModuleClass struct {
	// Name of the class in the catalog.
	Name string `json:"name" yaml:"name"`
	// Network tells that an initramfs with a network has the modules.
	Network bool `json:"network,omitempty" yaml:"network,omitempty"`
	// Paths are directories below /lib/modules/VERSION/kernel, or modules there
	// without their extension.
	Paths []string `json:"paths,omitempty" yaml:"paths,omitempty"`
	// Keep are modules below Paths that are not in the class, by name.
	Keep []string `json:"keep,omitempty" yaml:"keep,omitempty"`
}

// Component is a program and where it comes from.
type Component struct {
	Name string `json:"name" yaml:"name"`
	// Kind is kubernetes, mesh or provider, or nothing.
	Kind    string `json:"kind,omitempty" yaml:"kind,omitempty"`
	Version string `json:"version" yaml:"version"`
	// Install is the path in the root filesystem.
	Install string `json:"install" yaml:"install"`
	// Links are other names of the program.
	Links []Link `json:"links,omitempty" yaml:"links,omitempty"`
	// Files, by path, that belong to the program, such as its units.
	Files map[string]string `json:"files,omitempty" yaml:"files,omitempty"`
	// One of the following three, unless a named context with the component's
	// name is given.
	Download *Download `json:"download,omitempty" yaml:"download,omitempty"`
	Image    string    `json:"image,omitempty" yaml:"image,omitempty"`
	Context  string    `json:"context,omitempty" yaml:"context,omitempty"`
	// Path of the program in its source.
	Path string `json:"path" yaml:"path"`
}

// Download is a file on the network with what verifies it: a checksum, or
// the url of the publisher's list of checksums.
type Download struct {
	URL       string `json:"url" yaml:"url"`
	SHA256    string `json:"sha256,omitempty" yaml:"sha256,omitempty"`
	Checksums string `json:"checksums,omitempty" yaml:"checksums,omitempty"`
}

// System is the overlay and the services.
type System struct {
	Init string `json:"init" yaml:"init"`
	// Overlays are sets of files of the catalog.
	Overlays []string            `json:"overlays,omitempty" yaml:"overlays,omitempty"`
	Enable   map[string][]string `json:"enable,omitempty" yaml:"enable,omitempty"`
	Mask     []string            `json:"mask,omitempty" yaml:"mask,omitempty"`
	// Directories and Links that the distribution needs beside the overlays.
	Directories []string `json:"directories,omitempty" yaml:"directories,omitempty"`
	Links       []Link   `json:"links,omitempty" yaml:"links,omitempty"`
	// Model is what the machine needs beside the usual kernel arguments.
	Model Model `json:"model,omitzero" yaml:"model,omitempty"`
	// Cmdline are kernel arguments of the user.
	Cmdline []string `json:"cmdline,omitempty" yaml:"cmdline,omitempty"`
}

// Model are kernel arguments of a kind of machine.
type Model struct {
	// Console replaces the usual serial consoles.
	Console []string `json:"console,omitempty" yaml:"console,omitempty"`
	Cmdline []string `json:"cmdline,omitempty" yaml:"cmdline,omitempty"`
}

// Link is a symbolic link.
type Link struct {
	Path   string `json:"path" yaml:"path"`
	Target string `json:"target" yaml:"target"`
}

// Variable is a line of /etc/kairos-release.
type Variable struct {
	Name  string `json:"name" yaml:"name"`
	Value string `json:"value" yaml:"value"`
}

// Checks are what must be found in the root filesystem, beside the checks
// that every image has.
type Checks struct {
	// Commands in the PATH of the root filesystem that packages are there for.
	Commands []string `json:"commands,omitempty" yaml:"commands,omitempty"`
	// Programs by full path.
	Programs []string `json:"programs,omitempty" yaml:"programs,omitempty"`
}

// Tools are the programs that an artifact is made with.
type Tools struct {
	Install `json:",inline" yaml:",inline"`
	// Native tells that the tools can run on any builder; otherwise they need
	// the architecture of the target.
	Native bool `json:"native" yaml:"native"`
}

// ISO is the live and installer medium.
type ISO struct {
	// Label of the medium, by which the live system finds it.
	Label       string  `json:"label" yaml:"label"`
	Compression string  `json:"compression" yaml:"compression"`
	Level       int     `json:"level,omitempty" yaml:"level,omitempty"`
	BIOS        bool    `json:"bios" yaml:"bios"`
	CloudConfig Content `json:"cloudConfig,omitzero" yaml:"cloudConfig,omitempty"`
	// Tools make the medium, and what is booted over the network.
	Tools Tools `json:"tools" yaml:"tools"`
}

// String is the plan as YAML.
func (p *Plan) String() string {
	text, err := yaml.Dump(p)
	if err != nil {
		return err.Error() // a plan is plain data, there is nothing to fail
	}
	return string(text)
}

// At is where the spec decided about a value (Origin.At).
func (p *Plan) At(k key.Key) specs.Range { return p.Origin.At(k) }

// Component returns a component by name.
func (p *Plan) Component(name string) (Component, bool) {
	for _, c := range p.Components {
		if c.Name == name {
			return c, true
		}
	}
	return Component{}, false
}

// Kubernetes is the distribution of Kubernetes; ok is false when the system has
// none.
func (p *Plan) Kubernetes() (c Component, ok bool) {
	at := slices.IndexFunc(p.Components, func(c Component) bool { return c.Kind == specs.KindKubernetes })
	if at < 0 {
		return Component{}, false
	}
	return p.Components[at], true
}

// Diagnose makes an error that points at a value of the spec.
func (p *Plan) Diagnose(rule rules.Rule, k key.Key, hint, format string, args ...any) error {
	return specs.Diagnostics{p.Origin.Diagnose(rule, k, hint, format, args...)}
}
