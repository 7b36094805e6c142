package plan

import (
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// multiCall is the one program that is all programs of Kairos, in its version. The program is nil
// when these are separate.
type multiCall struct {
	program *catalog.Component
	version string
	// unsure tells that the spec asks for something that does not exist.
	unsure bool
}

// multiCall returns what the key kairos chooses.
func (r *resolver) multiCall() multiCall {
	asked, known := r.spec.Kairos, r.cat.MultiCall()
	if !r.sure(key.Kairos) {
		return multiCall{unsure: true}
	}
	if asked == "" || asked == specs.KairosSeparate {
		return multiCall{}
	}
	words := specs.KairosWords()
	switch {
	case known == nil:
		r.report(rules.UnsupportedChoice, key.Kairos, `write "kairos: `+specs.KairosSeparate+`", or remove it`, "the catalog has only separate programs of Kairos")
	case asked == specs.KairosLatest:
		return r.checked(multiCall{program: known, version: known.Version})
	case !semver.IsValid(asked) || semver.Canonical(asked)+semver.Build(asked) != asked:
		r.report(rules.UnknownName, key.Kairos, specs.Suggest(asked, words)+", or a version such as "+known.Version, "%q is no version of Kairos", asked)
	case semver.Compare(asked, known.Since) < 0:
		r.report(rules.UnsupportedChoice, key.Kairos, "set the versions of "+strings.Join(r.separate(known), " and ")+" in components",
			"%s is before %s, the first version of one program for all", asked, known.Since)
	default:
		return r.checked(multiCall{program: known, version: asked})
	}
	return multiCall{unsure: true}
}

// checked reports when the publisher has no program for the architecture, and the spec names no
// other source.
func (r *resolver) checked(m multiCall) multiCall {
	own := r.spec.Components[m.program.Name]
	if _, has := m.program.Arch[r.arch.Name]; !has && own.URL == "" && own.Image == "" && own.Context == "" {
		r.report(rules.UnsupportedArchitecture, key.Kairos,
			"it has "+strings.Join(catalog.Names(m.program.Arch), ", ")+`; name another source in "components", or write "kairos: `+specs.KairosSeparate+`"`,
			"%s %s has no %s", m.program.Name, m.version, r.arch.Name)
	}
	return m
}

// separate returns the components that the program replaces and that every system has, sorted.
func (r *resolver) separate(c *catalog.Component) []string {
	return slices.DeleteFunc(sorted(c.Provides), func(name string) bool {
		return len(r.cat.Components[name].Variants) == 0
	})
}

// provides reports whether the one program replaces a component.
func (m multiCall) provides(name string) bool {
	return m.program != nil && slices.Contains(m.program.Provides, name)
}

// release returns a component as it is with the one program: with its version, and from its
// publisher.
func (m multiCall) release(known *catalog.Component) *catalog.Component {
	if m.program == nil {
		return known
	}
	with, differs := known.With[m.program.Name]
	if !differs {
		return known
	}
	c := *known
	c.Version, c.URL, c.Checksums, c.Links = m.version, with.URL, with.Checksums, with.Links
	return &c
}

// provided returns the paths of the components that a program replaces, by their names.
func (r *resolver) provided(known *catalog.Component) map[string]string {
	var paths map[string]string
	for _, name := range known.Provides {
		if paths == nil {
			paths = map[string]string{}
		}
		paths[name] = r.cat.Components[name].Install
	}
	return paths
}

// decides returns the version of a component that the key kairos decides about; empty when another
// key does. A component of one's own source has a version of its own.
func (m multiCall) decides(known *catalog.Component, asked specs.Component) string {
	if m.program == nil {
		return ""
	}
	_, with := known.With[m.program.Name]
	own := asked.URL != "" || asked.Image != "" || asked.Context != ""
	if known.Name == m.program.Name || with && !own {
		return m.version
	}
	return ""
}
