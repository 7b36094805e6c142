package specs

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// text is a source in lines, to find the positions of nodes.
type text struct {
	source *Source
	lines  []string
	// split has the lines that were asked for in characters, by number from 1.
	split map[int][]rune
}

// byteOrderMark may begin a file; columns count from after it.
const byteOrderMark = "\ufeff"

func newText(src *Source) *text {
	return &text{source: src, lines: strings.Split(strings.TrimPrefix(string(src.Data), byteOrderMark), "\n"), split: map[int][]rune{}}
}

// runes returns a line in characters. A line may have thousands of nodes, so it is split once.
func (t *text) runes(line int) []rune {
	runes, ok := t.split[line]
	if !ok {
		runes = []rune(t.lines[line-1])
		t.split[line] = runes
	}
	return runes
}

// inside converts a position of the YAML library, which may be missing or after the last line.
func (t *text) inside(line, column int) Position {
	if line > len(t.lines) {
		line = len(t.lines)
		column = utf8.RuneCountInString(t.lines[line-1]) + 1
	}
	return Position{Line: max(line, 1), Column: max(column, 1)}
}

// rangeOf returns the range of a node. YAML only gives its start; a scalar on one line ends with
// its text, any other range is its first character.
func (t *text) rangeOf(n *yaml.Node) Range {
	at := t.inside(n.Line, n.Column)
	r := Range{Source: t.source, Start: at, End: at}
	if len(t.source.Lines) > 0 {
		return r.decided()
	}
	line := t.runes(at.Line)
	if n.Kind != yaml.ScalarNode || at.Column > len(line) {
		return r
	}
	if width := scalarWidth(line[at.Column-1:], n); width > 0 {
		r.End.Column += width - 1
	}
	return r
}

// scalarWidth returns the width of a scalar at the start of rest, or 0 when it does not end in this
// line.
func scalarWidth(rest []rune, n *yaml.Node) int {
	value := []rune(n.Value)
	switch {
	case n.Style&yaml.SingleQuotedStyle != 0 && rest[0] == '\'':
		return quotedWidth(rest, func(r []rune, i int) bool { return r[i] == '\'' && i+1 < len(r) && r[i+1] == '\'' })
	case n.Style&yaml.DoubleQuotedStyle != 0 && rest[0] == '"':
		return quotedWidth(rest, func(r []rune, i int) bool { return r[i] == '\\' })
	case len(value) <= len(rest) && slices.Equal(rest[:len(value)], value):
		return len(value)
	default:
		return 0
	}
}

// quotedWidth finds the closing quote; escapes tells that the character after this one is no quote.
func quotedWidth(runes []rune, escapes func(r []rune, i int) bool) int {
	for i := 1; i < len(runes); i++ {
		switch {
		case escapes(runes, i):
			i++
		case runes[i] == runes[0]:
			return i + 1
		}
	}
	return 0
}

// unreadable finds the first character that is not allowed in a spec. These include characters that
// end a line in YAML but not in other tools, which would make line numbers wrong.
func (t *text) unreadable() (Diagnostic, bool) {
	for i, line := range t.lines {
		last := i == len(t.lines)-1
		column := 0
		for at, r := range line {
			column++
			var message, hint string
			switch {
			case r == utf8.RuneError && !strings.HasPrefix(line[at:], string(utf8.RuneError)):
				message, hint = "is not UTF-8", "save the file as UTF-8"
			case r == '\r' && at == len(line)-1 && !last, r == '\t':
				continue
			case r < ' ', r == 0x7f, r >= 0x80 && r < 0xa0, r == 0x2028, r == 0x2029, r == 0xfeff, r == 0xfffe, r == 0xffff:
				message, hint = fmt.Sprintf("holds the control character %U", r), "remove it, or write it inside double quotes as an escape"
			default:
				continue
			}
			where := Position{Line: i + 1, Column: column}
			return Diagnostic{Rule: rules.InvalidYAML, Range: Range{Source: t.source, Start: where, End: where}, Message: message, Hint: hint}, true
		}
	}
	return Diagnostic{}, false
}
