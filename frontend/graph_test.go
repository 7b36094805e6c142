package frontend_test

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/solver/pb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/graphtext"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/golden"
	"github.com/flavorkit/flavorkit/test/graphtest"
	"github.com/flavorkit/flavorkit/test/spectest"
)

const debian = "# syntax=x\nextends: debian-12\nversion: v1.0.0\n"

// rich uses every part of the language that gets into a graph.
const rich = debian + `name: sentinel-name
packages: {add: [sentinel-package], remove: [nano]}
kernel: {package: sentinel-kernel, version: sentinel-1}
files:
  - {path: /etc/sentinel-content, content: sentinel-text, mode: 0600, owner: 7:7}
  - {path: /root/sentinel-copied, from: sentinel-from}
cloudConfig: {content: sentinel-cloud}
cmdline: [sentinel-arg]
components:
  kairos-agent: {url: 'https://sentinel.example/agent.tar.gz?sentinel=query', checksums: 'https://sentinel.example/sums'}
  immucore: {image: 'sentinel.example/immucore', path: sentinel-path}
artifacts: {iso: {cloudConfig: sentinel-iso.yaml}}
`

var targets = []string{"image", "iso"}

// TestGraphs has the graphs of every entry of the matrix: one file for all
// targets, for they share most of it. A plan that was read back from JSON has the
// same ones.
func TestGraphs(t *testing.T) {
	for _, entry := range spectest.Entries(t) {
		t.Run(entry.Name, func(t *testing.T) {
			p := spectest.PlanEntry(t, entry)
			_, back := spectest.RoundTrip(t, p)
			graphs := make([]graphtext.Named, len(targets))
			for i, target := range targets {
				made := graphtest.Generate(t, p, target)
				graphs[i] = graphtext.Named{Name: target, Graph: made.Graph}
				requireSameGraph(t, made, graphtest.Generate(t, back, target))
			}
			golden.Check(t, filepath.Join("../testdata/graphs", entry.Name+".txt"), graphtext.Join(graphs...))
		})
	}
}

// TestKubernetesGraphs has the graphs of the Kubernetes that no entry of the
// matrix has, for both init systems.
func TestKubernetesGraphs(t *testing.T) {
	for _, flavor := range []string{"debian-12", "alpine"} {
		t.Run(flavor, func(t *testing.T) {
			p := spectest.MustPlan(t, "extends: "+flavor+"\nversion: v1.0.0\nvariant: standard\nkubernetes: k0s\n", nil, "amd64")
			golden.Check(t, "../testdata/targets/standard-"+flavor+"-amd64-k0s.txt", graphtest.Generate(t, p, "image").Graph.String())
		})
	}
}

// TestSameGraphEveryTime would find the order of a map in a graph.
func TestSameGraphEveryTime(t *testing.T) {
	for _, target := range targets {
		first := graphtest.Generate(t, spectest.MustPlan(t, rich, nil, "amd64"), target)
		for range 24 {
			requireSameGraph(t, first, graphtest.Generate(t, spectest.MustPlan(t, rich, nil, "amd64"), target))
		}
		_, back := spectest.RoundTrip(t, spectest.MustPlan(t, rich, nil, "amd64"))
		requireSameGraph(t, first, graphtest.Generate(t, back, target))
	}
}

func requireSameGraph(t *testing.T, first, again graphtest.Graph) {
	t.Helper()
	require.Empty(t, cmp.Diff(first.String(), again.String()))
	require.True(t, slices.EqualFunc(first.Definition.Def, again.Definition.Def, bytes.Equal), "same text, other bytes")
}

// fallbacks are daemons that lack something.
func noMerge(g *graph.Graph) { g.Caps = graph.Caps{} }

func noPassthrough(g *graph.Graph) { g.Caps = graph.Caps{Merge: true} }

func TestEveryVertex(t *testing.T) {
	for name, option := range map[string]func(*graph.Graph){"all capabilities": func(*graph.Graph) {}, "none": noMerge} {
		for _, arch := range []string{"amd64", "arm64"} {
			t.Run(name+" "+arch, func(t *testing.T) {
				g := graphtest.Generate(t, spectest.MustPlan(t, rich, nil, arch), "iso", option)
				for _, v := range g.Vertices() {
					checkVertex(t, v)
				}
			})
		}
	}
}

func checkVertex(t *testing.T, v graphtest.Vertex) {
	assert.Regexp(t, `^\[[^]]+\] .`, v.Name)
	source, script := v.Op.GetSource(), strings.HasPrefix(v.Name, "[internal] script ")
	download := source != nil && strings.HasPrefix(source.Identifier, "http")
	if source == nil || download {
		assert.NotNil(t, v.Meta.ProgressGroup, "%s has no progress group", v.Name)
		assert.True(t, v.Located || script, "%s has no place in the spec", v.Name)
	}
	if exec := v.Op.GetExec(); exec != nil {
		packages := strings.Contains(v.Name, "] install ") || strings.Contains(v.Name, "] take files out of ")
		assert.Equal(t, packages, exec.Network != pb.NetMode_NONE, "network of %s", v.Name)
		assert.Equal(t, pb.SecurityMode_SANDBOX, exec.Security, "privilege of %s", v.Name)
		assert.Regexp(t, `^/run/flavorkit/[a-z-]+\.sh$`, exec.Meta.Args[0], "%s must run a script", v.Name)
		for _, m := range exec.Mounts {
			assert.True(t, packages || m.MountType != pb.MountType_CACHE, "%s has a cache", v.Name)
		}
	}
	if script {
		text := string(v.Op.GetFile().Actions[0].GetMkfile().Data)
		assert.Regexp(t, `^#!(/bin/sh|/usr/bin/awk -f)\n`, text, v.Name)
		assert.NotContains(t, text, "sentinel", "a value of the spec is in the text of %s", v.Name)
	}
}

var count = regexp.MustCompile(` and \d+ more$`)

// TestDependencies changes one thing of a spec. A build after that runs the
// vertices that are named and no others; those of every change are in after.
func TestDependencies(t *testing.T) {
	const fits = "[compat] check that kernel, initramfs and userland fit"
	const before = debian + "cloudConfig: {content: a}\nartifacts: {iso: {cloudConfig: {content: a}}}\n"
	after := []string{
		fits,
		"[iso] checked squashfs",
		"[iso] pack the root filesystem with zstd",
		"[rootfs] check the root filesystem",
		"[rootfs] put the layers together",
	}
	const write = "[iso] write kairos-debian-12-core-amd64-generic-v1.0.0.iso"
	const kmod = "[compat] read modules of the kernel with the userland's kmod"
	const dirs = "[debian-12/directories] take the modes of the userland's directories"
	loaders := []string{"[iso] take shim and GRUB", "[iso] make the boot images"}
	for _, c := range []struct {
		name, spec string
		want       []string
		// beside tells that the root filesystem stays as it was.
		beside bool
	}{
		{name: "nothing", spec: before, beside: true},
		{name: "a comment", spec: before + "# more\n", beside: true},
		{
			name: "version", spec: strings.Replace(before, "v1.0.0", "v1.0.1", 1),
			want: []string{"[release] release v1.0.1", "[iso] write kairos-debian-12-core-amd64-generic-v1.0.1.iso"},
		},
		{
			name: "cloudConfig", spec: strings.Replace(before, "cloudConfig: {content: a}", "cloudConfig: {content: b}", 1),
			want: []string{"[files] add the files of the spec", write},
		},
		{
			name: "files", spec: before + "files: [{path: /etc/a, content: a}]\n",
			want: []string{"[files] add the files of the spec", write},
		},
		{
			name: "cloud-config of the medium", spec: strings.Replace(before, "iso: {cloudConfig: {content: a}}", "iso: {cloudConfig: {content: b}}", 1),
			want:   []string{"[iso] take artifacts.iso.cloudConfig from the spec", write},
			beside: true,
		},
		{
			name: "compression", spec: strings.Replace(before, "iso: {", "iso: {level: 4, ", 1),
			want:   []string{"[iso] pack the root filesystem with zstd", "[iso] checked squashfs", write},
			beside: true,
		},
		{
			name: "packages", spec: before + "packages: {add: [aaa]}\n",
			want: append(loaders, "[debian-12/userland] install aaa bash bsdutils and more", dirs, kmod, write),
		},
		{
			name: "kernel", spec: before + "kernel: {version: 6.1}\n",
			want: []string{
				"[debian-12/kernel] install linux-image-amd64=6.1 firmware-linux-free ca-certificates and more",
				"[debian-12/kernel] take out vmlinuz, modules and firmware",
				"[debian-12/initramfs] make the initramfs with dracut", kmod, write,
			},
		},
		{
			name: "component", spec: before + "components: {kairos-agent: {image: acme/agent}}\n",
			want: []string{"[base] acme/agent", "[component/kairos-agent] copy kairos-agent from acme/agent", write},
		},
		{
			name: "component of the initramfs", spec: before + "components: {immucore: {image: acme/immucore}}\n",
			want: []string{
				"[base] acme/immucore", "[component/immucore] copy immucore from acme/immucore",
				"[debian-12/initramfs] make the initramfs with dracut", write,
			},
		},
		{
			name: "cmdline", spec: before + "cmdline: [quiet]\n",
			want: []string{"[system] lay out the files of Kairos", "[iso] lay out the boot menu", "[iso] make the boot images", write},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			was := graphtest.Generate(t, spectest.MustPlan(t, before, nil, "amd64"), "iso")
			is := graphtest.Generate(t, spectest.MustPlan(t, c.spec, nil, "amd64"), "iso")
			want := c.want
			if !c.beside {
				want = append(want, after...)
			}
			changed := was.Changed(is)
			for i, name := range changed {
				changed[i] = count.ReplaceAllString(name, " and more") // the catalog's matter
			}
			assert.ElementsMatch(t, want, changed)
		})
	}
}

// TestKernelsAreShared counts the installs of a matrix: userlands and kernels
// add up, they do not multiply.
func TestKernelsAreShared(t *testing.T) {
	build := func(kernels ...string) []string {
		seen := map[string]bool{}
		for _, base := range []string{"debian-12", "opensuse", "ubuntu-22-lts"} {
			for _, kernel := range kernels {
				spec := fmt.Sprintf("extends: %s\nkernel: %s\nversion: v1.0.0\n", base, kernel)
				maps.Copy(seen, installs(graphtest.Generate(t, spectest.MustPlan(t, spec, nil, "amd64"), "image")))
			}
		}
		return catalog.Names(seen)
	}
	assert.Len(t, build("debian-12", "ubuntu-24.04", "opensuse-leap-15.6"), 6)
	assert.Len(t, build("debian-12", "ubuntu-24.04", "opensuse-leap-15.6", "fedora-43"), 7)
}

// installs are the vertices that install packages, by digest and name.
func installs(g graphtest.Graph) map[string]bool {
	found := map[string]bool{}
	for digest := range g.Ops {
		if name := g.Metadata[digest].Description["llb.customname"]; strings.Contains(name, "] install ") {
			found[digest.String()+" "+name] = true
		}
	}
	return found
}

// TestMatrixIsShared counts the installs of the whole matrix for amd64, and has
// the standard variant add none.
func TestMatrixIsShared(t *testing.T) {
	all := map[string]map[string]bool{"core": {}, "standard": {}}
	entries := 0
	for _, entry := range spectest.Entries(t) {
		if entry.Arch == "amd64" {
			entries++
			maps.Copy(all[entry.Variant], installs(graphtest.Generate(t, spectest.PlanEntry(t, entry), "iso")))
		}
	}
	assert.Equal(t, 26, entries)
	assert.Equal(t, all["core"], all["standard"])
	// 11 userlands, 9 kernels, the loader of Alpine and the tools.
	assert.Len(t, all["core"], 22, "%v", catalog.Names(all["core"]))
}

// TestOwnKernel has the kernel in an image and in a named context that was not
// handed in.
func TestOwnKernel(t *testing.T) {
	const from = "kernel: {from: debian-13, "
	g := graphtest.Generate(t, spectest.MustPlan(t, debian+from+"image: acme/kernel}\n", nil, "amd64"), "image")
	text := g.String()
	assert.Contains(t, text, "source docker-image://docker.io/acme/kernel")
	assert.Contains(t, text, "[debian-13/kernel] take in the kernel of the spec")
	assert.NotContains(t, text, "linux-image-amd64")

	_, err := graphtest.Try(spectest.MustPlan(t, debian+from+"context: mine}\n", nil, "amd64"), "image")
	assert.EqualError(t, err, `kairos.spec:4:36: kernel.context: there is no named context "mine"; pass it with --build-context mine=…`)
}

// TestFallbacks looks for ops that an old daemon does not know.
func TestFallbacks(t *testing.T) {
	ops := func(g graphtest.Graph) (merges, passthroughs int) {
		for _, v := range g.Vertices() {
			if v.Op.GetMerge() != nil {
				merges++
			}
			if v.Op.GetPassthrough() != nil {
				passthroughs++
			}
		}
		return merges, passthroughs
	}
	p := spectest.MustPlan(t, rich, nil, "amd64")
	for _, target := range targets {
		merges, passthroughs := ops(graphtest.Generate(t, p, target))
		assert.NotZero(t, merges, target)
		assert.NotZero(t, passthroughs, target)
		merges, passthroughs = ops(graphtest.Generate(t, p, target, noPassthrough))
		assert.NotZero(t, merges, target)
		assert.Zero(t, passthroughs, target)

		copies := graphtest.Generate(t, p, target, noMerge)
		merges, passthroughs = ops(copies)
		assert.Zero(t, merges, target)
		assert.Zero(t, passthroughs, target)
		text := copies.String()
		assert.Contains(t, text, "check the root filesystem", "the result must not be there without its check")
	}
}
