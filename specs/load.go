package specs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// DefaultName is the file name of a spec when none is given, and in named contexts.
const DefaultName = "kairos.spec"

// Reader finds the files that a spec extends.
type Reader interface {
	// File reads a file beside the spec. The path is relative and has no leading "..". An error
	// that wraps fs.ErrNotExist means that there is no such file.
	File(ctx context.Context, path string) ([]byte, error)
	// ContextFile reads a file of a named context, with a path as that of File; ok is false when
	// there is no context of that name. An error that wraps fs.ErrNotExist means that it has no such
	// file.
	ContextFile(ctx context.Context, name, path string) (data []byte, ok bool, err error)
	// Flavor returns the spec of a flavor; ok is false when there is no such flavor. The caller
	// owns the source.
	Flavor(name string) (src *Source, ok bool)
	// FlavorNames returns the names of all flavors, sorted.
	FlavorNames() []string
}

// Load reads a spec and everything it extends. It loads a spec with mistakes as far as possible, so
// that plan.Resolve finds the other mistakes; Document.Err returns those found here. The document of
// a spec with conditions has every part, and Document.Evaluate checks its values. An error means that
// a file could not be read.
func Load(ctx context.Context, src *Source, r Reader) (*Document, error) {
	return LoadWith(ctx, src, Inputs{}, r)
}

// Inputs are what a build gives a spec.
type Inputs struct {
	// Site is laid over the spec; nil for none.
	Site *Source
	// Args are the values of build arguments, by name. Those that the spec does not declare are
	// ignored.
	Args map[string]string
}

// LoadWith reads a spec as Load does, with the inputs of a build.
func LoadWith(ctx context.Context, src *Source, in Inputs, r Reader) (*Document, error) {
	chain, err := loadChain(ctx, src, r)
	if err != nil {
		return nil, err
	}
	if in.Site != nil {
		chain.readSite(in.Site)
	}
	if err := chain.replaceArgs(src, in.Args); err != nil {
		return nil, err
	}
	if !chain.conditional() {
		return chain.document(src)
	}
	doc, err := newDocument(src, chain.all())
	if err != nil {
		return nil, err
	}
	doc.chain = chain
	return doc, nil
}

// document merges, decodes and checks the specs.
func (c chain) document(src *Source) (*Document, error) {
	doc, err := newDocument(src, c)
	if err != nil {
		return nil, err
	}
	// A chain with mistakes is validated as far as it was read.
	found := doc.validate(len(c.found) == 0)
	doc.mistakes = slices.Concat(c.found, slices.DeleteFunc(found, slices.Concat(c.found, c.unread).cover))
	return doc, nil
}

// chain is a spec and the specs that it extends, nearest first, as far as they can be read.
type chain struct {
	trees []*tree
	// site is laid over all of them; nil for none.
	site *tree
	// whole is true when the last one extends nothing.
	whole bool
	found Diagnostics
	// unread are values that cannot be read because of a mistake elsewhere. They are not reported.
	unread Diagnostics
	// args are the values of the build arguments, and used the names of those that a value has.
	args map[string]string
	used map[string]bool
	// leftOut are the parts that conditions left out.
	leftOut []LeftOut
}

// readSite parses and checks a Site.
func (c *chain) readSite(src *Source) {
	t, found := parse(src, reflect.TypeFor[Site](), format{empty: emptyFile()})
	c.site, c.found = t, append(c.found, found...)
	src.Depth = max(len(c.trees), 1) // no spec of the user
}

// loadChain parses and checks the spec and the specs that it extends.
func loadChain(ctx context.Context, src *Source, r Reader) (c chain, err error) {
	seen := []*Source{src}
	for {
		t, diagnostics := parse(src, reflect.TypeFor[Spec](), format{empty: emptySpec(), spec: true})
		c.found = append(c.found, diagnostics...)
		if t == nil {
			return c, nil
		}
		c.trees = append(c.trees, t)
		extends := find(t.root, "extends")
		if extends == nil {
			c.whole = !slices.ContainsFunc(diagnostics, func(d Diagnostic) bool { return d.Key == "extends" })
			return c, nil
		}
		next, wrong, err := follow(ctx, src, extends.Value, r)
		if err != nil {
			return c, errors.Wrapf(err, "%s: read the spec that extends names", t.ranges[extends])
		}
		if wrong == nil {
			wrong = cycle(append(seen, next))
		}
		if wrong != nil {
			c.found = append(c.found, Diagnostic{Rule: wrong.rule, Range: t.ranges[extends], Key: "extends", Message: wrong.message, Hint: wrong.hint})
			return c, nil
		}
		next.Depth = src.Depth + 1
		seen, src = append(seen, next), next
	}
}

// cycle reports a source that occurs twice in a chain.
func cycle(chain []*Source) *problem {
	last := chain[len(chain)-1]
	names := make([]string, len(chain))
	for i, s := range chain {
		names[i] = s.Name
	}
	for _, s := range chain[:len(chain)-1] {
		if s.Name == last.Name && s.Context == last.Context && s.Flavor == last.Flavor {
			return &problem{rules.ExtendsItself, "extends itself", "the chain is " + strings.Join(names, " → ")}
		}
	}
	return nil
}

// problem is a mistake without a position.
type problem struct {
	rule          rules.Rule
	message, hint string
}

// Base reads the spec that src extends by name; ok is false when there is none.
func Base(ctx context.Context, src *Source, name string, r Reader) (base *Source, ok bool) {
	base, wrong, err := follow(ctx, src, name, r)
	return base, wrong == nil && err == nil
}

// follow reads the spec that src extends by name.
func follow(ctx context.Context, src *Source, name string, r Reader) (*Source, *problem, error) {
	if strings.Contains(name, referenceStart) {
		return nil, &problem{rules.InvalidValue, "what a spec extends cannot depend on a build argument", "name it, or pass it as a named context"}, nil
	}
	if isPath(name) {
		return followPath(ctx, src, name, r)
	}
	if base, wrong, err := followContext(ctx, name, DefaultName, r); base != nil || wrong != nil || err != nil {
		return base, wrong, err
	}
	if flavor, ok := r.Flavor(name); ok {
		return flavor, nil, nil
	}
	valid := slices.Clone(r.FlavorNames())
	if _, err := reference.ParseNormalizedNamed(name); err == nil { // as those of contexts are
		valid = append(valid, fmt.Sprintf("a context passed with --build-context %s=DIR", name))
	}
	return nil, &problem{rules.UnknownBase, fmt.Sprintf("no flavor and no named context is called %s", quote(name)), Suggest(name, valid)}, nil
}

// followContext reads a spec of a named context. It returns nothing when there is no such context.
func followContext(ctx context.Context, name, file string, r Reader) (*Source, *problem, error) {
	data, ok, err := r.ContextFile(ctx, name, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint := ""
		if file == DefaultName {
			hint = "extend another spec of it by its path, such as " + name + "/base" + path.Ext(DefaultName)
		}
		return nil, &problem{rules.UnknownBase, fmt.Sprintf("the named context %s has no %s", name, file), hint}, nil
	case err != nil || !ok:
		return nil, nil, err
	}
	return &Source{Name: name + "/" + file, Data: data, Context: name}, nil, nil
}

// followPath reads a file of a named context if the path begins with the name of one, or else of the
// directory that src is from.
func followPath(ctx context.Context, src *Source, name string, r Reader) (*Source, *problem, error) {
	if context, file, ok := strings.Cut(path.Clean(name), "/"); ok && !strings.ContainsAny(name[:1], "./") {
		if base, wrong, err := followContext(ctx, context, file, r); base != nil || wrong != nil || err != nil {
			return base, wrong, err
		}
	}
	full := path.Join(path.Dir(src.path()), name)
	switch {
	case src.Flavor != "" && src.Context == "":
		return nil, &problem{rules.BaseOutside, fmt.Sprintf("%q is a path, and a flavor that is part of a program cannot extend a file", name), "name a flavor or a named context"}, nil
	case urlPattern.MatchString(name):
		return nil, &problem{rules.BaseOutside, quote(name) + " is a url, and a spec extends a file beside it", "download it, or pass its repository as a named context, such as --build-context base=URL, and extend: base"}, nil
	case strings.HasSuffix(name, "/"):
		return nil, &problem{rules.UnknownBase, quote(name) + " is a directory", "name the spec in it, such as " + name + DefaultName}, nil
	case !path.IsAbs(name) && isLocal(full):
	case src.Context != "":
		return nil, &problem{rules.BaseOutside, fmt.Sprintf("%q is outside the named context %s", name, src.Context), "put the file into it, or pass another named context with it"}, nil
	default:
		return nil, &problem{rules.BaseOutside, fmt.Sprintf("%q is outside the directory of the spec", name), "put the file beside the spec, or pass its directory as a named context"}, nil
	}
	if src.Context != "" {
		base, wrong, err := followContext(ctx, src.Context, full, r)
		if base == nil && wrong == nil && err == nil { // a catalog of a program may say that it is from one
			wrong = &problem{rules.UnknownBase, fmt.Sprintf("there is no named context %s to read %s from", src.Context, full), ""}
		}
		return base, wrong, err
	}
	data, err := r.File(ctx, full)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &problem{rules.UnknownBase, fmt.Sprintf("there is no file %q beside the spec", name), ""}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return &Source{Name: full, Data: data}, nil, nil
}

// isPath reports whether a value of extends is a file, not a flavor or context.
func isPath(name string) bool {
	return strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") || strings.HasPrefix(name, "/") ||
		slices.Contains([]string{".spec", ".yaml", ".yml"}, path.Ext(name))
}

// isLocal reports whether a slash-separated path stays in its directory.
func isLocal(p string) bool {
	clean := path.Clean(p)
	return !path.IsAbs(clean) && clean != ".." && !strings.HasPrefix(clean, "../")
}

// empty is the message about an empty file.
type empty struct{ message, hint string }

func emptySpec() empty {
	return empty{"the spec is empty", `the shortest one has two lines: "extends: debian-12" and "version: v1.0.0"`}
}

// format has the rules for one kind of file beside its type.
type format struct {
	empty empty
	// takesAway reports whether a key without a value removes the key of the base; otherwise it is
	// a mistake.
	takesAway func(root *yaml.Node) bool
	// spec is true when values may have build arguments, and parts conditions.
	spec bool
}

// parse reads one file and checks it against a struct type. The tree is nil when the text is not
// one YAML mapping.
func parse(src *Source, typ reflect.Type, held format) (*tree, Diagnostics) {
	lines := newText(src)
	if d, found := lines.unreadable(); found {
		return nil, Diagnostics{d}
	}
	root, found := readMapping(lines, held.empty)
	if root == nil {
		return nil, found
	}
	c := &checker{text: lines, found: found, nulls: held.takesAway != nil && held.takesAway(root), spec: held.spec, conditions: map[*yaml.Node]condition{}}
	if !c.check(root, typ, "") {
		return nil, c.found
	}
	t := &tree{
		root: root, source: src, ranges: map[*yaml.Node]Range{}, index: map[*yaml.Node]int{},
		uses: c.uses, conditions: c.conditions,
	}
	t.locate(root, lines)
	for _, condition := range c.conditions {
		t.locate(condition.when, lines)
	}
	return t, c.found
}

// readMapping reads the only document of a file.
func readMapping(lines *text, nothing empty) (*yaml.Node, Diagnostics) {
	src := lines.source
	loader, err := yaml.NewLoader(bytes.NewReader(src.Data), yaml.WithUniqueKeys(false))
	if err != nil {
		return nil, Diagnostics{lines.syntaxError(err)}
	}
	var first, second yaml.Node
	err = loader.Load(&first)
	switch {
	case errors.Is(err, io.EOF), err == nil && (len(first.Content) == 0 || first.Content[0].Tag == "!!null"):
		return nil, Diagnostics{{Rule: rules.InvalidYAML, Range: top(src), Message: nothing.message, Hint: nothing.hint}}
	case err != nil:
		return nil, Diagnostics{lines.syntaxError(err)}
	}
	err = loader.Load(&second)
	switch {
	case errors.Is(err, io.EOF):
		return first.Content[0], nil
	case err != nil:
		return nil, Diagnostics{lines.syntaxError(err)}
	default:
		return first.Content[0], Diagnostics{{Rule: rules.InvalidYAML, Range: lines.rangeOf(&second), Message: "a second YAML document begins", Hint: "keep one document in a file, and put the other in one of its own"}}
	}
}

// top is the beginning of a file.
func top(src *Source) Range {
	return Range{Source: src, Start: Position{1, 1}, End: Position{1, 1}}.decided()
}
