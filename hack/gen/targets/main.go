// Command targets writes docs/targets.md: the table from the records of the frontend, the rest from
// targets.md.tmpl.
package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"strings"
	"text/template"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/frontend"
)

//go:generate go run . ../../../docs/targets.md

//go:embed targets.md.tmpl
var page string

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "targets:", err)
		os.Exit(1)
	}
}

func run(file string) error {
	t, err := template.New("targets.md").Option("missingkey=error").Parse(page)
	if err != nil {
		return errors.Wrap(err, "read the template")
	}
	all := frontend.Targets()
	var text bytes.Buffer
	if err := t.Execute(&text, map[string]string{"Default": all[0].Name, "Targets": table(all)}); err != nil {
		return err
	}
	return errors.Wrap(os.WriteFile(file, text.Bytes(), 0o644), "write the page")
}

// table returns a table with one line for each target.
func table(targets []frontend.Target) string {
	var text strings.Builder
	text.WriteString("| target | output | what it is | cloud-config |\n|---|---|---|---|\n")
	for _, t := range targets {
		output := string(t.Output)
		if t.Makes != "" {
			output = "`" + strings.ReplaceAll(t.Makes, " ", "`, `") + "`"
		}
		config := ""
		if !t.CloudConfig.IsZero() {
			config = "`" + t.CloudConfig.String() + "`"
		}
		fmt.Fprintf(&text, "| `%s` | %s | %s | %s |\n", t.Name, output, t.Description, config)
	}
	return strings.TrimSpace(text.String())
}
