package lsp

import (
	"bytes"
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// document is a file as the editor has it.
type document struct {
	uri     string
	version int
	text    []byte
}

// environment is what all documents have in common.
type environment struct {
	options  local.Options
	flavors  *flavorFiles
	language language
}

// snapshot is all documents at one time, and what they resolve to.
type snapshot struct {
	environment
	// documents by path.
	documents map[string]document

	once  sync.Once
	specs []*spec
}

// spec is a spec that is resolved for itself: one that no other open spec extends.
type spec struct {
	options local.Options
	path    string
	// plan is nil if there are mistakes, and doc if a file could not be read.
	plan *plan.Plan
	doc  *specs.Document
	err  error
}

func newSnapshot(e environment, documents map[string]document) *snapshot {
	e.options.Shared, e.options.Texts = true, map[string][]byte{}
	for path, d := range documents {
		e.options.Texts[path] = d.text
	}
	return &snapshot{environment: e, documents: documents}
}

// isSpec reports whether a document is a spec, and not a cloud-config or any other YAML file. What
// a spec extends need not look like one.
func (s *snapshot) isSpec(path string) bool {
	if s.flavors.has(path) {
		return false
	}
	text, extends := s.documents[path].text, []byte(key.Extends.String()+":")
	return filepath.Ext(path) == filepath.Ext(specs.DefaultName) ||
		bytes.HasPrefix(text, extends) || bytes.Contains(text, append([]byte("\n"), extends...))
}

// resolved resolves the specs, once.
func (s *snapshot) resolved(ctx context.Context) []*spec {
	s.once.Do(func() {
		for _, path := range catalog.Names(s.documents) {
			if s.isSpec(path) {
				s.specs = append(s.specs, s.resolve(ctx, path))
			}
		}
		all := slices.Clone(s.specs)
		s.specs = slices.DeleteFunc(s.specs, func(base *spec) bool {
			return slices.ContainsFunc(all, func(o *spec) bool { return o.source(base.path) != nil && base.source(o.path) == nil })
		})
	})
	return s.specs
}

func (s *snapshot) resolve(ctx context.Context, path string) *spec {
	o := s.optionsFor(path)
	r := &spec{options: o, path: path}
	r.plan, r.doc, r.err = local.Resolve(ctx, o)
	return r
}

// optionsFor are the options to resolve a spec.
func (s *snapshot) optionsFor(path string) local.Options {
	o := s.options
	o.File, o.Context = path, cmp.Or(o.Context, filepath.Dir(path))
	return o
}

// source is a file that a spec consists of, or nil.
func (s *spec) source(path string) *specs.Source {
	if s.doc == nil {
		return nil
	}
	for _, src := range s.doc.Sources {
		if file, ok := s.options.Path(src); ok && sameFile(file, path) {
			return src
		}
	}
	return nil
}

func sameFile(a, b string) bool {
	abs, err := filepath.Abs(a)
	return err == nil && abs == b
}

// check returns the mistakes and warnings of all specs, by the path of the file that they are in.
// Specs without any are there, too.
func (s *snapshot) check(ctx context.Context, now func() (time.Time, error)) map[string][]diagnostic {
	found := map[string][]diagnostic{}
	for path := range s.documents {
		found[path] = nil
	}
	for _, spec := range s.resolved(ctx) {
		for path, diagnostics := range spec.check(ctx, now) {
			for _, d := range diagnostics {
				if !slices.ContainsFunc(found[path], d.equal) { // of a file that two specs extend
					found[path] = append(found[path], d)
				}
			}
		}
	}
	return found
}

// check returns what flavorkit check finds, by path.
func (s *spec) check(ctx context.Context, now func() (time.Time, error)) map[string][]diagnostic {
	var warnings specs.Diagnostics
	err := s.err
	if err == nil {
		o := s.options
		if o.Now, err = now(); err == nil {
			warnings, err = local.Check(ctx, s.plan, o)
		}
	}
	var mistakes specs.Diagnostics
	found := map[string][]diagnostic{}
	if err != nil && !errors.As(err, &mistakes) {
		found[s.path] = []diagnostic{{Severity: severityError, Source: sourceName, Message: err.Error()}}
	}
	for _, d := range append(mistakes.Sorted(), warnings...) {
		path, where := s.place(d.Range)
		severity := severityError
		if d.Rule.Severity == rules.Warning {
			severity = severityWarning
		}
		found[path] = append(found[path], diagnostic{
			Range: where, Severity: severity, Code: d.Rule.Name, CodeDescription: &codeDescription{d.Rule.URL()},
			Source: sourceName, Message: d.Text(),
		})
	}
	return found
}

// sourceName is what an editor shows beside a diagnostic.
const sourceName = "flavorkit"

// place converts a range. What is in no file that an editor can show is at the top of the spec.
func (s *spec) place(r specs.Range) (path string, where textRange) {
	if r.Source == nil {
		return s.path, textRange{}
	}
	path, ok := s.options.Path(r.Source)
	if abs, err := filepath.Abs(path); ok && err == nil {
		return abs, newText(r.Source.Data).rangeOf(r)
	}
	return s.path, textRange{}
}

func (d diagnostic) equal(o diagnostic) bool {
	return d.Range == o.Range && d.Code == o.Code && d.Message == o.Message
}

// view is one document of a snapshot.
type view struct {
	*snapshot
	ctx   context.Context
	path  string
	text  text
	words []word
	// spec has the document as src. Both are nil for a document that no spec has, such as a flavor.
	spec *spec
	src  *specs.Source
}

// view finds a document; ok is false when it is neither a spec nor a part of one.
func (s *snapshot) view(ctx context.Context, uri string) (v *view, ok bool) {
	path, _ := pathOf(uri)
	d, open := s.documents[path]
	if !open {
		return nil, false
	}
	v = &view{snapshot: s, ctx: ctx, path: path, text: newText(d.text)}
	v.words = outline(v.text)
	for _, spec := range s.resolved(ctx) {
		if src := spec.source(path); src != nil {
			v.spec, v.src = spec, src
			return v, true
		}
	}
	v.src, ok = s.flavors.source(path)
	return v, ok || s.isSpec(path)
}

// document is the document that says which distribution counts; it is empty if no file could be
// read.
func (v *view) document() *specs.Document {
	if v.spec == nil || v.spec.doc == nil {
		return &specs.Document{}
	}
	return v.spec.doc
}

// bases are the sources that the document extends, nearest first.
func (v *view) bases() []*specs.Source {
	at := slices.Index(v.document().Sources, v.src)
	return slices.DeleteFunc(slices.Clone(v.document().Sources[at+1:]), func(src *specs.Source) bool {
		return at < 0 || src == v.spec.options.Site
	})
}

// setIn returns the keys of another source that have a path.
func setIn(src *specs.Source, path string) (word, text, bool) {
	t := newText(src.Data)
	for _, w := range outline(t) {
		if w.kind == keyWord && w.path == path {
			return w, t, true
		}
	}
	return word{}, t, false
}

// isItemPath reports whether a key is in an item of a list.
func isItemPath(path string) bool { return strings.Contains(path, "[") }
