package bundle

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ggcr "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/plan/bundle"
)

// put writes files into a new directory.
func put(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

// source has what is in a bundle of a spec: a download, a directory and files; or of a matrix with entries.
func source(t *testing.T, entries ...string) Options {
	t.Helper()
	tools := put(t, map[string]string{"agent": "a program"})
	require.NoError(t, os.Chmod(filepath.Join(tools, "agent"), 0o755))
	require.NoError(t, os.Symlink("agent", filepath.Join(tools, "link")))
	files := put(t, map[string]string{digest.FromString("curl").Encoded(): "curl"})
	specDir := put(t, map[string]string{"kairos.spec": "extends: ./base.spec", "base.spec": "x", "kairos.lock": "version: 1", "etc/motd": "hello", "secret": "s"})
	return Options{
		Files: files, Spec: filepath.Join(specDir, "kairos.spec"), Context: specDir,
		Dirs: map[string]string{"docker.io/library/tools:latest": tools},
		Args: map[string]string{"CHANNEL": "it's"},
		Contents: bundle.Contents{
			Platforms: []string{"linux/amd64"}, Entries: entries, Spec: []string{"base.spec", "kairos.lock"}, Files: []string{"etc/motd"},
			Downloads: []bundle.Download{{URL: "http://deb.example/curl.deb", Digest: digest.FromString("curl")}},
		},
	}
}

// made is a bundle.
func made(t *testing.T, entries ...string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, Write(t.Context(), dir, source(t, entries...)))
	return dir
}

// names are the files of a directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(dir, path)
			all = append(all, name)
		}
		return err
	}))
	return all
}

func TestWrite(t *testing.T) {
	dir := made(t)
	b, err := Open(t.Context(), dir, "")
	require.NoError(t, err)
	assert.Equal(t, "kairos.spec", b.Spec)
	assert.Equal(t, []string{"linux/amd64"}, b.Platforms)
	require.Len(t, b.Contexts, 1)
	assert.Equal(t, "tools", b.Contexts[0].Name)
	var beside []string
	for _, name := range names(t, dir) {
		if !strings.HasPrefix(name, "blobs/") {
			beside = append(beside, name)
		}
	}
	assert.Equal(t, []string{"README.md", "context/etc/motd", "index.json", "oci-layout", "spec/base.spec", "spec/kairos.lock", "spec/kairos.spec"}, beside)
	readme, err := os.ReadFile(filepath.Join(dir, bundle.Readme))
	require.NoError(t, err)
	assert.Contains(t, string(readme), "--build-context flavorkit-bundle=oci-layout://.:bundle \\\n      --build-arg 'CHANNEL=it'\\''s' \\\n      -f spec/kairos.spec ")

	index, err := ggcr.ImageIndexFromPath(dir)
	require.NoError(t, err)
	m, err := index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, m.Manifests, 2)
	_, err = index.Image(m.Manifests[1].Digest)
	assert.NoError(t, err, "other programs read it")
}

// TestDirectories unpacks the named contexts that are directories.
func TestDirectories(t *testing.T) {
	b, err := Open(t.Context(), made(t), "")
	require.NoError(t, err)
	b.Contexts = append(b.Contexts, bundle.Context{Name: "debian:12-slim::linux/amd64", Digest: digest.FromString("an image")})
	dirs, err := b.Directories(t.Context(), t.TempDir())
	require.NoError(t, err)
	require.Len(t, dirs, 1)
	assert.Equal(t, []string{"agent", "link"}, names(t, dirs["tools"]))
	info, err := os.Stat(filepath.Join(dirs["tools"], "link"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o755), info.Mode())
}

// TestMatrixBundle is of a matrix: its README names the entries, and has no command for docker buildx.
func TestMatrixBundle(t *testing.T) {
	b, err := Open(t.Context(), made(t, "edge-amd64", "core-amd64"), "")
	require.NoError(t, err)
	assert.Equal(t, []string{"edge-amd64", "core-amd64"}, b.Entries)
	readme, err := os.ReadFile(filepath.Join(b.Dir, bundle.Readme))
	require.NoError(t, err)
	assert.Contains(t, string(readme), "`spec` has the matrix with its lock file")
	assert.Contains(t, string(readme), "\n    flavorkit matrix build --from-bundle .\n")
	assert.Contains(t, string(readme), "\n- `edge-amd64`\n- `core-amd64`\n")
	assert.NotContains(t, string(readme), "--build-context")
}

// TestSameBundle writes equal inputs from other directories, at other times.
func TestSameBundle(t *testing.T) {
	var one, two bytes.Buffer
	require.NoError(t, pack(t.Context(), made(t), &one))
	require.NoError(t, pack(t.Context(), made(t), &two))
	assert.Equal(t, digest.FromBytes(one.Bytes()), digest.FromBytes(two.Bytes()))

	file := filepath.Join(t.TempDir(), "edge.tar")
	require.NoError(t, os.WriteFile(file, one.Bytes(), 0o644))
	scratch := t.TempDir()
	b, err := Open(t.Context(), file, scratch)
	require.NoError(t, err)
	assert.Equal(t, scratch, b.Dir)
	for _, part := range []int{1, 2, 3, 4} {
		require.NoError(t, os.WriteFile(file, one.Bytes()[:one.Len()*part/5], 0o644))
		_, err := Open(t.Context(), file, t.TempDir())
		require.Error(t, err)
		assert.Regexp(t, "is truncated|cannot be used: ", err.Error())
	}
}

// TestDamagedBundle changes one byte of each file, and removes each.
func TestDamagedBundle(t *testing.T) {
	for _, name := range names(t, made(t)) {
		if name == "index.json" || name == "oci-layout" {
			continue // nothing but the tag of the bundle is read there
		}
		dir := made(t)
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		data[len(data)/2] ^= 1
		require.NoError(t, os.WriteFile(path, data, 0o644))
		_, err = Open(t.Context(), dir, "")
		require.ErrorContains(t, err, "the bundle "+dir+" cannot be used: ", name)
		if strings.HasPrefix(name, "blobs/") {
			require.ErrorContains(t, err, name+" has other bytes than its name says")
		}
		require.NoError(t, os.Remove(path))
		_, err = Open(t.Context(), dir, "")
		require.ErrorContains(t, err, "the bundle "+dir+" cannot be used: ", name)
	}
	dir := made(t)
	require.NoError(t, os.Chmod(filepath.Join(dir, "context/etc/motd"), 0o600))
	_, err := Open(t.Context(), dir, "")
	assert.ErrorContains(t, err, "README.md, spec or context is not what was bundled", "modes are in images")
}

func TestNoBundle(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		want  string
	}{
		"nothing":        {want: "it has no index.json: it is truncated, or no bundle"},
		"another layout": {map[string]string{"index.json": `{"manifests":[]}`}, "index.json has no manifest of a bundle"},
		"no JSON":        {map[string]string{"index.json": `{`}, "read index.json: "},
		"a link":         {map[string]string{"index.json": `{"manifests":[{"digest":"../../x","annotations":{"org.opencontainers.image.ref.name":"bundle"}}]}`}, "index.json has no manifest of a bundle"},
	} {
		_, err := Open(t.Context(), put(t, tt.files), "")
		assert.ErrorContains(t, err, tt.want, name)
	}
	file := filepath.Join(put(t, map[string]string{"x.tar": "no archive"}), "x.tar")
	_, err := Open(t.Context(), file, t.TempDir())
	assert.ErrorContains(t, err, "x.tar is truncated")
	_, err = Open(t.Context(), file+".none", t.TempDir())
	assert.ErrorContains(t, err, "open the bundle: ")
}

func TestNewerFormat(t *testing.T) {
	_, err := bundle.Read([]byte(`{"version":9,"spec":[]}`))
	assert.EqualError(t, err, "the bundle has the format 9, and this version of flavorkit reads 1; use the version of flavorkit that wrote it")
}

// TestInterrupted interrupts what comes after the builder: nothing is left.
func TestInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, name := range []string{"edge.tar", "edge"} {
		dir := t.TempDir()
		out, err := solve.OutputMade(filepath.Join(dir, name))
		require.NoError(t, err)
		o := source(t)
		require.ErrorIs(t, writeTo(ctx, out.Partial(), o), context.Canceled)
		require.NoError(t, out.Discard())
		assert.Empty(t, names(t, dir))
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, entries)
	}
}

// TestUnpackStaysInside reads an archive that names files elsewhere.
func TestUnpackStaysInside(t *testing.T) {
	outside := t.TempDir()
	source := put(t, nil)
	require.NoError(t, os.Symlink(outside, filepath.Join(source, "link")))
	var archive bytes.Buffer
	require.NoError(t, pack(t.Context(), source, &archive))
	dir := t.TempDir()
	require.NoError(t, unpack(t.Context(), &archive, dir))
	var second bytes.Buffer
	require.NoError(t, pack(t.Context(), put(t, map[string]string{"link/file": "x"}), &second))
	require.Error(t, unpack(t.Context(), &second, dir))
	assert.Empty(t, names(t, outside))
}
