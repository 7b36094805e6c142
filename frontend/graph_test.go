package frontend_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/graphtext"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/golden"
	"github.com/flavorkit/flavorkit/test/graphtest"
	"github.com/flavorkit/flavorkit/test/spectest"
)

const debian = "# syntax=x\nextends: debian-12\nversion: v1.0.0\n"

// rich uses every key that affects a graph.
const rich = debian + `name: sentinel-name
packages: {add: [sentinel-package], remove: [nano]}
repositories:
  - name: sentinel-full
    url: https://sentinel.example/debian
    suites: [sentinel-suite]
    components: [sentinel-component]
    key: {url: 'https://sentinel.example/key', sha256: 0000000000000000000000000000000000000000000000000000000000000000}
    priority: 600
    packages: [sentinel-package]
    keep: true
    secret: sentinel-login
    certificate: sentinel-certificate
  - {name: sentinel-plain, url: 'http://sentinel-plain.example', path: ./, key: sentinel-key.asc}
kernel: {package: sentinel-kernel, version: sentinel-1}
files:
  - {path: /etc/sentinel-content, content: sentinel-text, mode: 0600, owner: 7:7}
  - {path: /root/sentinel-copied, from: sentinel-from}
layers:
  - {name: sentinel-layer, image: sentinel.example/layer, path: sentinel-tree, to: /opt/sentinel/tree, owner: 7:7}
  - {name: sentinel-whole, image: sentinel.example/whole}
cloudConfig: {content: sentinel-cloud}
cmdline: [sentinel-arg]
components:
  kairos-agent: {url: 'https://sentinel.example/agent.tar.gz?sentinel=query', checksums: 'https://sentinel.example/sums'}
  immucore: {image: 'sentinel.example/immucore', path: sentinel-path}
artifacts: {iso: {cloudConfig: sentinel-iso.yaml}}
`

var targets = []string{"image", "iso"}

// TestGraphs compares the graphs of every entry of the matrix, in one file for all targets, because
// they share most of it. A plan has the same graphs after a JSON round trip.
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

// TestKubernetesGraphs compares the graphs of the Kubernetes that no entry of the matrix has, for
// both init systems.
func TestKubernetesGraphs(t *testing.T) {
	for _, flavor := range []string{"debian-12", "alpine"} {
		t.Run(flavor, func(t *testing.T) {
			p := spectest.MustPlan(t, "extends: "+flavor+"\nversion: v1.0.0\nvariant: standard\nkubernetes: k0s\n", nil, "amd64")
			golden.Check(t, "../testdata/targets/standard-"+flavor+"-amd64-k0s.txt", graphtest.Generate(t, p, "image").Graph.String())
		})
	}
}

// TestKairosGraphs compares graphs with the one program of Kairos, for both init systems. The
// initramfs gets it under the name of immucore.
func TestKairosGraphs(t *testing.T) {
	for flavor, variant := range map[string]string{"debian-12": "core", "alpine": "standard"} {
		t.Run(flavor, func(t *testing.T) {
			p := spectest.MustPlan(t, "extends: "+flavor+"\nversion: v1.0.0\nvariant: "+variant+"\nkairos: v4.3.0\n", nil, "amd64")
			made := graphtest.Generate(t, p, "image")
			golden.Check(t, "../testdata/targets/"+variant+"-"+flavor+"-amd64-kairos.txt", made.Graph.String())
			_, back := spectest.RoundTrip(t, p)
			requireSameGraph(t, made, graphtest.Generate(t, back, "image"))
		})
	}
}

// TestSameGraphEveryTime finds graphs that depend on the order of a map.
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

// fallbacks are daemons without some features.
func noMerge(g *graph.Graph) { g.Caps = graph.Caps{} }

func noPassthrough(g *graph.Graph) { g.Caps = graph.Caps{Merge: true, Diff: true} }

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
	t.Helper()
	assert.Regexp(t, `^\[[^]]+\] .`, v.Name)
	source, script := v.Op.GetSource(), strings.HasPrefix(v.Name, "[internal] script ")
	download := source != nil && strings.HasPrefix(source.Identifier, "http")
	if source == nil || download {
		assert.NotNil(t, v.Meta.ProgressGroup, "%s has no progress group", v.Name)
		assert.True(t, v.Located || script, "%s has no place in the spec", v.Name)
	}
	if exec := v.Op.GetExec(); exec != nil {
		packages := slices.ContainsFunc([]string{"] install ", "] look up ", "] extract files from "}, func(title string) bool { return strings.Contains(v.Name, title) })
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

// TestDependencies changes one thing in a spec, and checks exactly which vertices run in the next
// build; after has those of every change.
func TestDependencies(t *testing.T) {
	const fits = "[compat] check that kernel, initramfs and userland fit"
	const before = debian + "cloudConfig: {content: a}\nartifacts: {iso: {cloudConfig: {content: a}}}\n"
	after := []string{
		fits,
		"[iso] checked squashfs",
		"[iso] pack the root filesystem with zstd",
		"[rootfs] check the root filesystem",
		"[rootfs] merge the layers",
	}
	const write = "[iso] write kairos-debian-12-core-amd64-generic-v1.0.0.iso"
	const kmod = "[compat] read modules of the kernel with the userland's kmod"
	const dirs = "[debian-12/directories] restore the modes of the userland's directories"
	loaders := []string{"[iso] copy shim and GRUB", "[iso] make the boot images"}
	for _, c := range []struct {
		name, spec string
		want       []string
		// beside is true if the root filesystem does not change.
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
			name: "layers", spec: before + "layers: [{name: tools, image: acme/tools}]\n",
			want: []string{
				"[base] acme/tools", "[layer/tools] copy / of the image acme/tools to /", "[internal] script layer.sh", "[layer/tools] check the layer", write,
			},
		},
		{
			name: "cloud-config of the medium", spec: strings.Replace(before, "iso: {cloudConfig: {content: a}}", "iso: {cloudConfig: {content: b}}", 1),
			want:   []string{"[iso] copy artifacts.iso.cloudConfig from the spec", write},
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
			name: "repositories", spec: before + "repositories: [{name: a, url: 'https://a.example', path: ./, key: a.asc, keep: true}]\n",
			want: append(loaders, "[internal] load context", "[repositories] read the public key of a", "[repositories] configure a",
				"[internal] script key.sh", "[debian-12/userland] install bash bsdutils ca-certificates and more",
				"[debian-12/userland] keep the repositories of the spec", dirs, kmod, write),
		},
		{
			name: "kernel", spec: before + "kernel: {version: 6.1}\n",
			want: []string{
				"[debian-12/kernel] install linux-image-amd64=6.1 firmware-linux-free ca-certificates and more",
				"[debian-12/kernel] extract vmlinuz, modules and firmware",
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
			want: []string{"[system] add the files of Kairos", "[iso] add the boot menu", "[iso] make the boot images", write},
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
				changed[i] = count.ReplaceAllString(name, " and more") // depends on the catalog
			}
			assert.ElementsMatch(t, want, changed)
		})
	}
}

// TestKernelsAreShared counts the installs of a matrix: userlands and kernels add up, they do not
// multiply.
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
	assert.Len(t, build("debian-12", "ubuntu-24.04", "opensuse-leap-16.0"), 6)
	assert.Len(t, build("debian-12", "ubuntu-24.04", "opensuse-leap-16.0", "fedora-44"), 7)
}

// installs returns the vertices that install packages, by digest and name.
func installs(g graphtest.Graph) map[string]bool {
	found := map[string]bool{}
	for digest := range g.Ops {
		if name := g.Metadata[digest].Description["llb.customname"]; strings.Contains(name, "] install ") {
			found[digest.String()+" "+name] = true
		}
	}
	return found
}

// TestMatrixIsShared counts the installs of the whole matrix for amd64, and checks that the
// standard variant adds none.
func TestMatrixIsShared(t *testing.T) {
	all := map[string]map[string]bool{"core": {}, "standard": {}}
	entries := 0
	for _, entry := range spectest.Entries(t) {
		if entry.Arch == "amd64" {
			entries++
			maps.Copy(all[entry.Variant], installs(graphtest.Generate(t, spectest.PlanEntry(t, entry), "iso")))
		}
	}
	assert.Equal(t, 28, entries)
	assert.Equal(t, all["core"], all["standard"])
	// 12 userlands, 10 kernels, the loader of Alpine and the tools.
	assert.Len(t, all["core"], 24, "%v", catalog.Names(all["core"]))
}

// secrets are the steps that get a secret, with its id, sorted.
func secrets(t *testing.T, g graphtest.Graph) []string {
	t.Helper()
	var all []string
	for _, v := range g.Vertices() {
		exec := v.Op.GetExec()
		for _, m := range exec.GetMounts() {
			if m.MountType == pb.MountType_SECRET {
				all = append(all, v.Name+" "+m.SecretOpt.ID)
				assert.EqualValues(t, 0o400, m.SecretOpt.Mode)
				assert.False(t, m.SecretOpt.Optional)
			}
			if m.Dest == "/run/flavorkit/private" {
				assert.Equal(t, pb.MountType_TMPFS, m.MountType, v.Name)
			}
		}
	}
	slices.Sort(all)
	return all
}

// TestRepositories has the repositories of a spec in the steps that install from them or look
// packages up in them, and no secret anywhere but in a mount of it.
func TestRepositories(t *testing.T) {
	p := spectest.MustPlan(t, rich, nil, "amd64")
	g := graphtest.Generate(t, p, "iso")
	text := g.String()
	assert.Contains(t, text, "source https://sentinel.example/key\n    http.checksum=sha256:000")
	assert.Contains(t, text, "copy #")
	assert.Contains(t, text, "/key to /etc/apt/keyrings/sentinel-full.gpg")
	assert.NotContains(t, text, "/etc/apt/keyrings/sentinel-plain.gpg", "it does not stay")
	for target, step := range map[string]string{"iso": "install", "packages": "look up"} {
		secret := secrets(t, graphtest.Generate(t, p, target))
		require.Len(t, secret, 4, "%v", secret)
		for i, id := range []string{"certificate", "login", "certificate", "login"} {
			stage := []string{"kernel", "userland"}[i/2]
			assert.Regexp(t, `^\[debian-12/`+stage+`\] `+step+` .* sentinel-`+id+`$`, secret[i])
		}
	}
	assert.Equal(t, 1, strings.Count(text, "read the public key of sentinel-full\n"), "userland, kernel and image share it")

	example, err := os.ReadFile("../examples/third-party-repository/kairos.spec")
	require.NoError(t, err)
	p = spectest.MustPlan(t, string(example), nil, "amd64")
	golden.Check(t, "../testdata/targets/third-party-repository-image.txt", graphtest.Generate(t, p, "image").Graph.String())
	golden.Check(t, "../testdata/targets/third-party-repository-packages.txt", graphtest.Generate(t, p, "packages").Graph.String())
	without := graphtest.Generate(t, spectest.MustPlan(t, debian, nil, "amd64"), "iso")
	assert.NotContains(t, without.String(), "/run/flavorkit/private")
}

// TestCompanyNetwork has the graph of the example. An authority in a secret is no part of a graph,
// and a system does not trust it.
func TestCompanyNetwork(t *testing.T) {
	example, err := os.ReadFile("../examples/company-network/kairos.spec")
	require.NoError(t, err)
	p := spectest.MustPlan(t, string(example), nil, "amd64")
	golden.Check(t, "../testdata/targets/company-network-plan.yaml", p.String())
	golden.Check(t, "../testdata/targets/company-network-image.txt", graphtest.Generate(t, p, "image").Graph.String())

	p = spectest.MustPlan(t, debian+"ca: {secret: acme-ca}\n", nil, "amd64")
	for target, step := range map[string]string{"iso": "install", "packages": "look up"} {
		text := graphtest.Generate(t, p, target).String()
		assert.Regexp(t, `\[debian-12/userland\] `+step, text)
		assert.NotContains(t, text, "trust.sh")
		for _, stage := range secrets(t, graphtest.Generate(t, p, target)) {
			assert.Regexp(t, " acme-ca$", stage)
		}
		assert.NotEmpty(t, secrets(t, graphtest.Generate(t, p, target)))
	}
	// Every step that installs is told of the authority: its directory in memory goes with it.
	steps := 0
	for _, v := range graphtest.Generate(t, p, "img").Vertices() {
		if strings.Contains(v.Name, "] install ") {
			steps++
			assert.Contains(t, v.Op.GetExec().Meta.Env, "FLAVORKIT_CA=/run/flavorkit/ca.pem", v.Name)
		}
	}
	assert.Greater(t, steps, 2)
}

// TestProxyOfEveryStep has the proxy of the build in every step. What is downloaded before any step
// is not a step.
func TestProxyOfEveryStep(t *testing.T) {
	proxy := llb.ProxyEnv{HTTPProxy: "http://proxy.example:3128", HTTPSProxy: "http://proxy.example:3128", NoProxy: "localhost"}
	p := spectest.MustPlan(t, tested, nil, "amd64")
	for _, target := range []string{"iso", "img", "netboot", "packages", "test"} {
		steps := 0
		for _, v := range graphtest.Generate(t, p, target, func(g *graph.Graph) { g.RunOptions = []llb.RunOption{llb.WithProxy(proxy)} }).Vertices() {
			if exec := v.Op.GetExec(); exec != nil {
				steps++
				require.NotNil(t, exec.Meta.ProxyEnv, v.Name)
				assert.Equal(t, proxy.HTTPSProxy, exec.Meta.ProxyEnv.HttpsProxy, v.Name)
			}
		}
		assert.NotZero(t, steps, target)
	}
}

// withContexts has named contexts.
func withContexts(names ...string) func(*graph.Graph) {
	contexts := map[string]string{}
	for _, name := range names {
		contexts[name] = "."
	}
	return func(g *graph.Graph) { g.Sources = local.Graph(&plan.Plan{}, &catalog.Catalog{}, contexts).Sources }
}

// TestLayers has the layers of the example between the files of Kairos and those of the spec, and
// images for the architecture of the system.
func TestLayers(t *testing.T) {
	example, err := os.ReadFile("../examples/from-a-dockerfile/kairos.spec")
	require.NoError(t, err)
	p := spectest.MustPlan(t, string(example), nil, "amd64")
	_, err = graphtest.Try(p, "image")
	require.EqualError(t, err, `kairos.spec:15:14: layers[0].context: there is no named context "caddy"; pass it with --build-context caddy=…`)
	_, err = graphtest.Try(p, "image", withContexts("cady", "web"))
	require.ErrorContains(t, err, `pass it with --build-context caddy=…; the build has cady, web`)
	golden.Check(t, "../testdata/targets/from-a-dockerfile-image.txt", graphtest.Generate(t, p, "image", withContexts("caddy")).Graph.String())

	p = spectest.MustPlan(t, debian+"layers: [{name: a, image: acme/a, path: out, to: /lib/acme, owner: '7:8'}, {name: b, context: b}]\nfiles: [{path: /etc/a, content: a}]\n", nil, "arm64")
	vertices := map[string]graphtest.Vertex{}
	g := graphtest.Generate(t, p, "image", withContexts("b"))
	for _, v := range g.Vertices() {
		vertices[v.Name] = v
	}
	assert.Equal(t, "arm64", vertices["[base] acme/a"].Op.Platform.Architecture)
	assert.Equal(t, "amd64", vertices["[layer/a] check the layer"].Op.Platform.Architecture, "it runs no program of the system")
	action := vertices["[layer/a] copy /out of the image acme/a to /usr/lib/acme"].Op.GetFile().Actions
	require.Len(t, action, 2)
	assert.Equal(t, "/usr/lib", action[0].GetMkdir().Path)
	made := action[1].GetCopy()
	assert.Equal(t, []uint32{7, 8}, []uint32{made.Owner.User.GetByID(), made.Owner.Group.GetByID()})
	assert.False(t, made.DirCopyContents, "the tree gets the path, with its mode")
	whole := vertices["[layer/b] copy / of the named context b to /"].Op.GetFile().Actions
	require.Len(t, whole, 1)
	assert.Nil(t, whole[0].GetCopy().Owner, "owners stay")
	assert.True(t, whole[0].GetCopy().DirCopyContents)

	merged := vertices["[rootfs] merge the layers"].Op.Inputs
	var order []string
	for _, in := range merged {
		name := g.Metadata[digest.Digest(in.Digest)].Description["llb.customname"]
		if stage, _, _ := strings.Cut(name, "]"); len(order) > 0 || stage == "[system" {
			order = append(order, stage)
		}
	}
	assert.Equal(t, []string{"[system", "[layer/a", "[layer/a", "[layer/b", "[layer/b", "[files", "[debian-12/directories", "[release"}, order)
}

// TestPreloaded writes the archives of container images on the builder, each alone.
func TestPreloaded(t *testing.T) {
	of := func(images string) graphtest.Graph {
		p := spectest.MustPlan(t, debian+"variant: standard\nkubernetes: k0s\nimages: ["+images+"]\n", nil, "arm64")
		return graphtest.Generate(t, p, "image", withContexts("k0s"))
	}
	was := of("'acme/a:1', 'acme/b:1'")
	found := 0
	for _, v := range was.Vertices() {
		if strings.Contains(v.Name, "write the archive of acme/") {
			found++
			assert.Equal(t, "amd64", v.Op.Platform.Architecture, "it runs no program of the system")
			assert.Equal(t, pb.NetMode_NONE, v.Op.GetExec().Network)
		}
	}
	assert.Equal(t, 2, found)
	assert.Contains(t, was.String(), "source docker-image+blob://docker.io/acme/a@sha256:")

	var archives []string
	for _, name := range was.Changed(of("'acme/a:1', 'acme/b:2'")) {
		if strings.Contains(name, "archive of") {
			archives = append(archives, name)
		}
	}
	assert.Equal(t, []string{"[images/1] describe the archive of acme/b:2", "[images/1] write the archive of acme/b:2"}, archives)
}

// TestLayersStandAlone copies a layer again for nothing but its own source, and checks it again when
// the userland changes.
func TestLayersStandAlone(t *testing.T) {
	const layers = "layers: [{name: a, image: acme/a}, {name: b, image: acme/b}]\n"
	was := graphtest.Generate(t, spectest.MustPlan(t, debian+layers, nil, "amd64"), "image")
	of := func(spec string) []string {
		changed := was.Changed(graphtest.Generate(t, spectest.MustPlan(t, spec, nil, "amd64"), "image"))
		return slices.DeleteFunc(changed, func(name string) bool { return !strings.HasPrefix(name, "[layer/") })
	}
	assert.Equal(t, []string{"[layer/a] check the layer", "[layer/b] check the layer"}, of(debian+layers+"packages: {add: [aaa]}\n"))
	assert.Empty(t, of(debian+layers+"kernel: {version: 6.1}\nfiles: [{path: /etc/a, content: a}]\n"))
	assert.Empty(t, of(debian+"layers: [{name: b, image: acme/b}, {name: a, image: acme/a}]\n"), "order and place are no part of it")
	assert.Equal(t, []string{"[layer/b] check the layer", "[layer/b] copy / of the image acme/c to /"}, of(debian+strings.Replace(layers, "acme/b", "acme/c", 1)))
}

// TestOwnKernel uses a custom kernel in an image, and in a missing named context.
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

// TestFallbacks checks that graphs for old daemons have no unsupported ops.
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

// TestLockedGraph has the archives of the lock as downloads with checksums, and no step with a
// network.
func TestLockedGraph(t *testing.T) {
	data, err := os.ReadFile("../testdata/targets/debian-12-amd64.lock")
	require.NoError(t, err)
	f, err := lock.Read(&specs.Source{Name: "kairos.lock", Data: data})
	require.NoError(t, err)
	p := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\npackages: {add: [htop]}\n", nil, "amd64")
	g := graphtest.Generate(t, p, "iso", func(g *graph.Graph) { g.Lock = f })
	for _, v := range g.Vertices() {
		if e := v.Op.GetExec(); e != nil {
			assert.Equal(t, "NONE", e.Network.String(), v.Name)
		}
	}
	text := g.String()
	assert.Contains(t, text, "source http://deb.debian.org/debian/pool/main/h/htop/htop_3.2.2-2_amd64.deb\n    http.checksum=sha256:"+f.Downloads[0].SHA256)
	assert.Contains(t, text, "source https://github.com/kairos-io/immucore/releases/download/v0.20.4/immucore-v0.20.4-linux-amd64.tar.gz\n    http.checksum=sha256:"+f.Downloads[0].SHA256)
	assert.NotContains(t, text, "checksums.txt")
	assert.Contains(t, text, "FLAVORKIT_ARCHIVES=/run/flavorkit/archives")
	golden.Check(t, "../testdata/targets/debian-12-amd64-locked-iso.txt", text)
}

// TestLockedGraphOfMirrors downloads from mirrors what is in a lock, and what an older one has by their
// addresses.
func TestLockedGraphOfMirrors(t *testing.T) {
	data, err := os.ReadFile("../testdata/targets/debian-12-amd64.lock")
	require.NoError(t, err)
	older := strings.NewReplacer("http://deb.debian.org/debian/", "https://mirror.example/d/", "https://github.com/", "https://mirror.example/github/").Replace(string(data))
	require.NotEqual(t, string(data), older)
	p := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\npackages: {add: [htop]}\n"+
		"mirrors: {archives: {debian: 'https://mirror.example/d'}, downloads: {'https://github.com': 'https://mirror.example/github'}}\n", nil, "amd64")
	for name, text := range map[string]string{"public": string(data), "older": older} {
		f, err := lock.Read(&specs.Source{Name: "kairos.lock", Data: []byte(text)})
		require.NoError(t, err)
		made := graphtest.Generate(t, p, "iso", func(g *graph.Graph) { g.Lock = f }).String()
		assert.Contains(t, made, "source https://mirror.example/d/pool/main/h/htop/htop_3.2.2-2_amd64.deb\n    http.checksum=sha256:", name)
		assert.Contains(t, made, "source https://mirror.example/github/kairos-io/immucore/releases/download/v0.20.4/immucore-v0.20.4-linux-amd64.tar.gz\n    http.checksum=sha256:", name)
		assert.NotContains(t, made, "source http://deb.debian.org", name)
		assert.NotContains(t, made, "source https://github.com", name)
	}
}

// TestComponentSecretGraph hands a secret to the servers of a program and of its checksums, and to no
// mirror.
func TestComponentSecretGraph(t *testing.T) {
	spec := "extends: debian-12\nversion: v1.0.0\ncomponents: {kairos-agent: {url: 'https://acme.example/agent', checksums: 'https://acme.example/sums', secret: acme}}\n"
	const given = "http.authheadersecret=acme"
	assert.Equal(t, 2, strings.Count(graphtest.Generate(t, spectest.MustPlan(t, spec, nil, "amd64"), "image").String(), given))
	mirrored := graphtest.Generate(t, spectest.MustPlan(t, spec+"mirrors: {downloads: {'https://acme.example': 'https://mirror.example'}}\n", nil, "amd64"), "image").String()
	assert.Contains(t, mirrored, "source https://mirror.example/agent\n")
	assert.NotContains(t, mirrored, given)
}

// TestPictures has every step of a build once, with arrows to what it is made of.
func TestPictures(t *testing.T) {
	g := graphtest.Generate(t, spectest.MustPlan(t, debian, nil, "amd64"), "iso")
	formats := graphtext.Formats()
	texts := map[string]string{}
	for _, f := range formats {
		text, err := f.Write(g.Graph)
		require.NoError(t, err)
		texts[f.Name] = text
	}
	assert.Equal(t, g.String(), texts[formats[0].Name])
	for _, f := range formats[1:] {
		golden.Check(t, "../testdata/targets/debian-12-amd64-iso."+f.Name, texts[f.Name])
	}
	tree, dot := texts["tree"], texts["dot"]
	assert.True(t, strings.HasPrefix(tree, "[iso] write "), "the result is on top")
	assert.NotContains(t, tree, "[internal]")
	nodes := strings.Count(dot, "[label=")
	names := map[string]bool{}
	for line := range strings.Lines(tree) {
		names[strings.TrimSuffix(strings.TrimLeft(strings.TrimSpace(line), "│├└─ "), " …")] = true
	}
	assert.Len(t, names, nodes)
	assert.Equal(t, nodes, strings.Count(texts["svg"], "<title>"))
}
