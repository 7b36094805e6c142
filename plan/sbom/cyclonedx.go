package sbom

import (
	"bytes"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// stageProperty has the stage that a package is from.
const stageProperty = tool + ":stage"

// cycloneDX writes the document in CycloneDX 1.6 (cyclonedx.org/docs/1.6/json).
func (b bill) cycloneDX() ([]byte, error) {
	const system = "system"
	list := newLicenses()
	doc := cdx.NewBOM()
	doc.SerialNumber = b.id.URN()
	doc.Metadata = &cdx.Metadata{
		Timestamp: b.Created.UTC().Format(time.RFC3339),
		Tools:     &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: tool}}},
		Component: &cdx.Component{BOMRef: system, Type: cdx.ComponentTypeOS, Name: b.Name, Version: b.Version},
	}
	components, contained := []cdx.Component{}, []string{}
	dependencies := []cdx.Dependency{{Ref: system, Dependencies: &contained}}
	for _, it := range b.items {
		components = append(components, it.cycloneDX(list))
		if it.kind != kindModule {
			contained = append(contained, it.id)
		}
		if len(it.parts) > 0 {
			dependencies = append(dependencies, cdx.Dependency{Ref: it.id, Dependencies: &it.parts})
		}
	}
	doc.Components, doc.Dependencies = &components, &dependencies
	var text bytes.Buffer
	err := cdx.NewBOMEncoder(&text, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(doc, cdx.SpecVersion1_6)
	return text.Bytes(), err
}

func (it item) cycloneDX(list *licenses) cdx.Component {
	c := cdx.Component{BOMRef: it.id, Type: cdx.ComponentTypeLibrary, Name: it.name, Version: it.version, PackageURL: it.purl}
	if it.kind == kindProgram {
		c.Type = cdx.ComponentTypeApplication
	}
	if it.supplier != "" {
		c.Supplier = &cdx.OrganizationalEntity{Name: it.supplier}
	}
	if expression, complete := list.expression(it.licenses); complete && expression != "" {
		c.Licenses = &cdx.Licenses{{Expression: expression}}
	} else if expression != "" {
		all := cdx.Licenses{}
		for _, license := range it.licenses {
			all = append(all, cdx.LicenseChoice{License: &cdx.License{Name: license}})
		}
		c.Licenses = &all
	}
	if it.archive.URL != "" {
		ref := cdx.ExternalReference{Type: cdx.ERTypeDistribution, URL: it.archive.URL}
		if it.archive.SHA256 != "" {
			ref.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: it.archive.SHA256}}
		}
		c.ExternalReferences = &[]cdx.ExternalReference{ref}
	}
	if it.path != "" {
		c.Evidence = &cdx.Evidence{Occurrences: &[]cdx.EvidenceOccurrence{{Location: it.path}}}
	}
	var properties []cdx.Property
	for _, p := range []cdx.Property{{Name: stageProperty, Value: it.stage}, {Name: tool + ":source", Value: it.source}} {
		if p.Value != "" {
			properties = append(properties, p)
		}
	}
	if len(properties) > 0 {
		c.Properties = &properties
	}
	return c
}
