package plan

import (
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// Needs are what userland, kernel and initramfs need of each other, by category
// (catalog.Category).
type Needs map[catalog.Category]Reasons

// Reasons by what is needed. Names that serve as well as each other are joined by
// " or ".
type Reasons map[string]string

// needs collects the requirements that a system of this plan has.
func (r *resolver) needs(p *Plan, donor *catalog.Distro) Needs {
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
	n := Needs{}
	for _, name := range catalog.Names(r.cat.Requirements) {
		req := r.cat.Requirements[name]
		if !req.When.Applies(facts) {
			continue
		}
		for category, needs := range req.Needs {
			for _, what := range catalog.Names(needs) {
				if need := needs[what]; need.When.Applies(facts) {
					n.add(category, strings.Join(slices.Concat([]string{what}, need.Or), " or "), need.Why)
				}
			}
		}
	}
	for _, name := range p.Kernel.Initramfs.Components {
		if known, ok := r.cat.Components[name]; ok {
			n.set(catalog.NeedInitramfsFiles, known.Install, name+", which "+known.Why)
		}
	}
	firmware := r.kernelFirmware(donor, p.Model)
	for _, name := range catalog.Names(firmware) {
		for _, file := range firmware[name].Firmware {
			n.set(catalog.NeedFirmware, file, firmware[name].Why)
		}
	}
	return n
}

// add adds a need. What is needed twice has both reasons.
func (n Needs) add(category catalog.Category, names, why string) {
	if before, twice := n[category][names]; twice && before != why {
		why = before + "; " + why
	}
	n.set(category, names, why)
}

func (n Needs) set(category catalog.Category, names, why string) {
	if n[category] == nil {
		n[category] = Reasons{}
	}
	n[category][names] = why
}
