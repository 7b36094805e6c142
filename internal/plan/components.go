package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// components returns the components that the variant has and those that the
// spec names, sorted by name.
func (r *resolver) components(variant string) []Component {
	names := slices.Collect(maps.Keys(r.spec.Components))
	for name, c := range r.cat.Components {
		if slices.Contains(c.Variants, variant) {
			names = append(names, name)
		}
	}
	var components []Component
	for _, name := range sorted(names) {
		known, ok := r.cat.Components[name]
		if !ok {
			r.report("components."+name, specs.Suggest(name, catalog.Names(r.cat.Components)), "unknown component %q", name)
			continue
		}
		components = append(components, r.component(known, r.spec.Components[name]))
	}
	return components
}

// component lays what the spec says about a component over the catalog.
func (r *resolver) component(known *catalog.Component, asked specs.Component) Component {
	c := Component{
		Name:    known.Name,
		Version: cmp.Or(asked.Version, known.Version),
		Install: known.Install,
		Image:   asked.Image,
		Context: asked.Context,
		Path:    strings.TrimPrefix(cmp.Or(asked.Path, known.Name), "/"),
	}
	if c.Image != "" || c.Context != "" {
		return c
	}
	expand := strings.NewReplacer("{version}", c.Version, "{arch}", cmp.Or(known.Arch[r.arch], r.arch)).Replace
	c.Download = &Download{URL: expand(cmp.Or(asked.URL, known.URL)), SHA256: asked.SHA256[r.arch]}
	if c.Download.SHA256 != "" {
		return c
	}
	checksums := asked.Checksums
	if checksums == "" && asked.URL == "" {
		checksums = known.Checksums
	}
	if checksums == "" {
		r.report("components."+known.Name+".sha256", "add the sha256 of "+r.arch, "%s has nothing to verify it with on %s", c.Download.URL, r.arch)
	}
	c.Download.Checksums = expand(checksums)
	return c
}
