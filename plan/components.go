package plan

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// components returns the components of the variant and those that the spec chooses or names, sorted
// by name.
func (r *resolver) components(variant, init string) []Component {
	var names []string
	multi := r.multiCall()
	for name, c := range r.cat.Components {
		_, named := r.spec.Components[name]
		switch {
		case specs.KindByName(c.Kind).InSpec(): // chosen below
		case !specs.KindByName(c.Kind).On(r.spec):
		case len(c.Provides) > 0:
			if c == multi.program {
				names = append(names, name)
			}
		case multi.provides(name):
		case slices.Contains(c.Variants, variant), c.Kind == "" && named:
			names = append(names, name)
		}
	}
	for _, kind := range specs.Kinds() {
		if kind.InSpec() {
			names = append(names, r.choose(kind, variant)...)
		}
	}
	names = r.following(names)
	r.checkNamed(names, variant, multi)

	var components []Component
	for _, name := range sorted(names) {
		components = append(components, r.component(r.cat.Components[name], r.spec.Components[name], init, multi))
	}
	return components
}

// following leaves out what follows a component that the system does not have.
func (r *resolver) following(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		other := r.cat.Components[name].Follows
		return other != "" && !slices.Contains(names, other)
	})
}

// choose returns the component of a kind that the spec asks for, or else the default of the
// variant. A variant without a default has no component of the kind.
func (r *resolver) choose(kind specs.Kind, variant string) []string {
	asked := kind.Choice(r.spec).Name
	none := kind.None != "" && asked == kind.None
	valid := r.cat.OfKind(kind.Name)
	byDefault := slices.DeleteFunc(slices.Clone(valid), func(name string) bool {
		return !slices.Contains(r.cat.Components[name].Variants, variant)
	})
	if kind.None != "" {
		valid = append(valid, kind.None)
	}
	switch {
	case len(byDefault) == 0 && r.doc.Has(kind.Key().String()) && !none:
		if !r.sure(key.Variant) {
			return nil
		}
		r.report(rules.UnsupportedChoice, kind.Key(), r.haveKind(kind.Name), "the variant %s has no %s", variant, kind.Name)
		return nil
	case asked == "" || len(byDefault) == 0:
		return byDefault
	case !slices.Contains(valid, asked):
		r.report(rules.UnknownName, kind.NameKey(), specs.Suggest(asked, valid), "unknown %s %q", kind.Name, asked)
		return nil
	case none:
		if kind.Choice(r.spec).Version != "" {
			r.report(rules.InapplicableKey, kind.Key().Version(), "remove it", "there is no %s to have a version", kind.Name)
		}
		return nil
	default:
		return []string{asked}
	}
}

// haveKind returns a hint with the variants that have a kind of component.
func (r *resolver) haveKind(kind string) string {
	var variants []string
	for _, c := range r.cat.Components {
		if c.Kind == kind {
			variants = append(variants, c.Variants...)
		}
	}
	return `write "variant: ` + strings.Join(sorted(variants), " or ") + `", or remove it`
}

// checkNamed rejects components that the spec names but the system does not have.
func (r *resolver) checkNamed(names []string, variant string, multi multiCall) {
	for _, name := range catalog.Names(r.spec.Components) {
		at := key.Components.Entry(name)
		for _, arch := range catalog.Names(r.spec.Components[name].SHA256) {
			if !r.knownArch(arch) {
				r.report(rules.InvalidValue, at.SHA256().Entry(arch), r.cat.ArchHint(arch), "%q is not an architecture", arch)
			}
		}
		known, ok := r.cat.Components[name]
		switch {
		case !ok:
			r.report(rules.UnknownName, at, specs.Suggest(name, catalog.Names(r.cat.Components)), "unknown component %q", name)
		case len(known.Provides) > 0 && multi.program == nil:
			if !multi.unsure {
				r.report(rules.UnsupportedChoice, at, `choose it with "kairos: `+specs.KairosLatest+`", or remove it`, "the programs of %s are separate in this system", name)
			}
		case multi.provides(name):
			r.report(rules.ConflictingValues, at, `remove it, or write "kairos: `+specs.KairosSeparate+`"`, "%s is part of %s %s", name, multi.program.Name, multi.version)
		case slices.Contains(names, name), !r.sure(key.Variant):
		case known.Follows != "" && !r.sure(specs.KindByName(r.cat.Components[known.Follows].Kind).Key()):
		case known.Follows != "":
			r.report(rules.UnsupportedChoice, at, "remove it, or choose "+known.Follows, "it belongs to %s, which this system does not have", known.Follows)
		case r.kinds(variant)[known.Kind] && !r.sure(specs.KindByName(known.Kind).Key()):
		case r.kinds(variant)[known.Kind]:
			r.report(rules.UnsupportedChoice, at, `choose it with "`+specs.KindByName(known.Kind).Line(name)+`", or remove it`, "%s is not the %s of this system", name, known.Kind)
		default:
			r.report(rules.UnsupportedChoice, at, r.haveKind(known.Kind), "the variant %s has no %s", variant, known.Kind)
		}
	}
}

func (r *resolver) knownArch(name string) bool { return r.cat.Archs[name] != nil }

// kinds returns the kinds of components that a variant has.
func (r *resolver) kinds(variant string) map[string]bool {
	has := map[string]bool{}
	for _, c := range r.cat.Components {
		has[c.Kind] = has[c.Kind] || slices.Contains(c.Variants, variant)
	}
	return has
}

// component applies the spec to a component of the catalog.
func (r *resolver) component(known *catalog.Component, asked specs.Component, init string, multi multiCall) Component {
	known = multi.release(known)
	c := Component{
		Name:     known.Name,
		Kind:     known.Kind,
		Version:  r.version(known, asked, multi),
		Install:  known.Install,
		Links:    links(known.Links),
		Provides: r.provided(known),
		Files:    r.componentFiles(known, init),
		Image:    asked.Image,
		Context:  asked.Context,
		Path:     strings.TrimPrefix(cmp.Or(asked.Path, known.Program, known.Name), "/"),
	}
	for _, name := range catalog.Names(c.Provides) {
		c.Links = append(c.Links, Link{Path: c.Provides[name], Target: c.Install})
	}
	c.EOL = known.EndOfLife(c.Version)
	c.Stages = known.StagesOf(c.Version)
	unpublished := known.Arch[r.arch.Name] == "" && asked.URL == ""
	if c.Image != "" || c.Context != "" || unpublished {
		return c
	}
	expand := func(url string) string { return known.Expand(url, c.Version, r.arch.Name) }
	c.Download = &Download{URL: expand(cmp.Or(asked.URL, known.URL)), SHA256: asked.SHA256[r.arch.Name], Secret: asked.Secret}
	if c.Download.SHA256 != "" {
		return c
	}
	checksums := asked.Checksums
	if checksums == "" && asked.URL == "" {
		checksums = known.Checksums
	}
	misspelled := slices.ContainsFunc(catalog.Names(asked.SHA256), func(arch string) bool { return !r.knownArch(arch) })
	if checksums == "" && !misspelled && r.sure(key.Components.Entry(known.Name)) {
		r.report(rules.UnverifiedDownload, key.Components.Entry(known.Name).SHA256(), "add the sha256 of "+r.arch.Name, "%s needs a checksum for %s", c.Download.URL, r.arch.Name)
	}
	c.Download.Checksums = expand(checksums)
	return c
}

// componentFiles are the files of a component, with the one for what the spec says to it.
func (r *resolver) componentFiles(known *catalog.Component, init string) map[string]string {
	settings := specs.KindByName(known.Kind).Settings(r.spec)
	if known.Settings == "" || len(settings) == 0 {
		return known.Files[init]
	}
	var text strings.Builder
	for _, name := range catalog.Names(settings) {
		text.WriteString(name + ": " + settings[name] + "\n")
	}
	files := map[string]string{known.Settings: text.String()}
	maps.Copy(files, known.Files[init])
	return files
}

// version returns the version in the spec, which has two places for it, or else the catalog's.
func (r *resolver) version(known *catalog.Component, asked specs.Component, multi multiCall) string {
	at, version := key.Components.Entry(known.Name).Version(), asked.Version
	if other := r.cat.Components[known.Follows]; other != nil {
		if version != "" {
			r.report(rules.ConflictingValues, at, "remove it", "%s has the version of %s", known.Name, other.Name)
		}
		asked := r.spec.Components[other.Name]
		return cmp.Or(multi.decides(other, asked), specs.KindByName(other.Kind).Choice(r.spec).Version, asked.Version, other.Version)
	}
	if decided := multi.decides(known, asked); decided != "" {
		if version != "" {
			r.report(rules.ConflictingValues, at, "remove it", "the version of %s is in %s", known.Name, key.Kairos)
		}
		return decided
	}
	if kind := specs.KindByName(known.Kind); kind.Choice(r.spec).Version != "" {
		if version != "" {
			r.report(rules.ConflictingValues, at, "keep one of them", "the version of %s is in %s too", known.Name, kind.Key().Version())
		}
		at, version = kind.Key().Version(), kind.Choice(r.spec).Version
	}
	if version == "" {
		return known.Version
	}
	if !regexp.MustCompile(known.VersionPattern).MatchString(version) { // the catalog has checked the pattern
		r.report(rules.InvalidValue, at, "write it as "+known.Version, "%q is not a version of %s", version, known.Name)
	}
	return version
}

// Key is the key of the spec that decides about the component.
func (c Component) Key() key.Key {
	if len(c.Provides) > 0 {
		return key.Kairos
	}
	if kind := specs.KindByName(c.Kind); kind.HasKey() {
		return kind.Key()
	}
	return key.Components.Entry(c.Name)
}
