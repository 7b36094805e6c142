//go:build linux

package engine

import (
	"archive/tar"
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/stretchr/testify/require"
	"github.com/tonistiigi/fsutil"
)

// mirror starts a registry with one image, the guest with the given entrypoint, and returns its
// host.
func mirror(t *testing.T, repository string, entrypoint ...string) string {
	t.Helper()
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(srv.Close)
	host := strings.TrimPrefix(srv.URL, "http://")

	dir, err := guestDir()
	require.NoError(t, err)
	program := readFile(t, dir, "guest")
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if err := w.WriteHeader(&tar.Header{Name: "guest", Mode: 0o755, Size: int64(len(program))}); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, program); err != nil {
			return nil, err
		}
		return io.NopCloser(&b), w.Close()
	})
	require.NoError(t, err)
	img, err := mutate.AppendLayers(empty.Image, layer)
	require.NoError(t, err)
	img, err = mutate.Config(img, v1.Config{Entrypoint: entrypoint})
	require.NoError(t, err)
	ref, err := name.ParseReference(host + "/" + repository)
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, img))
	return host
}

func TestMirror(t *testing.T) {
	root := requireEngine(t)
	host := mirror(t, "flavorkit/test:1", "/guest")
	e := open(t, Options{Root: root, Mirrors: map[string][]string{"docker.io": {host}}})
	st := llb.Image("docker.io/flavorkit/test:1").Run(llb.Args([]string{"/guest", "write", "/a", "b"})).Root()
	out := t.TempDir()
	_, err := solve(t.Context(), e.Client(), st, out)
	require.NoError(t, err)
	require.Equal(t, "b", readFile(t, out, "a"))
}

func TestDockerfile(t *testing.T) {
	e := open(t, Options{Root: requireEngine(t)})
	out := t.TempDir()
	err := buildDockerfile(t, e, `FROM scratch
COPY guest /guest
RUN ["/guest", "write", "/a", "b"]
`, out)
	require.NoError(t, err)
	require.Equal(t, "b", readFile(t, out, "a"))
}

// A "# syntax=" line runs a frontend from an image. This one only complains, and it must do so in
// the log.
func TestSyntaxLine(t *testing.T) {
	root := requireEngine(t)
	host := mirror(t, "flavorkit/frontend:1", "/guest", "complain", "no such spec")
	log := &syncBuffer{}
	e := open(t, Options{Root: root, Log: log, Mirrors: map[string][]string{"docker.io": {host}}})
	err := buildDockerfile(t, e, "# syntax=docker.io/flavorkit/frontend:1\n", t.TempDir())
	require.ErrorContains(t, err, "exit code: 1")
	eventually(t, "the complaint is in the log", func() bool { return strings.Contains(log.String(), "guest: no such spec") })
}

func buildDockerfile(t *testing.T, e *Engine, dockerfile, out string) error {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o644))
	src, err := fsutil.NewFS(dir)
	require.NoError(t, err)
	guest, err := guestMount()
	require.NoError(t, err)
	_, err = e.Client().Solve(t.Context(), nil, client.SolveOpt{
		Frontend:    "dockerfile.v0",
		LocalMounts: map[string]fsutil.FS{"dockerfile": src, "context": guest["guest"]},
		Exports:     []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: out}},
	}, nil)
	return err
}
