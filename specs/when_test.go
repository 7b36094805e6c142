package specs_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// facts are those of a small system, with another architecture.
func facts(arch string) specs.Facts {
	return specs.Facts{
		"arch":    {Values: []string{arch}, Valid: []string{"amd64", "arm64", "riscv64"}},
		"model":   {Values: []string{"rpi4"}, Valid: []string{"generic", "rpi4", "rpi5"}},
		"variant": {Values: []string{"core"}, Valid: specs.Enum("variant")},
		"init":    {Values: []string{"openrc"}, Valid: specs.Enum("init")},
		"distro":  {Values: []string{"debian-12", "debian"}, Valid: []string{"debian", "debian-12", "debian-13", "ubuntu"}},
	}
}

// evaluate loads a spec and evaluates its conditions for an architecture.
func evaluate(t *testing.T, spec string, files spectest.Files, arch string) *specs.Document {
	t.Helper()
	doc, err := spectest.Load(spec, files)
	require.NoError(t, err)
	doc, err = doc.Evaluate(facts(arch))
	require.NoError(t, err)
	return doc
}

// TestWhen has conditions that hold for arm64, and some that do not.
func TestWhen(t *testing.T) {
	for when, want := range map[string]bool{
		"{arch: arm64}":                     true,
		"{arch: amd64}":                     false,
		"{arch: [amd64, arm64]}":            true,
		"{arch: [amd64, riscv64]}":          false,
		"{model: rpi4}":                     true,
		"{model: [rpi5, generic]}":          false,
		"{variant: core}":                   true,
		"{variant: standard}":               false,
		"{init: openrc}":                    true,
		"{init: [systemd]}":                 false,
		"{distro: debian-12}":               true,
		"{distro: debian}":                  true,
		"{distro: [debian-13, ubuntu]}":     false,
		"{arch: arm64, model: [rpi5]}":      false,
		"{arch: arm64, model: [rpi5,rpi4]}": true,
		"{arch: amd64, distro: debian}":     false,
		"{arch: arm64, x-why: mine}":        true,
		"{arch: \"${A}\"}":                  true,
		"{arch: [amd64, \"${A}\"]}":         true,
	} {
		t.Run(when, func(t *testing.T) {
			const top = "version: v1.0.0\nargs: {A: arm64}\n"
			doc := evaluate(t, top+"files: [{path: /a, content: a, when: "+when+"}]\n", nil, "arm64")
			assert.Equal(t, want, len(doc.Spec.Files) == 1, "an item that is a mapping")
			doc = evaluate(t, top+"cmdline: [quiet, {value: a, when: "+when+"}]\n", nil, "arm64")
			assert.Equal(t, want, len(doc.Spec.Cmdline) == 2, "an item that is a text")
			doc = evaluate(t, top+"artifacts: {iso: {level: 3, when: "+when+"}}\n", nil, "arm64")
			assert.Equal(t, want, doc.Has("artifacts.iso.level"), "a mapping")
			doc = evaluate(t, top+"components: {a: {image: b, when: "+when+"}}\n", nil, "arm64")
			assert.Equal(t, want, len(doc.Spec.Components) == 1, "an entry of a mapping")
			assert.Equal(t, want, len(doc.LeftOut()) == 0)
		})
	}
}

// TestWhenIsNoValue shows that nothing of a condition is in the spec, however deep it is.
func TestWhenIsNoValue(t *testing.T) {
	const spec = `version: v1.0.0
packages:
  when: {arch: [arm64, amd64]}
  add: [htop, {value: "${P}", when: {arch: arm64}}, {value: jq, when: {arch: amd64}}, nano]
args: {P: tree}
extension: {name: a, when: {arch: arm64}, files: [{path: /opt/a, from: a, when: {arch: amd64}}, {path: /opt/b, from: b}]}
`
	doc, err := spectest.Load(spec, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"htop", "tree", "jq", "nano"}, doc.Spec.Packages.Add, "every part, before")

	// In any order, and again.
	for range 2 {
		for arch, want := range map[string]specs.Spec{
			"amd64": {Packages: specs.Packages{Add: []string{"htop", "jq", "nano"}}},
			"arm64": {
				Packages:  specs.Packages{Add: []string{"htop", "tree", "nano"}},
				Extension: specs.Extension{Name: "a", Files: []specs.File{{Path: "/opt/b", From: "b"}}},
			},
		} {
			want.Version, want.Args = "v1.0.0", map[string]specs.Arg{"P": {Default: "tree"}}
			evaluated, err := doc.Evaluate(facts(arch))
			require.NoError(t, err)
			require.NoError(t, evaluated.Err())
			if diff := cmp.Diff(want, evaluated.Spec); diff != "" {
				t.Errorf("%s (-want +got)\n%s", arch, diff)
			}
			for key := range evaluated.Keys() {
				assert.NotContains(t, key, "when")
			}
			assert.Equal(t, "tree", evaluated.Arg("P"))
			again, err := evaluated.Evaluate(facts(arch))
			require.NoError(t, err)
			assert.Same(t, evaluated, again)
		}
	}
}

// TestWhenInChain evaluates the conditions of each file before it is merged.
func TestWhenInChain(t *testing.T) {
	files := spectest.Files{
		"base.spec": `name: base
cmdline: [{value: far, when: {arch: arm64}}, both]
packages: {add: [htop, tree]}
kernel: {from: debian-13, package: far}
layers: [{name: a, image: 'far:1'}]
cloudConfig: far.yaml
test: {memory: 1GiB, when: {arch: amd64}}
`,
	}
	const spec = `extends: ./base.spec
version: v1.0.0
cmdline: [{value: a, when: {arch: amd64}}, {value: near, when: {arch: arm64}}]
packages: {remove: [{value: tree, when: {arch: arm64}}]}
kernel: {package: near, when: {arch: arm64}}
layers: [{name: a, image: 'near:1', when: {arch: arm64}}]
cloudConfig: {content: near, when: {arch: arm64}}
test: {timeout: 1m}
`
	for range 2 {
		s := evaluate(t, spec, files, "amd64").Spec
		assert.Equal(t, []string{"both", "a"}, s.Cmdline)
		assert.Equal(t, specs.Packages{Add: []string{"htop", "tree"}, Remove: []string{}}, s.Packages)
		assert.Equal(t, specs.Kernel{From: "debian-13", Package: "far"}, s.Kernel, "a part that is left out replaces nothing")
		assert.Equal(t, "far:1", s.Layers[0].Image)
		assert.Equal(t, specs.Content{From: "far.yaml"}, s.CloudConfig)
		assert.Equal(t, specs.Test{Memory: "1GiB", Timeout: "1m"}, s.Test)

		doc := evaluate(t, spec, files, "arm64")
		s = doc.Spec
		assert.Equal(t, []string{"far", "both", "near"}, s.Cmdline)
		assert.Equal(t, specs.Packages{Add: []string{"htop"}, Remove: []string{"tree"}}, s.Packages)
		assert.Equal(t, specs.Kernel{From: "debian-13", Package: "near"}, s.Kernel)
		assert.Equal(t, "near:1", s.Layers[0].Image)
		assert.Equal(t, specs.Content{Content: "near"}, s.CloudConfig)
		assert.Equal(t, specs.Test{Timeout: "1m"}, s.Test)

		// Keys are those of the file, where other items are before it.
		assert.Equal(t, "kairos.spec:3:52: cmdline[1]: is odd", doc.Diagnose(rules.InvalidValue, "cmdline[2]", "", "is odd").Error())
		assert.Equal(t, "base.spec:2:46: cmdline[1]: is odd", doc.Diagnose(rules.InvalidValue, "cmdline[1]", "", "is odd").Error())
	}
}

// TestRemoveOnlySomewhere has a base that is not to change while one architecture is evaluated.
func TestRemoveOnlySomewhere(t *testing.T) {
	doc, err := spectest.Load("extends: ./base.spec\nversion: v1.0.0\npackages: {remove: [{value: tree, when: {arch: arm64}}]}\n",
		spectest.Files{"base.spec": "packages: {add: [tree]}\n"})
	require.NoError(t, err)
	for _, c := range []struct {
		arch string
		want []string
	}{{"arm64", []string{}}, {"amd64", []string{"tree"}}, {"arm64", []string{}}} {
		evaluated, err := doc.Evaluate(facts(c.arch))
		require.NoError(t, err)
		assert.Equal(t, c.want, evaluated.Spec.Packages.Add, c.arch)
		assert.Equal(t, c.arch == "arm64", evaluated.Undone("tree"))
	}
}

func TestLeftOut(t *testing.T) {
	const spec = `extends: ./base.spec
version: v1.0.0
packages: {add: [a, {value: htop, when: {arch: amd64}}]}
files: [{path: /a, content: a, when: {distro: [debian-13, ubuntu], model: rpi4}}]
`
	left := evaluate(t, spec, spectest.Files{"base.spec": "initramfs: {network: true, when: {variant: standard}}\n"}, "arm64").LeftOut()
	require.Len(t, left, 3)
	var all []string
	for _, l := range left {
		all = append(all, strings.Join([]string{l.Range.String(), l.Key, l.Text, l.Why}, " | "))
	}
	assert.Equal(t, []string{
		"kairos.spec:3:29 | packages.add[1] | htop | arch is arm64, not amd64",
		"kairos.spec:4:9 | files[0] |  | distro is debian-12 or debian, not debian-13 or ubuntu",
		"base.spec:1:12 | initramfs |  | variant is core, not standard",
	}, all)
}

// TestMistakesOfWhen has conditions that the language does not know.
func TestMistakesOfWhen(t *testing.T) {
	checkMistakes(t, []mistake{
		{
			name: "nothing in it",
			spec: "version: v1.0.0\nkernel: {when: {}, package: a}\nfiles: [{path: /a, content: a, when: ~}, {path: /a, content: a, when: {arch: [], model: '', init: ~}}]\n",
			want: []string{
				`kairos.spec:2:16: kernel.when: is empty; write what it is about, such as {arch: arm64}, or remove it`,
				`kairos.spec:3:38: files[0].when: has no value; give it a mapping with the keys arch, model, variant, init, distro, or remove it`,
				`kairos.spec:3:78: files[1].when.arch: is empty; give it a text, or remove it`,
				`kairos.spec:3:89: files[1].when.model: is empty; give it a text, or remove it`,
				`kairos.spec:3:99: files[1].when.init: has no value; give it a text or a list, or remove it`,
			},
		},
		{
			name: "of another shape",
			spec: "version: v1.0.0\nkernel: {when: arm64}\nsize: {when: {arhc: arm64, when: {arch: arm64}}}\ninitramfs: {when: {arch: {is: arm64}, init: true, model: [[a]]}}\ntest: {wen: {arch: arm64}}\npackages: {qqqqqqqqq: 1, rrrrrrrrr: 1}\n",
			want: []string{
				`kairos.spec:2:16: kernel.when: must be a mapping with the keys arch, model, variant, init, distro, not the text "arm64"`,
				`kairos.spec:3:15: size.when: unknown key "arhc"; did you mean "arch"?`,
				`kairos.spec:3:28: size.when: unknown key "when"; a condition cannot depend on another one`,
				`kairos.spec:4:26: initramfs.when.arch: must be a text or a list, not a mapping; begin each item with -`,
				`kairos.spec:4:45: initramfs.when.init: must be a text, not true; put it in quotes: "true"`,
				`kairos.spec:4:59: initramfs.when.model[0]: must be a text, not a list`,
				`kairos.spec:5:8: test: unknown key "wen"; did you mean "when"?`,
				`kairos.spec:6:12: packages: unknown key "qqqqqqqqq"; valid: add, files, groups, remove, when`,
				`kairos.spec:6:26: packages: unknown key "rrrrrrrrr"; valid: add, files, groups, remove, when`,
			},
		},
		{
			name: "on what conditions are about",
			spec: "version: {value: v1.0.0, when: {arch: arm64}}\nwhen: {arch: arm64}\ndistro: {name: debian-12, when: {arch: arm64}}\nvariant: {value: core, when: {arch: arm64}}\nargs: {A: {default: a, when: {arch: arm64}}}\nname: ${A}\n",
			want: []string{
				`kairos.spec:1:10: version: must be a text, not a mapping; only mappings and items of lists can have a condition`,
				`kairos.spec:2:1: unknown key "when"; write it into the parts of the spec that depend on it`,
				`kairos.spec:3:27: distro: unknown key "when"; conditions are about the distribution, so it cannot depend on one`,
				`kairos.spec:4:10: variant: must be a text, not a mapping; conditions are about it, so it cannot depend on one`,
				`kairos.spec:5:24: args.A: unknown key "when"; build arguments are replaced before conditions apply, so they cannot depend on one`,
			},
		},
		{
			name: "items of lists of texts",
			spec: "version: v1.0.0\ncmdline: [{when: {arch: arm64}}, {value: [a], when: {arch: arm64}}, {value: a}, {value: '', when: {arch: arm64}}, {value: a, on: b, when: arm64}, 'a b']\n",
			want: []string{
				`kairos.spec:2:11: cmdline[0]: has no value; write the text of the item, such as {value: htop, when: {arch: arm64}}`,
				`kairos.spec:2:42: cmdline[1].value: must be a text, not a list`,
				`kairos.spec:2:69: cmdline[2]: must be a text, not a mapping`,
				`kairos.spec:2:89: cmdline[3].value: is empty; give it a text, or remove it`,
				`kairos.spec:2:126: cmdline[4]: unknown key "on"; valid: value, when`,
				`kairos.spec:2:139: cmdline[4].when: must be a mapping with the keys arch, model, variant, init, distro, not the text "arm64"`,
			},
		},
	})
	// Those that the language knows are only mistakes in a system.
	_, err := spectest.Load("version: v1.0.0\nfiles: [{path: /a, content: a, when: {arch: amd64}}, {path: /a, content: b, when: {arch: mips}}]\n", nil)
	assert.NoError(t, err)
}

// TestMistakesOfSystems has mistakes that depend on the system, and some that do not.
func TestMistakesOfSystems(t *testing.T) {
	const spec = `version: v1.0.0
packages: {add: [{value: -a, when: {arch: amd64}}, {value: -b, when: {arch: arm64}}, htop]}
files:
- {path: /a, content: a, when: {arch: amd64}}
- {path: /a, content: b, when: {arch: [arm46, amd64]}}
- {path: /b, content: a, when: {arch: amd64}}
- {path: /b, content: b, when: {model: rpi4}}
kernel: {when: {arch: riscv64}, modules: {}, version: {a: b}}
extension: {when: {variant: kore, init: upstart, distro: "${D}"}, files: [{path: /opt/a, when: {model: rpi44}}]}
args: {D: debain}
`
	always := []string{
		`kairos.spec:5:40: files[1].when.arch: "arm46" is not valid; did you mean "arm64"?`,
		`kairos.spec:8:55: kernel.version: must be a text, not a mapping`,
		`kairos.spec:9:29: extension.when.variant: "kore" is not valid; did you mean "core"?`,
		`kairos.spec:9:41: extension.when.init: "upstart" is not valid; valid: openrc, systemd`,
		`kairos.spec:9:58: extension.when.distro: "debain" is not valid; did you mean "debian"?`,
		`kairos.spec:9:104: extension.files[0].when.model: "rpi44" is not valid; did you mean "rpi4"?`,
	}
	doc := loadWith(t, spec, nil, nil)
	for arch, want := range map[string][]string{
		"amd64": {
			`kairos.spec:2:26: packages.add[0]: "-a" is not a package name; write the name of one package, such as htop`,
			`kairos.spec:5:10: files[1].path: duplicate entry "/a", first in line 4; keep one of them`,
			`kairos.spec:7:10: files[3].path: duplicate entry "/b", first in line 6; keep one of them`,
		},
		"arm64": {`kairos.spec:2:60: packages.add[1]: "-b" is not a package name; write the name of one package, such as htop`},
	} {
		evaluated, err := doc.Evaluate(facts(arch))
		require.NoError(t, err)
		var found specs.Diagnostics
		require.ErrorAs(t, evaluated.Err(), &found)
		var got []string
		for _, d := range found {
			got = append(got, d.Error())
		}
		assert.ElementsMatch(t, append(want, always...), got, arch)
	}
}

// TestUnused tells the build arguments that change something from others.
func TestUnused(t *testing.T) {
	doc := loadWith(t, "extends: ./base.spec\nversion: v1.0.0\nargs: {IN_TEXT: a, IN_BASE: a, IN_WHEN: amd64, ESCAPED: a}\n"+
		"files: [{path: /a, content: '${IN_TEXT}'}, {path: /b, from: b, when: {arch: \"${IN_WHEN}\"}}]\ncmdline: ['x=$${ESCAPED}']\n",
		spectest.Files{"base.spec": "args: {BASE: a}\nname: ${IN_BASE}\n"}, nil)
	for name, want := range map[string]bool{"IN_TEXT": true, "IN_BASE": false, "IN_WHEN": false, "ESCAPED": true, "BASE": true} {
		assert.Equal(t, want, doc.Unused(name), name)
	}
}
