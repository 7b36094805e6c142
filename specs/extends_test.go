package specs_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestMistakesOfExtends has chains of specs that do not hold.
func TestMistakesOfExtends(t *testing.T) {
	checkMistakes(t, []mistake{
		{
			name: "unknown flavor",
			spec: `version: v1.0.0
extends: debain-12
`,
			want: []string{
				`kairos.spec:2:10: extends: no flavor and no named context is called "debain-12"; did you mean "debian-12"?`,
			},
		},
		{
			name: "unknown flavor like no other",
			spec: `version: v1.0.0
extends: gentoo-musl
`,
			want: []string{
				`kairos.spec:2:10: extends: no flavor and no named context is called "gentoo-musl"; valid: a context passed with --build-context gentoo-musl=DIR, ` + strings.Join(spectest.Files{}.FlavorNames(), ", "),
			},
		},
		{
			name: "what cannot be called a context",
			spec: `version: v1.0.0
extends: "Gentoo\nMusl"
`,
			want: []string{
				`kairos.spec:2:10: extends: no flavor and no named context is called "Gentoo\nMusl"; valid: ` + strings.Join(spectest.Files{}.FlavorNames(), ", "),
			},
		},
		{
			name: "flavor by a path",
			spec: `version: v1.0.0
extends: x/../debian-12
`,
			want: []string{
				`kairos.spec:2:10: extends: no flavor and no named context is called "x/../debian-12"; did you mean "debian-12"?`,
			},
		},
		{
			name: "cycle with itself",
			spec: `version: v1.0.0
extends: ./kairos.spec
`,
			files: spectest.Files{
				"kairos.spec": "version: v1.0.0\nextends: ./kairos.spec\n",
			},
			want: []string{
				`kairos.spec:2:10: extends: extends itself; the chain is kairos.spec → kairos.spec`,
			},
		},
		{
			name: "cycle through a file",
			spec: `version: v1.0.0
extends: ./a.spec
`,
			files: spectest.Files{
				"a.spec":      "# base\nextends: ./kairos.spec\n",
				"kairos.spec": "version: v1.0.0\nextends: ./a.spec\n",
			},
			want: []string{
				`a.spec:2:10: extends: extends itself; the chain is kairos.spec → a.spec → kairos.spec`,
			},
		},
		{
			name: "cycle of a context",
			spec: `version: v1.0.0
extends: acme
`,
			files: spectest.Files{
				"context:acme/kairos.spec": "extends: acme\n",
			},
			want: []string{
				`acme/kairos.spec:1:10: extends: extends itself; the chain is kairos.spec → acme/kairos.spec → acme/kairos.spec`,
			},
		},
		{
			name: "missing file",
			spec: `version: v1.0.0
extends: ./base.spec
`,
			want: []string{
				`kairos.spec:2:10: extends: there is no file "./base.spec" beside the spec`,
			},
		},
		{
			name: "climbs out",
			spec: `version: v1.0.0
extends: ../base.spec
`,
			want: []string{
				`kairos.spec:2:10: extends: "../base.spec" is outside the directory of the spec; put the file beside the spec, or pass its directory as a named context`,
			},
		},
		{
			name: "climbs out in the middle",
			spec: `version: v1.0.0
extends: ./a/../../base.spec
`,
			want: []string{
				`kairos.spec:2:10: extends: "./a/../../base.spec" is outside the directory of the spec; put the file beside the spec, or pass its directory as a named context`,
			},
		},
		{
			name: "climbs out from a directory",
			spec: `version: v1.0.0
extends: ./a/b.spec
`,
			files: spectest.Files{
				"a/b.spec": "extends: ../../c.spec\n",
			},
			want: []string{
				`a/b.spec:1:10: extends: "../../c.spec" is outside the directory of the spec; put the file beside the spec, or pass its directory as a named context`,
			},
		},
		{
			name: "absolute",
			spec: `version: v1.0.0
extends: /etc/base.spec
`,
			files: spectest.Files{
				"etc/base.spec": "name: a\n",
			},
			want: []string{
				`kairos.spec:2:10: extends: "/etc/base.spec" is outside the directory of the spec; put the file beside the spec, or pass its directory as a named context`,
			},
		},
		{
			name: "missing file in a context",
			spec: `version: v1.0.0
extends: acme
`,
			files: spectest.Files{
				"context:acme/kairos.spec": "extends: ./sub/x.spec\n",
			},
			want: []string{
				`acme/kairos.spec:1:10: extends: the named context acme has no sub/x.spec`,
			},
		},
		{
			name: "context without a spec of the usual name",
			spec: `version: v1.0.0
extends: acme
`,
			files: spectest.Files{
				"context:acme/base.spec": "extends: debian-12\n",
			},
			want: []string{
				`kairos.spec:2:10: extends: the named context acme has no kairos.spec; extend another spec of it by its path, such as acme/base.spec`,
			},
		},
		{
			name: "missing file of a context",
			spec: `version: v1.0.0
extends: acme/edge.spec
`,
			files: spectest.Files{
				"acme/edge.spec":           "extends: debian-12\n",
				"context:acme/kairos.spec": "extends: debian-12\n",
			},
			want: []string{
				`kairos.spec:2:10: extends: the named context acme has no edge.spec`,
			},
		},
		{
			name: "climbs out of a context",
			spec: `version: v1.0.0
extends: acme/a/edge.spec
`,
			files: spectest.Files{
				"base.spec":                "extends: debian-12\n",
				"context:acme/a/edge.spec": "extends: ../../base.spec\n",
			},
			want: []string{
				`acme/a/edge.spec:1:10: extends: "../../base.spec" is outside the named context acme; put the file into it, or pass another named context with it`,
			},
		},
		{
			name: "climbs out by the name of a context",
			spec: `version: v1.0.0
extends: acme/../../base.spec
`,
			files: spectest.Files{
				"context:acme/kairos.spec": "extends: debian-12\n",
			},
			want: []string{
				`kairos.spec:2:10: extends: "acme/../../base.spec" is outside the directory of the spec; put the file beside the spec, or pass its directory as a named context`,
			},
		},
		{
			name: "absolute path in a context",
			spec: `version: v1.0.0
extends: acme
`,
			files: spectest.Files{
				"context:acme/kairos.spec": "extends: /base.spec\n",
				"context:acme/base.spec":   "extends: debian-12\n",
			},
			want: []string{
				`acme/kairos.spec:1:10: extends: "/base.spec" is outside the named context acme; put the file into it, or pass another named context with it`,
			},
		},
		{
			name: "cycle in a context",
			spec: `version: v1.0.0
extends: acme
`,
			files: spectest.Files{
				"context:acme/kairos.spec": "extends: ./a/b.spec\n",
				"context:acme/a/b.spec":    "extends: ../kairos.spec\n",
			},
			want: []string{
				`acme/a/b.spec:1:10: extends: extends itself; the chain is kairos.spec → acme/kairos.spec → acme/a/b.spec → acme/kairos.spec`,
			},
		},
		{
			name: "mistake in a file of a context",
			spec: `version: v1.0.0
extends: acme
`,
			files: spectest.Files{
				"context:acme/kairos.spec": "extends: ./base.spec\n",
				"context:acme/base.spec":   "extends: debian-12\n\nnmae: x\n",
			},
			want: []string{
				`acme/base.spec:3:1: unknown key "nmae"; did you mean "name"?`,
			},
		},
		{
			name: "empty base",
			spec: `version: v1.0.0
extends: ./b.spec
`,
			files: spectest.Files{
				"b.spec": "",
			},
			want: []string{
				`b.spec:1:1: the spec is empty; the shortest one has two lines: "extends: debian-12" and "version: v1.0.0"`,
			},
		},
		{
			name: "broken base",
			spec: `version: v1.0.0
name: A
extends: ./b.spec
`,
			files: spectest.Files{
				"b.spec": "a: b: c\n",
			},
			want: []string{
				`kairos.spec:2:7: name: "A" is not valid; use lower case letters and digits, with . _ or - between them`,
				`b.spec:1:5: is not YAML: a colon is in the wrong place; put a text with a colon in quotes; after a key, write a colon and a space, also in the lines above`,
			},
		},
		{
			name: "mistakes in every file, the user's first",
			spec: `name: A
extends: ./b.spec
cmdline: [$x]
`,
			files: spectest.Files{
				"b.spec": "nmae: x\nvariant: foo\ncmdline: ['a b']\nextends: nope\n",
			},
			want: []string{
				`kairos.spec:1:7: name: "A" is not valid; use lower case letters and digits, with . _ or - between them`,
				`kairos.spec:3:11: cmdline[0]: "$x" is not one kernel argument; write one argument, without spaces, quotes or $, such as console=ttyS1,115200`,
				`b.spec:1:1: unknown key "nmae"; did you mean "name"?`,
				`b.spec:2:10: variant: "foo" is not valid; valid: core, standard`,
				`b.spec:3:11: cmdline[0]: "a b" is not one kernel argument; write one argument, without spaces, quotes or $, such as console=ttyS1,115200`,
				`b.spec:4:10: extends: no flavor and no named context is called "nope"; valid: a context passed with --build-context nope=DIR, ` + strings.Join(spectest.Files{}.FlavorNames(), ", "),
			},
		},
		{
			name: "mistakes of merged lists",
			spec: `version: v1.0.0
extends: ./b.spec
packages: {add: [-a]}
`,
			files: spectest.Files{
				"b.spec": "\n\npackages: {add: [ok, -b]}\n",
			},
			want: []string{
				`kairos.spec:3:18: packages.add[0]: "-a" is not a package name; write the name of one package, such as htop`,
				`b.spec:3:22: packages.add[1]: "-b" is not a package name; write the name of one package, such as htop`,
			},
		},
	})
}

// TestExtendsInContext follows files inside named contexts, and from one context to another.
func TestExtendsInContext(t *testing.T) {
	files := spectest.Files{
		"acme/local.spec":                "extends: acme\n",
		"context:acme/kairos.spec":       "extends: ./systems/edge.spec\n",
		"context:acme/systems/edge.spec": "extends: ../base.spec\n",
		"context:acme/base.spec":         "extends: site/sub/base.spec\n",
		"context:site/sub/base.spec":     "extends: common.spec\n",
		"context:site/sub/common.spec":   "extends: debian-12\n",
	}
	for spec, want := range map[string][]string{
		"acme":                      {"acme/kairos.spec", "acme/systems/edge.spec", "acme/base.spec", "site/sub/base.spec", "site/sub/common.spec"},
		"acme/kairos.spec":          {"acme/kairos.spec", "acme/systems/edge.spec", "acme/base.spec", "site/sub/base.spec", "site/sub/common.spec"},
		"acme/systems/../base.spec": {"acme/base.spec", "site/sub/base.spec", "site/sub/common.spec"},
		"./acme/local.spec":         {"acme/local.spec", "acme/kairos.spec", "acme/systems/edge.spec", "acme/base.spec", "site/sub/base.spec", "site/sub/common.spec"},
	} {
		doc, err := spectest.Load("version: v1.0.0\nextends: "+spec+"\n", files)
		require.NoError(t, err, spec)
		var names []string
		for _, src := range doc.Sources {
			names = append(names, src.Name)
			context, _, _ := strings.Cut(src.Name, "/")
			if context == src.Name || src.Name == "acme/local.spec" {
				context = ""
			}
			assert.Equal(t, context, src.Context, src.Name)
		}
		assert.Equal(t, slices.Concat([]string{"kairos.spec"}, want, []string{"flavor debian-12"}), names)
	}
}

// flavorOf has one flavor, which is no part of flavorkit.
type flavorOf struct {
	spectest.Files
	flavor specs.Source
}

func (f flavorOf) Flavor(string) (*specs.Source, bool) { return &f.flavor, true }

// TestPathInFlavor refuses paths of flavors that are in no directory of the build.
func TestPathInFlavor(t *testing.T) {
	for context, want := range map[string]string{
		"":        `catalog/flavors/acme.spec:1:10: extends: "../base.spec" is a path, and a flavor that is part of a program cannot extend a file; name a flavor or a named context`,
		"catalog": `catalog/flavors/acme.spec:1:10: extends: there is no named context catalog to read base.spec from`,
	} {
		flavor := specs.Source{Name: "catalog/flavors/acme.spec", Data: []byte("extends: ../base.spec\n"), Context: context, Flavor: "acme"}
		src := &specs.Source{Name: specs.DefaultName, Data: []byte("extends: acme\nversion: v1.0.0\n")}
		doc, err := specs.Load(t.Context(), src, flavorOf{spectest.Files{"base.spec": "extends: debian-12\n"}, flavor})
		require.NoError(t, err)
		assert.EqualError(t, doc.Err(), want)
	}
}
