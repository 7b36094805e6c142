package matrix_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/matrix"
	"github.com/flavorkit/flavorkit/test/spectest"
)

func read(text string, o matrix.Options) ([]matrix.Entry, error) {
	cat, err := spectest.Builtin()
	if err != nil {
		return nil, err
	}
	o.Flavors = cat.FlavorNames()
	o.Archs = []string{"amd64", "arm64"}
	return matrix.Read(&specs.Source{Name: "edge.yaml", Data: []byte(text)}, o)
}

// TestEntries shows the entries and their specs, one text for each matrix.
func TestEntries(t *testing.T) {
	for _, c := range []struct {
		name, text string
		options    matrix.Options
		want       []string
	}{
		{
			name:    "the least",
			text:    "entries: [{extends: [debian-12], architectures: [amd64]}]",
			options: matrix.Options{FlavorVersion: "v0.1.0"},
			want:    []string{"debian-12-amd64 on amd64\nextends: debian-12\nversion: v0.1.0\n"},
		},
		{
			name: "lists multiply",
			text: "entries:\n- extends: [debian-12, alpine]\n  variants: [core, standard]\n  architectures: [amd64, arm64]\n  models: [generic]\n",
			want: []string{
				"core-debian-12-amd64-generic on amd64\nextends: debian-12\nvariant: core\nmodel: generic\n",
				"core-debian-12-arm64-generic on arm64\nextends: debian-12\nvariant: core\nmodel: generic\n",
				"standard-debian-12-amd64-generic on amd64\nextends: debian-12\nvariant: standard\nmodel: generic\n",
				"standard-debian-12-arm64-generic on arm64\nextends: debian-12\nvariant: standard\nmodel: generic\n",
				"core-alpine-amd64-generic on amd64\nextends: alpine\nvariant: core\nmodel: generic\n",
				"core-alpine-arm64-generic on arm64\nextends: alpine\nvariant: core\nmodel: generic\n",
				"standard-alpine-amd64-generic on amd64\nextends: alpine\nvariant: standard\nmodel: generic\n",
				"standard-alpine-arm64-generic on arm64\nextends: alpine\nvariant: standard\nmodel: generic\n",
			},
		},
		{
			name:    "specs beside the matrix, kernels, versions",
			text:    "entries:\n- extends: [./sub/edge.spec]\n  architectures: [amd64]\n  kernels: [debian-13, {from: debian-12, package: linux-image-rt-amd64, version: 6.1}, {image: 'acme/k:1'}]\n  versions: [v1.0.0, 'v2']\n",
			options: matrix.Options{Version: "v9.9.9"},
			want: []string{
				"edge-amd64-debian-13-v1.0.0 on amd64\nextends: ./sub/edge.spec\nkernel: debian-13\nversion: v1.0.0\n",
				"edge-amd64-debian-13-v2 on amd64\nextends: ./sub/edge.spec\nkernel: debian-13\nversion: v2\n",
				"edge-amd64-debian-12-linux-image-rt-amd64-6.1-v1.0.0 on amd64\nextends: ./sub/edge.spec\nkernel:\n  from: debian-12\n  package: linux-image-rt-amd64\n  version: \"6.1\"\nversion: v1.0.0\n",
				"edge-amd64-debian-12-linux-image-rt-amd64-6.1-v2 on amd64\nextends: ./sub/edge.spec\nkernel:\n  from: debian-12\n  package: linux-image-rt-amd64\n  version: \"6.1\"\nversion: v2\n",
				"edge-amd64-acme-k-1-v1.0.0 on amd64\nextends: ./sub/edge.spec\nkernel:\n  image: acme/k:1\nversion: v1.0.0\n",
				"edge-amd64-acme-k-1-v2 on amd64\nextends: ./sub/edge.spec\nkernel:\n  image: acme/k:1\nversion: v2\n",
			},
		},
		{
			name:    "a spec keeps its version, a flavor gets one",
			text:    "entries: [{extends: [./a.spec, alpine], architectures: [amd64]}]",
			options: matrix.Options{FlavorVersion: "v0.1.0"},
			want: []string{
				"a-amd64 on amd64\nextends: ./a.spec\n",
				"alpine-amd64 on amd64\nextends: alpine\nversion: v0.1.0\n",
			},
		},
		{
			name:    "the version that is asked for counts for all that have none in the matrix",
			text:    "entries: [{extends: [./a.spec, alpine], architectures: [amd64]}]",
			options: matrix.Options{Version: "v3.0.0", FlavorVersion: "v0.1.0"},
			want: []string{
				"a-amd64 on amd64\nextends: ./a.spec\nversion: v3.0.0\n",
				"alpine-amd64 on amd64\nextends: alpine\nversion: v3.0.0\n",
			},
		},
		{
			name: "releases of Kubernetes",
			text: "entries: [{extends: [alpine], architectures: [amd64], variants: [standard], kubernetes: [k0s, {version: v1.32.1+k3s1}]}]",
			want: []string{
				"standard-alpine-amd64-k0s on amd64\nextends: alpine\nvariant: standard\nkubernetes: k0s\n",
				"standard-alpine-amd64-v1.32.1-k3s1 on amd64\nextends: alpine\nvariant: standard\nkubernetes:\n  version: v1.32.1+k3s1\n",
			},
		},
		{
			name: "what YAML would take for something else",
			text: "entries: [{extends: ['no', '1.10', 'a: b'], architectures: [amd64]}]",
			want: []string{
				"no-amd64 on amd64\nextends: \"no\"\n",
				"1.10-amd64 on amd64\nextends: \"1.10\"\n",
				"a--b-amd64 on amd64\nextends: \"a: b\"\n",
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries, err := read(c.text, c.options)
			require.NoError(t, err)
			var got []string
			for _, entry := range entries {
				got = append(got, entry.Name+" on "+entry.Arch+"\n"+string(entry.Spec.Data))
				assert.Len(t, entry.Spec.Lines, strings.Count(string(entry.Spec.Data), "\n"), "a place for each line")
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", `edge.yaml:1:1: the file is empty`},
		{"no entries", "x-a: 1\n", `edge.yaml:1:1: entries: has no entry; write a list such as: [{extends: [debian-12], architectures: [amd64]}]`},
		{"no YAML", "entries: [\n", `edge.yaml:2:1: is not YAML: a value is missing, or the list or mapping around it has no end`},
		{"unknown key", "entries:\n- extends: [alpine]\n  arch: [amd64]\n", `edge.yaml:3:3: entries[0]: unknown key "arch"; valid: architectures, extends, kernels, kubernetes, models, variants, versions`},
		{"no list", "entries:\n- extends: alpine\n  architectures: [amd64]\n", `edge.yaml:2:12: entries[0].extends: must be a list, not the text "alpine"; write it as [alpine]`},
		{
			"empty lists", "entries:\n- extends: []\n  variants: []\n  kernels: []\n  models: []\n  versions: []\n",
			"edge.yaml:2:3: entries[0].architectures: is missing or empty; name some of amd64, arm64\n" +
				"edge.yaml:2:12: entries[0].extends: is missing or empty; name flavors, or specs beside the matrix\n" +
				"edge.yaml:3:13: entries[0].variants: is an empty list; name something, or remove the key\n" +
				"edge.yaml:4:12: entries[0].kernels: is an empty list; name something, or remove the key\n" +
				"edge.yaml:5:11: entries[0].models: is an empty list; name something, or remove the key\n" +
				"edge.yaml:6:13: entries[0].versions: is an empty list; name something, or remove the key",
		},
		{
			"unknown architecture", "entries:\n- extends: [alpine]\n  architectures: [amd64, amd46]\n",
			`edge.yaml:3:26: entries[0].architectures[1]: unknown architecture "amd46"; did you mean "amd64"?`,
		},
		{
			"twice", "entries:\n- extends: [alpine]\n  architectures: [amd64]\n- extends: [./x/alpine.spec]\n  architectures: [arm64, amd64, amd64]\n",
			`edge.yaml:4:13: entries[1].extends[0]: duplicate entry alpine-amd64; the first is in line 2`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(c.text, matrix.Options{})
			require.Error(t, err)
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestSelection(t *testing.T) {
	entries, err := matrix.Read(matrix.Builtin(), matrix.Options{Archs: catalog.Names(spectest.Catalog(t).Archs)})
	require.NoError(t, err)
	for _, c := range []struct {
		name      string
		selection matrix.Selection
		want      []string
		err       string
	}{
		{name: "by name", selection: matrix.Selection{Names: []string{"core-alpine-a*"}}, want: []string{
			"core-alpine-amd64-generic", "core-alpine-arm64-generic", "core-alpine-arm-rpi-arm64-rpi3", "core-alpine-arm-rpi-arm64-rpi4",
			"core-alpine-arm64-rpi", "core-alpine-arm64-rpi5"}},
		{name: "every list counts", selection: matrix.Selection{
			Flavors: []string{"debian-1?", "alpine"}, Archs: []string{"amd64"}, Variants: []string{"core"}, Models: []string{"generic"},
		}, want: []string{"core-debian-12-amd64-generic", "core-debian-13-amd64-generic", "core-alpine-amd64-generic"}},
		{name: "fits none", selection: matrix.Selection{Flavors: []string{"debain-12"}}, err: `--flavor "debain-12" matches no entry; did you mean "debian-12"?`},
		{name: "no combination", selection: matrix.Selection{Archs: []string{"amd64"}, Models: []string{"rpi4"}}, err: "no entry matches all flags; flavorkit matrix lists the entries"},
		{name: "no pattern", selection: matrix.Selection{Names: []string{"[a"}}, err: `--entry "[a" is not a pattern`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.selection.Of(entries)
			if c.err != "" {
				require.EqualError(t, err, c.err)
				return
			}
			require.NoError(t, err)
			names := make([]string, len(got))
			for i, entry := range got {
				names[i] = entry.Name
			}
			assert.Equal(t, c.want, names)
		})
	}
	all, err := matrix.Selection{}.Of(entries)
	require.NoError(t, err)
	assert.Equal(t, entries, all)
}

// TestEveryFlavorIsInTheMatrix would find a flavor that was forgotten. One that a flavor of the
// matrix only gives another name to is in it by that.
func TestEveryFlavorIsInTheMatrix(t *testing.T) {
	entries, err := matrix.Read(matrix.Builtin(), matrix.Options{Archs: catalog.Names(spectest.Catalog(t).Archs)})
	require.NoError(t, err)
	for _, name := range spectest.Catalog(t).FlavorNames() {
		assert.True(t, slices.ContainsFunc(entries, func(c matrix.Entry) bool {
			flavor, _ := spectest.Catalog(t).Flavor(c.Flavor)
			return c.Flavor == name || strings.Contains(string(flavor.Data), "\nextends: "+name+"\n")
		}), name)
	}
}

// TestGoldens has the files of every entry, and no others.
func TestGoldens(t *testing.T) {
	entries, err := matrix.Read(matrix.Builtin(), matrix.Options{Archs: catalog.Names(spectest.Catalog(t).Archs)})
	require.NoError(t, err)
	for dir, extension := range map[string]string{"plans": ".yaml", "graphs": ".txt"} {
		var want []string
		for _, c := range entries {
			want = append(want, filepath.Join("../../testdata", dir, c.Name+extension))
		}
		got, err := filepath.Glob(filepath.Join("../../testdata", dir, "*"))
		require.NoError(t, err)
		assert.ElementsMatch(t, want, got)
	}
}
