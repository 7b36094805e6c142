package specs_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestMerge lays a spec over base.spec, and that over root.spec if there is one.
func TestMerge(t *testing.T) {
	for _, c := range []struct {
		name, spec, base, root, want string
	}{
		{
			name: "nearest value wins",
			spec: "name: near\n", base: "name: far\nvariant: core\n",
			want: "{name: near, variant: core}",
		},
		{
			name: "mappings by key, to any depth",
			spec: "artifacts: {iso: {level: 5}}\n", base: "artifacts: {iso: {compression: gzip, level: 1}}\n",
			want: "{artifacts: {iso: {compression: gzip, level: 5}}}",
		},
		{
			name: "another distribution has another base image",
			spec: "distro: debian-13\n", base: "distro: {name: debian-12, base: acme/debian}\n",
			want: "{distro: {name: debian-13}}",
		},
		{
			name: "shorthand over mapping",
			spec: "mesh: edgevpn\n", base: "mesh: {version: v1}\n",
			want: "{mesh: {name: edgevpn}}",
		},
		{
			name: "the kernel of another distribution has another package",
			spec: "kernel: debian-12\n", base: "kernel: {from: ubuntu-22.04, package: a, version: '1'}\n",
			want: "{kernel: {from: debian-12}}",
		},
		{
			name: "the kernel of a distribution takes the place of one's own",
			spec: "kernel: debian-12\n", base: "kernel: {image: acme/kernel}\n",
			want: "{kernel: {from: debian-12}}",
		},
		{
			name: "another package has another version",
			spec: "kernel: {package: b}\n", base: "kernel: {from: debian-13, package: a, version: '1'}\n",
			want: "{kernel: {from: debian-13, package: b}}",
		},
		{
			name: "another version of the same package",
			spec: "kernel: {version: '2'}\n", base: "kernel: {package: a, version: '1'}\n",
			want: "{kernel: {package: a, version: '2'}}",
		},
		{
			name: "another compression has other levels",
			spec: "artifacts: {iso: {compression: xz}, disk: {compression: xz, level: 3}}\n",
			base: "artifacts: {iso: {compression: zstd, level: 19}, disk: {compression: zstd, level: 19}}\n",
			want: "{artifacts: {iso: {compression: xz}, disk: {compression: xz, level: 3}}}",
		},
		{
			name: "mapping over shorthand",
			spec: "distro: {base: acme/debian}\nkernel: {version: 6.1}\n", base: "distro: debian-12\nkernel: debian-13\n",
			want: "{distro: {name: debian-12, base: acme/debian}, kernel: {from: debian-13, version: '6.1'}}",
		},
		{
			name: "a kernel of one's own takes the package's place",
			spec: "kernel: {image: acme/kernel}\n", base: "kernel: {from: debian-13, package: a, version: b}\n",
			want: "{kernel: {from: debian-13, image: acme/kernel}}",
		},
		{
			name: "a package takes the place of a kernel of one's own",
			spec: "kernel: {version: '1'}\n", base: "kernel: {from: debian-13, context: mine}\n",
			want: "{kernel: {from: debian-13, version: '1'}}",
		},
		{
			name: "lists that add up, the base first",
			spec: "packages: {add: [c]}\ncmdline: [c]\nfiles: [{path: /c, content: c}]\n",
			base: "packages: {add: [b]}\ncmdline: [b]\nfiles: [{path: /b, from: b}]\n",
			root: "packages: {add: [a]}\ncmdline: [a]\n",
			want: "{packages: {add: [a, b, c]}, cmdline: [a, b, c], files: [{path: /b, from: b}, {path: /c, content: c}]}",
		},
		{
			name: "two specs may add the same package",
			spec: "packages: {add: [a], remove: [b]}\n", base: "packages: {add: [a], remove: [b]}\n",
			want: "{packages: {add: [a, a], remove: [b, b]}}",
		},
		{
			name: "remove takes back add",
			spec: "packages: {remove: [a]}\n", base: "packages: {add: [a, b]}\n",
			want: "{packages: {add: [b], remove: [a]}}",
		},
		{
			name: "add takes back remove",
			spec: "packages: {add: [a]}\n", base: "packages: {remove: [a, b]}\n",
			want: "{packages: {add: [a], remove: [b]}}",
		},
		{
			name: "the nearest of three has the last word",
			spec: "packages: {add: [a]}\n", base: "packages: {remove: [a]}\n", root: "packages: {add: [a]}\n",
			want: "{packages: {add: [a]}}",
		},
		{
			name: "groups by name",
			spec: "packages: {groups: {nfs: true}}\n", base: "packages: {groups: {nfs: false, admin: false}}\n",
			want: "{packages: {groups: {nfs: true, admin: false}}}",
		},
		{
			name: "a text replaces a file",
			spec: "cloudConfig: {content: x}\n", base: "cloudConfig: a.yaml\n",
			want: "{cloudConfig: {content: x}}",
		},
		{
			name: "a file replaces a text",
			spec: "artifacts: {iso: {cloudConfig: a.yaml}}\n", base: "artifacts: {iso: {cloudConfig: {content: x}}}\n",
			want: "{artifacts: {iso: {cloudConfig: {from: a.yaml}}}}",
		},
		{
			name: "an empty text undoes a file",
			spec: "cloudConfig: {content: ''}\n", base: "cloudConfig: a.yaml\n",
			want: "{}",
		},
		{
			name: "a source of a component replaces all of another",
			spec: "components: {k: {image: b}}\n",
			base: "components: {k: {version: v1, url: 'https://x/y', checksums: 'https://x/z', path: y}}\n",
			want: "{components: {k: {version: v1, image: b}}}",
		},
		{
			name: "a checksum belongs to its version",
			spec: "components: {k: {version: v2}}\n",
			base: "components: {k: {version: v1, sha256: {amd64: " + sum + "}}}\n",
			want: "{components: {k: {version: v2}}}",
		},
		{
			name: "a version with its checksum",
			spec: "components: {k: {version: v2, sha256: {amd64: " + sum + "}}}\n",
			base: "components: {k: {version: v1, sha256: {arm64: " + sum + "}}}\n",
			want: "{components: {k: {version: v2, sha256: {amd64: " + sum + "}}}}",
		},
		{
			name: "repositories by name, as a whole",
			spec: "repositories: [{name: b, url: 'https://b.example/new', key: b.asc}, {name: c, url: 'https://c.example', key: c.asc}]\n",
			base: "repositories: [{name: a, url: 'https://a.example', key: a.asc}, {name: b, url: 'https://b.example', key: b.asc, keep: true}]\n",
			root: "repositories: [{name: a, url: 'https://a.example/old', key: {url: 'https://a.example/key', sha256: " + sum + "}}]\n",
			want: "{repositories: [{name: a, url: 'https://a.example', key: {from: a.asc}}, " +
				"{name: b, url: 'https://b.example/new', key: {from: b.asc}}, {name: c, url: 'https://c.example', key: {from: c.asc}}]}",
		},
		{
			name: "layers by name, as a whole",
			spec: "layers: [{name: b, context: new}, {name: c, image: c}]\n",
			base: "layers: [{name: a, image: a}, {name: b, image: b, path: x, to: /y, owner: '1:1'}]\n",
			want: "{layers: [{name: a, image: a}, {name: b, context: new}, {name: c, image: c}]}",
		},
		{
			name: "components side by side",
			spec: "components: {k: {image: b}}\n", base: "components: {l: {image: a}}\n",
			want: "{components: {k: {image: b}, l: {image: a}}}",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := spectest.Files{"base.spec": c.base}
			if c.root != "" {
				files["base.spec"] += "extends: ./root.spec\n"
				files["root.spec"] = c.root
			}
			doc, err := spectest.Load("extends: ./base.spec\nversion: v1.0.0\n"+c.spec, files)
			require.NoError(t, err)
			var want specs.Spec
			require.NoError(t, yaml.Load([]byte(c.want), &want))
			want.Extends, want.Version = "./base.spec", "v1.0.0"
			if diff := cmp.Diff(want, doc.Spec, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

const sum = "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"

func TestUndone(t *testing.T) {
	doc, err := spectest.Load("version: v1.0.0\nextends: ./b.spec\npackages: {remove: [a, c]}\n",
		spectest.Files{"b.spec": "packages: {add: [a, b]}\n"})
	require.NoError(t, err)
	assert.True(t, doc.Undone("a"))
	assert.False(t, doc.Undone("b"))
	assert.False(t, doc.Undone("c"))
}

// TestAccepted has specs that look wrong to some and are right.
func TestAccepted(t *testing.T) {
	for name, spec := range map[string]string{
		"comment lines":    "# syntax=ghcr.io/flavorkit/frontend:1\n# yaml-language-server: $schema=https://example.com/s.json\nversion: v1.0.0\n",
		"own keys":         "version: v1.0.0\nx-a: [1, {b: ~}]\nartifacts: {x-b: *y, iso: {x-c: 1}}\n",
		"windows":          "version: v1.0.0\r\ncmdline:\r\n  - quiet\r\n",
		"byte order mark":  "\ufeffversion: v1.0.0\n",
		"document marks":   "---\nversion: v1.0.0\n...\n",
		"anchor":           "version: &v v1.0.0\n",
		"tab after colon":  "version:\tv1.0.0\n",
		"number as text":   "version: v1.0.0\nkernel: {version: 6.10}\n",
		"build metadata":   "version: v1.0.0-rc.1+k3s1\n",
		"deep own key":     "version: v1.0.0\nx-a: " + nested(9000) + "\n",
		"long list":        "version: v1.0.0\npackages:\n  add:\n" + packages(100_000),
		"empty file":       "version: v1.0.0\nfiles: [{path: /etc/empty, content: ''}]\n",
		"package versions": "version: v1.0.0\npackages: {add: [g++, libc6=2.36-9+deb12u4, 'a:amd64', python3.11, 'x~y']}\n",
	} {
		t.Run(name, func(t *testing.T) {
			if name == "own keys" {
				spec = "x-y: &y {z: 1}\n" + spec
			}
			_, err := spectest.Load(spec, nil)
			assert.NoError(t, err)
		})
	}
}

// TestNumbersAsTheyAreWritten shows that no value is read as a number that is a text to its user.
func TestNumbersAsTheyAreWritten(t *testing.T) {
	doc, err := spectest.Load("version: v1.0.0\nkernel: {version: 6.10}\nfiles: [{path: /a, content: 0x10, mode: 0644, owner: 1000:1000}]\n", nil)
	require.NoError(t, err)
	assert.Equal(t, "6.10", doc.Spec.Kernel.Version)
	assert.Equal(t, specs.File{Path: "/a", Content: "0x10", Mode: "0644", Owner: "1000:1000"}, doc.Spec.Files[0])
}

// TestReplaced has the values of bases that do not count, and where the values are that count.
func TestReplaced(t *testing.T) {
	doc, err := spectest.Load("extends: ./base.spec\nversion: v1.0.0\nname: near\npackages: {remove: [nmap]}\nkernel: {version: '2'}\nlayers: [{name: a, image: acme/near}]\n", spectest.Files{
		"base.spec": "extends: debian-12\nname: far\npackages: {add: [htop, nmap]}\nkernel: {image: acme/kernel}\nlayers: [{name: a, image: acme/far}]\n",
	})
	require.NoError(t, err)
	var all []string
	for _, r := range doc.Replaced() {
		if r.Key != "extends" {
			all = append(all, r.Range.String()+" "+r.Key+" "+r.Text+" by "+r.By.String()+" "+r.ByKey)
		}
	}
	assert.ElementsMatch(t, []string{
		"base.spec:2:7 name far by kairos.spec:3:7 name",
		"base.spec:3:24 packages.add[1] nmap by kairos.spec:4:21 packages.remove[0]",
		"base.spec:4:17 kernel.image acme/kernel by kairos.spec:5:19 kernel.version",
		"base.spec:5:10 layers[0]  by kairos.spec:6:10 layers[0]",
	}, all)
	assert.True(t, doc.Undone("nmap"))
	assert.False(t, doc.Undone("near"))
}

// TestWithout takes values out of copies of a document, which stays as it is.
func TestWithout(t *testing.T) {
	doc, err := spectest.Load("extends: debian-12\nversion: v1.0.0\ncmdline: [a=b, c=d]\ncomponents: {immucore: {version: v1.0.0}, k3s: {version: v1.0.0+k3s1}}\nartifacts: {iso: {label: A}}\n", nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"c=d"}, doc.Without("cmdline[0]").Spec.Cmdline)
	assert.NotContains(t, doc.Without("components.immucore").Spec.Components, "immucore")
	assert.Empty(t, doc.Without("components.immucore.version").Spec.Components["immucore"].Version)
	assert.Empty(t, doc.Without("artifacts").Spec.Artifacts.ISO.Label)
	assert.False(t, doc.Without("artifacts").Has("artifacts.iso.label"))
	assert.NoError(t, doc.Without("artifacts.iso.label").Err())
	assert.ErrorContains(t, doc.Without("version").Err(), "version: is missing")
	assert.Equal(t, []string{"a=b", "c=d"}, doc.Spec.Cmdline)
	assert.Len(t, doc.Spec.Components, 2)
	assert.Equal(t, "v1.0.0", doc.Spec.Components["immucore"].Version)
	assert.Equal(t, "A", doc.Spec.Artifacts.ISO.Label)
}
