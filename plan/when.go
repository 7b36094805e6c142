package plan

import (
	"cmp"
	"slices"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// Evaluate returns the document of a spec for an architecture: without the parts that its conditions
// leave out. What they are about cannot depend on conditions, so the spec says it for all
// architectures.
func Evaluate(doc *specs.Document, cat *catalog.Catalog, arch string) (*specs.Document, error) {
	distro, init := cat.Distros[doc.Spec.Distro.Name], doc.Spec.Init
	if distro == nil {
		distro = &catalog.Distro{}
	} else {
		init = cmp.Or(init, distro.Inits[0].Name)
	}
	distros := catalog.Names(cat.Distros)
	for _, d := range cat.Distros {
		distros = append(distros, d.Flavor)
	}
	slices.Sort(distros)
	return doc.Evaluate(specs.Facts{
		"arch":    fact(catalog.Names(cat.Archs), arch),
		"model":   fact(catalog.Names(cat.Models), cmp.Or(doc.Spec.Model, defaultModel)),
		"variant": fact(specs.Enum("variant"), cmp.Or(doc.Spec.Variant, defaultVariant)),
		"init":    fact(specs.Enum("init"), init),
		"distro":  fact(slices.Compact(distros), distro.Name, distro.Flavor),
	})
}

// fact is a property with its names, of those that it can have. Other names are mistakes.
func fact(valid []string, names ...string) specs.Fact {
	known := slices.DeleteFunc(slices.Compact(names), func(name string) bool { return !slices.Contains(valid, name) })
	return specs.Fact{Values: known, Valid: valid}
}
