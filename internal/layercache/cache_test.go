package layercache_test

import (
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/flavorkit/flavorkit/internal/layercache"
	"github.com/flavorkit/flavorkit/test/registrytest"
)

// machine is a machine with a cache.
type machine struct {
	t      *testing.T
	dir    string
	cache  *layercache.Cache
	server *httptest.Server
}

func start(t *testing.T, change ...func(*layercache.Options)) *machine {
	t.Helper()
	m := &machine{t: t, dir: t.TempDir()}
	m.boot(change...)
	t.Cleanup(m.stop)
	return m
}

// boot starts the cache, again after stop.
func (m *machine) boot(change ...func(*layercache.Options)) {
	m.t.Helper()
	opt := layercache.Options{
		Dir:   filepath.Join(m.dir, "store"),
		Size:  64 << 20,
		Retry: layercache.Retry{Tries: 4, Pause: time.Millisecond, Stall: 5 * time.Second},
	}
	for _, c := range change {
		c(&opt)
	}
	var err error
	m.cache, err = layercache.New(opt)
	require.NoError(m.t, err)
	m.server = httptest.NewServer(m.cache)
}

func (m *machine) stop() {
	m.server.CloseClientConnections()
	m.server.Close()
	m.cache.Close()
}

// source is what an upgrade names.
func (m *machine) source(image string) string {
	return strings.TrimPrefix(m.server.URL, "http://") + "/" + image
}

func hexOf(t *testing.T, l v1.Layer) string {
	t.Helper()
	h, err := l.Digest()
	require.NoError(t, err)
	return h.Hex
}

// TestUpgrade counts what upgrades download, for the layers of a system: with the cache the second
// pulls what changed, and without it all.
func TestUpgrade(t *testing.T) {
	const (
		userland = 600 << 10
		kernel   = 300 << 10
		k3s      = 200 << 10
		agent    = 100 << 10
		release  = 200
	)
	old := []v1.Layer{registrytest.Layer(1, userland), registrytest.Layer(2, kernel), registrytest.Layer(3, k3s), registrytest.Layer(4, agent), registrytest.Layer(5, release)}
	for _, c := range []struct {
		name    string
		changed []int
	}{
		{"k3s", []int{2, 4}},
		{"agent", []int{3, 4}},
		{"one package", []int{0, 4}},
		{"kernel", []int{1, 4}},
		{"nothing but the version", []int{4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			reg := registrytest.New(t)
			next := append([]v1.Layer{}, old...)
			var changed []v1.Layer
			for _, i := range c.changed {
				next[i] = registrytest.Layer(byte(100+i), int(registrytest.Size(t, old[i])))
				changed = append(changed, next[i])
			}
			reg.Push(t, "edge/os:v1", old...)
			reg.Push(t, "edge/os:v2", next...)
			m := start(t)
			reg.Reset()

			require.NoError(t, registrytest.Pull(reg.Addr()+"/edge/os:v2"))
			_, without := reg.Reset()
			assert.GreaterOrEqual(t, without, registrytest.Size(t, next...), "without the cache")

			require.NoError(t, registrytest.Pull(m.source(reg.In("edge/os:v1"))))
			blobs, _ := reg.Reset()
			assert.GreaterOrEqual(t, blobs, registrytest.Size(t, old...), "the first upgrade")

			require.NoError(t, registrytest.Pull(m.source(reg.In("edge/os:v2"))))
			blobs, all := reg.Reset()
			assert.GreaterOrEqual(t, blobs, registrytest.Size(t, changed...))
			const overhead = 4 << 10 // manifests, and the configuration of the image
			assert.LessOrEqual(t, all, registrytest.Size(t, changed...)*11/10+overhead)

			require.NoError(t, registrytest.Pull(m.source(reg.In("edge/os:v1"))))
			blobs, _ = reg.Reset()
			assert.Zero(t, blobs, "back to the old version")
			registrytest.CheckStore(t, filepath.Join(m.dir, "store"))
		})
	}
}

// TestCorrupted has a blob in the store that is not what its name says.
func TestCorrupted(t *testing.T) {
	reg := registrytest.New(t)
	big, small := registrytest.Layer(1, 1<<20), registrytest.Layer(2, 1000)
	reg.Push(t, "os:v1", big, small)
	m := start(t)
	require.NoError(t, registrytest.Pull(m.source(reg.In("os:v1"))))
	file := filepath.Join(m.dir, "store", "blobs", hexOf(t, big))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	data[len(data)/2]++
	require.NoError(t, os.WriteFile(file, data, 0o600))
	reg.Reset()

	require.NoError(t, registrytest.Pull(m.source(reg.In("os:v1"))))
	blobs, _ := reg.Reset()
	assert.Equal(t, registrytest.Size(t, big), blobs, "only that blob again")
	registrytest.CheckStore(t, filepath.Join(m.dir, "store"))
}

// TestWrong has a registry that sends something else than the digest says.
func TestWrong(t *testing.T) {
	reg := registrytest.New(t)
	big := registrytest.Layer(1, 100<<10)
	reg.Push(t, "os:v1", big)
	m := start(t)
	reg.Set(registrytest.Trouble{Wrong: true})
	require.Error(t, registrytest.Pull(m.source(reg.In("os:v1"))))
	assert.NoFileExists(t, filepath.Join(m.dir, "store", "blobs", hexOf(t, big)))
	assert.NoFileExists(t, filepath.Join(m.dir, "store", "parts", hexOf(t, big)))
	reg.Set(registrytest.Trouble{})
	require.NoError(t, registrytest.Pull(m.source(reg.In("os:v1"))))
	registrytest.CheckStore(t, filepath.Join(m.dir, "store"))
}

// TestBreaks has connections that break in the middle of a layer: the pull goes on where it was.
func TestBreaks(t *testing.T) {
	const all, before = 1 << 20, 300 << 10
	for _, c := range []struct {
		name   string
		ranges registrytest.Ranges
		most   int64
	}{
		{"with ranges", registrytest.Sends, all},
		{"without ranges", registrytest.Ignores, all + 3*all},
		{"refuses ranges", registrytest.Refuses, all + 3*all},
	} {
		t.Run(c.name, func(t *testing.T) {
			reg := registrytest.New(t)
			big := registrytest.Layer(1, all)
			reg.Push(t, "os:v1", big)
			m := start(t)
			reg.Reset()
			reg.Set(registrytest.Trouble{Breaks: 2, BreakAfter: before, Ranges: c.ranges})
			require.NoError(t, registrytest.Pull(m.source(reg.In("os:v1"))))
			asked := reg.Asked()
			blobs, _ := reg.Reset()
			assert.LessOrEqual(t, blobs, c.most+4<<10)
			assert.Contains(t, asked, "bytes=307200-")
			registrytest.CheckStore(t, filepath.Join(m.dir, "store"))
		})
	}
}

// TestAway has a registry that is away for longer than the cache waits: the upgrade fails, and the next
// one goes on.
func TestAway(t *testing.T) {
	const all, before = 1 << 20, 300 << 10
	reg := registrytest.New(t)
	big := registrytest.Layer(1, all)
	reg.Push(t, "os:v1", big)
	m := start(t)
	reg.Reset()
	reg.Set(registrytest.Trouble{Breaks: 1, BreakAfter: before, AwayAfter: true})
	require.Error(t, registrytest.Pull(m.source(reg.In("os:v1"))))
	m.stop()
	info, err := os.Stat(filepath.Join(m.dir, "store", "parts", hexOf(t, big)))
	require.NoError(t, err)
	require.Positive(t, info.Size())

	reg.Set(registrytest.Trouble{})
	reg.Reset()
	m.boot()
	require.NoError(t, registrytest.Pull(m.source(reg.In("os:v1"))))
	_, sent := reg.Reset()
	assert.LessOrEqual(t, sent, all-info.Size()+4<<10, "only the rest")
	registrytest.CheckStore(t, filepath.Join(m.dir, "store"))
}

// TestLeftover has a part that is not the beginning of its blob, as after a power cut.
func TestLeftover(t *testing.T) {
	for name, left := range map[string]int{"shorter": 1000, "longer": 200 << 10} {
		t.Run(name, func(t *testing.T) {
			reg := registrytest.New(t)
			big := registrytest.Layer(1, 100<<10)
			reg.Push(t, "os:v1", big)
			m := start(t)
			part := filepath.Join(m.dir, "store", "parts", hexOf(t, big))
			require.NoError(t, os.WriteFile(part, make([]byte, left), 0o600))
			require.NoError(t, registrytest.Pull(m.source(reg.In("os:v1"))))
			assert.FileExists(t, filepath.Join(m.dir, "store", "blobs", hexOf(t, big)))
			registrytest.CheckStore(t, filepath.Join(m.dir, "store"))
		})
	}
}

// TestTogether has several upgrades at once, which share what is downloaded.
func TestTogether(t *testing.T) {
	reg := registrytest.New(t)
	big := registrytest.Layer(1, 1<<20)
	reg.Push(t, "os:v1", big)
	m := start(t)
	reg.Reset()
	gate := make(chan struct{})
	reg.Set(registrytest.Trouble{Gate: gate, Pause: time.Millisecond})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { assert.NoError(t, registrytest.Pull(m.source(reg.In("os:v1")))) })
	}
	time.Sleep(100 * time.Millisecond) // they all ask for the configuration
	close(gate)
	wg.Wait()
	blobs, _ := reg.Reset()
	assert.LessOrEqual(t, blobs, registrytest.Size(t, big)+4<<10)
	registrytest.CheckStore(t, filepath.Join(m.dir, "store"))
}

// TestNoRoom has a store that is smaller than a layer.
func TestNoRoom(t *testing.T) {
	reg := registrytest.New(t)
	big, small := registrytest.Layer(1, 1<<20), registrytest.Layer(2, 1000)
	reg.Push(t, "os:v1", big, small)
	m := start(t, func(o *layercache.Options) { o.Size = 512 << 10 })
	require.NoError(t, registrytest.Pull(m.source(reg.In("os:v1"))))
	assert.NoFileExists(t, filepath.Join(m.dir, "store", "blobs", hexOf(t, big)))
	assert.NoFileExists(t, filepath.Join(m.dir, "store", "parts", hexOf(t, big)))
	assert.FileExists(t, filepath.Join(m.dir, "store", "blobs", hexOf(t, small)))
	registrytest.CheckStore(t, filepath.Join(m.dir, "store"))
}

// TestReadOnly has a store that nobody can write to.
func TestReadOnly(t *testing.T) {
	reg := registrytest.New(t)
	reg.Push(t, "os:v1", registrytest.Layer(1, 100<<10))
	m := start(t)
	parts := filepath.Join(m.dir, "store", "parts")
	require.NoError(t, os.Remove(parts))
	require.NoError(t, os.WriteFile(parts, nil, 0o600)) // root may write to any directory
	require.NoError(t, registrytest.Pull(m.source(reg.In("os:v1"))))
}

// TestFull has a disk that is full in the middle of a layer. A limit of the size of files stands in for
// it: the error comes from write(2), too.
func TestFull(t *testing.T) {
	const all, limit = 1 << 20, 300 << 10
	reg := registrytest.New(t)
	big := registrytest.Layer(1, all)
	reg.Push(t, "os:v1", big)
	m := start(t)
	reg.Reset()
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, unix.SIGXFSZ) // it would end the process
	defer signal.Stop(ignored)
	var before unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_FSIZE, &before))
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: before.Max}))
	err := registrytest.Pull(m.source(reg.In("os:v1")))
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &before))
	require.NoError(t, err)
	assert.Contains(t, strings.Join(reg.Asked(), " "), "bytes=", "it goes on where writing failed")
	blobs, _ := reg.Reset()
	assert.Less(t, blobs, int64(2*all), "and does not begin again")
	assert.NoFileExists(t, filepath.Join(m.dir, "store", "blobs", hexOf(t, big)))
	assert.NoFileExists(t, filepath.Join(m.dir, "store", "parts", hexOf(t, big)))
	registrytest.CheckStore(t, filepath.Join(m.dir, "store"))
}

// TestErrors has the errors of the registry, by name, and those of the cache.
func TestErrors(t *testing.T) {
	reg := registrytest.New(t)
	reg.Push(t, "os:v1", registrytest.Layer(1, 1000))
	m := start(t)
	for image, want := range map[string]string{
		reg.In("os:v9"):     "MANIFEST_UNKNOWN: " + reg.Addr() + ": ",
		reg.In("other:v1"):  "NAME_UNKNOWN: " + reg.Addr() + ": ",
		"org/os:v1":         "NAME_INVALID: org is not the name of a registry: write the registry first",
		"127.0.0.1_1/os:v1": "UNAVAILABLE: cannot reach 127.0.0.1:1: ",
		reg.In("os") + "@sha256:" + strings.Repeat("0", 64): "MANIFEST_UNKNOWN",
	} {
		err := registrytest.Pull(m.source(image))
		require.Error(t, err, image)
		assert.Contains(t, err.Error(), want, image)
	}
	ref, err := name.ParseReference(m.source(reg.In("os:v2")))
	require.NoError(t, err)
	img, err := mutate.AppendLayers(empty.Image, registrytest.Layer(1, 10))
	require.NoError(t, err)
	assert.ErrorContains(t, remote.Write(ref, img), "UNSUPPORTED: ")
}

// TestKeeps has a store with room for three of four images: it keeps the active and the passive one.
func TestKeeps(t *testing.T) {
	const big = 100 << 10
	reg := registrytest.New(t)
	images := map[string]v1.Layer{}
	for i, version := range []string{"v1", "v2", "v3", "v4"} {
		images[version] = registrytest.Layer(byte(i), big)
		reg.Push(t, "os:"+version, images[version])
	}
	m := &machine{t: t, dir: t.TempDir()}
	agent, run := filepath.Join(m.dir, ".kairos-state"), filepath.Join(m.dir, "run")
	require.NoError(t, os.MkdirAll(run, 0o755))
	options := func(o *layercache.Options) {
		o.Size = 3*big + big/2
		o.Machine = layercache.Machine{Agent: agent, Boot: run}
	}
	upgrades := 0
	upgrade := func(version string) {
		t.Helper()
		require.NoError(t, registrytest.Pull(m.source(reg.In("os:"+version))))
		upgrades++
		state := "first-install: never\nlast-active-upgrade: \"" + time.Unix(int64(upgrades), 0).UTC().Format(time.RFC3339) + "\"\n" +
			"last-active-source: oci://localhost:5000/" + reg.In("os:"+version) + "\n"
		require.NoError(t, os.WriteFile(agent, []byte(state), 0o644))
	}
	reboot := func(mode string) {
		t.Helper()
		if m.server != nil {
			m.stop()
		}
		for _, other := range []string{"active", "passive"} {
			_ = os.Remove(filepath.Join(run, other+"_mode"))
		}
		require.NoError(t, os.WriteFile(filepath.Join(run, mode+"_mode"), nil, 0o644))
		m.boot(options)
	}
	has := func(want ...string) {
		t.Helper()
		var found []string
		for _, version := range []string{"v1", "v2", "v3", "v4"} {
			if _, err := os.Stat(filepath.Join(m.dir, "store", "blobs", hexOf(t, images[version]))); err == nil {
				found = append(found, version)
			}
		}
		assert.Equal(t, want, found)
	}
	reboot("active")
	t.Cleanup(func() { m.stop() })
	upgrade("v1")
	reboot("active")
	upgrade("v2")
	// v2 does not boot, so v1 goes on as passive.
	reboot("passive")
	upgrade("v3")
	has("v1", "v2", "v3")
	// Nor does v3. v1 was used longest ago, but it is what runs.
	reboot("passive")
	upgrade("v4")
	has("v1", "v3", "v4")
	reboot("active")
	upgrade("v2") // v1 is the fallback until v2 is installed
	has("v1", "v2", "v4")
	reboot("active")
	upgrade("v3")
	has("v2", "v3", "v4")
}
