// Package spectest loads specs from memory, for tests.
package spectest

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/matrix"
)

// Files are the specs that a spec can extend: files by path, and the specs of named contexts by
// "context:NAME/PATH".
type Files map[string]string

// File implements specs.Reader.
func (f Files) File(_ context.Context, path string) ([]byte, error) {
	data, ok := f[path]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return []byte(data), nil
}

// ContextFile implements specs.Reader.
func (f Files) ContextFile(ctx context.Context, name, path string) ([]byte, bool, error) {
	root := "context:" + name + "/"
	for file := range f {
		if strings.HasPrefix(file, root) {
			data, err := f.File(ctx, root+path)
			return data, true, err
		}
	}
	return nil, false, nil
}

// Builtin is the built-in catalog, which is read once.
var Builtin = sync.OnceValues(catalog.Builtin) //nolint:gochecknoglobals // read once

// Flavor implements specs.Reader.
func (Files) Flavor(name string) (*specs.Source, bool) {
	cat, err := Builtin()
	if err != nil {
		panic(err)
	}
	return cat.Flavor(name)
}

// FlavorNames implements specs.Reader.
func (Files) FlavorNames() []string {
	cat, err := Builtin()
	if err != nil {
		panic(err)
	}
	return cat.FlavorNames()
}

// Catalog is the built-in catalog.
func Catalog(t testing.TB) *catalog.Catalog {
	t.Helper()
	cat, err := Builtin()
	require.NoError(t, err)
	return cat
}

// With returns the built-in catalog with a layer of files on top.
func With(files map[string]string) (*catalog.Catalog, error) {
	cat, err := Builtin()
	if err != nil {
		return nil, err
	}
	layer := fstest.MapFS{}
	for name, text := range files {
		layer[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return cat.With(catalog.Layer{Name: catalog.ContextName, FS: layer, Context: catalog.ContextName})
}

// Load loads a spec called kairos.spec, which must have no mistakes.
func Load(spec string, files Files) (*specs.Document, error) {
	doc, err := load(spec, files)
	if err == nil {
		err = doc.Err()
	}
	return doc, err
}

func load(spec string, files Files) (*specs.Document, error) {
	return specs.Load(context.Background(), &specs.Source{Name: specs.DefaultName, Data: []byte(spec)}, files)
}

// Plan loads a spec and resolves it against the built-in catalog.
func Plan(spec string, files Files, arch string) (*plan.Plan, error) {
	doc, err := load(spec, files)
	if err != nil {
		return nil, err
	}
	cat, err := Builtin()
	if err != nil {
		return nil, err
	}
	return plan.Resolve(doc, cat, arch)
}

// MustPlan is Plan for specs without mistakes.
func MustPlan(t testing.TB, spec string, files Files, arch string) *plan.Plan {
	t.Helper()
	p, err := Plan(spec, files, arch)
	require.NoError(t, err)
	return p
}

// RoundTrip writes a plan as JSON, and reads it back strictly.
func RoundTrip(t testing.TB, p *plan.Plan) (data []byte, back *plan.Plan) {
	t.Helper()
	data, err := json.Marshal(p)
	require.NoError(t, err)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&back))
	return data, back
}

// Entries returns those of the built-in matrix, with version v1.0.0.
func Entries(t testing.TB) []matrix.Entry {
	t.Helper()
	entries, err := matrix.Read(matrix.Builtin(), matrix.Options{FlavorVersion: "v1.0.0", Flavors: Catalog(t).FlavorNames(), Archs: catalog.Names(Catalog(t).Archs)})
	require.NoError(t, err)
	return entries
}

// PlanEntry is MustPlan for an entry.
func PlanEntry(t testing.TB, c matrix.Entry) *plan.Plan {
	t.Helper()
	doc, err := specs.Load(t.Context(), c.Spec, Files{})
	require.NoError(t, err)
	p, err := plan.Resolve(doc, Catalog(t), c.Arch)
	require.NoError(t, err)
	return p
}

// Seeds returns specs to start fuzzing from: every key, long and short forms, and common mistakes.
func Seeds() []string {
	const top = "# syntax=ghcr.io/flavorkit/frontend:1\nversion: v1.0.0\n"
	return []string{
		top + "extends: debian-12\n",
		top + "extends: ./base.spec\nname: acme\nvariant: core\nmodel: generic\ninit: systemd\n",
		top + "extends: acme\ncloudConfig: oem.yaml\ncmdline: [console=ttyS1, quiet]\n",
		top + "distro: {name: debian-12, base: 'acme/debian:12'}\nkernel: {from: debian-12, package: linux-image-cloud-amd64, version: 6.1}\n",
		top + "extends: alpine-arm-rpi\nkernel: {image: acme/kernel, context: mine}\nmodel: rpi3\n",
		top + "extends: debian-12\npackages:\n  add: [htop, g++]\n  remove: [nano]\n  groups: {nfs: false}\n",
		top + "extends: debian-12\nfiles:\n  - {path: /etc/motd, content: hi, mode: 0644, owner: 0:0}\n  - path: /lib/x/y\n    from: x\n",
		top + "extends: debian-12\nartifacts:\n  iso:\n    compression: gzip\n    level: 9\n    cloudConfig: {content: \"#cloud-config\\n\"}\n",
		top + "extends: debian-12\ncomponents:\n  kairos-agent: {url: 'https://x/{version}/a-{arch}.tar.gz', checksums: 'https://x/s'}\n  immucore: {image: 'acme/immucore', path: /bin/immucore}\n",
		top + "extends: debian-12\nkairos: v4.3.0\ncomponents: {kairos: {context: mine}}\n",
		top + "extends: debian-12\nvariant: standard\nkubernetes: {distribution: k3s, version: v1.36.4+k3s1}\nmesh: none\n",
		top + "extends: debian-13\nvariant: standard\nkubernetes: {distribution: k0s, as: extension}\n",
		top + "extends: debian-12\ntest: {artifact: disk, firmware: bios, memory: 1GiB, timeout: 1h, assertions: [{name: n, run: \"a\\nb\", matches: '^a|b$', timeout: 9s}, {file: /a}, {service: ssh}]}\n",
		top + "extends: debian-12\nrepositories: [{name: a, url: 'https://a.example', suites: [b], components: [c], key: k.asc, priority: 600, packages: [p], keep: true, secret: s}, " +
			"{name: d, url: 'https://d.example', path: ./, key: {url: 'https://d.example/k', sha256: abc}, certificate: c}]\n",
		top + "extends: debian-12\nlayers: [{name: a, image: 'acme/a:1', path: out, to: /opt/a, owner: '1:1'}, {name: b, context: b}]\n",
		top + "extends: debian-13\nextension: {name: a, version: '1', packages: [b], files: [{path: /opt/a, content: a}], services: [a.service], reload: true, anyDistro: true, certificate: a.crt}\n" +
			"extensions: [{name: b, packages: [c]}, {name: d, files: [{path: /etc/d, from: d}]}]\n",
		top + "extends: debian-12\nargs: {A: a, B: {type: bool, default: true, values: [true], description: b}, C: {type: integer, default: 1}}\n" +
			"name: ${A}\ninitramfs: {network: \"${B}\"}\nartifacts: {iso: {level: \"${C}\"}}\ncmdline: [\"$${D}\", \"${D\"]\n",
		top + "extends: debian-12\npackages: {add: [htop, {value: tree, when: {arch: arm64}}]}\nkernel: {when: {arch: [arm64, riscv64], variant: core, init: systemd}, from: debian-13}\n" +
			"files: [{path: /a, content: a, when: {distro: debian}}, {path: /a, content: b, when: {model: [rpi4]}}, {path: /b, when: {}}]\n",
		top + "x-mine: &a [1, {b: ~}]\nname: *a\n<<: {a: b}\n",
		"version: [\n", "a: 'b\n", "- a\n", "\ufeffa: b\r\n", "a: !!binary x\n---\nb\n", "? [a]\n: |\n  x\n", "\ta: b", "", "#", "a: \"\\\n", "{",
	}
}
