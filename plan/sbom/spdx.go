package sbom

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// noAssertion is what SPDX has for what the facts do not tell.
const noAssertion = "NOASSERTION"

// noLicense is what SPDX has for what nobody has licensed.
const noLicense = "NONE"

// fromStage begins the comment about a package.
const fromStage = "from the stage "

// spdx writes the document in SPDX 2.3 (spdx.github.io/spdx-spec/v2.3).
func (b bill) spdx() ([]byte, error) {
	const document, system = "DOCUMENT", "System"
	list := newLicenses()
	doc := &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: document,
		DocumentName: b.Name, DocumentNamespace: home + "/sbom/" + b.Name + "-" + b.id.String(),
		CreationInfo: &spdx.CreationInfo{Created: b.Created.UTC().Format(time.RFC3339), Creators: []common.Creator{{CreatorType: "Tool", Creator: tool}}},
	}
	relate := func(from, how, to string) {
		doc.Relationships = append(doc.Relationships, &spdx.Relationship{
			RefA: common.MakeDocElementID("", from), Relationship: how, RefB: common.MakeDocElementID("", to),
		})
	}
	root := newSPDXPackage(system, b.Name, b.Version)
	root.PrimaryPackagePurpose = "OPERATING-SYSTEM"
	doc.Packages = append(doc.Packages, root)
	relate(document, "DESCRIBES", system)
	for _, it := range b.items {
		doc.Packages = append(doc.Packages, it.spdx(list))
		if it.kind != kindModule {
			relate(system, "CONTAINS", it.id)
		}
		for _, part := range it.parts {
			relate(it.id, "CONTAINS", part)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(list.other)) {
		doc.OtherLicenses = append(doc.OtherLicenses, &spdx.OtherLicense{
			LicenseIdentifier: id, LicenseName: list.other[id],
			ExtractedText: "The package database names this license: " + list.other[id],
		})
	}
	var text bytes.Buffer
	err := spdxjson.Write(doc, &text, spdxjson.Indent(" "), spdxjson.EscapeHTML(false))
	return text.Bytes(), err
}

// newSPDXPackage returns a package without any facts.
func newSPDXPackage(id, name, version string) *spdx.Package {
	return &spdx.Package{
		PackageSPDXIdentifier: common.ElementID(id), PackageName: name, PackageVersion: version,
		PackageDownloadLocation: noAssertion, PackageLicenseConcluded: noAssertion,
		PackageLicenseDeclared: noAssertion, PackageCopyrightText: noAssertion,
		IsFilesAnalyzedTagPresent: true,
	}
}

func (it item) spdx(list *licenses) *spdx.Package {
	p := newSPDXPackage(it.id, it.name, it.version)
	if it.archive.URL != "" {
		p.PackageDownloadLocation = it.archive.URL
	}
	if it.archive.SHA256 != "" {
		p.PackageChecksums = []common.Checksum{{Algorithm: common.SHA256, Value: it.archive.SHA256}}
	}
	if license, _ := list.expression(it.licenses); license != "" {
		p.PackageLicenseDeclared = license
	}
	if it.supplier != "" {
		name := strings.NewReplacer("<", "(", ">", ")").Replace(it.supplier)
		p.PackageSupplier = &common.Supplier{SupplierType: "Organization", Supplier: name}
	}
	if it.source != "" {
		p.PackageSourceInfo = "built from the source package " + it.source
	}
	if it.purl != "" {
		p.PackageExternalReferences = []*spdx.PackageExternalReference{{Category: "PACKAGE-MANAGER", RefType: "purl", Locator: it.purl}}
	}
	switch {
	case it.path != "":
		p.PackageComment = "the program " + it.path
	case it.stage != "":
		p.PackageComment = fromStage + it.stage
	}
	return p
}
