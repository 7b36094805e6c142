// Package matrix reads matrix files: lists that multiply into entries. An entry is an ordinary spec
// of a few lines, so later phases know nothing of a matrix. Reading is pure.
package matrix

import (
	_ "embed"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// DefaultVersion is the default of Options.FlavorVersion.
const DefaultVersion = "v0.1.0"

//go:embed matrix.yaml
var flavors []byte

// File is a matrix file.
type File struct {
	// Entries of the matrix, in the order in which they are listed.
	Entries []Item `yaml:"entries"`
}

// Item has one entry for each combination of its lists. A missing list leaves the value to the
// extended spec.
type Item struct {
	// Extends are flavors, specs beside the matrix file, or named contexts.
	Extends []string `yaml:"extends"`
	// Kernels replace the kernel of the spec: a distribution, or a mapping as in a spec.
	Kernels []specs.Kernel `yaml:"kernels"`
	// Variants are core and standard.
	Variants []string `yaml:"variants"`
	// Kubernetes replaces that of the spec: a distribution, or a mapping as in a spec.
	Kubernetes []specs.Kubernetes `yaml:"kubernetes"`
	// Architectures to build for.
	Architectures []string `yaml:"architectures"`
	// Models are kinds of machines.
	Models []string `yaml:"models"`
	// Versions of the systems that are built.
	Versions []string `yaml:"versions"`
}

// Entry is one system of a matrix.
type Entry struct {
	// Name of the entry, such as core-debian-12-amd64-generic.
	Name string
	// Flavor is what the entry extends, without directory and extension.
	Flavor string
	// Variant, Model and Version are empty where the matrix leaves them open.
	Variant, Arch, Model, Version string
	// Kernel and Kubernetes are zero where the matrix leaves them open.
	Kernel     specs.Kernel
	Kubernetes specs.Kubernetes
	// Spec is the text of the entry as a spec.
	Spec *specs.Source
}

// Options of reading a matrix.
type Options struct {
	// Version of entries without one in the matrix.
	Version string
	// FlavorVersion is the version of entries that extend a flavor, when there is no other.
	FlavorVersion string
	// Flavors are the names of all flavors, and Archs those of all architectures.
	Flavors, Archs []string
}

// Builtin returns the source of the matrix of all flavors.
func Builtin() *specs.Source {
	return &specs.Source{Name: "matrix.yaml", Data: flavors}
}

// Read reads a matrix file. It returns all mistakes as specs.Diagnostics. Mistakes in the specs of
// entries are found when they are loaded, and also point into the matrix file.
func Read(src *specs.Source, o Options) ([]Entry, error) {
	r := &reader{options: o, flag: &specs.Source{Name: "--version"}, source: src, seen: map[string]specs.Range{}}
	var file File
	var err error
	if r.at, err = specs.Read(src, &file); err != nil {
		return nil, err
	}
	if len(file.Entries) == 0 {
		r.report(rules.MissingValue, "entries", "write a list such as: [{extends: [debian-12], architectures: [amd64]}]", "has no entry")
	}
	for i, e := range file.Entries {
		r.item(fmt.Sprintf("entries[%d]", i), e)
	}
	return r.entries, r.found.Err()
}

type reader struct {
	options Options
	// flag is the source of Options.Version in messages.
	flag    *specs.Source
	source  *specs.Source
	at      func(key string) specs.Range
	entries []Entry
	seen    map[string]specs.Range
	found   specs.Diagnostics
}

func (r *reader) report(rule rules.Rule, key, hint, format string, args ...any) {
	r.found = append(r.found, specs.Diagnostic{Rule: rule, Range: r.at(key), Key: key, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// item adds the entries of an item.
func (r *reader) item(key string, e Item) {
	var counts []int
	for _, a := range []axis{
		axisOf("extends", e.Extends, "name flavors, or specs beside the matrix"),
		axisOf("kernels", e.Kernels, ""),
		axisOf("variants", e.Variants, ""),
		axisOf("kubernetes", e.Kubernetes, ""),
		axisOf("architectures", e.Architectures, "name some of "+strings.Join(r.options.Archs, ", ")),
		axisOf("models", e.Models, ""),
		axisOf("versions", e.Versions, ""),
	} {
		switch {
		case a.length > 0:
		case a.needed != "":
			r.report(rules.MissingValue, key+"."+a.key, a.needed, "is missing or empty")
		default:
			if a.given {
				r.report(rules.EmptyValue, key+"."+a.key, "name something, or remove the key", "is an empty list")
			}
			a.length = 1 // the value that is left open
		}
		counts = append(counts, a.length)
	}
	for i, arch := range e.Architectures {
		if !slices.Contains(r.options.Archs, arch) {
			r.report(rules.UnsupportedArchitecture, fmt.Sprintf("%s.architectures[%d]", key, i), specs.Suggest(arch, r.options.Archs), "unknown architecture %q", arch)
		}
	}
	for i := range product(counts) {
		r.entry(key, e, choice{i[0], i[1], i[2], i[3], i[4], i[5], i[6]})
	}
}

// axis is one of the lists that multiply.
type axis struct {
	key    string
	given  bool
	length int
	// needed is the hint when a required list is missing.
	needed string
}

func axisOf[T any](key string, list []T, needed string) axis {
	return axis{key: key, given: list != nil, length: len(list), needed: needed}
}

// product returns all combinations, with the last index changing fastest.
func product(counts []int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		if slices.Contains(counts, 0) {
			return
		}
		for at := make([]int, len(counts)); yield(at); {
			place := len(at) - 1
			for ; place >= 0; place-- {
				if at[place]++; at[place] < counts[place] {
					break
				}
				at[place] = 0
			}
			if place < 0 {
				return
			}
		}
	}
}

// of returns the chosen value of a list, or the zero value without a list.
func of[T any](list []T, index int) (value T) {
	if len(list) > 0 {
		value = list[index]
	}
	return value
}

// choice are indexes into the lists of an item, in the order of their keys.
type choice struct{ extends, kernel, variant, kubernetes, arch, model, version int }

// entry adds one combination.
func (r *reader) entry(key string, e Item, c choice) {
	t := &text{at: r.at, item: key}
	extends := e.Extends[c.extends]
	entry := Entry{
		Flavor:     flavorOf(extends),
		Kernel:     of(e.Kernels, c.kernel),
		Kubernetes: of(e.Kubernetes, c.kubernetes),
		Variant:    of(e.Variants, c.variant),
		Arch:       e.Architectures[c.arch],
		Model:      of(e.Models, c.model),
		Version:    of(e.Versions, c.version),
	}
	t.line("extends", extends, "extends[%d]", c.extends)
	t.line("variant", entry.Variant, "variants[%d]", c.variant)
	t.line("model", entry.Model, "models[%d]", c.model)
	t.mapping("kernel", fmt.Sprintf("kernels[%d]", c.kernel), []pair{
		{"from", entry.Kernel.From},
		{"package", entry.Kernel.Package},
		{"version", entry.Kernel.Version},
		{"image", entry.Kernel.Image},
		{"context", entry.Kernel.Context},
	})
	t.mapping("kubernetes", fmt.Sprintf("kubernetes[%d]", c.kubernetes), []pair{
		{"distribution", entry.Kubernetes.Distribution},
		{"version", entry.Kubernetes.Version},
		{"as", entry.Kubernetes.As},
		{"certificate", entry.Kubernetes.Certificate.From},
	})
	switch {
	case entry.Version != "":
		t.line("version", entry.Version, "versions[%d]", c.version)
	case r.options.Version != "":
		t.write("version", r.options.Version, specs.Range{Source: r.flag})
	case r.options.FlavorVersion != "" && slices.Contains(r.options.Flavors, extends):
		t.write("version", r.options.FlavorVersion, r.at(key))
	}
	entry.Name = entry.name(len(e.Versions) > 0)
	entry.Spec = &specs.Source{Name: path.Join(path.Dir(r.source.Name), entry.Name+".spec"), Data: []byte(t.String()), Lines: t.lines}
	key = fmt.Sprintf("%s.extends[%d]", key, c.extends)
	if first, ok := r.seen[entry.Name]; ok {
		r.twice(key, entry.Name, first)
		return
	}
	r.seen[entry.Name] = r.at(key)
	r.entries = append(r.entries, entry)
}

// twice reports a duplicate entry, once per flavor.
func (r *reader) twice(key, name string, first specs.Range) {
	if !slices.ContainsFunc(r.found, func(d specs.Diagnostic) bool { return d.Key == key }) {
		r.report(rules.DuplicateEntry, key, fmt.Sprintf("the first is in line %d", first.Start.Line), "duplicate entry %s", name)
	}
}

// flavorOf returns what an entry extends, without directory and extension.
func flavorOf(extends string) string {
	name := path.Base(extends)
	for _, ext := range []string{".spec", ".yaml", ".yml"} {
		name = strings.TrimSuffix(name, ext)
	}
	return name
}

// name joins the values that the matrix sets for an entry.
func (c Entry) name(versions bool) string {
	k, u := c.Kernel, c.Kubernetes
	parts := []string{c.Variant, c.Flavor, c.Arch, c.Model, k.From, k.Package, k.Version, k.Image, k.Context, u.Distribution, u.Version, u.As}
	if versions {
		parts = append(parts, c.Version)
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:@+ `, r) {
			return '-'
		}
		return r
	}, strings.Join(parts, "-"))
}
