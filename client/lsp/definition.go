package lsp

import (
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
)

// definition finds what the word at a position stands for: what the spec extends, a file, or the
// same key in what the spec extends.
func (v *view) definition(p position) any {
	w, ok := at(v.words, p.Line, v.text.offset(p))
	if !ok {
		return nil
	}
	if w.kind != keyWord {
		switch full := fullKey(w.path); {
		case full == key.Extends.String():
			if base, ok := v.base(w.text); ok {
				return v.locations(base, textRange{})
			}
			return nil
		case isFile(full):
			return v.file(w.text)
		}
	}
	for _, src := range v.bases() {
		if found, t, ok := setIn(src, w.path); ok && !isItemPath(w.path) {
			return v.locations(src, t.span(found.line, found.start, found.end))
		}
	}
	return nil
}

// locations is a part of a source. The editor gets a built-in flavor as a file.
func (v *view) locations(src *specs.Source, where textRange) any {
	path, ok := v.resolveOptions().Path(src)
	if !ok {
		var err error
		if path, err = v.flavors.open(src); err != nil {
			return nil
		}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	uri := uriOf(abs)
	if d, open := v.documents[abs]; open {
		uri = d.uri
	}
	return []location{{uri, where}}
}

// file is a file or directory of the context of the document.
func (v *view) file(name string) any {
	root, ok := v.context()
	if !ok {
		return nil
	}
	path, err := filepath.Abs(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return nil
	}
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return nil
	}
	return []location{{uriOf(path), textRange{}}}
}

// context is the directory that files of the document come from.
func (v *view) context() (root string, ok bool) {
	o := v.resolveOptions()
	if v.src == nil || v.src.Context == "" {
		return o.Context, v.src == nil || !v.src.Builtin
	}
	root, ok = o.Contexts[v.src.Context]
	return root, ok
}

// isFile reports whether the value of a key is a file of the build context. That of kernel.from is
// a distribution.
func isFile(path string) bool {
	return strings.HasSuffix(path, key.Key{}.From().String()) && path != key.KernelFrom.String()
}

// base is what the document extends by a name.
func (v *view) base(name string) (*specs.Source, bool) {
	src := v.src
	if src == nil {
		src = &specs.Source{Name: filepath.Base(v.path)}
	}
	return local.Base(v.ctx, src, name, v.resolveOptions())
}

// resolveOptions are those that the document is resolved with.
func (v *view) resolveOptions() local.Options {
	if v.spec != nil {
		return v.spec.options
	}
	return v.optionsFor(v.path)
}

// chosen is the spec as far as it says which distribution counts. While a spec is no YAML, this is
// what the values of a few keys say.
func (v *view) chosen() *specs.Document {
	if v.document().Spec.Distro.Name != "" || v.src != nil && v.src.Builtin {
		return v.document()
	}
	var short strings.Builder
	for _, k := range []key.Key{key.Extends, key.Distro, key.KernelFrom} {
		for _, w := range v.words {
			if w.kind == valueWord && fullKey(w.path) == fullKey(k.String()) {
				top, _, _ := strings.Cut(k.String(), ".")
				short.WriteString(top + ": " + w.text + "\n")
				break
			}
		}
	}
	o := v.resolveOptions()
	o.File = v.path
	o.Texts = maps.Clone(o.Texts)
	o.Texts[v.path] = []byte(short.String())
	if _, doc, _ := local.Resolve(v.ctx, o); doc != nil { // with mistakes, as it has no version
		return doc
	}
	return v.document()
}

func (v *view) catalog() *catalog.Catalog { return v.options.Catalog }
