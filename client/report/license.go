package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/internal/draw"
	"github.com/flavorkit/flavorkit/plan/sbom"
)

// license is one with the parts of a system that name it.
type license struct {
	Name  string
	Parts []string
}

// licenses are those of a system, the one that most parts name first.
func licenses(d sbom.Document) (all []license) {
	byName := map[string][]string{}
	for _, p := range d.Parts {
		for _, name := range p.Licenses {
			name = draw.Clean(name)
			byName[name] = append(byName[name], draw.Clean(p.Name))
		}
	}
	for name, parts := range byName {
		all = append(all, license{name, once(parts)})
	}
	slices.SortFunc(all, func(a, b license) int {
		return cmp.Or(cmp.Compare(len(b.Parts), len(a.Parts)), strings.Compare(a.Name, b.Name))
	})
	return all
}

// unlicensed are the parts of a system whose license the bill of materials does not tell.
func unlicensed(d sbom.Document) []string {
	var names []string
	for _, name := range d.Nameless {
		names = append(names, draw.Clean(name))
	}
	for _, p := range d.Parts {
		if len(p.Licenses) == 0 {
			names = append(names, draw.Clean(p.Name))
		}
	}
	return once(names)
}

// once sorts names. Several parts can have the same, such as a package in two stages.
func once(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
