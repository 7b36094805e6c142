package matrix

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
)

// text writes the spec of a cell, and notes where each of its lines was decided.
type text struct {
	strings.Builder
	at    func(key string) specs.Range
	entry string
	lines []specs.Range
}

// line writes a key with a value that the entry has under another key.
func (t *text) line(key, value, from string, args ...any) {
	if value != "" {
		t.write(key, value, t.at(t.entry+"."+fmt.Sprintf(from, args...)))
	}
}

func (t *text) write(key, value string, decided specs.Range) {
	fmt.Fprintf(t, "%s: %s\n", key, quote(value))
	t.lines = append(t.lines, decided)
}

// kernel writes a kernel as short as it can be.
func (t *text) kernel(k specs.Kernel, index int) {
	if k == (specs.Kernel{From: k.From}) {
		t.line("kernel", k.From, "kernels[%d]", index)
		return
	}
	t.WriteString("kernel:\n")
	t.lines = append(t.lines, t.at(fmt.Sprintf("%s.kernels[%d]", t.entry, index)))
	for _, part := range []struct{ key, value string }{
		{"from", k.From}, {"package", k.Package}, {"version", k.Version}, {"image", k.Image}, {"context", k.Context},
	} {
		t.line("  "+part.key, part.value, "kernels[%d].%s", index, part.key)
	}
}

// plain are texts that YAML takes for nothing but a text.
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
