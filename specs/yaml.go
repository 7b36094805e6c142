package specs

import (
	"fmt"
	"strings"

	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// syntaxError turns an error of the YAML library into a diagnostic.
func (t *text) syntaxError(err error) Diagnostic {
	var e *yaml.LoadError
	if !errors.As(err, &e) {
		return Diagnostic{Rule: rules.InvalidYAML, Range: top(t.source), Message: "is not YAML: " + err.Error()}
	}
	if d, found := t.unreadable(); found && e.Mark.Line == 0 { // it does not say where
		d.Range = d.Range.decided()
		return d
	}
	s := yamlError{text: t, message: e.Message, at: t.inside(e.Mark.Line, e.Mark.Column)}
	s.begin = s.at
	if e.ContextMsg != "" {
		s.begin = t.inside(e.ContextMark.Line, e.ContextMark.Column)
	}
	message, hint, at := s.explain()
	if message == "" {
		message, at = e.Message, s.at
		if s.begin != s.at {
			message += fmt.Sprintf(" (%s that begins at %s)", e.ContextMsg, s.place(s.begin))
		}
	}
	return Diagnostic{Rule: rules.InvalidYAML, Range: t.point(at), Message: "is not YAML: " + message, Hint: hint}
}

// point is a single character.
func (t *text) point(at Position) Range {
	return Range{Source: t.source, Start: at, End: at}.decided()
}

// yamlError is an error of the YAML library.
type yamlError struct {
	*text
	message string
	// at is where the library gave up, and begin the beginning of what it was reading.
	at, begin Position
}

// place is a position as messages have it.
func (s yamlError) place(at Position) string {
	at = s.point(at).Start
	return fmt.Sprintf("%d:%d", at.Line, at.Column)
}

// explain says in plain words what is wrong, and where a user looks for it. The message is empty for
// an error that the library describes well enough.
func (s yamlError) explain() (message, hint string, at Position) {
	line := s.lines[s.at.Line-1]
	is := func(text string) bool { return strings.Contains(s.message, text) }
	switch {
	case is("cannot start any token") && strings.HasPrefix(strings.TrimLeft(line, " "), "\t"):
		return "the line begins with a tab", "indent with spaces, YAML takes no tabs", s.at
	case is("cannot start any token"):
		return "a value cannot begin with " + s.character(), "put the value in quotes", s.at
	case is("mapping values are not allowed"):
		return "a colon is in the wrong place", "put a text with a colon in quotes; after a key, write a colon and a space, also in the lines above", s.at
	case is("expected ',' or ']'"):
		return s.notClosed("list", "]")
	case is("expected ',' or '}'"):
		return s.notClosed("mapping", "}")
	case is("unexpected end of stream"), is("unexpected document indicator"):
		return "the text in quotes that begins here has no end", "close it with the same quote", s.begin
	case is("unknown escape character"):
		return "double quotes make a backslash an escape, and there is none with this character", `use single quotes, or write \\ for a backslash`, s.at
	case is("did not find expected key"):
		return fmt.Sprintf("this is not a key of the mapping that begins at %s", s.place(s.begin)),
			"begin all its keys in the same column, and put a value with quotes or brackets inside in quotes as a whole", s.at
	case is("did not find expected '-' indicator"):
		return fmt.Sprintf("this is not an item of the list that begins at %s", s.place(s.begin)), "begin all its items with - in the same column, and all keys of an item below its first key", s.at
	case is("could not find expected ':'"):
		return "there is a key without a colon", s.keyHint(), s.begin
	case is("expected node content"):
		return "a value is missing, or the list or mapping around it has no end", "", s.at
	case is("unknown anchor"):
		return s.message, "put a text that begins with * in quotes", s.at
	case is("exceeded max depth"):
		return "the lists and mappings are nested too deep", "", s.at
	default:
		return "", "", s.at
	}
}

// character is the one at which the library gave up, as a user sees it.
func (s yamlError) character() string {
	if rest := []rune(s.lines[s.at.Line-1]); s.at.Column <= len(rest) {
		return string(rest[s.at.Column-1])
	}
	return "this character"
}

// notClosed explains a list or a mapping in brackets. What begins in a line above, or goes on to the
// end of the file, has probably no end; else it is probably the text at the position that needs quotes.
func (s yamlError) notClosed(what, bracket string) (message, hint string, at Position) {
	if ended := s.at.Column > len([]rune(s.lines[s.at.Line-1])); ended || s.begin.Line < s.at.Line {
		return fmt.Sprintf("the %s that begins here has no comma or %s before %s", what, bracket, s.place(s.at)), "close it with " + bracket, s.begin
	}
	return fmt.Sprintf("expected a comma or %s here, in the %s that begins at %s", bracket, what, s.place(s.begin)), "put a text with { } [ ] or a comma in quotes", s.at
}

// keyHint says why a line with a key has no colon.
func (s yamlError) keyHint() string {
	line := s.lines[s.begin.Line-1]
	for _, mark := range []string{"<<<<<<<", "=======", ">>>>>>>"} {
		if strings.HasPrefix(line, mark) {
			return "resolve the merge conflict, and remove its marks"
		}
	}
	if strings.Contains(line, "\u00a0") {
		return "the line has a no-break space (U+00A0); write a space"
	}
	return "write a colon and a space after the key; indent a text that has several lines"
}
