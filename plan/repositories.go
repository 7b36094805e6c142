package plan

import (
	"fmt"
	"net/url"
	"path"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// repositories are the third-party package sources of the spec, for the package manager of the
// userland.
func (r *resolver) repositories(d *catalog.Distro) []Repository {
	manager, ok := catalog.ManagerByName(d.Manager)
	if !ok {
		return nil
	}
	var all []Repository
	for i, asked := range r.spec.Repositories {
		r.checkRepository(manager, key.Repositories.Item(i), asked)
		all = append(all, r.repository(key.Repositories.Item(i), asked))
	}
	r.checkTogether(manager, all)
	return all
}

// kernelRepositories are those that the kernel can come from: the userland's, when the spec names a
// package of its own and takes it from the same distribution. Any other kernel is the catalog's,
// and does not depend on them.
func (r *resolver) kernelRepositories(donor *catalog.Distro) []Repository {
	if donor.Name != r.spec.Distro.Name || r.spec.Kernel.Package == "" {
		return nil
	}
	var all []Repository
	for i, asked := range r.spec.Repositories {
		all = append(all, r.repository(key.Repositories.Item(i), asked))
	}
	return all
}

func (r *resolver) repository(k key.Key, asked specs.Repository) Repository {
	suites := asked.Suites
	if asked.Path != "" {
		suites = []string{asked.Path}
	}
	return Repository{
		Name: asked.Name, URL: asked.URL, Suites: suites, Components: asked.Components,
		Key:      r.signingKey(k.SigningKey(), asked.Key),
		Priority: asked.Priority, Packages: asked.Packages, Keep: asked.Keep,
		Secret: asked.Secret, Certificate: asked.Certificate,
	}
}

func (r *resolver) signingKey(k key.Key, asked specs.SigningKey) SigningKey {
	own := SigningKey{Content: r.content(k, specs.Content{From: asked.From}), File: path.Base(asked.From)}
	if asked.URL != "" {
		own.Download = &Download{URL: asked.URL, SHA256: asked.SHA256}
		if u, err := url.Parse(asked.URL); err == nil { // the language refuses others
			own.File = path.Base(u.Path)
		}
	}
	return own
}

// checkRepository refuses what the package manager does not have.
func (r *resolver) checkRepository(m catalog.Manager, k key.Key, asked specs.Repository) {
	if !r.sure(k, key.DistroName) {
		return
	}
	has := m.Repositories
	const remove = "remove it"
	for name, set := range map[string]bool{"suites": len(asked.Suites) > 0, "components": len(asked.Components) > 0, "path": asked.Path != ""} {
		if set && !has.Suites { // mistakes are sorted later
			r.report(rules.InapplicableKey, k.Entry(name), remove+", for the url is that of the whole repository", "%s knows no %s", m.Name, name)
		}
	}
	if has.Suites {
		r.checkSuites(m, k, asked)
	}
	lowest, highest := has.Priority[0], has.Priority[1]
	switch set := r.doc.Has(k.Entry("priority").String()); {
	case set && highest == 0:
		r.report(rules.InapplicableKey, k.Entry("priority"), remove, "%s knows no priorities", m.Name)
	case set && (asked.Priority < lowest || asked.Priority > highest):
		r.report(rules.InvalidValue, k.Entry("priority"), "", "%d is not a priority of %s, which has %d to %d", asked.Priority, m.Name, lowest, highest)
	}
	if len(asked.Packages) > 0 && !has.Only {
		hint := remove
		if highest > 0 {
			hint += ", or set a priority, so that packages of the same name come from elsewhere"
		}
		r.report(rules.InapplicableKey, k.Entry("packages"), hint, "%s cannot take only some packages of a repository", m.Name)
	}
}

// checkSuites asks for suites with their components, or a path. A suite that ends with a slash
// would be a path.
func (r *resolver) checkSuites(m catalog.Manager, k key.Key, asked specs.Repository) {
	for i, suite := range asked.Suites {
		if suite[len(suite)-1] == '/' {
			r.report(rules.InvalidValue, k.Entry("suites").Item(i), "write path: "+suite, "%q is a path, not a suite", suite)
		}
	}
	switch {
	case asked.Path != "":
	case len(asked.Suites) == 0:
		r.report(rules.MissingValue, k, "add suites and components, such as suites: [bookworm] and components: [main], or a path", "%s needs suites", m.Name)
	case len(asked.Components) == 0:
		r.report(rules.MissingValue, k, "add components, such as components: [main]", "%s needs components", m.Name)
	}
}

// checkTogether refuses repositories that disagree: what one says would count for the other.
func (r *resolver) checkTogether(m catalog.Manager, all []Repository) {
	if !r.sure(key.Repositories, key.DistroName) {
		return
	}
	has := m.Repositories
	for i, later := range all {
		k := key.Repositories.Item(i)
		for j, first := range all[:i] {
			at := fmt.Sprintf("repositories[%d], %s", j, first.Name)
			sameHost := has.ByHost && host(first.URL) == host(later.URL)
			if sameHost && (first.Priority != later.Priority || len(first.Packages) > 0 != (len(later.Packages) > 0)) {
				r.report(rules.ConflictingValues, k, "give both the same priority, and both packages or none",
					"disagrees with %s: %s tells repositories apart by host, and both are on %s", at, m.Name, host(first.URL))
			}
			if has.Key == catalog.RSA && first.Key.File == later.Key.File && first.Key.source() != later.Key.source() {
				r.report(rules.ConflictingValues, k.SigningKey(), "the name is part of the signatures, so use one of the repositories",
					"disagrees with %s: %s looks keys up by their names, and both are called %s", at, m.Name, later.Key.File)
			}
			if has.Certificates == 1 && first.Certificate != "" && later.Certificate != "" && first.Certificate != later.Certificate {
				r.report(rules.ConflictingValues, k.Entry("certificate"), "use one for both", "disagrees with %s: %s takes one client certificate", at, m.Name)
			}
		}
	}
}

// source tells a key from another of the same name.
func (k SigningKey) source() string {
	if k.Download != nil {
		return k.Download.URL
	}
	return k.Context + ":" + path.Clean(k.From)
}

// host is what apt tells repositories apart by (apt_preferences(5), origin): no port.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // which the language refuses
	}
	return u.Hostname()
}
