package lsp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
)

// hover describes the word at a position: the key, where its value comes from, and what is known
// about the value.
func (v *view) hover(p position) any {
	w, ok := at(v.words, p.Line, v.text.offset(p))
	if !ok {
		return nil
	}
	e, known := v.language.entry(w.path)
	if !known {
		return nil
	}
	var parts []string
	if w.kind == keyWord {
		parts = append(parts, v.aboutName(w.in, w.text))
	} else {
		parts = append(parts, v.aboutValue(w))
	}
	title := "`" + w.path + "`"
	if kind := e.kind(); kind != "" {
		title += " — " + kind
	}
	parts = append(parts, title, e.description, v.origin(w.path, e))
	parts = slices.DeleteFunc(parts, func(text string) bool { return text == "" })
	return hover{markdown(strings.Join(parts, "\n\n")), v.text.span(w.line, w.start, w.end)}
}

// aboutValue says what is known about a value.
func (v *view) aboutValue(w word) string {
	if w.path == key.Extends.String() {
		return v.aboutBase(w.text)
	}
	path, kind := listOf(w.path), ""
	switch key.Parse(path) {
	case key.PackagesAdd, key.PackagesRemove:
		kind = "package"
	case key.Cmdline:
		kind = "argument"
	}
	if reasons := v.reasons(kind, w.text); reasons != "" {
		return reasons
	}
	return v.aboutName(fullKey(path), w.text)
}

// aboutBase shows a flavor, which is no file.
func (v *view) aboutBase(name string) string {
	src, ok := v.catalog().Flavor(name)
	if base, found := v.base(name); !ok || !found || base.Flavor == "" {
		return ""
	}
	return fmt.Sprintf("%s:\n\n```yaml\n%s\n```", src.Name, strings.TrimSpace(string(src.Data)))
}

// aboutName says what the catalog knows about a name that a key has.
func (v *view) aboutName(path, name string) string {
	for _, c := range plan.Choices(v.chosen(), v.catalog(), key.Parse(path)) {
		if c.Name == name && c.About != "" {
			return "**" + name + "**: " + c.About
		}
	}
	return ""
}

// reasons says why something is in the system, as flavorkit plan --explain does.
func (v *view) reasons(kind, name string) string {
	if kind == "" || v.spec == nil || v.spec.plan == nil {
		return ""
	}
	all, err := plan.Explain(v.spec.plan, v.spec.doc, v.catalog())
	if err != nil {
		return ""
	}
	found, _ := plan.Find(all, name)
	var texts []string
	for _, r := range found {
		if r.Kind == kind {
			texts = append(texts, r.String())
		}
	}
	if len(texts) == 0 {
		return ""
	}
	return "```\n" + strings.Join(texts, "\n") + "\n```"
}

// origin says which file has the value that counts, and which others set it. Each file counts the
// items of a list on its own, so those have none.
func (v *view) origin(path string, e entry) string {
	if isItemPath(path) || path == key.Extends.String() {
		return ""
	}
	var lines []string
	if full := fullKey(path); e.isScalar() && v.document().Has(full) {
		if r := v.document().At(full); r.Source != v.src {
			lines = append(lines, "The value of `"+r.String()+"` counts.")
		}
	}
	for _, src := range v.bases() {
		if w, t, ok := setIn(src, path); ok {
			at := t.position(w.line, w.start)
			lines = append(lines, fmt.Sprintf("`%s:%d:%d` sets it, too.", src.Name, at.Line+1, at.Character+1))
		}
	}
	return strings.Join(lines, "\n\n")
}

// fullKey is the key that a plain text in place of a mapping sets, or the key itself.
func fullKey(path string) string {
	if full, ok := specs.ShorthandOf(path); ok {
		return full
	}
	return path
}

// listOf is the list that an item is in, or the key itself.
func listOf(path string) string {
	if strings.HasSuffix(path, "]") {
		path = path[:strings.LastIndexByte(path, '[')]
	}
	return path
}
