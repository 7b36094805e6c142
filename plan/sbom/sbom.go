// Package sbom writes down what a system is made of: a software bill of materials in the formats
// SPDX 2.3 and CycloneDX 1.6, and as a table. The same facts give the same bytes.
package sbom

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/pkgdb"
	"github.com/flavorkit/flavorkit/plan/lock"
)

// System is what a bill of materials is about.
type System struct {
	// Name and Version of the system.
	Name, Version string
	// Created is the time of the document, which is that of all built files.
	Created time.Time
	// Stages have the packages of distributions.
	Stages []Stage
	// Programs are no packages of a distribution.
	Programs []Program
}

// Stage has packages of one distribution.
type Stage struct {
	// Name of the stage, such as userland or kernel.
	Name string
	// Found is what its database has.
	Found pkgdb.System
	// Archives are where packages come from, by lock.ID; nil when that is not known.
	Archives map[string]lock.Archive
}

// Program is a program in the system.
type Program struct {
	Name string
	// Version is empty when it is not known.
	Version string
	// Path in the system.
	Path string
	// Archive that it comes from; zero when it is not known.
	Archive lock.Archive
	// Go is the module of the program, and Modules are those that it is linked with; empty for a
	// program that does not tell.
	Go      Module
	Modules []Module
}

// Module is a Go module.
type Module struct{ Path, Version string }

// The formats of a document.
const (
	// Text is a table for people.
	Text = "text"
	// SPDX is JSON of SPDX 2.3.
	SPDX = "spdx"
	// CycloneDX is JSON of CycloneDX 1.6.
	CycloneDX = "cyclonedx"
)

// Formats are the names of the formats, the one for people first.
func Formats() []string { return []string{Text, SPDX, CycloneDX} }

// File is the name of the document of a system in a format.
func File(system, format string) string {
	return system + map[string]string{Text: ".sbom.txt", SPDX: ".spdx.json", CycloneDX: ".cdx.json"}[format]
}

// Write writes a document in one of Formats.
func (s System) Write(format string) ([]byte, error) {
	switch b, err := s.bill(); {
	case err != nil:
		return nil, err
	case format == SPDX:
		return b.spdx()
	case format == CycloneDX:
		return b.cycloneDX()
	case format == Text:
		return b.text(), nil
	default:
		return nil, errors.Errorf("unknown format %q of a bill of materials", format)
	}
}

// kind is the kind of an item.
type kind string

const (
	kindPackage kind = "package"
	kindProgram kind = "program"
	kindModule  kind = "module"
)

// item is one part of the system, in all formats.
type item struct {
	// id is unique in the document, and the same in every document with the item.
	id            string
	kind          kind
	name, version string
	// purl is the package URL; empty for a program whose module is not known.
	purl     string
	archive  lock.Archive
	licenses []string
	supplier string
	// source is the source package with its version.
	source string
	// stage that a package is in.
	stage string
	// path of a program.
	path string
	// parts are ids of items that are linked into a program.
	parts []string
}

// bill is a system as a list of items.
type bill struct {
	System
	items []item
	// id is that of the document, made from its content.
	id uuid.UUID
}

// bill lists the items, each once, in an order that depends on nothing but their ids.
func (s System) bill() (bill, error) {
	b := bill{System: s}
	for _, stage := range s.Stages {
		for _, p := range stage.Found.Packages {
			b.items = append(b.items, packageItem(stage, p))
		}
	}
	for _, p := range s.Programs {
		b.items = append(b.items, programItems(p)...)
	}
	slices.SortStableFunc(b.items, func(x, y item) int { return cmp.Compare(x.id, y.id) })
	// The kernel's distribution may have the same packages as the userland.
	b.items = slices.CompactFunc(b.items, func(x, y item) bool { return x.id == y.id })
	content, err := json.Marshal(s)
	if err != nil {
		return bill{}, errors.Wrap(err, "identify the bill of materials")
	}
	sum := sha256.Sum256(content)
	b.id = uuid.NewSHA1(uuid.NameSpaceURL, append([]byte(home), sum[:]...))
	return b, nil
}

// tool is the name of what makes the documents, and home its address.
const (
	tool = "flavorkit"
	home = "https://github.com/flavorkit/flavorkit"
)

// identifier is a name in a document: readable, and as unique as the text that it stands for. It
// has letters, digits, dots and hyphens only (SPDX 2.3, 7.2).
func identifier(name, unique string) string {
	readable := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '-'
	}, name)
	sum := sha256.Sum256([]byte(unique))
	return readable + "-" + hex.EncodeToString(sum[:6])
}

func packageItem(stage Stage, p pkgdb.Package) item {
	it := item{
		kind: kindPackage, name: p.Name, version: p.Version, licenses: p.Licenses, supplier: p.Supplier,
		stage: stage.Name, archive: stage.Archives[lock.ID(p.Name, p.Version, p.Arch)], purl: packageURL(stage.Found, p),
	}
	if p.Source != "" {
		it.source = strings.TrimSpace(p.Source + " " + p.SourceVersion)
	}
	it.id = identifier(string(it.kind)+"-"+it.name, it.purl)
	return it
}

// programItems are a program and the modules that it is linked with.
func programItems(p Program) []item {
	it := item{kind: kindProgram, name: p.Name, version: p.Version, path: p.Path, archive: p.Archive}
	if p.Go.Path != "" {
		it.purl = moduleURL(Module{p.Go.Path, cmp.Or(p.Version, p.Go.Version)})
	}
	it.id = identifier(string(it.kind)+"-"+it.name, p.Path)
	all := []item{}
	for _, m := range p.Modules {
		module := item{kind: kindModule, name: m.Path, version: m.Version, purl: moduleURL(m)}
		module.id = identifier(string(kindModule)+"-"+m.Path, module.purl)
		it.parts = append(it.parts, module.id)
		all = append(all, module)
	}
	slices.Sort(it.parts)
	it.parts = slices.Compact(it.parts)
	return append(all, it)
}
