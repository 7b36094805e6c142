package catalog

import (
	"path"
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

// ModuleClass is a class of kernel modules: modules/<name>.yaml. What is in no
// class is taken wherever the tools want it.
type ModuleClass struct {
	// Name of the class.
	Name string `yaml:"name"`
	// Title says what the modules are.
	Title string `yaml:"title"`
	// Why is the reason for Initramfs.
	Why string `yaml:"why"`
	// Initramfs tells which initramfs takes the modules.
	Initramfs InitramfsUse `yaml:"initramfs"`
	// Unless are packages of the userland: with one of them the class is taken.
	Unless []string `yaml:"unless"`
	// Paths are directories below /lib/modules/VERSION/kernel, or modules there
	// without their extension, such as drivers/net. A kernel may lack some.
	Paths []string `yaml:"paths"`
	// Keep are modules below Paths that are not in the class, by name.
	Keep []string `yaml:"keep"`
}

func (m *ModuleClass) validate(r record) {
	r.named(m.Name)
	r.needed("title", m.Title)
	r.needed("why", m.Why)
	r.oneOf(keys{"initramfs"}, string(m.Initramfs), []string{string(InitramfsNetwork), string(InitramfsNone)})
	if len(m.Paths) == 0 {
		r.wrong(keys{"paths"}, "", "is missing")
	}
	for i, p := range m.Paths {
		if path.Clean(p) != p || path.IsAbs(p) || strings.HasPrefix(p, "..") || strings.ContainsAny(p, " \t\n*?[") {
			r.wrong(keys{"paths", i}, "such as drivers/net", "%q is not a path below the kernel's directory of modules", p)
		}
	}
}
