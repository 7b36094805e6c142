package specs

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/flavors"
)

// DefaultName is the file that a spec is looked for in when no name is given,
// and the one that is read from a named context.
const DefaultName = "kairos.spec"

// Reader finds the files that a spec extends.
type Reader interface {
	// File reads a file beside the spec. The path is relative and does not
	// climb. An error that wraps fs.ErrNotExist means that there is none.
	File(ctx context.Context, path string) ([]byte, error)
	// Context reads DefaultName of a named context; ok is false when there is
	// no context of that name.
	Context(ctx context.Context, name string) (data []byte, ok bool, err error)
}

// Load reads a spec and all it extends. Mistakes of the specs come back as
// Diagnostics, all of them at once; any other error is trouble with reading.
func Load(ctx context.Context, src *Source, r Reader) (*Document, error) {
	chain, err := loadChain(ctx, src, r)
	if err != nil {
		return nil, err
	}
	merged := chain[len(chain)-1]
	for _, t := range slices.Backward(chain[:len(chain)-1]) {
		merged = merge(merged, t)
	}
	doc, err := newDocument(merged, chain)
	if err != nil {
		return nil, err
	}
	return doc, doc.validate().Err()
}

// loadChain parses and checks the spec and every spec it extends, nearest
// first.
func loadChain(ctx context.Context, src *Source, r Reader) ([]*tree, error) {
	var chain []*tree
	var found Diagnostics
	names := []string{src.Name}
	for src != nil {
		t, diagnostics := parse(src)
		found = append(found, diagnostics...)
		if t == nil {
			break
		}
		chain = append(chain, t)
		extends := find(t.root, "extends")
		if extends == nil || extends.Kind != yaml.ScalarNode || extends.Value == "" {
			break
		}
		at := nodeRange(src, extends)
		next, wrong, err := follow(ctx, src, extends.Value, r)
		if err != nil {
			return nil, errors.Wrapf(err, "%s: read the spec that extends names", at)
		}
		if wrong == nil && slices.Contains(names, next.Name) {
			wrong = &problem{"makes a cycle", "the chain is " + strings.Join(append(names, next.Name), " → ")}
		}
		if wrong != nil {
			found = append(found, Diagnostic{Range: at, Key: "extends", Message: wrong.message, Hint: wrong.hint})
			break
		}
		names = append(names, next.Name)
		src = next
	}
	return chain, found.Err()
}

// problem is a mistake that has no position yet.
type problem struct{ message, hint string }

// follow reads the spec that src extends by name.
func follow(ctx context.Context, src *Source, name string, r Reader) (*Source, *problem, error) {
	if isPath(name) {
		return followPath(ctx, src, name, r)
	}
	data, ok, err := r.Context(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if ok {
		return &Source{Name: name + "/" + DefaultName, Data: data, Context: name}, nil, nil
	}
	if data, ok := flavors.Read(name); ok {
		return &Source{Name: "flavor " + name, Data: data, Builtin: true}, nil, nil
	}
	return nil, &problem{
		fmt.Sprintf("no flavor and no named context is called %q", name),
		Suggest(name, flavors.Names()) + " A file is named with a path, such as ./base.spec",
	}, nil
}

func followPath(ctx context.Context, src *Source, name string, r Reader) (*Source, *problem, error) {
	if src.Builtin || src.Context != "" {
		return nil, &problem{fmt.Sprintf("%q is a path, and only a spec of the build can extend a file", name), "name a flavor or a named context"}, nil
	}
	full := path.Join(path.Dir(src.Name), name)
	if !isLocal(full) {
		return nil, &problem{fmt.Sprintf("%q climbs out of the folder of the spec", name), "put the file beside the spec, or hand its folder in as a named context"}, nil
	}
	data, err := r.File(ctx, full)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &problem{fmt.Sprintf("there is no file %q beside the spec", name), ""}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return &Source{Name: full, Data: data}, nil, nil
}

// isPath tells a file from the name of a flavor or context.
func isPath(name string) bool {
	return strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") || strings.HasPrefix(name, "/") ||
		slices.Contains([]string{".spec", ".yaml", ".yml"}, path.Ext(name))
}

// isLocal tells whether a slash-separated path stays in its folder.
func isLocal(p string) bool {
	clean := path.Clean(p)
	return !path.IsAbs(clean) && clean != ".." && !strings.HasPrefix(clean, "../")
}

// parse reads one file and checks it against the types. The tree is nil when
// the text is not YAML at all or holds nothing.
func parse(src *Source) (*tree, Diagnostics) {
	var document yaml.Node
	if err := yaml.Load(src.Data, &document, yaml.WithUniqueKeys(false)); err != nil {
		return nil, syntaxErrors(src, err)
	}
	if len(bytes.TrimSpace(src.Data)) == 0 || len(document.Content) == 0 {
		return nil, Diagnostics{{Range: top(src), Message: "the spec is empty", Hint: `the shortest one has two lines: "extends: debian-12" and "version: v1.0.0"`}}
	}
	root := document.Content[0]
	c := &checker{source: src}
	c.check(root, reflect.TypeFor[Spec](), "")
	if root.Kind != yaml.MappingNode {
		return nil, c.found
	}
	t := &tree{root: root, sources: map[*yaml.Node]*Source{}}
	t.own(root, src)
	return t, c.found
}

// own notes which source the nodes of a tree came from.
func (t *tree) own(n *yaml.Node, src *Source) {
	t.sources[n] = src
	for _, child := range n.Content {
		t.own(child, src)
	}
}

// syntaxErrors turns what the YAML library says into diagnostics.
func syntaxErrors(src *Source, err error) Diagnostics {
	var many *yaml.LoadErrors
	if errors.As(err, &many) {
		var ds Diagnostics
		for _, e := range many.Errors {
			ds = append(ds, syntaxError(src, e))
		}
		return ds
	}
	var one *yaml.LoadError
	if errors.As(err, &one) {
		return Diagnostics{syntaxError(src, one)}
	}
	return Diagnostics{{Range: top(src), Message: "is not YAML: " + err.Error()}}
}

func syntaxError(src *Source, e *yaml.LoadError) Diagnostic {
	at := Position{Line: max(e.Mark.Line, 1), Column: max(e.Mark.Column, 1)}
	message := "is not YAML: " + e.Message
	if e.ContextMsg != "" {
		message += " (" + e.ContextMsg + ")"
	}
	return Diagnostic{Range: Range{Source: src, Start: at, End: at}, Message: message}
}

func top(src *Source) Range {
	return Range{Source: src, Start: Position{1, 1}, End: Position{1, 1}}
}
