// Package scan looks for known vulnerabilities in what a system is made of. It compares a bill of
// materials with databases in the format of OSV (ossf.github.io/osv-schema), without a network.
package scan

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/plan/sbom"
)

// Options of Scan.
type Options struct {
	// Databases are paths of archives, directories or files with records of OSV.
	Databases []string
	// Statements say which vulnerabilities do not count. If there are several about one, the last counts.
	Statements []Statement
}

// Report is what was found.
type Report struct {
	// System is the name of the system, and Document the identity of its bill of materials.
	System   string `json:"system"`
	Document string `json:"document"`
	// Packages is the number of packages that were looked up.
	Packages int `json:"packages"`
	// Findings are sorted by severity, the worst first. Those that statements rule out have a VEX.
	Findings []Finding `json:"findings"`
	// Unchecked is what could not be looked up.
	Unchecked []Unchecked `json:"unchecked"`
}

// Finding is a vulnerability of a package.
type Finding struct {
	// ID of the record, and Aliases: other names of the same vulnerability.
	ID      string   `json:"id"`
	Aliases []string `json:"aliases"`
	// Upstream are vulnerabilities of other projects that the record is about. An advisory of a
	// distribution may be about several.
	Upstream []string `json:"upstream"`
	Summary  string   `json:"summary,omitempty"`
	Severity Level    `json:"severity"`
	// Score of CVSS; 0 if the record has none.
	Score   float64 `json:"score,omitempty"`
	Package Package `json:"package"`
	// Fixed is the first version with a fix; empty if there is none.
	Fixed string `json:"fixed,omitempty"`
	// URL has more about it.
	URL string `json:"url"`
	// VEX is nil unless a statement rules the vulnerability out.
	VEX *Verdict `json:"vex,omitempty"`
}

// Package is what records name: a source package of a distribution, or a Go module.
type Package struct {
	// Ecosystem of OSV, such as Debian:12.
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
	Version   string `json:"version"`
	// Installed are the package URLs of what is in the system of it.
	Installed []string `json:"installed"`
}

// Unchecked is what could not be looked up, and why.
type Unchecked struct {
	Reason string `json:"reason"`
	// Parts of the system.
	Parts []string `json:"parts"`
	// Ecosystem is set if the databases have nothing about the whole ecosystem.
	Ecosystem string `json:"ecosystem,omitempty"`
}

// Scan looks up the parts of a system.
func Scan(ctx context.Context, doc sbom.Document, opt Options) (*Report, error) {
	s := newScan(doc)
	for _, name := range opt.Databases {
		if err := readDatabase(ctx, name, s.visit); err != nil {
			return nil, err
		}
	}
	r := &Report{System: doc.Name, Document: doc.ID, Packages: len(s.targets), Findings: []Finding{}, Unchecked: s.unchecked()}
	for _, t := range s.targets {
		for _, f := range merge(t.findings) {
			f.VEX = verdict(opt.Statements, doc, f)
			r.Findings = append(r.Findings, f)
		}
	}
	slices.SortFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(b.Severity.compare(a.Severity), cmp.Compare(b.Score, a.Score), cmp.Compare(a.Package.Name, b.Package.Name), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Package.Version, b.Package.Version))
	})
	return r, nil
}

// AtLeast are the findings of a severity or a worse one that no statement rules out.
func (r *Report) AtLeast(severity Level) (all []Finding) {
	for _, f := range r.Findings {
		if f.VEX == nil && f.Severity.compare(severity) >= 0 {
			all = append(all, f)
		}
	}
	return all
}

// Missing are the ecosystems of the system that the databases have nothing about.
func (r *Report) Missing() (ecosystems []string) {
	for _, u := range r.Unchecked {
		if u.Ecosystem != "" {
			ecosystems = append(ecosystems, u.Ecosystem)
		}
	}
	return ecosystems
}

// target is a package to look up, and what was found.
type target struct {
	Package
	ecosystem
	findings []Finding
}

// key is what records name a package by.
type key struct{ ecosystem, name string }

func newKey(ecosystem, name string) key {
	if ecosystem == ecosystemGo {
		name = strings.ToLower(name) // as package URLs of some programs have it
	}
	return key{ecosystem, name}
}

// scan goes through databases once.
type scan struct {
	targets []*target
	byKey   map[key][]*target
	// seen are the ecosystems that the databases have records of.
	seen map[string]bool
	// problems are parts by the reason that they were not looked up.
	problems map[string][]string
}

func newScan(doc sbom.Document) *scan {
	s := &scan{byKey: map[key][]*target{}, seen: map[string]bool{}, problems: map[string][]string{}}
	for _, name := range doc.Nameless {
		s.problem("the bill of materials has no package URL of it", name)
	}
	known := map[string]*target{}
	for _, part := range doc.Parts {
		eco, ok := ecosystemOf(part)
		if !ok {
			s.problem("no ecosystem of OSV is known for packages of "+cmp.Or(part.Distro, "the type "+part.Type), part.Name)
			continue
		}
		name, version := eco.identity(part)
		if version == "" {
			s.problem("its version is not known", part.Name)
			continue
		}
		id := strings.Join([]string{eco.names[0], name, version}, "\x00")
		if known[id] == nil {
			t := &target{Package: Package{Ecosystem: eco.names[0], Name: name, Version: version}, ecosystem: eco}
			known[id] = t
			s.targets = append(s.targets, t)
			for _, in := range eco.names {
				s.byKey[newKey(in, name)] = append(s.byKey[newKey(in, name)], t)
			}
		}
		known[id].Installed = append(known[id].Installed, part.URL)
	}
	return s
}

func (s *scan) problem(reason, part string) {
	if !slices.Contains(s.problems[reason], part) {
		s.problems[reason] = append(s.problems[reason], part)
	}
}

// visit looks for packages that a record is about.
func (s *scan) visit(r *record) {
	for _, a := range r.Affected {
		s.seen[a.Package.Ecosystem] = true
	}
	if r.Withdrawn != "" {
		return
	}
	for i := range r.Affected {
		a := &r.Affected[i]
		for _, t := range s.byKey[newKey(a.Package.Ecosystem, a.Package.Name)] {
			hit, fixed, err := a.has(t.Version, t.compare)
			switch {
			case err != nil:
				s.problem(err.Error(), t.Name)
			case hit:
				t.findings = append(t.findings, r.finding(a, t.Package, fixed))
			}
		}
	}
}

// unchecked sums up what was not looked up.
func (s *scan) unchecked() []Unchecked {
	all := []Unchecked{}
	missing := map[string][]string{}
	for _, t := range s.targets {
		if !slices.ContainsFunc(t.names, func(name string) bool { return s.seen[name] }) {
			missing[t.Ecosystem] = append(missing[t.Ecosystem], t.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		all = append(all, Unchecked{Reason: "the databases have nothing about " + name, Parts: missing[name], Ecosystem: name})
	}
	for _, reason := range slices.Sorted(maps.Keys(s.problems)) {
		all = append(all, Unchecked{Reason: reason, Parts: s.problems[reason]})
	}
	return all
}

// merge makes one finding of those that have a name in common: databases have several records of one
// vulnerability. The one with the worst severity stays.
func merge(found []Finding) (all []Finding) {
	for _, f := range found {
		rest := []Finding{}
		for _, other := range all {
			if !f.same(other) {
				rest = append(rest, other)
				continue
			}
			kept, gone := f, other
			if order := cmp.Or(other.Severity.compare(f.Severity), cmp.Compare(f.ID, other.ID)); order > 0 {
				kept, gone = other, f
			}
			f = kept
			f.Aliases = without(slices.Concat(kept.Aliases, gone.Aliases, []string{gone.ID}), f.ID)
			f.Upstream = without(slices.Concat(kept.Upstream, gone.Upstream), f.ID)
			f.Summary, f.Fixed = cmp.Or(f.Summary, gone.Summary), cmp.Or(f.Fixed, gone.Fixed)
		}
		all = append(rest, f)
	}
	return all
}

// same reports whether two findings are of the same vulnerability.
func (f Finding) same(other Finding) bool {
	names := append([]string{f.ID}, f.Aliases...)
	return slices.ContainsFunc(append([]string{other.ID}, other.Aliases...), func(name string) bool { return slices.Contains(names, name) })
}

// without returns names, sorted and each once, without one of them.
func without(names []string, name string) []string {
	all := append([]string{}, names...)
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(n string) bool { return n == name })
}
