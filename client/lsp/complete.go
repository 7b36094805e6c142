package lsp

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// complete proposes keys and values at a position.
func (v *view) complete(p position) any {
	line, offset := v.text.line(p.Line), v.text.offset(p)
	if start, end, ok := specs.SkippedAt(line, offset); ok {
		c := completion{view: v, at: v.text.span(p.Line, start, end)}
		c.warnings()
		return completionList{Items: c.items}
	}
	words := v.words
	w, ok := at(words, p.Line, offset)
	if !ok {
		// A word that somebody could type here.
		typed := text{lines: slices.Clone(v.text.lines)}
		if p.Line >= len(typed.lines) {
			return completionList{Items: []completionItem{}}
		}
		typed.lines[p.Line] = line[:offset] + "x" + line[offset:]
		words = outline(typed)
		if w, ok = at(words, p.Line, offset); !ok || w.start != offset || w.end != offset+1 {
			return completionList{Items: []completionItem{}}
		}
		w.end = offset
	}
	if quoted := w.start < w.end && strings.ContainsRune(`"'`, rune(line[w.start])); quoted {
		if w.end > w.start+1 && line[w.end-1] == line[w.start] {
			w.end--
		}
		w.start++
	}
	c := completion{view: v, at: v.text.span(p.Line, w.start, w.end), items: []completionItem{}}
	typed := line[min(w.start, offset):offset]
	switch w.kind {
	case keyWord:
		colon := ""
		if w.begun {
			colon = ":"
		}
		c.keys(words, w, w.in, colon)
	case valueWord:
		c.values(w.path, typed)
	case openWord:
		c.keys(words, w, w.path, ":")
		c.values(w.path, typed)
	}
	return completionList{Items: c.items}
}

// completion collects proposals for a part of a document.
type completion struct {
	*view
	at    textRange
	items []completionItem
}

func (c *completion) add(kind int, label, newText, detail, about string) {
	item := completionItem{Label: label, Kind: kind, Detail: detail, TextEdit: textEdit{c.at, newText}}
	if about != "" {
		text := markdown(about)
		item.Documentation = &text
	}
	c.items = append(c.items, item)
}

// warnings proposes the rules that a comment can skip.
func (c *completion) warnings() {
	for _, r := range rules.All() {
		if r.Severity == rules.Warning {
			c.add(kindValue, r.Name, r.Name, "", r.Description)
		}
	}
}

// keys proposes those that a mapping can have and has not. After each comes colon.
func (c *completion) keys(words []word, current word, path, colon string) {
	e, ok := c.language.entry(path)
	if !ok {
		return
	}
	has := map[string]bool{}
	for _, w := range words {
		if w.kind == keyWord && w.in == path && (w.line != current.line || w.start != current.start) {
			has[w.text] = true
		}
	}
	add := func(name, about string) {
		value, ok := c.language.entry(join(path, name))
		if !ok || has[name] {
			return
		}
		end := colon
		if end != "" && value.isScalar() {
			end += " "
		}
		c.add(kindProperty, name, name+end, value.kind(), about)
	}
	for _, name := range e.keys() {
		value, _ := c.language.entry(join(path, name))
		add(name, value.description)
	}
	if e.takesNames() {
		for _, choice := range c.choices(path) {
			add(choice.Name, choice.About)
		}
	}
}

// values proposes values of a key. typed is the text before the cursor.
func (c *completion) values(path, typed string) {
	e, ok := c.language.entry(path)
	if !ok || e.takesNames() {
		return
	}
	for _, value := range e.values() {
		c.add(kindValue, value, value, "", "")
	}
	if !e.isScalar() {
		return
	}
	full := fullKey(path)
	for _, choice := range c.choices(listOf(full)) {
		c.add(kindValue, choice.Name, choice.Name, choice.About, "")
	}
	switch {
	case full == key.Extends.String():
		c.bases()
	case listOf(full) == key.PackagesAdd.String():
		c.locked()
	case isFile(full):
		c.files(typed)
	}
}

func (v *view) choices(path string) []plan.Choice {
	return plan.Choices(v.chosen(), v.catalog(), key.Parse(path))
}

// locked proposes what the lock file beside the spec has beyond what the catalog knows, such as what
// packages depend on. A lock file that cannot be read has nothing.
func (c *completion) locked() {
	f, _ := local.Lock(c.resolveOptions().File)
	for _, name := range f.Names(c.chosen().Spec.Distro.Name) {
		if !slices.ContainsFunc(c.items, func(known completionItem) bool { return known.Label == name }) {
			c.add(kindValue, name, name, "locked", "")
		}
	}
}

// bases proposes the specs of named contexts, and those beside this one.
func (c *completion) bases() {
	for _, name := range catalog.Names(c.options.Contexts) {
		for _, file := range specsIn(c.options.Contexts[name]) {
			base := name + "/" + file
			if file == specs.DefaultName {
				base = name
			}
			c.add(kindValue, base, base, "named context", "")
		}
	}
	for _, name := range specsIn(filepath.Dir(c.path)) {
		if name != filepath.Base(c.path) {
			c.add(kindFile, "./"+name, "./"+name, "", "")
		}
	}
}

// specsIn are the specs of a directory. A context from elsewhere is none, and neither may be that of a
// file that is not saved.
func specsIn(dir string) (names []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !e.IsDir() && path.Ext(e.Name()) == path.Ext(specs.DefaultName) {
			names = append(names, e.Name())
		}
	}
	return names
}

// mostFiles limits the proposals of a large directory.
const mostFiles = 200

// files proposes files of the build context, in the directory that was typed.
func (c *completion) files(typed string) {
	root, ok := c.context()
	if !ok {
		return
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return
	}
	defer dir.Close()
	in := typed[:strings.LastIndexByte(typed, '/')+1]
	list, err := dir.Open(path.Clean("./" + in))
	if err != nil {
		return
	}
	defer list.Close()
	entries, _ := list.ReadDir(mostFiles) // as many as there are
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		name := in + e.Name()
		if e.IsDir() {
			name += "/"
		}
		c.add(kindFile, name, name, "", "")
	}
}
