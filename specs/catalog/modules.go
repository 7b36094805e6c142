package catalog

import (
	"path"
	"slices"
	"strings"
)

// InitramfsUse says which initramfs takes a class of kernel modules.
type InitramfsUse string

// Uses of a class of kernel modules.
const (
	// InitramfsNetwork is for an initramfs that can use a network.
	InitramfsNetwork InitramfsUse = "network"
	// InitramfsNone is for classes that are never needed before the root is there.
	InitramfsNone InitramfsUse = "none"
)

// ModuleClass is a class of kernel modules: modules/<name>.yaml. What is in no class is in every
// root filesystem, and in every initramfs whose tool wants it.
type ModuleClass struct {
	// Name of the class.
	Name string `yaml:"name"`
	// Title says what the modules are.
	Title string `yaml:"title"`
	// Why is the reason for Initramfs, if there is one.
	Why string `yaml:"why"`
	// Initramfs tells which initramfs takes the modules. Empty: every one whose tool wants them.
	Initramfs InitramfsUse `yaml:"initramfs"`
	// Root is the switch of the class in the root filesystem; nil if it has none and is always
	// there.
	Root *ModuleSwitch `yaml:"root"`
	// Unless are packages of the userland: with one of them the class is taken.
	Unless []string `yaml:"unless"`
	// Paths are directories below /lib/modules/VERSION/kernel, such as drivers/net, or modules there
	// without their extension, whose last part may have wildcards of the shell. A kernel may lack
	// some.
	Paths []string `yaml:"paths"`
	// Keep are modules below Paths that are not in the class, by name.
	Keep []string `yaml:"keep"`
	// Holds are the modules of the class that requirements name. A system that needs one needs the
	// class.
	Holds []string `yaml:"holds"`
}

// ModuleSwitch says whether a root filesystem has a class of kernel modules. A spec can say
// otherwise.
type ModuleSwitch struct {
	// Default is whether it has the class.
	Default bool `yaml:"default"`
	// Models that differ from Default, with what they have.
	Models map[string]bool `yaml:"models"`
	// Why is the reason for the default.
	Why string `yaml:"why"`
}

// On tells whether the root filesystem of a model has the class by default.
func (s *ModuleSwitch) On(model string) bool {
	if on, ok := s.Models[model]; ok {
		return on
	}
	return s.Default
}

// SwitchedModules are the names of the classes that a spec can switch, sorted.
func (c *Catalog) SwitchedModules() []string {
	return slices.DeleteFunc(Names(c.Modules), func(name string) bool { return c.Modules[name].Root == nil })
}

func (m *ModuleClass) validate(r record, c *Catalog) {
	r.named(m.Name)
	r.needed("title", m.Title)
	if m.Initramfs != "" {
		r.needed("why", m.Why)
		r.oneOf(keys{"initramfs"}, string(m.Initramfs), []string{string(InitramfsNetwork), string(InitramfsNone)})
	}
	if m.Root != nil {
		if m.Root.Why == "" {
			r.wrong(keys{"root", "why"}, "", "is missing")
		}
		for _, model := range Names(m.Root.Models) {
			r.oneOf(keys{"root", "models", model}, model, Names(c.Models))
		}
	}
	if len(m.Paths) == 0 {
		r.wrong(keys{"paths"}, "", "is missing")
	}
	for i, p := range m.Paths {
		if path.Clean(p) != p || path.IsAbs(p) || strings.HasPrefix(p, "..") || strings.ContainsAny(p, " \t\n") ||
			strings.ContainsAny(path.Dir(p), "*?[") {
			r.wrong(keys{"paths", i}, "such as drivers/net", "%q is not a path below the kernel's directory of modules", p)
		}
	}
}
