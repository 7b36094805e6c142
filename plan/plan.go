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
	"github.com/flavorkit/flavorkit/specs/rules"
)

// Plan is a fully resolved system for one platform. It can be printed, and is
// golden-tested for every flavor.
type Plan struct {
	// Image is the usual name and tag of the OCI image (contract 5.3).
	Image string `yaml:"image"`
	// File is the name of every artifact, without its extension.
	File string `yaml:"file"`
	// Arch is the architecture as Go names it.
	Arch string `yaml:"arch"`
	// Userland is the distribution that everything but the kernel is from.
	Userland Userland `yaml:"userland"`
	// Kernel is the donor of vmlinuz, modules, firmware and initramfs.
	Kernel Kernel `yaml:"kernel"`
	// Components are programs beside the distribution, a layer each.
	Components []Component `yaml:"components"`
	// System is what makes the root filesystem a Kairos one.
	System System `yaml:"system"`
	// Files of the user.
	Files []specs.File `yaml:"files,omitempty"`
	// CloudConfig that is built into the image.
	CloudConfig specs.Content `yaml:"cloudConfig,omitempty"`
	// Release are the lines of /etc/kairos-release, in order.
	Release []Variable `yaml:"release"`
	// Checks are what the finished root filesystem is held to.
	Checks Checks `yaml:"checks"`
	// Compat are what userland, kernel and initramfs need of each other.
	Compat Compat `yaml:"compat"`
	// Tools are the programs that artifacts are made with.
	Tools Tools `yaml:"tools"`
	// ISO is the live and installer medium.
	ISO ISO `yaml:"iso"`
	// Disk is the disk image.
	Disk Disk `yaml:"disk"`
	// Test is the boot test; nil when the spec has none.
	Test *Test `yaml:"test,omitempty"`

	doc *specs.Document
}

// Install is a set of packages in an image of a distribution.
type Install struct {
	Distro  string `yaml:"distro"`
	Base    string `yaml:"base"`
	Manager string `yaml:"manager"`
	// Areas of the archive that packages are in, beside those that the base image
	// asks for.
	Areas []string `yaml:"areas,omitempty"`
	// Packages in the order they are asked for. A version that is pinned
	// follows a "=".
	Packages []string `yaml:"packages"`
	// Prepare are files, by path, that are there before the first package.
	Prepare map[string]string `yaml:"prepare,omitempty"`
	// Exclude are paths that no package may bring.
	Exclude []string `yaml:"exclude,omitempty"`
	// Env is the environment of the package manager.
	Env map[string]string `yaml:"env,omitempty"`
}

// Userland is the distribution without a kernel.
type Userland struct {
	Install `yaml:",inline"`
	// Merged are folders that are links, with the folders that they point to.
	Merged map[string]string `yaml:"merged,omitempty"`
	// Loader is where the userland keeps its EFI programs.
	Loader Loader `yaml:"loader"`
}

// Real returns where a path of the root filesystem is without the links of
// merged folders. A layer that brings a real folder would replace the link.
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
	Shim string `yaml:"shim"`
	Grub string `yaml:"grub"`
	// DiskGrub is the one that is installed on a disk.
	DiskGrub string `yaml:"diskGrub"`
	Default  string `yaml:"default"`
	GrubName string `yaml:"grubName"`
	// Config is the folder in which GRUB looks for its configuration.
	Config string `yaml:"config"`
	// From lends the programs to a userland that has none.
	From *Install `yaml:"from,omitempty"`
}

// Kernel is a stage of its own, made from the donor.
type Kernel struct {
	Install `yaml:",inline"`
	// Own is a kernel that takes the place of a package.
	Own *Own `yaml:"own,omitempty"`
	// CompressModules with zstd when they are taken out of the donor's stage.
	CompressModules bool `yaml:"compressModules"`
	// Initramfs is made in the donor's stage for exactly its kernel.
	Initramfs Initramfs `yaml:"initramfs"`
}

// Own is a kernel of the user, in an image or in a named context.
type Own struct {
	Image   string `yaml:"image,omitempty"`
	Context string `yaml:"context,omitempty"`
}

// Initramfs is what the initramfs is made with.
type Initramfs struct {
	Tool       string   `yaml:"tool"`
	Overlay    string   `yaml:"overlay"`
	Components []string `yaml:"components"`
}

// Component is a program and where it comes from.
type Component struct {
	Name string `yaml:"name"`
	// Kind is kubernetes, mesh or provider, or nothing.
	Kind    string `yaml:"kind,omitempty"`
	Version string `yaml:"version"`
	// Install is the path in the root filesystem.
	Install string `yaml:"install"`
	// Links are other names of the program.
	Links []Link `yaml:"links,omitempty"`
	// Files, by path, that belong to the program, such as its units.
	Files map[string]string `yaml:"files,omitempty"`
	// One of the following three, unless a named context with the component's
	// name is given.
	Download *Download `yaml:"download,omitempty"`
	Image    string    `yaml:"image,omitempty"`
	Context  string    `yaml:"context,omitempty"`
	// Path of the program in its source.
	Path string `yaml:"path"`
}

// Download is a file on the network with what verifies it: a checksum, or
// the url of the publisher's list of checksums.
type Download struct {
	URL       string `yaml:"url"`
	SHA256    string `yaml:"sha256,omitempty"`
	Checksums string `yaml:"checksums,omitempty"`
}

// System is the overlay and the services.
type System struct {
	Init string `yaml:"init"`
	// Overlays are the sets of files in specs/catalog/overlay.
	Overlays []string            `yaml:"overlays"`
	Enable   map[string][]string `yaml:"enable"`
	Mask     []string            `yaml:"mask,omitempty"`
	// Directories and Links that the distribution needs beside the overlays.
	Directories []string `yaml:"directories,omitempty"`
	Links       []Link   `yaml:"links,omitempty"`
	// Model is what the machine needs beside the usual kernel arguments.
	Model Model `yaml:"model,omitempty"`
	// Cmdline are kernel arguments of the user.
	Cmdline []string `yaml:"cmdline,omitempty"`
}

// Model are kernel arguments of a kind of machine.
type Model struct {
	// Console replaces the usual serial consoles.
	Console []string `yaml:"console,omitempty"`
	Cmdline []string `yaml:"cmdline,omitempty"`
}

// Link is a symbolic link.
type Link struct {
	Path   string `yaml:"path"`
	Target string `yaml:"target"`
}

// Variable is a line of /etc/kairos-release.
type Variable struct {
	Name  string `yaml:"name"`
	Value string `yaml:"value"`
}

// Checks are what must be found in the root filesystem, beside the checks
// that every image has.
type Checks struct {
	// Commands in the PATH of the root filesystem.
	Commands []string `yaml:"commands"`
	// Programs by full path.
	Programs []string `yaml:"programs"`
}

// Tools are the programs that artifacts are made with.
type Tools struct {
	Install `yaml:",inline"`
	// Native tells that the tools can run on any builder; otherwise they need
	// the architecture of the target.
	Native bool `yaml:"native"`
}

// ISO is the live and installer medium.
type ISO struct {
	// Label of the medium, by which the live system finds it.
	Label       string        `yaml:"label"`
	Compression string        `yaml:"compression"`
	Level       int           `yaml:"level,omitempty"`
	BIOS        bool          `yaml:"bios"`
	CloudConfig specs.Content `yaml:"cloudConfig,omitempty"`
}

// String is the plan as YAML.
func (p *Plan) String() string {
	text, err := yaml.Dump(p)
	if err != nil {
		return err.Error() // a plan is plain data, there is nothing to fail
	}
	return string(text)
}

// At returns where the user's spec decided about a value, so that a failing
// step can point there.
func (p *Plan) At(key string) specs.Range { return p.doc.Decision(key) }

// Written returns the file that a value was written in.
func (p *Plan) Written(key string) *specs.Source { return p.doc.At(key).Source }

// Range returns where a value was written.
func (p *Plan) Range(key string) specs.Range { return p.doc.At(key) }

// Version of the system.
func (p *Plan) Version() string { return p.doc.Spec.Version }

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
	at := slices.IndexFunc(p.Components, func(c Component) bool { return c.Kind == "kubernetes" })
	if at < 0 {
		return Component{}, false
	}
	return p.Components[at], true
}

// Diagnose makes an error that points at a value of the spec.
func (p *Plan) Diagnose(rule rules.Rule, key, hint, format string, args ...any) error {
	return specs.Diagnostics{p.doc.Diagnose(rule, key, hint, format, args...)}
}
