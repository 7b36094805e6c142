package key_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
)

// TestKeysAreKnown looks every key of this package up in the types of the spec.
func TestKeysAreKnown(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "key.go", nil, 0)
	require.NoError(t, err)
	var paths []string
	ast.Inspect(file, func(n ast.Node) bool {
		made, ok := n.(*ast.CompositeLit)
		if !ok || len(made.Elts) != 1 {
			return true
		}
		if text, ok := made.Elts[0].(*ast.BasicLit); ok {
			path, err := strconv.Unquote(text.Value)
			require.NoError(t, err)
			paths = append(paths, path)
		}
		return true
	})
	assert.Greater(t, len(paths), 25)
	for _, path := range paths {
		assert.True(t, known(reflect.TypeFor[specs.Spec](), path), "the spec has no key %s", path)
	}
	assert.False(t, known(reflect.TypeFor[specs.Spec](), "artifacts.iso.cloudconfig"))
}

// known tells whether a struct has a value with this path.
func known(typ reflect.Type, path string) bool {
	name, rest, more := strings.Cut(path, ".")
	for _, field := range reflect.VisibleFields(typ) {
		if tag, _, _ := strings.Cut(field.Tag.Get("yaml"), ","); tag == name {
			return !more || known(field.Type, rest)
		}
	}
	return false
}

func TestKey(t *testing.T) {
	k := key.Files.Item(2).From()
	assert.Equal(t, "files[2].from", k.String())
	for _, want := range []string{"files[2]", "files"} {
		around, ok := k.Around()
		require.True(t, ok)
		assert.Equal(t, want, around.String())
		k = around
	}
	_, ok := k.Around()
	assert.False(t, ok)
	assert.Equal(t, key.Files, k)
	assert.Equal(t, "components.k3s.context", key.Components.Entry("k3s").Context().String())
}
