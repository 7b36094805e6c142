// Command flavors writes the page about flavors, docs/flavors.md: its tables come from the matrix,
// the flavors and the catalog, the rest from flavors.md.tmpl.
package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/template"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/hack/nightly/status"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/matrix"
)

//go:generate go run . ../../../docs/flavors.md

//go:embed flavors.md.tmpl
var page string

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "flavors:", err)
		os.Exit(1)
	}
}

func run(file string) error {
	cat, err := catalog.Builtin()
	if err != nil {
		return err
	}
	entries, err := matrix.Read(matrix.Builtin(), matrix.Options{FlavorVersion: matrix.DefaultVersion, Flavors: cat.FlavorNames(), Archs: catalog.Names(cat.Archs)})
	if err != nil {
		return errors.Wrap(err, "read the matrix")
	}
	lastNight, err := nights(cat)
	if err != nil {
		return err
	}
	flavors, err := flavorTable(context.Background(), entries, cat, lastNight)
	if err != nil {
		return err
	}
	t, err := template.New("flavors.md").Option("missingkey=error").Parse(page)
	if err != nil {
		return errors.Wrap(err, "read the template")
	}
	var text bytes.Buffer
	if err := t.Execute(&text, map[string]string{
		"Entries": fmt.Sprint(len(entries)),
		"Flavors": flavors,
		"Kernels": kernelTable(cat),
		"Models":  modelTable(cat),
		"Groups":  groupTable(cat),
	}); err != nil {
		return err
	}
	return errors.Wrap(os.WriteFile(file, text.Bytes(), 0o644), "write the page")
}

// statusFile has what became of the flavors when they were last tried.
const statusFile = "../../../docs/status.json"

// nights returns what became of a flavor when it was last tried.
func nights(cat *catalog.Catalog) (func(flavor string) string, error) {
	s, err := status.Read(statusFile)
	if err != nil {
		return nil, err
	}
	entries, err := status.Entries(cat)
	if err != nil {
		return nil, err
	}
	return func(flavor string) string { return s.Flavor(flavor, entries) }, nil
}

// flavorTable has a line for each flavor of the matrix.
func flavorTable(ctx context.Context, entries []matrix.Entry, cat *catalog.Catalog, lastNight func(flavor string) string) (string, error) {
	type flavor struct {
		columns                 []string
		variants, models, archs []string
	}
	var names []string
	byName := map[string]*flavor{}
	for _, c := range entries {
		f, ok := byName[c.Flavor]
		if !ok {
			p, err := local.PlanSource(ctx, c.Spec, local.Options{File: c.Spec.Name, Arch: c.Arch, Catalog: cat})
			if err != nil {
				return "", errors.Wrap(err, c.Name)
			}
			userland, donor := cat.Distros[p.Userland.Distro], cat.Distros[p.Kernel.Distro]
			kernel := "its own"
			if donor != userland {
				kernel = donor.Title
			}
			f = &flavor{columns: []string{code(c.Flavor), userland.Title, kernel + ": " + code(p.Kernel.Packages[0].String()), initTitle(p.System.Init)}}
			byName[c.Flavor] = f
			names = append(names, c.Flavor)
		}
		f.archs, f.models, f.variants = append(f.archs, c.Arch), append(f.models, c.Model), append(f.variants, c.Variant)
	}
	rows := [][]string{{"flavor", "userland", "kernel", "init", "architectures", "models", "variants", "last night"}}
	for _, name := range names {
		f := byName[name]
		rows = append(rows, append(f.columns, list(f.archs), list(f.models), list(f.variants), lastNight(name)))
	}
	return table(rows), nil
}

// kernelTable has what every distribution donates.
func kernelTable(cat *catalog.Catalog) string {
	archs := catalog.Names(cat.Archs)
	rows := [][]string{slices.Concat([]string{"`kernel:`", "distribution"}, archs, []string{"initramfs by", "updates until"})}
	for _, name := range catalog.Names(cat.Distros) {
		d := cat.Distros[name]
		row := []string{code(name), d.Title}
		for _, arch := range archs {
			kernel := "–"
			if packages := d.Kernel.Packages[arch]; len(packages) > 0 {
				kernel = code(packages[0])
			}
			row = append(row, kernel)
		}
		rows = append(rows, append(row, d.Kernel.Initramfs.Tool, cmp.Or(d.EOL, "not announced")))
	}
	return table(rows)
}

// modelTable has the machines, and which distributions donate kernels for them.
func modelTable(cat *catalog.Catalog) string {
	rows := [][]string{{"`model:`", "machine", "architectures", "kernels"}}
	for _, name := range catalog.Names(cat.Models) {
		m := cat.Models[name]
		archs, kernels := "any", "any"
		if len(m.Architectures) > 0 {
			archs = strings.Join(m.Architectures, ", ")
		}
		if len(m.Distros) > 0 {
			from := map[string][]string{}
			for _, distro := range catalog.Names(m.Distros) {
				if packages := m.Distros[distro].Kernel; len(packages) > 0 {
					from[packages[0]] = append(from[packages[0]], distro)
				}
			}
			var each []string
			for _, kernel := range catalog.Names(from) {
				each = append(each, fmt.Sprintf("%s of %s", code(kernel), strings.Join(from[kernel], ", ")))
			}
			kernels = strings.Join(each, "; ")
		}
		rows = append(rows, []string{code(name), m.Title, archs, kernels})
	}
	return table(rows)
}

// groupTable has the groups of packages that specs may switch off. What several distributions have
// in common is one line.
func groupTable(cat *catalog.Catalog) string {
	type group struct{ name, why, packages string }
	distros := map[group][]string{}
	for _, name := range catalog.Names(cat.Distros) {
		d := cat.Distros[name]
		for _, g := range slices.Concat(d.Groups, d.Kernel.Firmware) {
			if g.Optional {
				key := group{g.Name, g.Why, strings.Join(catalog.Names(g.Packages), ", ")}
				distros[key] = append(distros[key], name)
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(distros), func(a, b group) int {
		return strings.Compare(a.name+" "+distros[a][0], b.name+" "+distros[b][0])
	})
	rows := [][]string{{"group", "what it is there for", "packages", "distributions"}}
	for _, g := range keys {
		rows = append(rows, []string{code(g.name), g.why, g.packages, strings.Join(distros[g], ", ")})
	}
	return table(rows)
}

func initTitle(name string) string {
	if name == "openrc" {
		return "OpenRC"
	}
	return name
}

func code(s string) string { return "`" + s + "`" }

// list names each value once, in the order in which they come.
func list(values []string) string {
	var once []string
	for _, v := range values {
		if !slices.Contains(once, v) {
			once = append(once, v)
		}
	}
	return strings.Join(once, ", ")
}

// table writes rows, the first of which is the head.
func table(rows [][]string) string {
	var text strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&text, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			text.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return strings.TrimSpace(text.String())
}
