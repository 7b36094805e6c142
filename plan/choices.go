package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
)

// Choice is a name that a spec can have for a key.
type Choice struct {
	Name string
	// About says what it is, if the catalog knows.
	About string
}

// Choices returns the names that the catalog has for a key: values, for a list those of its items,
// and for a mapping its keys. It has none for a key that takes any text. What depends on the
// distribution is that of doc, which may have mistakes.
func Choices(doc *specs.Document, cat *catalog.Catalog, k key.Key) []Choice {
	named := func(names []string, about func(name string) string) []Choice {
		all := make([]Choice, len(names))
		for i, name := range names {
			all[i] = Choice{name, about(name)}
		}
		return all
	}
	unsaid := func(string) string { return "" }
	d := cat.Distros[doc.Spec.Distro.Name]
	if d == nil {
		d = &catalog.Distro{}
	}
	switch k {
	case key.Extends:
		return named(cat.FlavorNames(), func(string) string { return "flavor" })
	case key.DistroName, key.KernelFrom:
		return named(catalog.Names(cat.Distros), func(name string) string { return cat.Distros[name].Title })
	case key.Model:
		return named(catalog.Names(cat.Models), func(name string) string { return cat.Models[name].Title })
	case key.Kairos:
		return named(specs.KairosWords(), unsaid)
	case key.PackagesGroups:
		return groupChoices(d, cat.Distros[cmp.Or(doc.Spec.Kernel.From, d.Name)])
	case key.PackagesFiles:
		var all []Choice
		for _, g := range d.OptionalFiles() {
			all = append(all, Choice{g.Name, g.Why})
		}
		return all
	case key.PackagesAdd:
		return askedChoices(cat, d)
	case key.PackagesRemove:
		return packageChoices(d)
	case key.KernelModules:
		return named(cat.SwitchedModules(), func(name string) string { return cat.Modules[name].Title })
	case key.MirrorArchives:
		return named(cat.ArchiveNames(), unsaid)
	case key.Components:
		return named(catalog.Names(cat.Components), func(name string) string { return cat.Components[name].Why })
	}
	component, _ := k.Around()
	if list, _ := component.Around(); list == key.Components && k == component.SHA256() {
		return named(catalog.Names(cat.Archs), func(name string) string { return cat.Archs[name].Title })
	}
	for _, kind := range specs.Kinds() {
		if kind.InSpec() && k == kind.NameKey() {
			all := named(cat.OfKind(kind.Name), func(name string) string { return cat.Components[name].Why })
			if kind.None != "" {
				all = append(all, Choice{Name: kind.None})
			}
			return all
		}
	}
	return nil
}

// groupChoices are the groups of packages that a spec can switch, sorted. Some names stand for
// several groups.
func groupChoices(d, donor *catalog.Distro) []Choice {
	if donor == nil {
		donor = d
	}
	why := map[string]string{}
	for _, g := range d.OptionalGroups(donor) {
		why[g.Name] = cmp.Or(why[g.Name], g.Why)
	}
	return sortedChoices(why)
}

// packageChoices are the packages that the catalog lists for a userland.
func packageChoices(d *catalog.Distro) []Choice {
	why := map[string]string{}
	for _, g := range d.Groups {
		for name, p := range g.Packages {
			why[name] = cmp.Or(p.Why, g.Why)
		}
	}
	return sortedChoices(why)
}

// askedChoices are the packages of a distribution that the catalog asks for, in whatever system and on
// whatever architecture.
func askedChoices(cat *catalog.Catalog, d *catalog.Distro) []Choice {
	why := map[string]string{}
	for _, arch := range d.Architectures {
		for _, a := range cat.Asked(d.Name, arch) {
			why[a.Name] = cmp.Or(why[a.Name], a.Why, a.What)
		}
	}
	return sortedChoices(why)
}

func sortedChoices(about map[string]string) []Choice {
	var all []Choice
	for name, text := range about {
		all = append(all, Choice{name, text})
	}
	slices.SortFunc(all, func(a, b Choice) int { return strings.Compare(a.Name, b.Name) })
	return all
}
