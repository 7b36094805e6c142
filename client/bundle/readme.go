package bundle

import (
	"bytes"
	_ "embed"
	"strings"
	"text/template"

	"github.com/flavorkit/flavorkit/plan/bundle"
)

//go:embed readme.md.tmpl
var readmeText string

// readme tells people how to build from a bundle.
func readme(b bundle.Bundle, hasFrontend bool) ([]byte, error) {
	t, err := template.New("readme").Funcs(template.FuncMap{"quote": quote}).Parse(readmeText)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, struct {
		bundle.Bundle
		ContextName, Tag, SpecDir, ContextDir, FrontendTag string
		HasFrontend                                        bool
	}{b, bundle.ContextName, bundle.Tag, bundle.SpecDir, bundle.ContextDir, bundle.FrontendTag, hasFrontend})
	return out.Bytes(), err
}

// quote writes a word for a shell command line.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
