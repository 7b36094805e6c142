package lsp

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flavorkit/flavorkit/specs"
)

// TestPositions converts between UTF-16 units, characters and bytes.
func TestPositions(t *testing.T) {
	data := []byte("\ufeffa: é😀x\r\nb: 日本\n")
	text := newText(data)
	assert.Equal(t, []string{"a: é😀x", "b: 日本", ""}, text.lines)
	for _, c := range []struct {
		line, character, offset int
	}{
		{0, 0, 0},
		{0, 1, 0}, // after the byte order mark
		{0, 4, 3},
		{0, 5, 5},
		{0, 7, 9}, // 😀 has two units and four bytes
		{0, 8, 10},
		{0, 99, 10},
		{1, 4, 6},
		{1, 5, 9},
		{2, 0, 0},
		{9, 3, 0},
	} {
		assert.Equal(t, c.offset, text.offset(position{c.line, c.character}), "%d:%d", c.line, c.character)
	}
	assert.Equal(t, position{0, 7}, text.position(0, 9))
	assert.Equal(t, position{1, 5}, text.position(1, 9))
	src := &specs.Source{Data: data}
	x := specs.Range{Source: src, Start: specs.Position{Line: 1, Column: 6}, End: specs.Position{Line: 1, Column: 6}}
	assert.Equal(t, textRange{position{0, 7}, position{0, 8}}, text.rangeOf(x))
	assert.Equal(t, textRange{}, text.rangeOf(specs.Range{Source: src}), "no line")
}

func TestURIs(t *testing.T) {
	path, ok := pathOf("file:///home/me/my%20edge/kairos.spec")
	assert.True(t, ok)
	assert.Equal(t, "/home/me/my edge/kairos.spec", path)
	assert.Equal(t, "file:///home/me/my%20edge/kairos.spec", uriOf(path))
	for _, uri := range []string{"untitled:Untitled-1", "%", ""} {
		_, ok := pathOf(uri)
		assert.False(t, ok, uri)
	}
}
