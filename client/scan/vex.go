package scan

import (
	"cmp"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/package-url/packageurl-go"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/plan/sbom"
)

// vexContext is the start of the context of all documents of OpenVEX, and vexVersion the version that
// is written (github.com/openvex/spec, OPENVEX-SPEC.md).
const (
	vexContext = "https://openvex.dev/ns"
	vexVersion = vexContext + "/v0.2.0"
)

// VEX is a document of OpenVEX.
type VEX struct {
	Context    string      `json:"@context"`
	ID         string      `json:"@id"`
	Author     string      `json:"author"`
	Timestamp  time.Time   `json:"timestamp"`
	Version    int         `json:"version"`
	Statements []Statement `json:"statements"`
}

// Statement says what a vulnerability does to products.
type Statement struct {
	Vulnerability struct {
		ID      string   `json:"@id,omitempty"`
		Name    string   `json:"name"`
		Aliases []string `json:"aliases,omitempty"`
	} `json:"vulnerability"`
	Timestamp *time.Time   `json:"timestamp,omitempty"`
	Products  []VEXProduct `json:"products"`
	Verdict
}

// Verdict is what a statement says.
type Verdict struct {
	Status Status `json:"status"`
	// StatusNotes, Justification and ImpactStatement say why.
	StatusNotes     string `json:"status_notes,omitempty"`
	Justification   string `json:"justification,omitempty"`
	ImpactStatement string `json:"impact_statement,omitempty"`
	// ActionStatement says what to do if the status is affected.
	ActionStatement string `json:"action_statement,omitempty"`
}

// Status is that of a vulnerability in a product.
type Status string

// The statuses of OpenVEX.
const (
	NotAffected        Status = "not_affected"
	Affected           Status = "affected"
	Fixed              Status = "fixed"
	UnderInvestigation Status = "under_investigation"
)

// VEXProduct is a system, or a package.
type VEXProduct struct {
	VEXComponent
	// Subcomponents are parts of the product; none means all of it.
	Subcomponents []VEXComponent `json:"subcomponents,omitempty"`
}

// VEXComponent is named by a package URL, or by the identity of its bill of materials.
type VEXComponent struct {
	ID          string            `json:"@id,omitempty"`
	Identifiers map[string]string `json:"identifiers,omitempty"`
}

// Why says why a vulnerability does not count, in one line.
func (v Verdict) Why() string {
	parts := []string{string(v.Status)}
	for _, text := range []string{v.Justification, v.ImpactStatement, v.StatusNotes} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, ": ")
}

// ReadVEX reads the statements of a file, in the order of their times.
func ReadVEX(name string) ([]Statement, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, errors.Wrap(err, "read the VEX document")
	}
	var doc VEX
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, errors.Wrapf(err, "read the VEX document %s", name)
	}
	if !strings.HasPrefix(doc.Context, vexContext) {
		return nil, errors.Errorf("%s is no document of OpenVEX: its @context is %q and not %s", name, doc.Context, vexVersion)
	}
	for i, s := range doc.Statements {
		if s.Timestamp == nil {
			doc.Statements[i].Timestamp = &doc.Timestamp
		}
		switch {
		case s.Vulnerability.Name == "" && s.Vulnerability.ID == "":
			return nil, errors.Errorf("%s: statement %d names no vulnerability", name, i+1)
		case !slices.Contains([]Status{NotAffected, Affected, Fixed, UnderInvestigation}, s.Status):
			return nil, errors.Errorf("%s: statement %d has the unknown status %q", name, i+1, s.Status)
		case s.Status == NotAffected && s.Justification == "" && s.ImpactStatement == "":
			return nil, errors.Errorf("%s: statement %d has neither a justification nor an impact_statement, which %s needs", name, i+1, NotAffected)
		}
	}
	slices.SortStableFunc(doc.Statements, func(a, b Statement) int { return a.Timestamp.Compare(*b.Timestamp) })
	return doc.Statements, nil
}

// verdict returns what rules a finding out, or nil. A record about several vulnerabilities of another
// project is ruled out if all of them are.
func verdict(statements []Statement, doc sbom.Document, f Finding) *Verdict {
	if v := last(statements, doc, f, append([]string{f.ID}, f.Aliases...)); v != nil || len(f.Upstream) == 0 {
		return v.out()
	}
	var all *Verdict
	for _, name := range f.Upstream {
		if all = last(statements, doc, f, []string{name}).out(); all == nil {
			return nil
		}
	}
	return all
}

// out is the verdict if it rules a vulnerability out.
func (v *Verdict) out() *Verdict {
	if v != nil && (v.Status == NotAffected || v.Status == Fixed) {
		return v
	}
	return nil
}

// last is what the last statement about a vulnerability of the package says.
func last(statements []Statement, doc sbom.Document, f Finding, names []string) *Verdict {
	for _, s := range slices.Backward(statements) {
		known := append([]string{s.Vulnerability.Name, s.Vulnerability.ID}, s.Vulnerability.Aliases...)
		if slices.ContainsFunc(names, func(n string) bool { return slices.Contains(known, n) }) && s.about(doc, f.Package) {
			return &s.Verdict
		}
	}
	return nil
}

// about reports whether a statement is about all that is installed of a package. The user says that a
// document is for the system, so a product with parts is not looked at itself.
func (s Statement) about(doc sbom.Document, p Package) bool {
	return !slices.ContainsFunc(p.Installed, func(url string) bool {
		return !slices.ContainsFunc(s.Products, func(product VEXProduct) bool {
			if len(product.Subcomponents) == 0 {
				return product.ID != "" && (product.ID == doc.ID || product.ID == doc.Name) || product.names(url, p)
			}
			return slices.ContainsFunc(product.Subcomponents, func(c VEXComponent) bool { return c.names(url, p) })
		})
	})
}

// names reports whether a component is a package in the system, by its package URL, or the source package
// that it is of. What the component does not say, such as a version, may be anything.
func (c VEXComponent) names(url string, source Package) bool {
	installed, err := packageurl.FromString(url)
	if err != nil {
		return false
	}
	qualifiers := installed.Qualifiers.Map()
	for _, name := range []string{c.ID, c.Identifiers["purl"]} {
		u, err := packageurl.FromString(name)
		if err != nil || u.Type != installed.Type || u.Namespace != installed.Namespace {
			continue
		}
		version := installed.Version
		if u.Name != installed.Name {
			version = source.Version
		}
		other := slices.ContainsFunc(u.Qualifiers, func(q packageurl.Qualifier) bool { return qualifiers[q.Key] != q.Value })
		if (u.Name == installed.Name || u.Name == source.Name) && (u.Version == "" || u.Version == version) && !other {
			return true
		}
	}
	return false
}

// VEX is a document to answer: a statement for each vulnerability, under investigation unless it is
// ruled out already. A comparison of versions does not tell whether a system is affected.
func (r *Report) VEX(author string, now time.Time) (VEX, error) {
	doc := VEX{Context: vexVersion, Author: author, Timestamp: now.UTC(), Version: 1, Statements: []Statement{}}
	for _, f := range r.Findings {
		s := Statement{Verdict: Verdict{Status: UnderInvestigation, StatusNotes: f.Advice()}}
		s.Vulnerability.Name, s.Vulnerability.Aliases = f.ID, f.Aliases
		if len(f.Upstream) == 1 { // of which the record is a copy
			s.Vulnerability.Aliases = slices.Concat(f.Aliases, f.Upstream)
		}
		if f.VEX != nil {
			s.Verdict = *f.VEX
		}
		product := VEXProduct{VEXComponent: VEXComponent{ID: cmp.Or(r.Document, r.System)}}
		for _, url := range f.Package.Installed {
			product.Subcomponents = append(product.Subcomponents, VEXComponent{ID: url})
		}
		s.Products = []VEXProduct{product}
		doc.Statements = append(doc.Statements, s)
	}
	content, err := json.Marshal(doc)
	doc.ID = uuid.NewSHA1(uuid.NameSpaceURL, content).URN()
	return doc, errors.Wrap(err, "identify the VEX document")
}
