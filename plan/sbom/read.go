package sbom

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/pkg/errors"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
)

// Document is a bill of materials that somebody has written.
type Document struct {
	// ID is what the document calls itself: the serial number of CycloneDX, or the namespace of SPDX.
	ID string
	// Name of what it is about.
	Name string
	// Parts have package URLs. Each is there once.
	Parts []Part
	// Nameless are the names of parts that have none, or none that can be read.
	Nameless []string
}

// Part is a part of a system, as its package URL tells (github.com/package-url/purl-spec).
type Part struct {
	// URL is the package URL.
	URL string
	// Type of the package, such as deb, rpm, apk or golang.
	Type string
	// Name, and Version with the epoch of an rpm before a colon.
	Name, Version string
	// Arch as the package manager names it; empty when unknown.
	Arch string
	// Stage that a package is from, such as userland; empty in documents of other programs.
	Stage string
	// SHA256 of the archive that a package is from; empty when unknown.
	SHA256 string
	// Licenses all apply. Each is an expression of SPDX without AND, or what a database calls it.
	Licenses []string
	// Source is the source package, and SourceVersion its version. They are those of the package itself
	// if the URL tells no other.
	Source, SourceVersion string
	// Distro is the ID and the version of the distribution, such as debian-12; empty when unknown.
	Distro string
}

// IsDocument reports whether a file looks like a bill of materials, in a format that Read knows or in
// another one, by its first bytes.
func IsDocument(head []byte) bool {
	head = bytes.TrimSpace(head)
	return slices.ContainsFunc([]string{"{", "[", "<", "SPDXVersion:"}, func(start string) bool { return bytes.HasPrefix(head, []byte(start)) })
}

// Read reads a document of CycloneDX or SPDX 2 in JSON, also in an in-toto statement.
func Read(data []byte) (Document, error) {
	var known struct {
		BOMFormat   string          `json:"bomFormat"`
		SPDXVersion string          `json:"spdxVersion"`
		Predicate   json.RawMessage `json:"predicate"`
	}
	if err := json.Unmarshal(data, &known); err != nil {
		return Document{}, errors.Wrap(err, "read a bill of materials in JSON")
	}
	switch {
	case known.BOMFormat == cdx.BOMFormat:
		return readCycloneDX(data)
	case known.SPDXVersion != "":
		return readSPDX(data)
	case len(known.Predicate) > 0:
		return Read(known.Predicate)
	}
	return Document{}, errors.New("unknown format of a bill of materials; valid: CycloneDX and SPDX 2 in JSON")
}

func readCycloneDX(data []byte) (Document, error) {
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(data), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		return Document{}, errors.Wrap(err, "read CycloneDX")
	}
	doc := Document{ID: bom.SerialNumber}
	if bom.Metadata != nil && bom.Metadata.Component != nil {
		doc.Name = bom.Metadata.Component.Name
	}
	doc.addComponents(bom.Components)
	return doc, nil
}

func (d *Document) addComponents(components *[]cdx.Component) {
	if components == nil {
		return
	}
	for _, c := range *components {
		// Scanners also list the files of packages, and the distribution itself.
		if c.Type != cdx.ComponentTypeFile && c.Type != cdx.ComponentTypeOS {
			d.add(c.Name, c.PackageURL, Part{Stage: stageOf(c), SHA256: sumOf(c), Licenses: licensesOf(c)})
		}
		d.addComponents(c.Components)
	}
}

func readSPDX(data []byte) (Document, error) {
	spdx, err := spdxjson.Read(bytes.NewReader(data))
	if err != nil {
		return Document{}, errors.Wrap(err, "read SPDX")
	}
	doc := Document{ID: spdx.DocumentNamespace, Name: spdx.DocumentName}
	var described []common.ElementID
	for _, r := range spdx.Relationships {
		if r.Relationship == common.TypeRelationshipDescribe {
			described = append(described, r.RefB.ElementRefID)
		}
	}
	names := map[string]string{}
	for _, l := range spdx.OtherLicenses {
		names[l.LicenseIdentifier] = l.LicenseName
	}
	for _, p := range spdx.Packages {
		url := ""
		for _, ref := range p.PackageExternalReferences {
			if ref.RefType == "purl" {
				url = ref.Locator
			}
		}
		if url == "" && slices.Contains(described, p.PackageSPDXIdentifier) {
			continue
		}
		sum := ""
		for _, c := range p.PackageChecksums {
			if c.Algorithm == common.SHA256 {
				sum = c.Value
			}
		}
		stage, ours := strings.CutPrefix(p.PackageComment, fromStage)
		if !ours {
			stage = ""
		}
		doc.add(p.PackageName, url, Part{Stage: stage, SHA256: sum, Licenses: stated(p.PackageLicenseDeclared, names)})
	}
	return doc, nil
}

// stageOf is the stage that a component is from.
func stageOf(c cdx.Component) string {
	if c.Properties != nil {
		for _, p := range *c.Properties {
			if p.Name == stageProperty {
				return p.Value
			}
		}
	}
	return ""
}

// sumOf is the SHA-256 of the archive of a component.
func sumOf(c cdx.Component) string {
	if c.ExternalReferences == nil {
		return ""
	}
	for _, ref := range *c.ExternalReferences {
		if ref.Type != cdx.ERTypeDistribution || ref.Hashes == nil {
			continue
		}
		for _, h := range *ref.Hashes {
			if h.Algorithm == cdx.HashAlgoSHA256 {
				return h.Value
			}
		}
	}
	return ""
}

// licensesOf are the licenses of a component.
func licensesOf(c cdx.Component) (all []string) {
	if c.Licenses == nil {
		return nil
	}
	for _, choice := range *c.Licenses {
		switch l := choice.License; {
		case choice.Expression != "":
			all = append(all, conjuncts(choice.Expression)...)
		case l != nil && cmp.Or(l.ID, l.Name) != "":
			all = append(all, cmp.Or(l.ID, l.Name))
		}
	}
	return all
}

// stated are the licenses of an expression of SPDX, with the names of those that are not in its list.
func stated(expression string, names map[string]string) []string {
	if expression == "" || expression == noAssertion || expression == noLicense {
		return nil
	}
	all := conjuncts(expression)
	for i, license := range all {
		all[i] = cmp.Or(names[license], license)
	}
	return all
}

// add adds a part with what a document says beside its package URL.
func (d *Document) add(name, url string, known Part) {
	part, err := parsePart(url)
	part.Stage, part.SHA256, part.Licenses = known.Stage, known.SHA256, known.Licenses
	switch {
	case err != nil:
		d.Nameless = append(d.Nameless, name)
	case !slices.ContainsFunc(d.Parts, func(p Part) bool { return p.URL == url }):
		d.Parts = append(d.Parts, part)
	}
}
