// Package draw draws graphs, times and sizes as SVG. A picture needs nothing from elsewhere: no
// scripts, no fonts. It stands alone, or in an HTML page. All text in it is escaped.
package draw

import (
	_ "embed"
	"html/template"
	"io"

	"github.com/pkg/errors"
)

//go:embed draw.svg.tmpl
var templates string

// picture is what the templates draw.
type picture struct {
	Label         string
	Width, Height int
	Boxes         []box
	Arrows        []arrow
	Bars          []bar
	Ticks         []tick
	Areas         []area
}

func write(w io.Writer, name string, p picture) error {
	t, err := template.New("").Parse(templates)
	if err != nil {
		return errors.Wrap(err, "read the templates of pictures")
	}
	return errors.Wrap(t.ExecuteTemplate(w, name, p), "draw")
}
