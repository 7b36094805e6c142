package draw

import (
	"strings"
	"unicode"
)

// charWidth is the width of a character in hundredths of a pixel: 0.6 em is usual for fonts with a
// fixed width, here of 11 pixels.
const charWidth = 662

// Clean makes text one line, without control characters, which SVG must not have.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\ufffe' || r == '\uffff':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// cut shortens text to so many characters.
func cut(s string, chars int) string {
	runes := []rune(s)
	switch {
	case len(runes) <= chars:
		return s
	case chars < 1:
		return ""
	}
	return strings.TrimRight(string(runes[:chars-1]), " ") + "…"
}

// wrap breaks text into lines at spaces, and cuts the last.
func wrap(s string, chars, lines int) []string {
	var all []string
	words := strings.Fields(s)
	for len(words) > 0 && len(all) < lines-1 {
		line := words[0]
		words = words[1:]
		for len(words) > 0 && len([]rune(line))+1+len([]rune(words[0])) <= chars {
			line, words = line+" "+words[0], words[1:]
		}
		all = append(all, cut(line, chars))
	}
	if len(words) > 0 {
		all = append(all, cut(strings.Join(words, " "), chars))
	}
	return all
}
