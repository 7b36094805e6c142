package integration

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/engine"
	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/test/testkit"
)

const arch = "amd64"

// debianSpec is the spec of the README.
const debianSpec = `# syntax=ghcr.io/flavorkit/frontend:1
extends: debian-12
version: v1.0.0
`

// shared has what the tests of this package share.
var shared struct {
	engineMu sync.Mutex // held while the engine starts
	engine   *engine.Engine
	root     string

	isoMu sync.Mutex // held while the ISO is built
	iso   string

	budgetMu sync.Mutex // held while the budgets are read or written
}

func TestMain(m *testing.M) {
	engine.Main()
	code := m.Run()
	if shared.engine != nil {
		_ = shared.engine.Close()
		_ = os.RemoveAll(shared.root)
	}
	os.Exit(code)
}

// embedded returns a client of the built-in engine. Its cache is empty at the start of every run.
func embedded(t testing.TB) *client.Client {
	t.Helper()
	testkit.NeedRoot(t)
	testkit.Need(t, "runc", "run hack/deps.sh build")
	shared.engineMu.Lock()
	defer shared.engineMu.Unlock()
	if shared.engine == nil {
		root := emptyState(t, "integration")
		e, err := engine.New(context.Background(), engine.Options{Root: root})
		require.NoError(t, err)
		shared.engine, shared.root = e, root
	}
	return shared.engine.Client()
}

// emptyState is a directory for the state of an engine. A run that was killed may have left
// containers that use it, which an engine ends when it starts.
func emptyState(t testing.TB, name string) string {
	t.Helper()
	root := filepath.Join(testkit.Cache(t), name)
	if _, err := os.Stat(root); err == nil {
		e, err := engine.New(context.Background(), engine.Options{Root: root})
		require.NoError(t, err)
		require.NoError(t, e.Close())
	}
	require.NoError(t, os.RemoveAll(root))
	return root
}

// passingState is an empty directory for the state of an engine, until the test ends: gigabytes.
func passingState(t *testing.T, name string) string {
	t.Helper()
	root := emptyState(t, name)
	t.Cleanup(func() { emptyState(t, name) })
	return root
}

// writeFiles writes files into a directory of the test.
func writeFiles(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

// contexts are the base image and the components, made by hack/.
func contexts(t testing.TB) map[string]string {
	t.Helper()
	return map[string]string{
		"debian:12-slim": "oci-layout://" + testkit.Base(t, "debian-12", arch),
		"debian:13-slim": "oci-layout://" + testkit.Base(t, "debian-13", arch),
		"kairos-agent":   testkit.Component(t, "kairos-agent", arch),
		"immucore":       testkit.Component(t, "immucore", arch),
		"layer-cache":    testkit.Component(t, "layer-cache", arch),
	}
}

// options of a build of the files in a directory, among them kairos.spec.
func options(t testing.TB, files map[string]string) solve.Options {
	t.Helper()
	dir := writeFiles(t, files)
	return solve.Options{
		File:     filepath.Join(dir, "kairos.spec"),
		Context:  dir,
		Contexts: contexts(t),
		Args:     siteArgs(t),
		Progress: "plain",
		Log:      io.Discard,
	}
}

// siteArgs passes the mirrors of this network on, as the CLI does.
func siteArgs(t testing.TB) map[string]string {
	t.Helper()
	site, _, err := local.ReadSite(local.SiteFile())
	require.NoError(t, err)
	if site == nil {
		return map[string]string{}
	}
	return map[string]string{frontend.ConfigArg: string(site.Data)}
}

// mergeName is the suffix of the names of merges.
const mergeName = "rootfs] merge the layers"

// record notes which vertices a build really ran.
type record struct {
	vertices map[digest.Digest]*client.Vertex
	log      strings.Builder
}

// watch has a build noted.
func watch(o *solve.Options) *record {
	r := &record{vertices: map[digest.Digest]*client.Vertex{}}
	began := time.Now()
	o.Log = &r.log
	o.Watch = func(s *client.SolveStatus) {
		for _, v := range s.Vertexes {
			// A vertex that ran may be reported once more, as cached. One that a build beside this
			// one still holds is reported as that build ran it.
			if v.Completed != nil && !v.Cached && v.Started != nil && v.Started.After(began) {
				r.vertices[v.Digest] = v
			}
		}
	}
	return r
}

// ran lists the names of the vertices that ran. A vertex without inputs is not among them: BuildKit
// reports it as run whenever it looks for its cache key (solver.sharedOp.CacheMap), and so are the
// transfers of the client. Nor is the merge, which copies nothing and is reported either way.
func (r *record) ran() []string {
	var names []string
	for _, v := range r.vertices {
		if len(v.Inputs) > 0 && !strings.HasSuffix(v.Name, mergeName) {
			names = append(names, v.Name)
		}
	}
	slices.Sort(names)
	return names
}

// took returns the time of all steps that ran, and that of the longest chain of dependent steps.
func (r *record) took() (all, chain time.Duration) {
	ends := map[digest.Digest]time.Duration{}
	var end func(digest.Digest) time.Duration
	end = func(d digest.Digest) time.Duration {
		if e, ok := ends[d]; ok {
			return e
		}
		var e time.Duration
		v := r.vertices[d]
		if v == nil {
			return 0
		}
		for _, in := range v.Inputs {
			e = max(e, end(in))
		}
		if len(v.Inputs) > 0 && v.Started != nil {
			step := v.Completed.Sub(*v.Started)
			all += step
			e += step
		}
		ends[d] = e
		return e
	}
	for d := range r.vertices {
		chain = max(chain, end(d))
	}
	return all, chain
}

// build builds into a new directory and returns its files by name.
func build(t *testing.T, c *client.Client, o solve.Options) string {
	t.Helper()
	out, err := solve.OutputDir(t.TempDir())
	require.NoError(t, err)
	defer func() { assert.NoError(t, out.Discard()) }()
	_, err = solve.Build(t.Context(), c, o, out.Entry)
	if err != nil {
		t.Fatalf("build: %+v\n%v", err, o.Log)
	}
	files, err := out.Commit()
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return filepath.Dir(files[0])
}

// solved builds without exporting, which is faster for tests that only check which steps ran.
func solved(t *testing.T, c *client.Client, o solve.Options) {
	t.Helper()
	if _, err := solve.Build(t.Context(), c, o); err != nil {
		t.Fatalf("build: %+v\n%v", err, o.Log)
	}
}

// isoOf builds the ISO of a spec with the programs of the standard variant, and returns its path.
func isoOf(t *testing.T, spec string) string {
	t.Helper()
	o := options(t, map[string]string{"kairos.spec": spec})
	o.Target, o.Contexts = "iso", standardContexts(t)
	watch(&o)
	return glob(t, build(t, embedded(t), o), "*.iso")
}

// iso returns the ISO of debianSpec, built on the embedded engine.
func iso(t *testing.T) string {
	t.Helper()
	c := embedded(t)
	shared.isoMu.Lock()
	defer shared.isoMu.Unlock()
	if shared.iso == "" {
		o := options(t, map[string]string{"kairos.spec": debianSpec})
		o.Target = "iso"
		watch(&o)
		dir := filepath.Join(testkit.Cache(t), "integration-dist")
		require.NoError(t, os.RemoveAll(dir))
		out, err := solve.OutputDir(dir)
		require.NoError(t, err)
		defer func() { assert.NoError(t, out.Discard()) }()
		if _, err = solve.Build(t.Context(), c, o, out.Entry); err != nil {
			t.Fatalf("build: %+v\n%v", err, o.Log)
		}
		_, err = out.Commit()
		require.NoError(t, err)
		shared.iso = filepath.Join(dir, "kairos-debian-12-core-amd64-generic-v1.0.0.iso")
	}
	return shared.iso
}
