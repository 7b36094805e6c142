package matrix

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
)

// text writes the spec of an entry and notes the position of each line in the matrix.
type text struct {
	strings.Builder
	at    func(key string) specs.Range
	item  string
	lines []specs.Range
}

// line writes a key with a value that the item has under another key.
func (t *text) line(key, value, from string, args ...any) {
	if value != "" {
		t.write(key, value, t.at(t.item+"."+fmt.Sprintf(from, args...)))
	}
}

func (t *text) write(key, value string, decided specs.Range) {
	fmt.Fprintf(t, "%s: %s\n", key, quote(value))
	t.lines = append(t.lines, decided)
}

// pair is a key of a mapping with its value.
type pair struct{ key, value string }

// mapping writes a mapping, or its shorthand when only the first value is set.
func (t *text) mapping(key, from string, pairs []pair) {
	var given []pair
	for _, p := range pairs {
		if p.value != "" {
			given = append(given, p)
		}
	}
	switch {
	case len(given) == 0:
	case len(given) == 1 && given[0] == pairs[0]:
		t.line(key, given[0].value, "%s", from)
	default:
		t.WriteString(key + ":\n")
		t.lines = append(t.lines, t.at(t.item+"."+from))
		for _, p := range given {
			t.line("  "+p.key, p.value, "%s.%s", from, p.key)
		}
	}
}

// plain matches texts that need no quotes in YAML.
var plain = regexp.MustCompile(`^(\./|\.\./)*[A-Za-z][A-Za-z0-9._/@+-]*(:[A-Za-z0-9._/@+-]+)*$`)

// quote writes a text as YAML.
func quote(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
	default:
		if plain.MatchString(s) {
			return s
		}
	}
	return strconv.Quote(s)
}
