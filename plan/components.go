package plan

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// components returns the components that the variant has and those that the
// spec chooses or names, sorted by name.
func (r *resolver) components(variant, init string) []Component {
	var names []string
	for name, c := range r.cat.Components {
		_, named := r.spec.Components[name]
		switch {
		case specs.KindByName(c.Kind).Choice != nil: // chosen below
		case slices.Contains(c.Variants, variant), c.Kind == "" && named:
			names = append(names, name)
		}
	}
	for _, kind := range specs.Kinds() {
		if kind.Choice != nil {
			names = append(names, r.choose(kind, variant)...)
		}
	}
	r.checkNamed(names, variant)

	var components []Component
	for _, name := range sorted(names) {
		components = append(components, r.component(r.cat.Components[name], r.spec.Components[name], init))
	}
	return components
}

// choose returns the component of a kind that the spec asks for, or else the
// default of the variant. A variant without a default has none of the kind.
func (r *resolver) choose(kind specs.Kind, variant string) []string {
	asked := kind.Choice(r.spec).Name
	none := kind.None && asked == specs.NoMesh
	var valid, byDefault []string
	for _, name := range catalog.Names(r.cat.Components) {
		if c := r.cat.Components[name]; c.Kind == kind.Name {
			valid = append(valid, name)
			if slices.Contains(c.Variants, variant) {
				byDefault = append(byDefault, name)
			}
		}
	}
	if kind.None {
		valid = append(valid, specs.NoMesh)
	}
	switch {
	case len(byDefault) == 0 && r.doc.Has(kind.Key.String()) && !none:
		if !r.sure(key.Variant) {
			return nil
		}
		r.report(rules.UnsupportedChoice, kind.Key, r.haveKind(kind.Name), "the variant %s has no %s", variant, kind.Name)
		return nil
	case asked == "" || len(byDefault) == 0:
		return byDefault
	case !slices.Contains(valid, asked):
		r.report(rules.UnknownName, kind.NameKey, specs.Suggest(asked, valid), "unknown %s %q", kind.Name, asked)
		return nil
	case none:
		return nil
	default:
		return []string{asked}
	}
}

// haveKind is the hint that names the variants that have a kind of component.
func (r *resolver) haveKind(kind string) string {
	var variants []string
	for _, c := range r.cat.Components {
		if c.Kind == kind {
			variants = append(variants, c.Variants...)
		}
	}
	return `write "variant: ` + strings.Join(sorted(variants), " or ") + `", or remove it`
}

// checkNamed refuses components that the spec names and the system has not.
func (r *resolver) checkNamed(names []string, variant string) {
	for _, name := range catalog.Names(r.spec.Components) {
		at := key.Components.Entry(name)
		for _, arch := range catalog.Names(r.spec.Components[name].SHA256) {
			if r.cat.Archs[arch] == nil {
				r.report(rules.InvalidValue, at.SHA256().Entry(arch), r.cat.ArchHint(arch), "%q is not an architecture", arch)
			}
		}
		known, ok := r.cat.Components[name]
		switch {
		case !ok:
			r.report(rules.UnknownName, at, specs.Suggest(name, catalog.Names(r.cat.Components)), "unknown component %q", name)
		case slices.Contains(names, name), !r.sure(key.Variant):
		case r.kinds(variant)[known.Kind] && !r.sure(specs.KindByName(known.Kind).Key):
		case r.kinds(variant)[known.Kind]:
			r.report(rules.UnsupportedChoice, at, `choose it with "`+known.Kind+": "+name+`", or remove it`, "%s is not the %s of this system", name, known.Kind)
		default:
			r.report(rules.UnsupportedChoice, at, r.haveKind(known.Kind), "the variant %s has no %s", variant, known.Kind)
		}
	}
}

// kinds are the kinds of components that a variant has.
func (r *resolver) kinds(variant string) map[string]bool {
	has := map[string]bool{}
	for _, c := range r.cat.Components {
		has[c.Kind] = has[c.Kind] || slices.Contains(c.Variants, variant)
	}
	return has
}

// component lays what the spec says about a component over the catalog.
func (r *resolver) component(known *catalog.Component, asked specs.Component, init string) Component {
	c := Component{
		Name:    known.Name,
		Kind:    known.Kind,
		Version: r.version(known, asked),
		Install: known.Install,
		Links:   links(known.Links),
		Files:   known.Files[init],
		Image:   asked.Image,
		Context: asked.Context,
		Path:    strings.TrimPrefix(cmp.Or(asked.Path, known.Program, known.Name), "/"),
	}
	if c.Image != "" || c.Context != "" {
		return c
	}
	expand := func(url string) string { return known.Expand(url, c.Version, r.arch.Name) }
	c.Download = &Download{URL: expand(cmp.Or(asked.URL, known.URL)), SHA256: asked.SHA256[r.arch.Name]}
	if c.Download.SHA256 != "" {
		return c
	}
	checksums := asked.Checksums
	if checksums == "" && asked.URL == "" {
		checksums = known.Checksums
	}
	if checksums == "" && r.sure(key.Components.Entry(known.Name)) {
		r.report(rules.UnverifiedDownload, key.Components.Entry(known.Name).SHA256(), "add the sha256 of "+r.arch.Name, "%s needs a checksum for %s", c.Download.URL, r.arch.Name)
	}
	c.Download.Checksums = expand(checksums)
	return c
}

// version is that of the spec, where it may stand in two places, or the
// catalog's.
func (r *resolver) version(known *catalog.Component, asked specs.Component) string {
	at, version := key.Components.Entry(known.Name).Version(), asked.Version
	if kind := specs.KindByName(known.Kind); kind.Choice != nil && kind.Choice(r.spec).Version != "" {
		if version != "" {
			r.report(rules.ConflictingValues, at, "keep one of them", "the version of %s is in %s too", known.Name, kind.Key.Version())
		}
		at, version = kind.Key.Version(), kind.Choice(r.spec).Version
	}
	if version == "" {
		return known.Version
	}
	if !regexp.MustCompile(known.VersionPattern).MatchString(version) { // the catalog has compiled it before
		r.report(rules.InvalidValue, at, "write it as "+known.Version, "%q is not a version of %s", version, known.Name)
	}
	return version
}

// Key is where the spec decides about the component.
func (c Component) Key() key.Key {
	if kind := specs.KindByName(c.Kind); kind.Choice != nil {
		return kind.Key
	}
	return key.Components.Entry(c.Name)
}
