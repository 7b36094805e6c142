package lsp

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/flavorkit/flavorkit/specs"
)

// byteOrderMark may begin a file. Columns of the language do not count it, those of the protocol
// do.
const byteOrderMark = "\ufeff"

// text is a document in lines, to convert positions: the protocol counts lines and UTF-16 units from
// 0, the language lines and characters from 1, and code bytes.
type text struct {
	lines []string
	// mark is the number of UTF-16 units before the first line.
	mark int
}

func newText(data []byte) text {
	all, marked := strings.CutPrefix(string(data), byteOrderMark)
	t := text{lines: strings.Split(all, "\n")}
	if marked {
		t.mark = 1
	}
	for i, line := range t.lines {
		t.lines[i] = strings.TrimSuffix(line, "\r")
	}
	return t
}

// line is a line counted from 0, and empty outside of the document.
func (t text) line(n int) string {
	if n < 0 || n >= len(t.lines) {
		return ""
	}
	return t.lines[n]
}

// offset is the byte of a line that a position is at, or the end of the line.
func (t text) offset(p position) int {
	line, units := t.line(p.Line), p.Character
	if p.Line == 0 {
		units -= t.mark
	}
	for at, r := range line {
		if units <= 0 {
			return at
		}
		units -= utf16.RuneLen(r)
	}
	return len(line)
}

// position is that of a byte of a line.
func (t text) position(line, offset int) position {
	units := 0
	for _, r := range t.line(line)[:min(offset, len(t.line(line)))] {
		units += utf16.RuneLen(r)
	}
	if line == 0 {
		units += t.mark
	}
	return position{line, units}
}

// span is the range of some bytes of a line.
func (t text) span(line, start, end int) textRange {
	return textRange{t.position(line, start), t.position(line, end)}
}

// rangeOf converts a range of the language, whose end is its last character.
func (t text) rangeOf(r specs.Range) textRange {
	if r.Start.Line == 0 {
		return textRange{}
	}
	return textRange{t.at(r.Start, 0), t.at(r.End, 1)}
}

// at converts a position of the language, some characters further on.
func (t text) at(p specs.Position, further int) position {
	line, characters := p.Line-1, p.Column-1+further
	offset := 0
	for ; characters > 0 && offset < len(t.line(line)); characters-- {
		_, size := utf8.DecodeRuneInString(t.line(line)[offset:])
		offset += size
	}
	return t.position(line, offset)
}
