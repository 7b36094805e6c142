package specs

// Spec is a kairos.spec, merged with everything that it extends. A field is zero if no file sets
// it.
type Spec struct {
	// The base of this spec: a built-in flavor (debian-12), a file (./base.spec), a named context
	// that contains a kairos.spec (acme), or another spec of one (acme/edge.spec).
	Extends string `yaml:"extends,omitempty" json:"extends,omitempty"`
	// Build arguments, by name. A build can give them values with --build-arg NAME=VALUE, and
	// ${NAME} in a value of the spec is replaced.
	Args map[string]Arg `yaml:"args,omitempty" json:"args,omitempty"`
	// The name of the product, used as the first part of file names. Images are named after the
	// flavor, so products with the same flavor and version need separate registries or tags. The
	// default is "kairos".
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// The version of the system: a semantic version with a leading v, such as v1.4.0. Upgrades
	// compare it.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
	// What the system contains: core (no Kubernetes) or standard (Kubernetes and mesh). The default
	// is core.
	Variant string `yaml:"variant,omitempty" json:"variant,omitempty" jsonschema:"enum=core,enum=standard"`
	// The machine that the system is for: generic, virtual, or a board. The default is generic.
	Model string `yaml:"model,omitempty" json:"model,omitempty"`
	// A published image of Kairos that the system is, in place of a distribution. Files, a cloud-config
	// and artifacts are laid on top of it.
	Source SourceImage `yaml:"source,omitempty" json:"source,omitzero"`
	// The distribution of the userland.
	Distro Distro `yaml:"distro,omitempty" json:"distro,omitzero"`
	// The init system of the userland: systemd or openrc.
	Init string `yaml:"init,omitempty" json:"init,omitempty" jsonschema:"enum=systemd,enum=openrc"`
	// The kernel. The default is that of the distribution.
	Kernel Kernel `yaml:"kernel,omitempty" json:"kernel,omitzero"`
	// The initramfs, which finds the root filesystem.
	Initramfs Initramfs `yaml:"initramfs,omitempty" json:"initramfs,omitzero"`
	// Limits of size. A build that exceeds one fails and names the largest parts.
	Size    Size `yaml:"size,omitempty" json:"size,omitzero"`
	Choices `yaml:",inline"`
	// Changes to the package list of the catalog.
	Packages Packages `yaml:"packages,omitempty" json:"packages,omitzero"`
	// Third-party package sources, beside those of the distribution's image. Packages come from
	// them by packages.add.
	Repositories []Repository `yaml:"repositories,omitempty" json:"repositories,omitempty"`
	Site         `yaml:",inline"`
	// Files to add to the root filesystem.
	Files []File `yaml:"files,omitempty" json:"files,omitempty"`
	// Trees of images and named contexts, such as what a Dockerfile makes, each as a layer of its
	// own. Later ones replace files of earlier ones, and files replace those of all layers.
	Layers []Layer `yaml:"layers,omitempty" json:"layers,omitempty"`
	// A cloud-config that is built into the image and used at every boot of every machine. For the
	// installer medium only, see artifacts.iso.cloudConfig.
	CloudConfig Content `yaml:"cloudConfig,omitempty" json:"cloudConfig,omitzero"`
	// Additional kernel arguments, after those that Kairos needs.
	Cmdline []string `yaml:"cmdline,omitempty" json:"cmdline,omitempty"`
	// The programs of Kairos itself: separate, which is the default, for kairos-agent and immucore; or
	// a version such as v4.3.0, or latest for that of the catalog, for one program that is all of
	// them.
	Kairos string `yaml:"kairos,omitempty" json:"kairos,omitempty"`
	// Where programs such as kairos-agent come from. Listing an optional component of the catalog
	// adds it.
	Components map[string]Component `yaml:"components,omitempty" json:"components,omitempty"`
	// Container images that a machine has from the start, for its Kubernetes to run without a registry.
	// Each is a layer of its own.
	Images []string `yaml:"images,omitempty" json:"images,omitempty"`
	// What machines do to download less when they are upgraded.
	Upgrade Upgrade `yaml:"upgrade,omitempty" json:"upgrade,omitzero"`
	// An extension: files on top of the system that machines merge at boot, and that have a version of
	// their own. The targets sysext and confext make it; all others ignore it.
	Extension Extension `yaml:"extension,omitempty" json:"extension,omitzero"`
	// More extensions, each with a file of its own. They share the system that they are made on top of.
	Extensions []Extension `yaml:"extensions,omitempty" json:"extensions,omitempty"`
	// Options of the artifacts that are made from the root filesystem.
	Artifacts Artifacts `yaml:"artifacts,omitempty" json:"artifacts,omitzero"`
	// The boot test: what the target test boots, and what must hold on the running system.
	Test Test `yaml:"test,omitempty" json:"test,omitzero"`
}

// Arg is a build argument. As a plain string it is the default.
type Arg struct {
	// The type of its values: string, bool (true or false) or integer. The default is string.
	Type string `yaml:"type,omitempty" json:"type,omitempty" jsonschema:"enum=string,enum=bool,enum=integer"`
	// The value if the build gives none. An argument without a default must be given.
	Default Scalar `yaml:"default,omitempty" json:"default,omitempty"`
	// The only values that are allowed. The default is all of the type.
	Values []Scalar `yaml:"values,omitempty" json:"values,omitempty"`
	// What the argument is for. docker buildx build --call=outline shows it.
	Description string `yaml:"description,omitempty" json:"description,omitempty"`
}

// Shorthand is the key that a plain string sets.
func (Arg) Shorthand() string { return "default" }

// Scalar is a text, a number, or true or false, as it is written. It may be empty.
type Scalar string

// SourceImage is a published image of Kairos. As a plain string it is the image.
type SourceImage struct {
	// The image, for the architecture of the system, such as quay.io/kairos/ubuntu:24.04-core-amd64-generic-v3.6.0.
	Image string `yaml:"image,omitempty" json:"image,omitempty"`
}

// Distro chooses the distribution. As a plain string it is the name.
type Distro struct {
	// The name of a distribution in the catalog, such as debian-12.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// The base image, instead of that of the catalog.
	Base string `yaml:"base,omitempty" json:"base,omitempty"`
}

// Kernel chooses a kernel. As a plain string it is the distribution that the kernel comes from.
type Kernel struct {
	// The donor: the distribution in the catalog that the kernel, its modules and firmware come
	// from. The initramfs is made in it, too.
	From string `yaml:"from,omitempty" json:"from,omitempty"`
	// The kernel package, instead of that of the catalog.
	Package string `yaml:"package,omitempty" json:"package,omitempty"`
	// The version of the kernel package.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
	// An image with a custom kernel, instead of a package: /boot/vmlinuz*, its modules in
	// /lib/modules or /usr/lib/modules, and firmware if it needs any. The initramfs is made in the
	// distribution that from names.
	Image string `yaml:"image,omitempty" json:"image,omitempty"`
	// A named context with a custom kernel, with the same layout as image.
	Context string `yaml:"context,omitempty" json:"context,omitempty"`
	// Classes of kernel modules in the root filesystem, such as sound or media, each on (true) or
	// off (false). The defaults depend on the model. A custom kernel keeps all its modules by
	// default.
	Modules map[string]bool `yaml:"modules,omitempty" json:"modules,omitempty"`
}

// Initramfs has options of the initramfs, which finds the root filesystem of a live medium or an
// installed machine.
type Initramfs struct {
	// Whether the initramfs has a network: drivers for network cards and storage networks, and
	// DHCP. Machines need it to unlock their disks with a key server, or to have their root on a
	// storage network. It makes the initramfs twice as large. Netboot files always have it. The
	// default is false.
	Network bool `yaml:"network,omitempty" json:"network,omitempty"`
}

// Size has limits of size, in MiB, GiB or TiB. A build that exceeds one fails.
type Size struct {
	// The limit of the root filesystem: all files, unpacked, such as 400MiB.
	Root string `yaml:"root,omitempty" json:"root,omitempty"`
	// The limit of the initramfs of the system, compressed as it is loaded, such as 40MiB.
	Initramfs string `yaml:"initramfs,omitempty" json:"initramfs,omitempty"`
}

// Packages changes the package list of the catalog.
type Packages struct {
	// Additional packages of the distribution.
	Add []string `yaml:"add,omitempty" json:"add,omitempty"`
	// Packages to remove from the list of the catalog. A package that others depend on is still
	// installed.
	Remove []string `yaml:"remove,omitempty" json:"remove,omitempty"`
	// Optional groups of the catalog, each on (true) or off (false).
	Groups map[string]bool `yaml:"groups,omitempty" json:"groups,omitempty"`
	// Groups of files that the packages do not bring unless it is true here, such as hwdb.
	Files map[string]bool `yaml:"files,omitempty" json:"files,omitempty"`
}

// Repository is a third-party package source. The packages of the userland can come from it, and a
// kernel.package when the kernel is of the same distribution. What a package manager does not have
// is refused.
type Repository struct {
	// The name, which files and messages have. A nearer spec replaces the repository of the same
	// name.
	Name string `yaml:"name" json:"name"`
	// The URL of the repository, http or https, as the package manager takes it.
	URL string `yaml:"url" json:"url"`
	// The suites, with apt, such as bookworm.
	Suites []string `yaml:"suites,omitempty" json:"suites,omitempty"`
	// The components of the suites, with apt, such as stable.
	Components []string `yaml:"components,omitempty" json:"components,omitempty"`
	// The directory below the URL, with apt, of a repository without suites, such as ./
	Path string `yaml:"path,omitempty" json:"path,omitempty"`
	// The public key that the repository is signed with. There is no repository without one.
	Key SigningKey `yaml:"key" json:"key"`
	// The priority, as the package manager counts it: the highest wins with apt, where 500 is
	// usual, and the lowest with dnf and zypper, where 99 is.
	Priority int `yaml:"priority,omitempty" json:"priority,omitempty"`
	// The only packages that come from the repository. The default is all that it has. It installs
	// none: packages.add does.
	Packages []string `yaml:"packages,omitempty" json:"packages,omitempty"`
	// Whether the repository and its key stay in the image. The default is false: nothing is
	// installed on a machine. Credentials never stay.
	Keep bool `yaml:"keep,omitempty" json:"keep,omitempty"`
	// The id of a build secret with the credentials: one line, user:password.
	Secret string `yaml:"secret,omitempty" json:"secret,omitempty"`
	// The id of a build secret with a client certificate and its key, in PEM.
	Certificate string `yaml:"certificate,omitempty" json:"certificate,omitempty"`
}

// Site is what a network asks of every build in it. The build argument FLAVORKIT_CONFIG has the
// same keys, and counts before the spec.
type Site struct {
	// Servers to use instead of the public ones, while the system is built.
	Mirrors Mirrors `yaml:"mirrors,omitempty" json:"mirrors,omitzero"`
	// The certificates of an authority that package managers trust, beside those of the base image.
	// As a plain string it is the file.
	CA CA `yaml:"ca,omitempty" json:"ca,omitzero"`
}

// Mirrors are servers to use instead of the public ones.
type Mirrors struct {
	// Mirrors of the archives of distributions, by the name of the archive, such as debian and
	// debian-security: URLs, http or https.
	Archives map[string]string `yaml:"archives,omitempty" json:"archives,omitempty"`
	// What the URL of a download begins with, such as https://github.com, and what it begins with
	// instead. The longest beginning counts. Checksums are those of the publisher.
	Downloads map[string]string `yaml:"downloads,omitempty" json:"downloads,omitempty"`
	// What the full name of an image begins with: a registry, such as docker.io, or a part of one,
	// such as docker.io/library, and what it begins with instead. The longest beginning counts. Tag
	// and digest stay.
	Registries map[string]string `yaml:"registries,omitempty" json:"registries,omitempty"`
	// Whether the mirrors of archives stay in the image. The default is false: the image keeps the
	// public archives.
	Keep bool `yaml:"keep,omitempty" json:"keep,omitempty"`
}

// CA has the certificates of an authority: a file, or a build secret. As a plain string it is the
// file.
type CA struct {
	// A file in the build context with one or more certificates in PEM.
	From string `yaml:"from,omitempty" json:"from,omitempty"`
	// The id of a build secret with the certificates, instead of from.
	Secret string `yaml:"secret,omitempty" json:"secret,omitempty"`
	// Whether the system trusts the authority, too. It needs from. The default is false.
	Image bool `yaml:"image,omitempty" json:"image,omitempty"`
}

// IsZero tells whether there is no authority.
func (c CA) IsZero() bool { return c == CA{} }

// Shorthand is the key that a plain string in place of the mapping is for.
func (CA) Shorthand() string { return "from" }

// SigningKey is a public key: a file, or a download. As a plain string it is the file.
type SigningKey struct {
	// A file in the build context.
	From string `yaml:"from,omitempty" json:"from,omitempty"`
	// The URL of the key, instead of from. It needs sha256.
	URL string `yaml:"url,omitempty" json:"url,omitempty"`
	// The SHA-256 of the download, in hexadecimal.
	SHA256 string `yaml:"sha256,omitempty" json:"sha256,omitempty"`
}

// IsZero tells whether there is no key.
func (k SigningKey) IsZero() bool { return k == SigningKey{} }

// Text is the text of a file, as it is written. It may be empty.
type Text string

// Script is a shell script, as it is written.
type Script string

// Content is text from a file in the build context, or inline text. As a plain string it is the
// file.
type Content struct {
	// A file in the build context.
	From string `yaml:"from,omitempty" json:"from,omitempty"`
	// The text itself. Empty text removes what an extended spec sets here.
	Content Text `yaml:"content,omitempty" json:"content,omitempty"`
}

// IsZero reports whether there is no content.
func (c Content) IsZero() bool { return c == Content{} }

// File is one file or directory of the root filesystem.
type File struct {
	// The absolute path in the root filesystem.
	Path string `yaml:"path" json:"path"`
	// A file or directory in the build context.
	From string `yaml:"from,omitempty" json:"from,omitempty"`
	// The text of the file, instead of from.
	Content Text `yaml:"content,omitempty" json:"content,omitempty"`
	// The mode of a file in octal, such as 0644, without setuid, setgid and sticky bits. The
	// default is 0644 for content, and the mode of the file for from.
	Mode string `yaml:"mode,omitempty" json:"mode,omitempty" jsonschema:"oneof_type=string;integer"`
	// The owner as uid:gid, in numbers. The default is 0:0.
	Owner string `yaml:"owner,omitempty" json:"owner,omitempty"`
}

// Layer is a tree of files that becomes a layer of the system, from one of image and context.
type Layer struct {
	// The name, which steps and messages have. A nearer spec replaces the layer of the same name.
	Name string `yaml:"name" json:"name"`
	// An image to take the tree from, for the architecture of the system.
	Image string `yaml:"image,omitempty" json:"image,omitempty"`
	// A named context to take the tree from: a directory, an image, or a target of bake.
	Context string `yaml:"context,omitempty" json:"context,omitempty"`
	// The path of the tree in the image or the context, a directory or one file. The default is
	// everything.
	Path string `yaml:"path,omitempty" json:"path,omitempty"`
	// The absolute path that the tree gets in the root filesystem. The default is /.
	To string `yaml:"to,omitempty" json:"to,omitempty"`
	// The owner of all of it as uid:gid, in numbers. By default, the owners stay; files of a
	// directory of the client are owned by 0:0.
	Owner string `yaml:"owner,omitempty" json:"owner,omitempty"`
}

// Component says where a program comes from: one of url, image and context. A named context with
// the component's name overrides them.
type Component struct {
	// The version of the component, which replaces {version} in URLs. Kubernetes and mesh also have
	// their own version key, which means the same.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
	// The URL of a tar.gz archive or of the program itself. {version} and {arch} are replaced.
	URL string `yaml:"url,omitempty" json:"url,omitempty"`
	// The SHA-256 checksum of the download for each architecture, in hexadecimal.
	SHA256 map[string]string `yaml:"sha256,omitempty" json:"sha256,omitempty"`
	// The URL of the publisher's list of SHA-256 checksums, instead of sha256. {version} and {arch}
	// are replaced.
	Checksums string `yaml:"checksums,omitempty" json:"checksums,omitempty"`
	// The id of a build secret for url and checksums, if their server asks who you are: the value of the
	// HTTP header Authorization, such as Bearer TOKEN. Mirrors do not get it.
	Secret string `yaml:"secret,omitempty" json:"secret,omitempty"`
	// An image to copy the program from.
	Image string `yaml:"image,omitempty" json:"image,omitempty"`
	// A named context to copy the program from.
	Context string `yaml:"context,omitempty" json:"context,omitempty"`
	// The path of the program in the image, the context or the archive. The default is the name of
	// the program, at the top level.
	Path string `yaml:"path,omitempty" json:"path,omitempty"`
}

// Upgrade has options of upgrades.
type Upgrade struct {
	// Whether machines keep the layers of images, so that an upgrade downloads only those that changed.
	// It adds the component layer-cache, a registry that only the machine itself reaches. The default is
	// false.
	Cache bool `yaml:"cache,omitempty" json:"cache,omitempty"`
	// What the layers may take on the persistent partition, in MiB, GiB or TiB. It needs room for two
	// systems, compressed. The default is 4GiB.
	CacheSize string `yaml:"cacheSize,omitempty" json:"cacheSize,omitempty"`
}

// Extension is what a system extension or a configuration extension adds to the system of the spec.
type Extension struct {
	// The name: lower case letters and digits, with - between them. With the version, it is the name
	// of the file, by which machines list, enable and disable the extension.
	Name string `yaml:"name" json:"name"`
	// The version, such as v1.36.4. The default is that of the system.
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
	// Packages of the distribution, and of the repositories of the spec, with what they depend on and
	// the system does not have.
	Packages []string `yaml:"packages,omitempty" json:"packages,omitempty"`
	// Files to add, as in files. A system extension has those in /usr that machines merge, a
	// configuration extension those in /etc.
	Files []File `yaml:"files,omitempty" json:"files,omitempty"`
	// Units of systemd to start once the extension is merged, such as caddy.service. Those that
	// packages enable are not started.
	Services []string `yaml:"services,omitempty" json:"services,omitempty"`
	// Whether systemd reads its units again when it merges the extension. The default is false, and
	// true with services, which need it.
	Reload bool `yaml:"reload,omitempty" json:"reload,omitempty"`
	// Whether every distribution can merge it. Set it only for files that need no library of the
	// system. The default is false: only the release of the spec merges it.
	AnyDistro bool `yaml:"anyDistro,omitempty" json:"anyDistro,omitempty"`
	// The certificate to sign with, in PEM. The build secret sysext.key has its private key. Without
	// a certificate, nothing is signed.
	Certificate Content `yaml:"certificate,omitempty" json:"certificate,omitzero"`
}

// Artifacts has options of the artifacts that are made from the root filesystem.
type Artifacts struct {
	// Options of the bootable live and installer medium.
	ISO ISO `yaml:"iso,omitempty" json:"iso,omitzero"`
	// Options of disk images.
	Disk Disk `yaml:"disk,omitempty" json:"disk,omitzero"`
}

// ISO has options of the bootable live and installer medium.
type ISO struct {
	// The compression of the squashfs: zstd, xz, gzip or lz4. The default is zstd.
	Compression string `yaml:"compression,omitempty" json:"compression,omitempty" jsonschema:"enum=zstd,enum=xz,enum=gzip,enum=lz4"`
	// The compression level: 1 to 22 for zstd, 1 to 9 for gzip. The default is 3 for zstd, which is
	// fast.
	Level int `yaml:"level,omitempty" json:"level,omitempty"`
	// The volume label: up to 32 of A to Z, 0 to 9 and _. The live system finds its medium by the
	// label, so two media in one machine should have different labels. The default is COS_LIVE.
	Label string `yaml:"label,omitempty" json:"label,omitempty"`
	// A cloud-config on the medium, which the live system and the installer read. Changing it only
	// rebuilds the ISO.
	CloudConfig Content `yaml:"cloudConfig,omitempty" json:"cloudConfig,omitzero"`
}

// Disk has options of disk images.
type Disk struct {
	// What the disk contains: with recovery, the recovery system, which installs the system at the
	// first boot; with full, an installed system, which is three times as large. The default is
	// recovery.
	Layout string `yaml:"layout,omitempty" json:"layout,omitempty" jsonschema:"enum=recovery,enum=full"`
	// The size of the disk in MiB, GiB or TiB, such as 8GiB. The default is the minimum. The last
	// partition grows at every boot to the end of a larger disk.
	Size string `yaml:"size,omitempty" json:"size,omitempty"`
	// The firmware that boots the disk: efi, bios, or both. The default is efi; bios is for amd64
	// only.
	Firmware string `yaml:"firmware,omitempty" json:"firmware,omitempty" jsonschema:"enum=efi,enum=bios,enum=both"`
	// The compression of the output file: zstd, xz or none. The default is zstd.
	Compression string `yaml:"compression,omitempty" json:"compression,omitempty" jsonschema:"enum=zstd,enum=xz,enum=none"`
	// The compression level: 1 to 19 for zstd, 1 to 9 for xz. The default is 3 for zstd and 6 for
	// xz.
	Level int `yaml:"level,omitempty" json:"level,omitempty"`
	// A cloud-config on the partition COS_OEM, where the installer also puts it. Changing it only
	// rebuilds the disk.
	CloudConfig Content `yaml:"cloudConfig,omitempty" json:"cloudConfig,omitzero"`
}

// Test has options of the boot test: how the target test boots the system in a VM, and what must
// hold there.
type Test struct {
	// The artifact to boot: iso, or disk, the raw disk image. The default is iso.
	Artifact string `yaml:"artifact,omitempty" json:"artifact,omitempty" jsonschema:"enum=iso,enum=disk"`
	// The firmware of the VM: efi or bios (amd64 only). The default is efi, or bios for a disk with
	// firmware: bios.
	Firmware string `yaml:"firmware,omitempty" json:"firmware,omitempty" jsonschema:"enum=efi,enum=bios"`
	// The memory of the VM in MiB or GiB. The default is 2GiB.
	Memory string `yaml:"memory,omitempty" json:"memory,omitempty"`
	// The timeout of the whole test, from power on, such as 10m. The default is 30m, because the
	// processor is emulated.
	Timeout string `yaml:"timeout,omitempty" json:"timeout,omitempty"`
	// Assertions about the running system, tried one after the other. Those of extended specs come
	// first.
	Assertions []Assertion `yaml:"assertions,omitempty" json:"assertions,omitempty"`
}

// Assertion is a condition that must hold: one of run, file, service and extension. It is tried every
// second until it holds or its timeout expires.
type Assertion struct {
	// The name in reports. The default describes what the assertion checks.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// A shell script that must succeed, run as root. It may have several lines.
	Run Script `yaml:"run,omitempty" json:"run,omitempty"`
	// The absolute path of a file or directory that must exist.
	File string `yaml:"file,omitempty" json:"file,omitempty"`
	// A service of systemd or OpenRC that must be active.
	Service string `yaml:"service,omitempty" json:"service,omitempty"`
	// The name of an extension of the spec. The machine gets the system extension, must merge it,
	// and its services must be active.
	Extension string `yaml:"extension,omitempty" json:"extension,omitempty"`
	// A regular expression that a line of the output of run, or of the file, must match. The syntax
	// is that of grep -E, without escapes such as \d; use classes such as [[:digit:]] instead.
	Matches string `yaml:"matches,omitempty" json:"matches,omitempty"`
	// The timeout of this assertion, from its first try, such as 90s. The default is 5m.
	Timeout string `yaml:"timeout,omitempty" json:"timeout,omitempty"`
}

// Shorthand is the key that a plain string sets.
func (SourceImage) Shorthand() string { return "image" }

// Shorthand is the key that a plain string sets.
func (Distro) Shorthand() string { return "name" }

// Shorthand is the key that a plain string sets.
func (Kernel) Shorthand() string { return "from" }

// Shorthand is the key that a plain string sets.
func (Content) Shorthand() string { return "from" }

// Shorthand is the key that a plain string in place of the mapping is for.
func (SigningKey) Shorthand() string { return "from" }
