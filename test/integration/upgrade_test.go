package integration

import (
	"archive/tar"
	"errors"
	"io"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/internal/layercache"
	"github.com/flavorkit/flavorkit/test/registrytest"
	"github.com/flavorkit/flavorkit/test/testkit"
	"github.com/flavorkit/flavorkit/test/testkit/registry"
)

// TestUpgradeCache builds a system and two that follow it, and counts what a machine downloads that
// upgrades from the one to the others.
func TestUpgradeCache(t *testing.T) {
	t.Parallel()
	reg := registrytest.New(t)
	push := func(tag string, o solve.Options) {
		t.Helper()
		watch(&o)
		dir := t.TempDir()
		out, err := exec.CommandContext(t.Context(), "tar", "-xf", image(t, embedded(t), o), "-C", dir).CombinedOutput()
		require.NoError(t, err, string(out))
		_, err = registry.PushLayout(t.Context(), reg.Addr(), dir, "example.com/edge/os:"+tag)
		require.NoError(t, err)
	}
	spec := debianSpec + "upgrade: {cache: true, cacheSize: 8GiB}\n"
	push("v1.0.0", options(t, map[string]string{"kairos.spec": spec}))
	next := strings.Replace(spec, "v1.0.0", "v1.1.0", 1)
	push("v1.1.0", options(t, map[string]string{"kairos.spec": next}))
	o := options(t, map[string]string{"kairos.spec": next})
	o.Contexts["kairos-agent"] = changed(t, o.Contexts["kairos-agent"])
	push("v1.1.0-agent", o)

	upstream := reg.Addr() + "/edge/os:"
	files := map[string]string{}
	pull(t, upstream+"v1.0.0", func(name, text string) { files[name] = text })
	assert.Equal(t, "size: 8GiB\n", files["etc/layer-cache.yaml"])
	assert.Contains(t, files["usr/lib/systemd/system/layer-cache.service"], "ExecStart=/usr/bin/layer-cache\n")
	assert.Contains(t, files["usr/lib/systemd/system/multi-user.target.d/20-layer-cache.conf"], "Wants=layer-cache.service\n")
	assert.Contains(t, files, "usr/bin/layer-cache")

	cache, err := layercache.New(layercache.Options{Dir: t.TempDir(), Size: 8 << 30})
	require.NoError(t, err)
	defer cache.Close()
	server := httptest.NewServer(cache)
	defer server.Close()
	cached := strings.TrimPrefix(server.URL, "http://") + "/" + reg.In("edge/os:")
	counted := func(from string) (layers, all int64) {
		reg.Reset()
		pull(t, from, nil)
		return reg.Reset()
	}
	first, _ := counted(cached + "v1.0.0")
	t.Logf("first upgrade: %d bytes of layers", first)
	read := func(tag string) *inspect.Report {
		r, err := inspect.Read(t.Context(), upstream+tag, inspect.Options{Arch: arch})
		require.NoError(t, err)
		return r
	}
	before := read("v1.0.0")
	for _, tag := range []string{"v1.1.0", "v1.1.0-agent"} {
		after := read(tag)
		said := inspect.Compare(before, after).Layers
		require.NotNil(t, said)
		without, _ := counted(upstream + tag)
		with, all := counted(cached + tag)
		t.Logf("upgrade to %s: %d bytes of layers with the cache, %d without, %d of %d layers are new", tag, with, without, said.New, said.New+said.Shared)
		assert.Equal(t, said.NewSize, with, "flavorkit diff says what is pulled")
		assert.Equal(t, said.NewSize+said.SharedSize, without)
		const overhead = 32 << 10 // manifests
		assert.LessOrEqual(t, all, said.NewSize*11/10+overhead)
		before = after
	}
}

// TestAgentPulls has the agent itself pull images through the cache, as in an upgrade with oci:.
func TestAgentPulls(t *testing.T) {
	t.Parallel()
	testkit.NeedRoot(t)
	agent := filepath.Join(testkit.Component(t, "kairos-agent", arch), "kairos-agent")
	reg := registrytest.New(t)
	same, old, changed := registrytest.Archive(t, "same", 3<<20), registrytest.Archive(t, "old", 2<<20), registrytest.Archive(t, "changed", 1<<20)
	reg.Push(t, "edge/os:v1", same, old)
	reg.Push(t, "edge/os:v2", same, changed)
	cache, err := layercache.New(layercache.Options{Dir: t.TempDir(), Size: 1 << 30})
	require.NoError(t, err)
	defer cache.Close()
	server := httptest.NewServer(cache)
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	counted := func(tag string) int64 {
		reg.Reset()
		dir := t.TempDir()
		out, err := exec.CommandContext(t.Context(), agent, "pull-image", "localhost:"+port+"/"+reg.In("edge/os:"+tag), dir).CombinedOutput()
		require.NoError(t, err, string(out))
		assert.FileExists(t, filepath.Join(dir, "same"))
		layers, _ := reg.Reset()
		return layers
	}
	assert.Equal(t, registrytest.Size(t, same, old), counted("v1"))
	assert.Equal(t, registrytest.Size(t, changed), counted("v2"))
	assert.Zero(t, counted("v1"), "back to the old version")
}

// pull reads an image as the agent does, and shows the texts of its small files.
func pull(t *testing.T, source string, show func(name, text string)) {
	t.Helper()
	ref, err := name.ParseReference(source)
	require.NoError(t, err)
	img, err := remote.Image(ref)
	require.NoError(t, err)
	all := mutate.Extract(img)
	defer all.Close()
	if show == nil {
		_, err = io.Copy(io.Discard, all)
		require.NoError(t, err)
		return
	}
	for r := tar.NewReader(all); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		text := ""
		if h.Size < 4<<10 {
			data, err := io.ReadAll(r)
			require.NoError(t, err)
			text = string(data)
		}
		show(h.Name, text)
	}
}
