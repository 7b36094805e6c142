package plan

import (
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// Compat is what userland, kernel and initramfs need of each other. Each need
// has its reason. Names that serve as well as each other are joined by " or ".
type Compat struct {
	// Modules of the kernel that the userland loads, built in or loadable.
	Modules Needs `json:"modules" yaml:"modules"`
	// Config are options of the kernel, without CONFIG_.
	Config Needs `json:"config" yaml:"config"`
	// Firmware are files, with wildcards, in the folder of firmware.
	Firmware Needs `json:"firmware,omitempty" yaml:"firmware,omitempty"`
	// Initramfs is what must be inside the initramfs.
	Initramfs InitramfsCompat `json:"initramfs" yaml:"initramfs"`
}

// InitramfsCompat is what must, and must not, be inside the initramfs.
type InitramfsCompat struct {
	// Tools are commands of the stage that makes it.
	Tools    Needs `json:"tools" yaml:"tools"`
	Modules  Needs `json:"modules" yaml:"modules"`
	Commands Needs `json:"commands" yaml:"commands"`
	Files    Needs `json:"files" yaml:"files"`
	// Foreign are paths that must not be there.
	Foreign Needs `json:"foreign,omitempty" yaml:"foreign,omitempty"`
}

// Needs are reasons by what is needed.
type Needs map[string]string

// needs collects the requirements that a system of this plan has.
func (r *resolver) needs(p *Plan, donor *catalog.Distro) {
	facts := map[string][]string{
		"arch":        {p.Arch},
		"command":     p.Checks.Commands,
		"compression": {p.ISO.Compression},
		"donor":       {p.Kernel.Distro},
		"init":        {p.System.Init},
		"initramfs":   {p.Kernel.Initramfs.Tool},
		"model":       {p.Model},
		"variant":     {p.Variant},
	}
	for _, c := range p.Components {
		facts["component"] = append(facts["component"], c.Name)
	}
	for _, pkg := range p.Kernel.Packages {
		facts["package"] = append(facts["package"], pkg.Name)
	}
	p.Checks.Needs = Needs{}
	c := Compat{Modules: Needs{}, Config: Needs{}, Firmware: Needs{}, Initramfs: InitramfsCompat{Needs{}, Needs{}, Needs{}, Needs{}, Needs{}}}
	for _, name := range catalog.Names(r.cat.Requirements) {
		req := r.cat.Requirements[name]
		if !req.When.Applies(facts) {
			continue
		}
		p.Checks.Needs.add(req.Commands, facts)
		c.Modules.add(req.Modules, facts)
		c.Config.add(req.Config, facts)
		c.Firmware.add(req.Firmware, facts)
		c.Initramfs.Tools.add(req.Initramfs.Tools, facts)
		c.Initramfs.Modules.add(req.Initramfs.Modules, facts)
		c.Initramfs.Commands.add(req.Initramfs.Commands, facts)
		c.Initramfs.Files.add(req.Initramfs.Files, facts)
		c.Initramfs.Foreign.add(req.Initramfs.Foreign, facts)
	}
	for _, name := range p.Kernel.Initramfs.Components {
		if known, ok := r.cat.Components[name]; ok {
			c.Initramfs.Files[known.Install] = name + ", which " + known.Why
		}
	}
	firmware := r.kernelFirmware(donor, p.Model)
	for _, name := range catalog.Names(firmware) {
		for _, file := range firmware[name].Firmware {
			c.Firmware[file] = firmware[name].Why
		}
	}
	p.Compat = c
}

// add takes over the needs that apply. What is needed twice has both reasons.
func (n Needs) add(needs map[string]catalog.Need, facts map[string][]string) {
	for _, name := range catalog.Names(needs) {
		need := needs[name]
		if !need.When.Applies(facts) {
			continue
		}
		names := strings.Join(slices.Concat([]string{name}, need.Or), " or ")
		if before, twice := n[names]; twice && before != need.Why {
			need.Why = before + "; " + need.Why
		}
		n[names] = need.Why
	}
}
