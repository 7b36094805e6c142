package verify

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	intoto "github.com/in-toto/in-toto-golang/in_toto"
	"github.com/package-url/packageurl-go"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/internal/pkgdb"
	"github.com/flavorkit/flavorkit/plan/sbom"
)

// packages are those in the database of a system, as a bill of materials.
type packages struct {
	read bool
	kind string
	bill sbom.Document
	err  error
}

// userland is the stage whose database a system has.
const userland = "userland"

// installed reads what the database in the system has.
func (s *subject) installed(ctx context.Context) (sbom.Document, error) {
	if p := &s.packages; !p.read {
		p.read = true
		var found pkgdb.System
		if found, p.err = s.database(ctx); p.err == nil {
			p.kind = found.Type
			p.bill, p.err = documentOf(found)
		}
	}
	return s.packages.bill, s.packages.err
}

func (s *subject) database(ctx context.Context) (pkgdb.System, error) {
	if s.image != nil {
		return inspect.ImagePackages(ctx, s.image)
	}
	bill, err := inspect.Bill(ctx, s.name, s.opt.Options)
	if err != nil {
		return pkgdb.System{}, err
	}
	return bill.Stages[0].Found, nil
}

// documentOf is a database as a document that was written and read again, like those it is compared
// with.
func documentOf(found pkgdb.System) (sbom.Document, error) {
	data, err := sbom.System{Stages: []sbom.Stage{{Name: userland, Found: found}}}.Write(sbom.SPDX)
	if err != nil {
		return sbom.Document{}, err
	}
	return sbom.Read(data)
}

// bill is a bill of materials that somebody has written.
type bill struct {
	from string
	sbom.Document
}

// bills are those that come with the system, and the one that is given.
func (s *subject) bills() (all []bill, err error) {
	add := func(from string, data []byte) error {
		doc, err := sbom.Read(data)
		all = append(all, bill{from, doc})
		return errors.Wrapf(err, "read %s", from)
	}
	for _, st := range s.statements {
		if st.PredicateType != intoto.PredicateSPDX && st.PredicateType != intoto.PredicateCycloneDX {
			continue
		}
		if !s.isAbout(st) {
			return nil, errors.Errorf("%s is about something else", st.from)
		}
		if err := add(st.from, st.Predicate); err != nil {
			return nil, err
		}
	}
	files := s.beside()
	if s.opt.SBOM != "" {
		files = append(files, s.opt.SBOM)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) && name != s.opt.SBOM {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := add(name, data); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// beside are the names that documents about a file have (target sbom).
func (s *subject) beside() []string {
	if s.image != nil {
		return nil
	}
	system := strings.TrimSuffix(s.name, path.Ext(s.name))
	return []string{sbom.File(system, sbom.SPDX), sbom.File(system, sbom.CycloneDX)}
}

// checkSBOM compares bills of materials with the database in the system.
func (s *subject) checkSBOM(ctx context.Context) Check {
	c := Check{Check: SBOM, Outcome: Failed}
	all, err := s.bills()
	switch {
	case err != nil:
		c.Detail = err.Error()
		return c
	case len(all) == 0:
		c.Outcome, c.Detail = Absent, "there is no attestation with one, and none is given"
		return c
	}
	installed, err := s.installed(ctx)
	if err != nil {
		c.Detail = err.Error()
		return c
	}
	var names []string
	for _, b := range all {
		names = append(names, b.from)
		c.Differences = append(c.Differences, differences(b, installed, s.packages.kind)...)
	}
	from := strings.Join(names, ", ")
	if len(c.Differences) > 0 {
		c.Detail = "the packages of " + from + " are not those in the system"
		return c
	}
	c.Outcome, c.Detail = OK, fmt.Sprintf("%d packages of %s are those in the system", len(installed.Parts), from)
	return c
}

// differences are those between the packages of the userland in a document, and what is installed.
func differences(b bill, installed sbom.Document, kind string) []string {
	told, there := map[string]bool{}, map[string]bool{}
	for _, p := range b.Parts {
		if p.Type == kind && inUserland(p) {
			told[title(p)] = true
		}
	}
	for _, p := range installed.Parts {
		there[title(p)] = true
	}
	var all []string
	for p := range told {
		if !there[p] {
			all = append(all, p+" is in "+b.from+", and not in the system")
		}
	}
	for p := range there {
		if !told[p] {
			all = append(all, p+" is in the system, and not in "+b.from)
		}
	}
	slices.Sort(all)
	return all
}

// inUserland reports whether a part is in the database of the system. Documents of other programs
// have no stages.
func inUserland(p sbom.Part) bool { return p.Stage == "" || p.Stage == userland }

// title names a package to the version.
func title(p sbom.Part) string { return strings.TrimSpace(p.Name + " " + p.Version + " " + p.Arch) }

// isPackage reports whether a part is a package of a distribution.
func isPackage(p sbom.Part) bool {
	return slices.Contains([]string{packageurl.TypeDebian, packageurl.TypeApk, packageurl.TypeRPM}, p.Type)
}
