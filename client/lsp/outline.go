package lsp

import (
	"regexp"
	"strconv"
	"strings"
)

// word is a scalar of a YAML text.
type word struct {
	kind wordKind
	text string // without quotes
	// path is the key that the word writes, or whose value it is.
	path string
	// in is the key of the mapping that a key is in, and begun is true while the key has no colon.
	in    string
	begun bool
	// line, and the first byte and the one after the last.
	line, start, end int
}

type wordKind int

const (
	// keyWord is a key.
	keyWord wordKind = iota
	// valueWord is a value.
	valueWord
	// openWord is alone in its line, and can be the value of path, or a key in it that is begun.
	openWord
)

// outline returns the words of a YAML text in their order. It reads texts with mistakes as far as a
// person would, because a spec has some whenever somebody types: indentation decides, and each line
// is read on its own but for lists and mappings in brackets. It knows neither anchors nor tags,
// which specs do not have.
func outline(t text) []word {
	o := &outliner{}
	for i, line := range t.lines {
		o.readLine(i, line)
	}
	return o.words
}

// at returns the word at a byte of a line, which may be the one after it.
func at(words []word, line, offset int) (word, bool) {
	for _, w := range words {
		if w.line == line && w.start <= offset && offset <= w.end {
			return w, true
		}
	}
	return word{}, false
}

type outliner struct {
	words []word
	// blocks are the mappings and lists around the current line, by indentation.
	blocks []block
	// flows are the open brackets.
	flows []flow
	// skip is true inside a block of text, until a line is indented by no more than skipTo.
	skip   bool
	skipTo int
	line   int
}

// block is a mapping or list by indentation.
type block struct {
	indent int
	list   bool
	path   string
	// items of a list so far.
	items int
	// child is the key of the latest value.
	child string
}

// flow is a mapping or list in brackets.
type flow struct {
	list  bool
	path  string
	items int
	// key is the latest key, and value is true after its colon.
	key   string
	value bool
}

// child is the key of the value that comes next.
func (f flow) child() string {
	switch {
	case f.list:
		return item(f.path, f.items)
	case f.key == "":
		return f.path
	default:
		return join(f.path, f.key)
	}
}

func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func (o *outliner) readLine(number int, line string) {
	o.line = number
	at := len(line) - len(strings.TrimLeft(line, " "))
	rest := line[at:]
	if o.skip {
		if strings.TrimSpace(rest) == "" || at > o.skipTo {
			return
		}
		o.skip = false
	}
	if rest == "" || rest[0] == '#' || at == 0 && strings.HasPrefix(rest, "---") {
		return
	}
	if len(o.flows) > 0 {
		if at > o.indent() || strings.ContainsRune("]}", rune(rest[0])) {
			o.readFlow(line, at)
			return
		}
		o.flows = nil // a bracket is missing
	}
	o.readBlock(line, at)
}

// indent is that of the innermost block.
func (o *outliner) indent() int {
	if len(o.blocks) == 0 {
		return -1
	}
	return o.blocks[len(o.blocks)-1].indent
}

// readBlock reads the items and the key that a line begins with, and the value.
func (o *outliner) readBlock(line string, at int) {
	for isItem(line[at:]) {
		b := o.open(at, true)
		b.child = item(b.path, b.items)
		b.items++
		at++
		at += len(line[at:]) - len(strings.TrimLeft(line[at:], " "))
		if at == len(line) || line[at] == '#' {
			return
		}
	}
	if m := blockKey.FindStringSubmatchIndex(line[at:]); m != nil {
		b := o.open(at, false)
		text := unquote(line[at : at+m[3]])
		b.child = join(b.path, text)
		o.words = append(o.words, word{kind: keyWord, text: text, path: b.child, in: b.path, line: o.line, start: at, end: at + m[3]})
		o.readValue(line, at+m[1], b.child, valueWord)
		return
	}
	for len(o.blocks) > 0 && o.indent() > at {
		o.blocks = o.blocks[:len(o.blocks)-1]
	}
	path := ""
	if len(o.blocks) > 0 {
		b := o.blocks[len(o.blocks)-1]
		if path = b.path; b.indent < at {
			path = b.child
		}
	}
	o.readValue(line, at, path, openWord)
}

func isItem(rest string) bool { return rest == "-" || strings.HasPrefix(rest, "- ") }

// blockKey is a key with its colon and the spaces after it.
var blockKey = regexp.MustCompile(`^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s\[\]{},"'#&*!|>%@` + "`" + `][^#]*?)\s*:(?:\s+|$)`)

// open returns the mapping or list at an indentation. Lines below it have ended deeper ones.
func (o *outliner) open(indent int, list bool) *block {
	for {
		last := len(o.blocks) - 1
		switch {
		case last < 0:
			o.blocks = append(o.blocks, block{indent: indent, list: list})
			return &o.blocks[0]
		case o.blocks[last].indent == indent && o.blocks[last].list == list:
			return &o.blocks[last]
		case o.blocks[last].indent < indent, o.blocks[last].indent == indent && list: // a list may begin below its key
			o.blocks = append(o.blocks, block{indent: indent, list: list, path: o.blocks[last].child})
			return &o.blocks[last+1]
		case last == 0:
			// The text began further in than it goes on.
			o.blocks = nil
		default:
			o.blocks = o.blocks[:last]
		}
	}
}

// readValue reads what stands after a key or dash, or alone in a line.
func (o *outliner) readValue(line string, at int, path string, kind wordKind) {
	if at >= len(line) {
		return
	}
	switch c := line[at]; c {
	case '#':
	case '|', '>':
		o.skip, o.skipTo = true, o.indent()
	case '[', '{':
		o.flows = []flow{{list: c == '[', path: path}}
		o.readFlow(line, at+1)
	default:
		end := scalarEnd(line, at, blockEnd)
		o.words = append(o.words, word{kind: kind, text: unquote(line[at:end]), path: path, line: o.line, start: at, end: end})
	}
}

// Where a scalar without quotes ends.
var (
	blockEnd = regexp.MustCompile(`\s+#|\s*$`)
	flowEnd  = regexp.MustCompile(`\s*(?:[\[\]{},]|:\s|:$|\s#|$)`)
)

// scalarEnd is the byte after a scalar. Quotes end with the line at the latest.
func scalarEnd(line string, at int, plain *regexp.Regexp) int {
	quote := line[at]
	if quote != '"' && quote != '\'' {
		return at + plain.FindStringIndex(line[at:])[0]
	}
	for i := at + 1; i < len(line); i++ {
		switch {
		case line[i] == '\\' && quote == '"':
			i++
		case line[i] == quote:
			return i + 1
		}
	}
	return len(line)
}

// unquote is the text of a scalar as it is written.
func unquote(s string) string {
	if len(s) > 1 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// readFlow reads on in brackets.
func (o *outliner) readFlow(line string, at int) {
	for at < len(line) && len(o.flows) > 0 {
		f := &o.flows[len(o.flows)-1]
		switch c := line[at]; c {
		case ' ', '\t':
			at++
		case '#':
			return
		case ',':
			f.items, f.key, f.value = f.items+1, "", false
			at++
		case ':':
			f.value = true
			at++
		case ']', '}':
			o.flows = o.flows[:len(o.flows)-1]
			at++
		case '[', '{':
			o.flows = append(o.flows, flow{list: c == '[', path: f.child()})
			at++
		default:
			at = o.readFlowScalar(f, line, at)
		}
	}
}

// readFlowScalar reads a key or a value in brackets, and returns the byte after it.
func (o *outliner) readFlowScalar(f *flow, line string, at int) int {
	end := max(scalarEnd(line, at, flowEnd), at+1)
	w := word{kind: valueWord, text: unquote(line[at:end]), path: f.child(), line: o.line, start: at, end: end}
	if !f.list && !f.value {
		f.key = w.text
		w.kind, w.path, w.in = keyWord, f.child(), f.path
		w.begun = !strings.HasPrefix(strings.TrimLeft(line[end:], " "), ":")
	}
	o.words = append(o.words, w)
	return end
}
