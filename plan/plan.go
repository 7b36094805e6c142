// Package plan resolves a spec against the catalog for one platform. The result is a Plan, which
// has everything that the graph is made from. Planning is pure: it reads only its arguments, and
// the same arguments give the same plan. The package does not import BuildKit.
package plan

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// Plan is a fully resolved system for one platform. It is plain data: it can be printed, and a JSON
// round trip does not change it (Schema).
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
	// Model is the name of the model.
	Model string `json:"model" yaml:"model"`
	// Args are the build arguments of the spec, by name.
	Args []Arg `json:"args,omitempty" yaml:"args,omitempty"`
	// Source is the published image that the system is; nil for a system of a distribution.
	Source *Published `json:"source,omitempty" yaml:"source,omitempty"`
	// Userland is the distribution without the kernel.
	Userland Userland `json:"userland" yaml:"userland"`
	// Kernel is the stage that vmlinuz, modules, firmware and initramfs come from.
	Kernel Kernel `json:"kernel" yaml:"kernel"`
	// Size has the limits of size of the spec.
	Size Size `json:"size,omitzero" yaml:"size,omitempty"`
	// CommandLine has the kernel arguments.
	CommandLine CommandLine `json:"commandLine" yaml:"commandLine"`
	// Components are programs that are not packages of the distribution. Each has its own layer.
	Components []Component `json:"components,omitempty" yaml:"components,omitempty"`
	// System has the files and services of Kairos.
	System System `json:"system" yaml:"system"`
	// Files of the user.
	Files []File `json:"files,omitempty" yaml:"files,omitempty"`
	// Layers are trees of images and named contexts, in the order of the spec, so the first is its
	// layers[0].
	Layers []Layer `json:"layers,omitempty" yaml:"layers,omitempty"`
	// Preloaded are container images that the Kubernetes of the system loads when it starts, in the
	// order of the spec, so the first is its images[0].
	Preloaded []Preloaded `json:"preloaded,omitempty" yaml:"preloaded,omitempty"`
	// CloudConfig that is built into the image.
	CloudConfig Content `json:"cloudConfig,omitzero" yaml:"cloudConfig,omitempty"`
	// Release are the lines of /etc/kairos-release, in order.
	Release []Variable `json:"release" yaml:"release"`
	// Checks are the requirements of the finished root filesystem.
	Checks Checks `json:"checks" yaml:"checks"`
	// Needs are the requirements of userland, kernel and initramfs.
	Needs Needs `json:"needs" yaml:"needs"`
	// Registries are mirrors of images, the longest beginning first. A named context is looked up by
	// the name that the plan has.
	Registries []Mirror `json:"registries,omitempty" yaml:"registries,omitempty"`
	// Downloads are mirrors of downloads, the longest beginning first. A lock names a download by the
	// url that the plan has.
	Downloads []Mirror `json:"downloads,omitempty" yaml:"downloads,omitempty"`
	// CA has the certificates that package managers trust, beside those of the images; nil for none.
	CA *CA `json:"ca,omitempty" yaml:"ca,omitempty"`
	// ScriptImage is the image for steps that only need a shell and the usual commands.
	ScriptImage string `json:"scriptImage" yaml:"scriptImage"`
	// ISO is the live and installer medium.
	ISO ISO `json:"iso" yaml:"iso"`
	// Disk is the disk image.
	Disk Disk `json:"disk" yaml:"disk"`
	// Extensions are made on top of the system.
	Extensions []Extension `json:"extensions,omitempty" yaml:"extensions,omitempty"`
	// Test is the boot test; nil when the spec has none.
	Test *Test `json:"test,omitempty" yaml:"test,omitempty"`
	// Origin says where the values are set in the spec. It is not in the YAML form.
	Origin Origin `json:"origin,omitzero" yaml:"-"`
}

// Arg is a build argument of the spec.
type Arg struct {
	Name string `json:"name" yaml:"name"`
	// Value that the spec is planned with.
	Value string `json:"value" yaml:"value"`
	// Default is the value if the build gives none; nil if it must.
	Default *string `json:"default,omitempty" yaml:"default,omitempty"`
	// Description says what the argument is for.
	Description string `json:"description,omitempty" yaml:"description,omitempty"`
}

// Package of a distribution.
type Package struct {
	Name string `json:"name" yaml:"name"`
	// Version that is pinned, as the package manager shows it. Empty for the newest.
	Version string `json:"version,omitempty" yaml:"version,omitempty"`
}

// parsePackage parses a package as in a spec, with "=" before the version.
func parsePackage(text string) Package {
	name, version, _ := strings.Cut(text, "=")
	return Package{Name: name, Version: version}
}

// String returns the package as in a spec.
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
	// Mode in octal. Empty for the default of the spec.
	Mode string `json:"mode,omitempty" yaml:"mode,omitempty"`
	// Owner as uid:gid, or empty.
	Owner string `json:"owner,omitempty" yaml:"owner,omitempty"`
}

// Layer is a tree of an image or a named context that is a layer of its own.
type Layer struct {
	Name string `json:"name" yaml:"name"`
	// One of the following two.
	Image   string `json:"image,omitempty" yaml:"image,omitempty"`
	Context string `json:"context,omitempty" yaml:"context,omitempty"`
	// Path of the tree in its source, from / on.
	Path string `json:"path" yaml:"path"`
	// To is the path of the tree in the root filesystem.
	To string `json:"to" yaml:"to"`
	// Owner of all of it as uid:gid. Empty when the owners stay.
	Owner string `json:"owner,omitempty" yaml:"owner,omitempty"`
}

// Content is text, or a file in a context.
type Content struct {
	// From is the path of a file or directory, relative to the top of its context.
	From string `json:"from,omitempty" yaml:"from,omitempty"`
	// Context is the named context that From is in. Empty for the build context.
	Context string `json:"context,omitempty" yaml:"context,omitempty"`
	// Text itself.
	Text string `json:"content,omitempty" yaml:"content,omitempty"`
}

// IsZero reports whether there is no content.
func (c Content) IsZero() bool { return c == Content{} }

// Install is a set of packages in an image of a distribution.
type Install struct {
	Distro  string `json:"distro" yaml:"distro"`
	Base    string `json:"base" yaml:"base"`
	Manager string `json:"manager" yaml:"manager"`
	// Areas of the archive to enable, in addition to those of the base image.
	Areas []string `json:"areas,omitempty" yaml:"areas,omitempty"`
	// Repositories are all third-party repositories of the spec, in its order, so the first is its
	// repositories[0]. Stages that do not use them have none.
	Repositories []Repository `json:"repositories,omitempty" yaml:"repositories,omitempty"`
	// Mirrors of the archives that the base image has: From are their hosts and paths, without a
	// scheme.
	Mirrors []Mirror `json:"mirrors,omitempty" yaml:"mirrors,omitempty"`
	// KeepMirrors tells that they stay in the image.
	KeepMirrors bool `json:"keepMirrors,omitempty" yaml:"keepMirrors,omitempty"`
	// Authorities say how a system of the distribution trusts a certificate.
	Authorities *Authorities `json:"authorities,omitempty" yaml:"authorities,omitempty"`
	// Packages in the order of installation.
	Packages []Package `json:"packages,omitempty" yaml:"packages,omitempty"`
	// Prepare are files, by path, that are written before the packages are installed.
	Prepare map[string]string `json:"prepare,omitempty" yaml:"prepare,omitempty"`
	// Exclude are paths of packages that are not installed.
	Exclude []string `json:"exclude,omitempty" yaml:"exclude,omitempty"`
	// SkipRepositories are repositories of the base image to ignore, by alias.
	SkipRepositories []string `json:"skipRepositories,omitempty" yaml:"skipRepositories,omitempty"`
	// RemoveUsers are accounts of the base image to remove.
	RemoveUsers []string `json:"removeUsers,omitempty" yaml:"removeUsers,omitempty"`
	// Env is the environment of the package manager.
	Env map[string]string `json:"env,omitempty" yaml:"env,omitempty"`
}

// Mirror is a server to use instead of another one.
type Mirror struct {
	// Archive is the name of the archive of a distribution that it replaces; empty for other servers.
	Archive string `json:"archive,omitempty" yaml:"archive,omitempty"`
	// From is what urls or names begin with.
	From string `json:"from" yaml:"from"`
	// To is what they begin with instead.
	To string `json:"to" yaml:"to"`
}

// CA has the certificates of an authority in PEM: a file of a context, or a build secret.
type CA struct {
	Content `json:",inline" yaml:",inline"`
	// Secret is the id of the build secret.
	Secret string `json:"secret,omitempty" yaml:"secret,omitempty"`
	// Image tells that the system trusts it, too.
	Image bool `json:"image,omitempty" yaml:"image,omitempty"`
}

// Authorities are how a distribution is made to trust certificates (catalog.Authorities).
type Authorities struct {
	Directory string   `json:"directory" yaml:"directory"`
	List      string   `json:"list,omitempty" yaml:"list,omitempty"`
	Bundle    string   `json:"bundle,omitempty" yaml:"bundle,omitempty"`
	Update    []string `json:"update" yaml:"update"`
}

// Repository is a third-party package source.
type Repository struct {
	Name string `json:"name" yaml:"name"`
	URL  string `json:"url" yaml:"url"`
	// Suites are those of apt, or the one directory of a repository without them, which ends with a
	// slash.
	Suites     []string `json:"suites,omitempty" yaml:"suites,omitempty"`
	Components []string `json:"components,omitempty" yaml:"components,omitempty"`
	// Key that it is signed with.
	Key SigningKey `json:"key" yaml:"key"`
	// Priority as the package manager counts it; 0 is its own default.
	Priority int `json:"priority,omitempty" yaml:"priority,omitempty"`
	// Packages are the only ones that come from it. Empty: all.
	Packages []string `json:"packages,omitempty" yaml:"packages,omitempty"`
	// Keep tells that it stays in the image.
	Keep bool `json:"keep,omitempty" yaml:"keep,omitempty"`
	// Secret and Certificate are ids of build secrets: user:password, and a client certificate with
	// its key in PEM.
	Secret      string `json:"secret,omitempty" yaml:"secret,omitempty"`
	Certificate string `json:"certificate,omitempty" yaml:"certificate,omitempty"`
}

// SigningKey is a public key: a file of a context, or a download.
type SigningKey struct {
	Content  `json:",inline" yaml:",inline"`
	Download *Download `json:"download,omitempty" yaml:"download,omitempty"`
	// File is the name that its publisher gave it.
	File string `json:"file" yaml:"file"`
}

// Userland is the distribution without a kernel.
type Userland struct {
	Install `json:",inline" yaml:",inline"`
	// EOL is the last day with updates from the distribution, such as 2026-05-31.
	EOL string `json:"eol,omitempty" yaml:"eol,omitempty"`
	// Merged maps directories that are links to their targets.
	Merged map[string]string `json:"merged,omitempty" yaml:"merged,omitempty"`
	// Loader has the paths of the userland's EFI programs.
	Loader Loader `json:"loader" yaml:"loader"`
}

// Real resolves the links of merged directories in a path. A layer with a real directory would
// replace the link.
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

// Loader has the EFI programs and their names on a medium.
type Loader struct {
	Shim string `json:"shim" yaml:"shim"`
	Grub string `json:"grub" yaml:"grub"`
	// DiskGrub is the GRUB that is installed on a disk.
	DiskGrub string `json:"diskGrub" yaml:"diskGrub"`
	Default  string `json:"default" yaml:"default"`
	GrubName string `json:"grubName" yaml:"grubName"`
	// Config is the directory in which GRUB looks for its configuration.
	Config string `json:"config" yaml:"config"`
	// Copies of programs, by path: where their package has each, with shell wildcards that exactly
	// one file matches.
	Copies map[string]string `json:"copies,omitempty" yaml:"copies,omitempty"`
	// From installs the programs of another distribution, for a userland that has none.
	From *Install `json:"from,omitempty" yaml:"from,omitempty"`
}

// Kernel is the stage of the kernel, made from the donor.
type Kernel struct {
	Install `json:",inline" yaml:",inline"`
	// EOL is the last day with updates from the distribution, such as 2026-05-31.
	EOL string `json:"eol,omitempty" yaml:"eol,omitempty"`
	// Own is a custom kernel, which replaces the kernel package.
	Own *Own `json:"own,omitempty" yaml:"own,omitempty"`
	// CompressModules with zstd when they are extracted from the donor's stage.
	CompressModules bool `json:"compressModules" yaml:"compressModules"`
	// Omit are classes of kernel modules that the root filesystem goes without. A module of them
	// that another module needs is there all the same.
	Omit []ModuleClass `json:"omit,omitempty" yaml:"omit,omitempty"`
	// Initramfs is made in the donor's stage, for its kernel.
	Initramfs Initramfs `json:"initramfs" yaml:"initramfs"`
}

// Own is a custom kernel, in an image or in a named context.
type Own struct {
	Image   string `json:"image,omitempty" yaml:"image,omitempty"`
	Context string `json:"context,omitempty" yaml:"context,omitempty"`
}

// Initramfs says how the initramfs is made.
type Initramfs struct {
	Tool       string   `json:"tool" yaml:"tool"`
	Overlay    string   `json:"overlay" yaml:"overlay"`
	Components []string `json:"components,omitempty" yaml:"components,omitempty"`
	// Network is true if the initramfs of the system can use a network.
	Network bool `json:"network,omitempty" yaml:"network,omitempty"`
	// NetworkOverlay is what a network needs in addition to Overlay.
	NetworkOverlay string `json:"networkOverlay" yaml:"networkOverlay"`
	// Omit are classes of kernel modules to leave out.
	Omit []ModuleClass `json:"omit,omitempty" yaml:"omit,omitempty"`
}

// Size has limits of size in MiB; 0 is no limit.
type Size struct {
	// Root is the limit of all files of the root filesystem, unpacked.
	Root int `json:"root,omitempty" yaml:"root,omitempty"`
	// Initramfs is the limit of the initramfs of the system, compressed.
	Initramfs int `json:"initramfs,omitempty" yaml:"initramfs,omitempty"`
}

// ModuleClass is a class of kernel modules.
type ModuleClass struct {
	// Name of the class in the catalog.
	Name string `json:"name" yaml:"name"`
	// Why the root filesystem goes without it.
	Why string `json:"why,omitempty" yaml:"why,omitempty"`
	// Network is true if an initramfs with a network keeps the modules.
	Network bool `json:"network,omitempty" yaml:"network,omitempty"`
	// Paths are directories below /lib/modules/VERSION/kernel, or modules without their extension,
	// whose last part may have wildcards of the shell.
	Paths []string `json:"paths,omitempty" yaml:"paths,omitempty"`
	// Keep are names of modules below Paths that are not in the class.
	Keep []string `json:"keep,omitempty" yaml:"keep,omitempty"`
}

// Component is a program and its source.
type Component struct {
	Name string `json:"name" yaml:"name"`
	// Kind is kubernetes, mesh, provider, cache or empty.
	Kind    string `json:"kind,omitempty" yaml:"kind,omitempty"`
	Version string `json:"version" yaml:"version"`
	// EOL is the last day with updates for the release that the version is of.
	EOL string `json:"eol,omitempty" yaml:"eol,omitempty"`
	// Install is the path in the root filesystem.
	Install string `json:"install" yaml:"install"`
	// Links are links to the program.
	Links []Link `json:"links,omitempty" yaml:"links,omitempty"`
	// Provides are paths of other components that are links to this multi-call program, by the name of
	// the component.
	Provides map[string]string `json:"provides,omitempty" yaml:"provides,omitempty"`
	// Stages of cloud-configs that its agent runs beside those of all agents.
	Stages []string `json:"stages,omitempty" yaml:"stages,omitempty"`
	// Files of the program, such as its units, by path.
	Files map[string]string `json:"files,omitempty" yaml:"files,omitempty"`
	// One of the following three. A named context with the component's name replaces it.
	Download *Download `json:"download,omitempty" yaml:"download,omitempty"`
	Image    string    `json:"image,omitempty" yaml:"image,omitempty"`
	Context  string    `json:"context,omitempty" yaml:"context,omitempty"`
	// Path of the program in its source.
	Path string `json:"path" yaml:"path"`
}

// Download is a file to download and verify: with a checksum, or with the URL of the publisher's
// list of checksums.
type Download struct {
	URL       string `json:"url" yaml:"url"`
	SHA256    string `json:"sha256,omitempty" yaml:"sha256,omitempty"`
	Checksums string `json:"checksums,omitempty" yaml:"checksums,omitempty"`
	// Secret is the id of the build secret with the value of the header Authorization for both.
	Secret string `json:"secret,omitempty" yaml:"secret,omitempty"`
}

// System has the overlay and the services.
type System struct {
	Init string `json:"init" yaml:"init"`
	// Overlays are sets of files of the catalog.
	Overlays []string            `json:"overlays,omitempty" yaml:"overlays,omitempty"`
	Enable   map[string][]string `json:"enable,omitempty" yaml:"enable,omitempty"`
	Mask     []string            `json:"mask,omitempty" yaml:"mask,omitempty"`
	// Directories and Links that the distribution needs in addition to the overlays.
	Directories []string `json:"directories,omitempty" yaml:"directories,omitempty"`
	Links       []Link   `json:"links,omitempty" yaml:"links,omitempty"`
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

// Checks are requirements of the root filesystem, in addition to the checks of every image.
type Checks struct {
	// Commands that must be in the PATH of the root filesystem.
	Commands []string `json:"commands,omitempty" yaml:"commands,omitempty"`
	// Programs that must exist, by absolute path.
	Programs []string `json:"programs,omitempty" yaml:"programs,omitempty"`
}

// Tools are the programs that make an artifact.
type Tools struct {
	Install `json:",inline" yaml:",inline"`
	// Native is true if the tools can run on the build platform; otherwise they need the
	// architecture of the target platform.
	Native bool `json:"native" yaml:"native"`
}

// ISO is the live and installer medium.
type ISO struct {
	// Label of the medium. The live system finds the medium by it.
	Label       string  `json:"label" yaml:"label"`
	Compression string  `json:"compression" yaml:"compression"`
	Level       int     `json:"level,omitempty" yaml:"level,omitempty"`
	BIOS        bool    `json:"bios" yaml:"bios"`
	CloudConfig Content `json:"cloudConfig,omitzero" yaml:"cloudConfig,omitempty"`
	// Tools make the medium and the netboot files.
	Tools Tools `json:"tools" yaml:"tools"`
}

// String returns the plan as YAML.
func (p *Plan) String() string {
	text, err := yaml.Dump(p)
	if err != nil {
		return err.Error() // cannot happen: a plan is plain data
	}
	return string(text)
}

// At returns where a value is set in the spec (Origin.At).
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

// Program returns the component that has a program, by the name of the program, and the path that
// the program is called by. Several programs may be one component (Component.Provides).
func (p *Plan) Program(name string) (c Component, path string, ok bool) {
	for _, c := range p.Components {
		if c.Name == name {
			return c, c.Install, true
		}
		if path, ok := c.Provides[name]; ok {
			return c, path, true
		}
	}
	return Component{}, "", false
}

// RunsStages returns the stages of cloud-configs that the system runs beside those of all agents.
func (p *Plan) RunsStages() (stages []string) {
	for _, c := range p.Components {
		stages = append(stages, c.Stages...)
	}
	return stages
}

// Diagnose returns an error that points at a value of the spec.
func (p *Plan) Diagnose(rule rules.Rule, k key.Key, hint, format string, args ...any) error {
	return specs.Diagnostics{p.Origin.Diagnose(rule, k, hint, format, args...)}
}
