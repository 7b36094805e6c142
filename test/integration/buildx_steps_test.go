package integration

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/buildkit/solver/pb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/test/testkit"
	"github.com/flavorkit/flavorkit/test/testkit/registry"
)

// steps looks for options in the graph, and has steps meet two of them.
func (b *buildxSystem) steps(t *testing.T) {
	t.Helper()
	plain := func(more ...string) []*pb.Op { return b.graph(t, append(more, "-f", "plain.spec", ".")...) }
	for _, op := range plain("--target=packages", "--add-host=mirror.example:192.0.2.7", "--ulimit=nofile=1024:2048", "--shm-size=64m", "--cgroup-parent=/edge") {
		step := op.GetExec()
		if step == nil {
			continue
		}
		meta := step.GetMeta()
		require.NotEmpty(t, meta.GetExtraHosts())
		assert.Equal(t, "192.0.2.7", meta.GetExtraHosts()[0].GetIP())
		require.NotEmpty(t, meta.GetUlimit())
		assert.Equal(t, int64(2048), meta.GetUlimit()[0].GetHard())
		assert.Equal(t, "/edge", meta.GetCgroupParent())
		assert.True(t, slices.ContainsFunc(step.GetMounts(), func(m *pb.Mount) bool {
			return m.GetDest() == "/dev/shm" && m.GetTmpfsOpt().GetSize() == 64<<20
		}))
	}

	for option, want := range map[string]pb.NetMode{"--network=none": pb.NetMode_NONE, "--network=host": pb.NetMode_HOST} {
		for _, op := range plain("--target=packages", option) {
			if step := op.GetExec(); step != nil {
				assert.Equal(t, want, step.GetNetwork())
			}
		}
	}
	for option, want := range map[string]string{ // what steps meet
		"--network=none":           "Temporary failure resolving",
		"--ulimit=fsize=4096:4096": "E: Sub-process http received signal 25.", // SIGXFSZ
	} {
		log, err := b.lookUp(t, t.TempDir(), "-f", "plain.spec", option, ".")
		require.Error(t, err, option)
		assert.Contains(t, log, want, option)
	}

	merges := func(ops []*pb.Op) bool {
		return slices.ContainsFunc(ops, func(op *pb.Op) bool { return op.GetMerge() != nil })
	}
	assert.True(t, merges(plain()))
	assert.False(t, merges(plain("--build-arg=FLAVORKIT_WITHOUT=mergeop")))

	const seconds = "1700000000"
	other := *b
	other.BuildxCLI = b.WithEnv("SOURCE_DATE_EPOCH=" + seconds)
	out, err := other.call(t, "convertllb,format=json", "-f", "plain.spec", ".")
	require.NoError(t, err, out)
	assert.Contains(t, out, `"`+seconds+`000000000"`, "the time of files")
}

// noCache runs steps again that are cached. They reach a mirror by a name that only --add-host has, and
// the repository of the spec through a proxy.
func (b *buildxSystem) noCache(t *testing.T, repository string, more ...string) {
	t.Helper()
	proxy, m := &mirror{}, newMirror(t)
	proxyServer, server := httptest.NewServer(proxy), httptest.NewServer(m)
	defer proxyServer.Close()
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	m.url = "http://mirror.example:" + port
	_, log := b.packages(t, append([]string{
		"--no-cache", "--add-host=mirror.example:127.0.0.1", "--build-arg=" + frontend.ConfigArg + "=" + m.config(""),
		"--build-arg=HTTP_PROXY=" + proxyServer.URL, "--build-arg=NO_PROXY=mirror.example",
	}, more...)...)
	assert.Equal(t, states{ran: true}, stateOf(log, keyName), log)
	assert.Positive(t, m.fetched("/debian/dists/"))
	assert.Positive(t, proxy.fetched(repository+"/dists/"))
}

// platforms looks packages up for two platforms, and pulls the base image of each. A check and the
// build show the same warning.
func (b *buildxSystem) platforms(t *testing.T) {
	t.Helper()
	other := *b
	other.contexts = contexts(t)
	delete(other.contexts, "debian:12-slim")
	digest := pushPlatforms(t, b.daemon.Registry, "docker.io/library/debian:12-slim", testkit.Base(t, "debian-12", arch))
	dir := writeFiles(t, map[string]string{"kairos.spec": b.spec("files: [{path: /etc/sudoers.d/edge, content: x, mode: 0664}]\n")})
	args := []string{"-f", filepath.Join(dir, "kairos.spec"), "--pull", "--platform=linux/amd64,linux/arm64", dir}
	const warning = `files[0].mode: /etc/sudoers.d/edge has the mode 0664: sudo ignores such a file; write mode: "0644" [LooseMode]`
	out, err := b.Run(append([]string{"build", "--check"}, other.arguments(t, args...)...)...)
	require.Error(t, err, "a check fails for a warning")
	assert.Contains(t, out, "Check complete, 1 warning has been found!")
	assert.Contains(t, out, "WARNING: LooseMode - ")
	assert.Contains(t, out, warning)

	made, log := other.packages(t, args...)
	assert.Contains(t, log, "1 warning found (use docker --debug to expand):\n")
	assert.Contains(t, log, warning)
	assert.Contains(t, log, "[base] docker.io/library/debian:12-slim@"+digest)
	for _, arch := range []string{"amd64", "arm64"} {
		assert.FileExists(t, filepath.Join(made, "linux_"+arch, "kairos-debian-12-core-"+arch+"-generic-v1.0.0.packages.json"))
	}
	images := 0
	for _, op := range other.graph(t, args...) {
		if source := op.GetSource(); strings.HasPrefix(source.GetIdentifier(), "docker-image://") {
			images++
			assert.Equal(t, pb.AttrImageResolveModeForcePull, source.GetAttrs()[pb.AttrImageResolveMode])
		}
	}
	assert.Positive(t, images)
}

// pushPlatforms pushes an image for amd64, and beside it one that stands for arm64: this machine runs
// its programs without an emulator, and apt looks for those of arm64. It returns the digest of both
// together.
func pushPlatforms(t *testing.T, server *testkit.RegistryServer, name, dir string) string {
	t.Helper()
	image := layoutImage(t, dir)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	index := v1.ImageIndex(empty.Index)
	for _, arch := range []string{"amd64", "arm64"} {
		config := config.DeepCopy()
		config.Architecture, config.Variant = arch, ""
		one, err := mutate.ConfigFile(image, config)
		require.NoError(t, err)
		if arch == "arm64" {
			one, err = mutate.AppendLayers(one, layerOf(t, map[string]string{
				"etc/apt/apt.conf.d/99arch": "APT::Architecture \"arm64\";\nAPT::Architectures { \"arm64\"; };\nDir::State::status \"/dev/null\";\n",
			}))
			require.NoError(t, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: one, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	tag, err := registry.Mirrored(server.Addr(), name)
	require.NoError(t, err)
	require.NoError(t, remote.WriteIndex(tag, index))
	digest, err := index.Digest()
	require.NoError(t, err)
	return digest.String()
}

// locked builds what a lock file of plain.spec has, and refuses anything else.
func (b *buildxSystem) locked(t *testing.T, lock string) {
	t.Helper()
	dir := writeFiles(t, map[string]string{"edge.spec": b.spec("")})
	args := []string{"-f", filepath.Join(dir, "edge.spec"), "--build-arg=FLAVORKIT_LOCKED=1", dir}
	refused := func(want string) {
		t.Helper()
		log, err := b.lookUp(t, t.TempDir(), args...)
		require.Error(t, err, log)
		assert.Contains(t, log, want)
	}
	refused("there is no edge.lock beside the spec; write it with flavorkit lock")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "edge.lock"), []byte(lock), 0o644))
	b.packages(t, args...)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "edge.spec"), []byte(b.spec("packages: {add: [tree]}\n")), 0o644))
	refused("edge.spec:4:18: packages.add[0]: edge.lock does not have tree of debian-12, userland; bring it up to date with flavorkit lock")
}
