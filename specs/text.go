package specs

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// text is a source in lines, to find out where its nodes stand.
type text struct {
	source *Source
	lines  []string
}

// byteOrderMark may lead a file; columns count from after it.
const byteOrderMark = "\ufeff"

func newText(src *Source) *text {
	return &text{source: src, lines: strings.Split(strings.TrimPrefix(string(src.Data), byteOrderMark), "\n")}
}

// inside is a position that the YAML library gives. It may give none, or the
// line after the last.
func (t *text) inside(line, column int) Position {
	if line > len(t.lines) {
		line = len(t.lines)
		column = utf8.RuneCountInString(t.lines[line-1]) + 1
	}
	return Position{Line: max(line, 1), Column: max(column, 1)}
}

// rangeOf is where a node stands. YAML gives the start only; a scalar on one
// line ends where its text ends, anything else is pointed at by its start.
func (t *text) rangeOf(n *yaml.Node) Range {
	at := t.inside(n.Line, n.Column)
	r := Range{Source: t.source, Start: at, End: at}
	if len(t.source.Lines) > 0 {
		return r.decided()
	}
	line := []rune(t.lines[at.Line-1])
	if n.Kind != yaml.ScalarNode || at.Column > len(line) {
		return r
	}
	if width := scalarWidth(string(line[at.Column-1:]), n); width > 0 {
		r.End.Column += width - 1
	}
	return r
}

// scalarWidth is the number of characters that a scalar takes at the start of
// a line's rest, and 0 when it does not end in this line.
func scalarWidth(rest string, n *yaml.Node) int {
	switch {
	case n.Style&yaml.SingleQuotedStyle != 0 && strings.HasPrefix(rest, "'"):
		return quotedWidth(rest, func(r []rune, i int) bool { return r[i] == '\'' && i+1 < len(r) && r[i+1] == '\'' })
	case n.Style&yaml.DoubleQuotedStyle != 0 && strings.HasPrefix(rest, `"`):
		return quotedWidth(rest, func(r []rune, i int) bool { return r[i] == '\\' })
	case strings.HasPrefix(rest, n.Value):
		return utf8.RuneCountInString(n.Value)
	default:
		return 0
	}
}

// quotedWidth finds the closing quote; escapes tells that the character after
// this one is no quote.
func quotedWidth(rest string, escapes func(r []rune, i int) bool) int {
	runes := []rune(rest)
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

// unreadable finds the first character that no spec may hold. Those that YAML
// takes for the end of a line, and other tools do not, are among them: the
// line numbers of all messages would be wrong.
func (t *text) unreadable() (Diagnostic, bool) {
	for i, line := range t.lines {
		last := i == len(t.lines)-1
		column := 0
		for at, r := range line {
			column++
			message, hint := "", ""
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

// syntaxError turns what the YAML library says into a diagnostic.
func (t *text) syntaxError(err error) Diagnostic {
	d := Diagnostic{Rule: rules.InvalidYAML, Range: top(t.source), Message: "is not YAML: " + err.Error()}
	var e *yaml.LoadError
	if !errors.As(err, &e) {
		return d
	}
	at := t.inside(e.Mark.Line, e.Mark.Column)
	d.Range = Range{Source: t.source, Start: at, End: at}.decided()
	d.Message = "is not YAML: " + e.Message
	if e.ContextMsg != "" && e.ContextMark != e.Mark {
		d.Message += fmt.Sprintf(" (%s that begins at %d:%d)", e.ContextMsg, e.ContextMark.Line, e.ContextMark.Column)
	}
	if strings.HasPrefix(strings.TrimLeft(t.lines[at.Line-1], " "), "\t") {
		d.Hint = "indent with spaces, YAML takes no tabs"
	}
	return d
}
