package catalog

import (
	"slices"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
)

// Requirements are what one purpose needs of the userland, the kernel and the initramfs:
// requirements/<name>.yaml.
type Requirements struct {
	Name string `yaml:"name"`
	// Like names requirements that these differ from by what they say themselves.
	Like string `yaml:"like"`
	// Why the needs are there.
	Why string `yaml:"why"`
	// When limits all of them.
	When When `yaml:"when"`
	// Needs by category and by name.
	Needs map[Category]map[string]Need `yaml:"needs"`
}

// Category is what is needed, and of what.
type Category string

const (
	// NeedCommands are in the PATH of the finished system, whichever packages a spec keeps.
	NeedCommands Category = "commands"
	// NeedModules are modules of the kernel that the userland loads, built in or loadable.
	NeedModules Category = "modules"
	// NeedConfig are options of the kernel without CONFIG_, built in or modules.
	NeedConfig Category = "config"
	// NeedFirmware are files in the directory of firmware, with wildcards of the shell, beside
	// those that packages are there for (Package.Firmware).
	NeedFirmware Category = "firmware"
	// NeedInitramfsTools are commands of the stage that makes the initramfs. A tool such as dracut
	// silently leaves out a part when a command that it needs is missing.
	NeedInitramfsTools Category = "initramfs-tools"
	// NeedInitramfsModules are modules of the kernel in the initramfs, unless they are built in.
	NeedInitramfsModules Category = "initramfs-modules"
	// NeedInitramfsCommands are in the PATH of the initramfs.
	NeedInitramfsCommands Category = "initramfs-commands"
	// NeedInitramfsFiles are in the initramfs, by full path.
	NeedInitramfsFiles Category = "initramfs-files"
	// NeedNetworkModules are modules of an initramfs that can use a network.
	NeedNetworkModules Category = "network-initramfs-modules"
	// NeedNetworkFiles are files of an initramfs that can use a network.
	NeedNetworkFiles Category = "network-initramfs-files"
	// NeedInitramfsForeign are paths in the initramfs that only another tool would have put there,
	// so that they must not be there.
	NeedInitramfsForeign Category = "initramfs-foreign"
)

// Categories are all of them.
func Categories() []Category {
	return []Category{
		NeedCommands, NeedModules, NeedConfig, NeedFirmware,
		NeedInitramfsTools, NeedInitramfsModules, NeedInitramfsCommands, NeedInitramfsFiles, NeedInitramfsForeign,
		NeedNetworkModules, NeedNetworkFiles,
	}
}

// Key is the key of a spec that decides about what has the needs of a category, for those that
// nothing more special asks for.
func (c Category) Key() key.Key {
	switch c {
	case NeedCommands:
		return key.Distro
	case NeedNetworkModules, NeedNetworkFiles:
		return key.Initramfs
	default: // an initramfs is made of the kernel, by tools of its distribution
		return key.Kernel
	}
}

// Need is the reason for something that is needed.
type Need struct {
	// Why goes into the error: "needed for …".
	Why string `yaml:"why"`
	// Or are names that serve as well.
	Or []string `yaml:"or"`
	// When limits the need further.
	When When `yaml:"when"`
}

// When limits a need to systems of which one of the values is true, for each fact that it names.
type When map[string][]string

// FactNames are what a system can be told from another by: its architecture, variant, model, init
// system, the distribution that donates its kernel, the packages of the kernel's stage, the classes
// of kernel modules in its root filesystem, what makes the initramfs, commands and components of
// the system, the kinds of its components, and the compression of its squashfs.
func FactNames() []string {
	return []string{"arch", "command", "component", "compression", "donor", "init", "initramfs", "kind", "model", "modules", "package", "variant"}
}

// Facts are what is true of a system: by fact and value, the keys of the spec that decide about it,
// the most special first.
type Facts map[string]map[string][]key.Key

// Add says that a value of a fact is true.
func (f Facts) Add(fact, value string, deciding ...key.Key) {
	if f[fact] == nil {
		f[fact] = map[string][]key.Key{}
	}
	f[fact][value] = append(f[fact][value], deciding...)
}

// Applies tells whether a system with these facts is meant, and which keys of its spec made it so.
func (w When) Applies(facts Facts) (deciding []key.Key, ok bool) {
	for _, fact := range Names(w) {
		met := false
		for _, value := range w[fact] {
			keys, is := facts[fact][value]
			deciding, met = append(deciding, keys...), met || is
		}
		if !met {
			return nil, false
		}
	}
	return deciding, true
}

// Shorthand implements specs.Shorthander: a plain text is the reason.
func (Need) Shorthand() string { return "why" }

func (r *Requirements) validate(v record, c *Catalog) {
	v.named(r.Name)
	v.needed("why", r.Why)
	r.When.validate(v, c, "when")
	for category, needs := range r.Needs {
		at := keys{"needs", string(category)}
		if !slices.Contains(Categories(), category) {
			var valid []string
			for _, known := range Categories() {
				valid = append(valid, string(known))
			}
			v.wrong(at, specs.Suggest(string(category), valid), "unknown category %q", category)
		}
		for _, what := range Names(needs) {
			needs[what].validate(v, c, category, what, append(slices.Clone(at), what))
		}
	}
}

func (n Need) validate(v record, c *Catalog, category Category, what string, at keys) {
	if n.Why == "" {
		v.wrong(at, "say why it is needed", "has no reason")
	}
	if category == NeedFirmware {
		namedFirmware(v, what, at...)
	}
	n.When.validate(v, c, append(at, "when")...)
}

func (w When) validate(v record, c *Catalog, at ...any) {
	for _, fact := range Names(w) {
		if !slices.Contains(FactNames(), fact) {
			v.wrong(append(slices.Clone(at), fact), specs.Suggest(fact, FactNames()), "unknown fact %q", fact)
		}
	}
	v.archs(c, append(slices.Clone(at), "arch"), w["arch"])
}
