package catalog

import (
	"slices"

	"github.com/flavorkit/flavorkit/specs"
)

// Requirements are what one purpose needs of the kernel and the initramfs:
// requirements/<name>.yaml.
type Requirements struct {
	Name string `yaml:"name"`
	// Like names requirements that these differ from by what they say themselves.
	Like string `yaml:"like"`
	// Why the needs are there.
	Why string `yaml:"why"`
	// When limits all of them.
	When When `yaml:"when"`
	// Commands in the PATH of the finished system, whichever packages a spec
	// keeps.
	Commands map[string]Need `yaml:"commands"`
	// Modules of the kernel that the userland loads, built in or loadable.
	Modules map[string]Need `yaml:"modules"`
	// Config are options of the kernel without CONFIG_, built in or modules.
	Config map[string]Need `yaml:"config"`
	// Firmware are files in the directory of firmware, with wildcards of the shell,
	// beside those that packages are there for (Package.Firmware).
	Firmware map[string]Need `yaml:"firmware"`
	// Initramfs is what must be inside the initramfs.
	Initramfs InitramfsNeeds `yaml:"initramfs"`
}

// InitramfsNeeds are what must, and must not, be inside the initramfs.
type InitramfsNeeds struct {
	// Tools are commands of the stage that makes the initramfs. A tool such as
	// dracut silently leaves out a part when a command that it needs is missing.
	Tools map[string]Need `yaml:"tools"`
	// Modules of the kernel, unless they are built in.
	Modules map[string]Need `yaml:"modules"`
	// Commands in its PATH.
	Commands map[string]Need `yaml:"commands"`
	// Files by full path.
	Files map[string]Need `yaml:"files"`
	// Foreign are paths that only another tool would have put there.
	Foreign map[string]Need `yaml:"foreign"`
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

// When limits a need to systems of which one of the values is true, for each
// fact that it names.
type When map[string][]string

// Facts are what a system can be told from another by: its architecture,
// variant, model, init system, the distribution that donates its kernel, the
// packages of the kernel's stage, what makes the initramfs, commands and
// components of the system, and the compression of its squashfs.
func Facts() []string {
	return []string{"arch", "command", "component", "compression", "donor", "init", "initramfs", "model", "package", "variant"}
}

// Applies tells whether a system with these facts is meant.
func (w When) Applies(facts map[string][]string) bool {
	for fact, any := range w {
		if !slices.ContainsFunc(any, func(v string) bool { return slices.Contains(facts[fact], v) }) {
			return false
		}
	}
	return true
}

// Shorthand implements specs.Shorthander: a plain text is the reason.
func (Need) Shorthand() string { return "why" }

func (r *Requirements) validate(v record, c *Catalog) {
	v.named(r.Name)
	v.needed("why", r.Why)
	r.When.validate(v, c, "when")
	for _, pattern := range Names(r.Firmware) {
		namedFirmware(v, pattern, "firmware", pattern)
	}
	i := r.Initramfs
	for _, needs := range []struct {
		at   keys
		list map[string]Need
	}{
		{keys{"commands"}, r.Commands},
		{keys{"modules"}, r.Modules},
		{keys{"config"}, r.Config},
		{keys{"firmware"}, r.Firmware},
		{keys{"initramfs", "tools"}, i.Tools},
		{keys{"initramfs", "modules"}, i.Modules},
		{keys{"initramfs", "commands"}, i.Commands},
		{keys{"initramfs", "files"}, i.Files},
		{keys{"initramfs", "foreign"}, i.Foreign},
	} {
		for _, what := range Names(needs.list) {
			at := append(slices.Clone(needs.at), what)
			if needs.list[what].Why == "" {
				v.wrong(at, "say why it is needed", "has no reason")
			}
			needs.list[what].When.validate(v, c, append(at, "when")...)
		}
	}
}

func (w When) validate(v record, c *Catalog, at ...any) {
	for _, fact := range Names(w) {
		if !slices.Contains(Facts(), fact) {
			v.wrong(append(slices.Clone(at), fact), specs.Suggest(fact, Facts()), "unknown fact %q", fact)
		}
	}
	v.archs(c, append(slices.Clone(at), "arch"), w["arch"])
}
