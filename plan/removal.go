package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// providers are the packages of a userland with a command, by its name.
func providers(p *Plan, cat *catalog.Catalog) map[string][]string {
	d, model := p.based(cat)
	groups := append(slices.Clone(d.Groups), catalog.Group{Packages: model.Distros[d.Name].Packages})
	all := map[string][]string{}
	for _, pkg := range p.Userland.Packages {
		for _, g := range groups {
			for _, command := range g.Packages[pkg.Name].Commands {
				all[command] = append(all[command], pkg.Name)
			}
		}
	}
	return all
}

// having are the packages that have one of the alternatives of a command that the system needs.
func (e *explainer) having(names string) (packages []string) {
	for name := range strings.SplitSeq(names, " or ") {
		packages = append(packages, e.providers[name]...)
	}
	return packages
}

// without is what leaves packages out, if the system can do without them.
func (e *explainer) without(advice string, packages ...string) string {
	gone := func(name string) bool { return slices.Contains(packages, name) }
	needs := e.plan.Needs[catalog.NeedCommands]
	for _, names := range catalog.Names(needs) {
		have := e.having(names)
		if slices.ContainsFunc(have, gone) && !slices.ContainsFunc(have, func(name string) bool { return !gone(name) }) {
			return nothing + ": the system needs " + names + " (" + needs[names] + ")"
		}
	}
	d, _ := e.plan.based(e.catalog)
	if e.plan.Userland.Loader.From == nil && slices.ContainsFunc(d.Loaders[e.plan.Arch].Packages, gone) {
		return nothing + ": machines and media start from it"
	}
	return advice
}

// removal is what leaves a package of a group of the userland out.
func (e *explainer) removal(g catalog.Group, name string) string {
	one := e.without("packages: {remove: ["+name+"]}", name)
	if !g.Optional {
		return one
	}
	d, model := e.plan.based(e.catalog)
	var all []string
	for _, other := range d.Groups {
		if other.Name == g.Name && e.resolver.applies(other, model.Name, e.plan.System.Init, e.plan.Variant) {
			all = append(all, catalog.Names(other.Packages)...)
		}
	}
	off := "packages: {groups: {" + g.Name + ": false}}"
	if e.without(off, all...) != off {
		return one
	}
	return off
}

// unless limits the advice about what the spec adds to the userland: it may be there for what the
// catalog's packages do not have.
func (e *explainer) unless() string {
	for _, names := range catalog.Names(e.plan.Needs[catalog.NeedCommands]) {
		if len(e.having(names)) == 0 {
			return ", unless it has " + names + ", which the system needs"
		}
	}
	return ""
}

// besides is what leaves a package of the catalog out of a stage other than the userland.
func (e *explainer) besides(s Stage, name string) string {
	if s.Name != "kernel" {
		return nothing
	}
	for _, g := range e.resolver.groups(e.catalog.Distros[s.Install.Distro].Kernel.Firmware, e.plan.Model, "", "") {
		if _, has := g.Packages[name]; has && g.Optional {
			return "packages: {groups: {" + g.Name + ": false}}"
		}
	}
	return nothing
}

// dropped is what leaves a component out.
func (e *explainer) dropped(c Component) string {
	known := e.catalog.Components[c.Name]
	k := specs.KindByName(known.Kind)
	switch {
	case k.InSpec() && k.None != "":
		return k.Key().Line(k.None)
	case k.Switched():
		return k.Key().Line("false")
	case len(known.Provides) > 0:
		return key.Kairos.Line(specs.KairosSeparate)
	case slices.Contains(known.Variants, defaultVariant):
		return nothing
	case slices.Contains(known.Variants, e.plan.Variant):
		return e.core()
	default:
		return e.unset(c.Key())
	}
}

// core is what leaves out everything that only another variant has, if the spec can do without it.
func (e *explainer) core() string {
	doc := e.resolver.doc.Without(key.Variant.String())
	advice := key.Variant.Line(defaultVariant)
	for _, k := range specs.Kinds() {
		if at := k.Key().String(); k.InSpec() && doc.Has(at) {
			doc = doc.Without(at)
			advice += ", and no " + at
		}
	}
	return e.try("core", doc, advice)
}

// unset is what takes a value out that a file of the spec sets, if the spec can do without it.
func (e *explainer) unset(k key.Key) string {
	doc := e.resolver.doc
	part := removable(k.String())
	switch {
	case !doc.Has(k.String()) || k == key.Extends:
		return nothing
	case doc.At(k.String()).Source.Builtin:
		return "another " + k.String() + " in the spec"
	}
	if name, ok := strings.CutPrefix(part, key.Args.String()+"."); ok && !doc.Unused(name) {
		return nothing + ": values of it have the argument"
	}
	advice := "remove " + doc.Written(part) + " from " + doc.At(part).Source.Name
	top, _, _ := strings.Cut(strings.ReplaceAll(part, "[", "."), ".")
	if slices.Contains([]string{key.Packages.String(), key.Files.String(), key.Layers.String()}, top) {
		advice += e.unless()
	}
	return e.try(part, doc.Without(part), advice)
}

// try returns an advice if the spec has no mistake when it is followed. Each is tried once.
func (e *explainer) try(name string, doc *specs.Document, advice string) string {
	if known, ok := e.tried[name]; ok {
		return known
	}
	if _, err := Resolve(doc, e.catalog, e.plan.Arch); err != nil {
		advice = nothing + ": " + why(err)
	}
	e.tried[name] = advice
	return advice
}

// removable is the part of a spec to remove for a value: the item of a list or the entry of a mapping
// with names of the user's choice that it is in, or the value itself.
func removable(k string) string {
	if end := strings.Index(k, "]"); end >= 0 {
		return k[:end+1]
	}
	for _, mapping := range []key.Key{key.Args, key.Components} {
		if rest, ok := strings.CutPrefix(k, mapping.String()+"."); ok {
			name, _, _ := strings.Cut(rest, ".")
			return mapping.Entry(name).String()
		}
	}
	return k
}

// why is the first of the mistakes.
func why(err error) string {
	var mistakes specs.Diagnostics
	if errors.As(err, &mistakes) {
		return mistakes[0].Text()
	}
	return err.Error()
}

// requirements explains what the system must have. The catalog asks for it, and what a component or a
// package of firmware is there for.
func (e *explainer) requirements() {
	const kind = "requirement"
	for _, category := range catalog.Categories() {
		needs := e.plan.Needs[category]
		for _, names := range catalog.Names(needs) {
			before := len(e.all)
			for _, file := range catalog.Names(e.catalog.Requirements) {
				for what, need := range e.catalog.Requirements[file].Needs[category] {
					if strings.Join(append([]string{what}, need.Or...), " or ") == names && strings.Contains(needs[names], need.Why) {
						e.record(kind, names, string(category), need.Why, "", "requirements/"+file, "needs", string(category), what)
					}
				}
			}
			if len(e.all) == before {
				e.spec(kind, names, string(category), needs[names], e.plan.Origin.Decided(e.plan.Origin.Asks(category, names)...), "")
			}
			for i := range e.all[before:] {
				e.all[before+i].Remove = e.unneeded(category, names)
			}
		}
	}
}

// unneeded is what makes a requirement go away: taking out what asks for it.
func (e *explainer) unneeded(category catalog.Category, names string) string {
	for _, k := range e.plan.Origin.Asks(category, names) {
		around, _ := k.Around()
		general := k == category.Key() || k == key.Packages || slices.Contains([]key.Key{key.PackagesRemove, key.PackagesGroups, key.Components}, around)
		if e.plan.Origin.set(k) && !general && !e.resolver.doc.At(k.String()).Source.Builtin {
			return e.unset(k)
		}
	}
	return nothing
}

// keys explains the values that files of the spec set.
func (e *explainer) keys() {
	for _, k := range slices.SortedFunc(maps.Keys(e.plan.Origin.Places), func(a, b key.Key) int { return strings.Compare(a.String(), b.String()) }) {
		src := e.resolver.doc.At(k.String()).Source
		why := "the spec sets it"
		switch {
		case src.Flavor != "":
			why = "the flavor " + src.Flavor + " sets it"
		case src != e.resolver.doc.Sources[0]:
			why = src.Name + " sets it"
		}
		e.spec("key", k.String(), "", why, k, e.unset(k))
	}
}

// defaults explains the keys that no file sets.
func (e *explainer) defaults() {
	const kind, language = "default", " is the default of the language"
	add := func(k key.Key, record func(name string)) {
		if !e.plan.Origin.set(k) {
			record(k.String())
		}
	}
	fixed := func(value string) func(string) {
		return func(name string) {
			e.all = append(e.all, Reason{Kind: kind, Name: name, Place: "flavorkit", Why: value + language, Remove: "another " + name + " in the spec"})
		}
	}
	add(key.Name, fixed(defaultName))
	add(key.ISOLabel, fixed(defaultLabel))
	add(key.ISOCompression, fixed(defaultCompression))
	if e.plan.Source != nil {
		return // the image has the others
	}
	p, d := e.plan, e.catalog.Distros[e.plan.Userland.Distro]
	add(key.Variant, fixed(defaultVariant))
	add(key.Model, fixed(defaultModel))
	distro := func(value string, at ...any) func(string) {
		return func(name string) {
			e.record(kind, name, "", value+" is the default of "+cmp.Or(d.Title, d.Name), "another "+name+" in the spec", "distros/"+d.Name, at...)
		}
	}
	add(key.Init, distro(p.System.Init, "inits", 0))
	if packages := d.Kernel.Packages[p.Arch]; len(p.Kernel.Packages) > 0 && len(packages) > 0 {
		add(key.Kernel, distro(p.Kernel.Packages[0].String(), "kernel", "packages", p.Arch, 0))
	}
	for _, c := range p.AllComponents() {
		if k := specs.KindByName(c.Kind); k.InSpec() {
			add(k.Key(), func(name string) {
				e.record(kind, name, "", c.Name+" "+c.Version+" is the default of the variant "+p.Variant, "another "+name+" in the spec", "components/"+c.Name)
			})
		}
	}
}

// leftOut explains what is not in the system: what conditions leave out, what nearer specs replace or
// take out, and what the spec leaves out of the lists of the catalog.
func (e *explainer) leftOut() {
	const kind = "left out"
	doc := e.resolver.doc
	for _, l := range doc.LeftOut() {
		e.all = append(e.all, Reason{Kind: kind, Name: cmp.Or(l.Text, l.Key), Place: l.Range.String(), Chain: places(doc.Chain(l.Range)), Key: l.Key, Why: l.Why})
	}
	for _, r := range doc.Replaced() {
		list, isItem := key.Parse(r.Key).Around()
		switch {
		case r.Key == key.Extends.String():
		case isItem && strings.HasSuffix(r.Key, "]") && r.Text != "": // a package
			e.all = append(e.all, Reason{Kind: kind, Name: r.Text, Place: r.Range.String(), Chain: places(doc.Chain(r.Range)), Key: r.Key, Why: "taken out of " + list.String() + " by " + r.By.String() + " " + r.ByKey})
		default:
			e.all = append(e.all, Reason{Kind: kind, Name: r.Key, Place: r.Range.String(), Chain: places(doc.Chain(r.Range)), Key: r.Key, Why: strings.TrimSpace("its value "+r.Text) + " is replaced by " + r.By.String() + " " + r.ByKey})
		}
	}
	if e.plan.Source != nil {
		return
	}
	distro := e.catalog.Distros[e.plan.Userland.Distro]
	for i, g := range distro.Groups {
		for _, name := range catalog.Names(g.Packages) {
			by, out := e.takenOut(g, name)
			if out {
				at := e.plan.Origin.Diagnose(rules.Rule{}, by, "", "")
				e.record(kind, name, "userland", reason(g, g.Packages[name])+"; left out by "+at.Range.String()+" "+at.Key, "", "distros/"+distro.Name, "groups", i, "packages", name)
			}
		}
	}
}

// takenOut returns the key of the spec that leaves a package out that a group has for the system.
func (e *explainer) takenOut(g catalog.Group, name string) (by key.Key, out bool) {
	spec := e.resolver.spec
	if slices.ContainsFunc(e.plan.Userland.Packages, func(p Package) bool { return p.Name == name }) {
		return key.Key{}, false
	}
	switched := g
	switched.Optional = false // so that it applies whether it is off or not
	if !e.resolver.applies(switched, e.plan.Model, e.plan.System.Init, e.plan.Variant) {
		return key.Key{}, false
	}
	if i := slices.Index(spec.Packages.Remove, name); i >= 0 {
		return key.PackagesRemove.Item(i), true
	}
	on, set := spec.Packages.Groups[g.Name]
	return key.PackagesGroups.Entry(g.Name), g.Optional && set && !on
}
