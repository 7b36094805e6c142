package plan

import (
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
)

// Needs are the requirements of userland, kernel and initramfs, by category (catalog.Category).
// Origin.Asks says which keys of the spec require them.
type Needs map[catalog.Category]Reasons

// Reasons by the name of what is needed. Alternatives are joined by " or ".
type Reasons map[string]string

// needs collects the requirements that apply to the system, and the keys of the spec that require
// them.
func (r *resolver) needs(p *Plan, donor *catalog.Distro) Needs {
	n := needed{Needs{}, map[catalog.Category]map[string][]key.Key{}}
	facts := r.facts(p)
	for _, name := range catalog.Names(r.cat.Requirements) {
		req := r.cat.Requirements[name]
		general, ok := req.When.Applies(facts)
		if !ok {
			continue
		}
		for category, needs := range req.Needs {
			for _, what := range catalog.Names(needs) {
				need := needs[what]
				special, ok := need.When.Applies(facts)
				if !ok {
					continue
				}
				alternatives := slices.Concat([]string{what}, need.Or)
				asking := slices.Concat(special, general)
				if category == catalog.NeedCommands {
					asking = slices.Concat(r.removedBy(alternatives), asking)
				}
				n.add(category, strings.Join(alternatives, " or "), need.Why, asking)
			}
		}
	}
	for _, name := range p.Kernel.Initramfs.Components {
		known, ok := r.cat.Components[name]
		if c, path, has := p.Program(name); ok && has {
			n.set(catalog.NeedInitramfsFiles, path, name+", which "+known.Why, c.Key())
		}
	}
	firmware := r.kernelFirmware(donor, p.Model)
	for _, name := range catalog.Names(firmware) {
		for _, file := range firmware[name].Firmware {
			n.set(catalog.NeedFirmware, file, firmware[name].Why)
		}
	}
	for category, asking := range n.asking {
		for names, keys := range asking {
			asking[names] = unique(append(keys, category.Key()))
		}
	}
	p.Origin.Needs = n.asking
	return n.needs
}

// facts are the properties of a system that requirements depend on.
func (r *resolver) facts(p *Plan) catalog.Facts {
	facts := catalog.Facts{}
	facts.Add("arch", p.Arch)
	facts.Add("compression", p.ISO.Compression, key.ISOCompression)
	facts.Add("donor", p.Kernel.Distro, key.KernelFrom)
	facts.Add("init", p.System.Init, key.Init)
	facts.Add("initramfs", p.Kernel.Initramfs.Tool, key.KernelFrom)
	facts.Add("model", p.Model, key.Model)
	facts.Add("variant", p.Variant, key.Variant)
	for _, name := range catalog.Names(r.cat.Modules) {
		if r.hasModules(name, p.Model) {
			facts.Add("modules", name, key.KernelModules.Entry(name))
		}
	}
	for _, name := range p.Checks.Commands {
		facts.Add("command", name, key.Packages)
	}
	for _, c := range p.AllComponents() {
		facts.Add("component", c.Name, c.Keys()...)
		facts.Add("kind", c.Kind, c.Keys()...)
		for name := range c.Provides {
			facts.Add("component", name, c.Keys()...)
		}
	}
	for _, pkg := range p.Kernel.Packages {
		facts.Add("package", pkg.Name, key.KernelPackage)
	}
	return facts
}

// removedBy returns the keys with which the spec removes packages that have one of these commands.
func (r *resolver) removedBy(commands []string) (keys []key.Key) {
	for _, command := range commands {
		if k, ok := r.removed[command]; ok {
			keys = append(keys, k)
		}
	}
	return keys
}

// needed are the requirements collected so far.
type needed struct {
	needs Needs
	// asking are the keys of the spec that may require it, the most specific first.
	asking map[catalog.Category]map[string][]key.Key
}

// add adds a requirement. One that is there already gets both reasons.
func (n needed) add(category catalog.Category, names, why string, asking []key.Key) {
	if before, twice := n.needs[category][names]; twice && before != why {
		why = before + "; " + why
	}
	n.set(category, names, why, asking...)
}

func (n needed) set(category catalog.Category, names, why string, asking ...key.Key) {
	if n.needs[category] == nil {
		n.needs[category], n.asking[category] = Reasons{}, map[string][]key.Key{}
	}
	n.needs[category][names] = why
	n.asking[category][names] = append(n.asking[category][names], asking...)
}

// unique returns the keys without duplicates.
func unique(keys []key.Key) (first []key.Key) {
	for _, k := range keys {
		if !slices.Contains(first, k) {
			first = append(first, k)
		}
	}
	return first
}

// Keys are the keys of the spec that decide whether the system has the component, the most specific
// first.
func (c Component) Keys() []key.Key {
	if c.Kind == "" {
		return []key.Key{c.Key()}
	}
	keys := []key.Key{key.Components.Entry(c.Name), key.Variant}
	if kind := specs.KindByName(c.Kind); kind.HasKey() {
		keys = slices.Insert(keys, 0, kind.Key())
	}
	return keys
}
