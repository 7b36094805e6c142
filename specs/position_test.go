package specs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
	"github.com/flavorkit/flavorkit/test/spectest"
)

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func packages(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "    - p%d\n", i)
	}
	return b.String()
}

// show is a range with its end.
func show(r specs.Range) string { return fmt.Sprintf("%s-%d:%d", r, r.End.Line, r.End.Column) }

// TestRanges marks what At must find by a line of ^ below it.
func TestRanges(t *testing.T) {
	for key, spec := range map[string]string{
		"name":                         "name: acme # mine\n      ^^^^",
		"variant":                      "variant: 'core'\n         ^^^^^^",
		"init":                         "init: \"systemd\"\n      ^^^^^^^^^",
		"cloudConfig.content":          "cloudConfig: {content: \"\\\"ü\\n\"}\n                       ^^^^^^^",
		"artifacts.iso.level":          "artifacts: {iso: {level: 12}}\n                         ^^",
		"packages.add[1]":              "packages: {add: [ü, 'it', b]}\n                    ^^^^",
		"packages.add":                 "packages: {add: [a, b]}\n                ^",
		"distro.name":                  "distro: debian-12\n        ^^^^^^^^^",
		"files[0].content":             "files: [{path: /a, content: 'it''s'}]\n                            ^^^^^^^",
		"cmdline[0]":                   "cmdline: [console=ttyS0]\n          ^^^^^^^^^^^^^",
		"kernel":                       "kernel: {from: debian-12}\n        ^",
		"components.immucore.path.not": "components: {immucore: {path: x}}\n                              ^",
		"nowhere.at[3].all":            "version: v1.0.0\n",
	} {
		t.Run(key, func(t *testing.T) {
			line, marks, _ := strings.Cut(strings.TrimSuffix(spec, "\n"), "\n")
			text := line + "\n"
			if !strings.HasPrefix(line, "version") {
				text += "version: v1.0.0\n"
			}
			if strings.HasPrefix(line, "packages") {
				text = strings.Replace(text, "ü", "u", 1)
			}
			doc, err := spectest.Load(text, nil)
			require.NoError(t, err)
			want := "kairos.spec:1:1-1:1"
			if marks != "" {
				want = fmt.Sprintf("kairos.spec:1:%d-1:%d", strings.Index(marks, "^")+1, len(marks))
			}
			assert.Equal(t, want, show(doc.At(key)))
		})
	}
}

// TestTextOverLines has scalars that do not end in their line: they are pointed at by their start.
func TestTextOverLines(t *testing.T) {
	for name, spec := range map[string]string{
		"block":  "cloudConfig:\n  content: |\n    #cloud-config\n",
		"folded": "cloudConfig:\n  content: one\n    two\n",
		"quoted": "cloudConfig:\n  content: \"one\n    two\"\n",
		"tagged": "cloudConfig:\n  content: &a one\n",
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := spectest.Load(spec+"version: v1.0.0\n", nil)
			require.NoError(t, err)
			assert.Equal(t, "kairos.spec:2:12-2:12", show(doc.At("cloudConfig.content")))
		})
	}
}

// TestPlacesInChain asks for values of a chain of three: the user's spec, a file of the user, and a
// built-in flavor.
func TestPlacesInChain(t *testing.T) {
	doc, err := spectest.Load("extends: ./base.spec\nversion: v1.0.0\ncmdline: [near]\n", spectest.Files{
		"base.spec": "name: acme\ncmdline: [far]\nextends: debian-12\n",
	})
	require.NoError(t, err)
	var names []string
	for _, s := range doc.Sources {
		names = append(names, s.Name)
	}
	assert.Equal(t, []string{"kairos.spec", "base.spec", "flavor debian-12"}, names)

	for key, want := range map[string]struct{ at, decision, diagnosed string }{
		"version":     {"kairos.spec:2:10-2:15", "kairos.spec:2:10-2:15", "kairos.spec:2:10: version: is odd"},
		"name":        {"base.spec:1:7-1:10", "base.spec:1:7-1:10", "base.spec:1:7: name: is odd"},
		"cmdline[0]":  {"base.spec:2:11-2:13", "base.spec:2:11-2:13", "base.spec:2:11: cmdline[0]: is odd"},
		"cmdline[1]":  {"kairos.spec:3:11-3:14", "kairos.spec:3:11-3:14", "kairos.spec:3:11: cmdline[0]: is odd"},
		"distro.name": {"flavor debian-12:2:9-2:17", "base.spec:3:10-3:18", "base.spec:3:10: distro.name: is odd"},
		"kernel.from": {"kairos.spec:1:1-1:1", "base.spec:3:10-3:18", "kairos.spec:1:1: kernel.from: is odd"},
	} {
		t.Run(key, func(t *testing.T) {
			assert.Equal(t, want.at, show(doc.At(key)), "where it was written")
			assert.Equal(t, want.decision, show(doc.Decision(key)), "whose decision it was")
			assert.Equal(t, want.diagnosed, doc.Diagnose(rules.InvalidValue, key, "", "is odd").Error())
		})
	}
}
