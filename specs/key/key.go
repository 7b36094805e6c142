// Package key names the values of a spec that code looks up. A name with a typo does not compile.
package key

import (
	"strconv"
	"strings"
)

// Key is the path of a value in a spec, such as packages.add[2]. All keys are made from the ones
// below.
type Key struct{ path string }

// Keys of a spec, in its order.
var (
	Extends          = Key{"extends"}
	Args             = Key{"args"}
	Name             = Key{"name"}
	Version          = Key{"version"}
	Variant          = Key{"variant"}
	Model            = Key{"model"}
	Source           = Key{"source"}
	SourceImage      = Key{"source.image"}
	Distro           = Key{"distro"}
	DistroName       = Key{"distro.name"}
	DistroBase       = Key{"distro.base"}
	Init             = Key{"init"}
	Kernel           = Key{"kernel"}
	KernelFrom       = Key{"kernel.from"}
	KernelPackage    = Key{"kernel.package"}
	KernelImage      = Key{"kernel.image"}
	KernelContext    = Key{"kernel.context"}
	KernelModules    = Key{"kernel.modules"}
	Initramfs        = Key{"initramfs"}
	Size             = Key{"size"}
	SizeRoot         = Key{"size.root"}
	SizeInitramfs    = Key{"size.initramfs"}
	Packages         = Key{"packages"}
	PackagesAdd      = Key{"packages.add"}
	PackagesRemove   = Key{"packages.remove"}
	PackagesGroups   = Key{"packages.groups"}
	PackagesFiles    = Key{"packages.files"}
	Repositories     = Key{"repositories"}
	MirrorArchives   = Key{"mirrors.archives"}
	CA               = Key{"ca"}
	CASecret         = Key{"ca.secret"}
	CAImage          = Key{"ca.image"}
	Files            = Key{"files"}
	Layers           = Key{"layers"}
	Images           = Key{"images"}
	CloudConfig      = Key{"cloudConfig"}
	Cmdline          = Key{"cmdline"}
	Kairos           = Key{"kairos"}
	Components       = Key{"components"}
	UpgradeCache     = Key{"upgrade.cache"}
	UpgradeCacheSize = Key{"upgrade.cacheSize"}
	Extension        = Key{"extension"}
	Extensions       = Key{"extensions"}
	Artifacts        = Key{"artifacts"}
	ISO              = Key{"artifacts.iso"}
	ISOLabel         = Key{"artifacts.iso.label"}
	ISOCompression   = Key{"artifacts.iso.compression"}
	ISOCloudConfig   = Key{"artifacts.iso.cloudConfig"}
	Disk             = Key{"artifacts.disk"}
	DiskLayout       = Key{"artifacts.disk.layout"}
	DiskSize         = Key{"artifacts.disk.size"}
	DiskFirmware     = Key{"artifacts.disk.firmware"}
	DiskCloudConfig  = Key{"artifacts.disk.cloudConfig"}
	Test             = Key{"test"}
	TestFirmware     = Key{"test.firmware"}
	TestAssertions   = Key{"test.assertions"}
)

// Kind is the key that chooses the component of a kind (specs.Kinds).
func Kind(name string) Key { return Key{name} }

// Item is the key of an item of a list, counted from 0.
func (k Key) Item(i int) Key { return Key{k.path + "[" + strconv.Itoa(i) + "]"} }

// Entry is the key of an entry of a mapping whose names the user chooses, such as components.
func (k Key) Entry(name string) Key { return Key{k.path + "." + name} }

// From is the key of the file that a text or a file of a spec is taken from.
func (k Key) From() Key { return k.Entry("from") }

// Content is the key of a text that is written in the spec.
func (k Key) Content() Key { return k.Entry("content") }

// Mode is the key of the permissions of a file.
func (k Key) Mode() Key { return k.Entry("mode") }

// Default is the key of the default of a build argument.
func (k Key) Default() Key { return k.Entry("default") }

// Version is the key of the version of a component.
func (k Key) Version() Key { return k.Entry("version") }

// As is the key of where a component is.
func (k Key) As() Key { return k.Entry("as") }

// SHA256 is the key of the checksums of a component.
func (k Key) SHA256() Key { return k.Entry("sha256") }

// Run is the key of the script of an assertion.
func (k Key) Run() Key { return k.Entry("run") }

// Timeout is the key of the timeout of an assertion.
func (k Key) Timeout() Key { return k.Entry("timeout") }

// SigningKey is the key of the public key of a repository.
func (k Key) SigningKey() Key { return k.Entry("key") }

// Only is the key of the packages that a repository is limited to.
func (k Key) Only() Key { return k.Entry("packages") }

// Name is the key of the name of an extension.
func (k Key) Name() Key { return k.Entry("name") }

// Packages is the key of the packages of an extension.
func (k Key) Packages() Key { return k.Entry("packages") }

// Files is the key of the files of an extension.
func (k Key) Files() Key { return k.Entry("files") }

// Services is the key of the units that an extension starts.
func (k Key) Services() Key { return k.Entry("services") }

// Certificate is the key of the certificate that an extension is signed with.
func (k Key) Certificate() Key { return k.Entry("certificate") }

// Secret is the build secret of a value.
func (k Key) Secret() Key { return k.Entry("secret") }

// Context is the key of the named context of a component or a layer.
func (k Key) Context() Key { return k.Entry("context") }

// Line is the key with a value, in one line of a spec, such as "upgrade: {cache: true}".
func (k Key) Line(value string) string {
	line, before := value, k.path
	for {
		cut := strings.LastIndex(before, ".")
		line = before[cut+1:] + ": " + line
		if cut < 0 {
			return line
		}
		line, before = "{"+line+"}", before[:cut]
	}
}

// Around is the key of the mapping or list that a value is in; ok is false at the top of the spec.
func (k Key) Around() (around Key, ok bool) {
	cut := strings.LastIndexAny(k.path, ".[")
	if cut < 0 {
		return Key{}, false
	}
	return Key{k.path[:cut]}, true
}

// Parse is the key with a path that a loaded spec has.
func Parse(path string) Key { return Key{path} }

// IsZero tells whether it is no key at all.
func (k Key) IsZero() bool { return k == Key{} }

// String is the path.
func (k Key) String() string { return k.path }

// MarshalText makes keys the names of a JSON object.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.path), nil }

// UnmarshalText reads the name of a JSON object.
func (k *Key) UnmarshalText(text []byte) error {
	k.path = string(text)
	return nil
}
