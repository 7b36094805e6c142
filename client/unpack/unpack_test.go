package unpack_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/buildkit/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/flavorkit/flavorkit/client/unpack"
)

var day = time.Unix(1700000000, 0)

// entry is an entry of a layer.
type entry struct {
	tar.Header
	content string
}

func file(name, content string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content)), ModTime: day}, content}
}

func dir(name string, mode int64) entry {
	return entry{tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode, ModTime: day}, ""}
}

func link(name, to string) entry {
	return entry{tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to, ModTime: day}, ""}
}

func hardlink(name, to string) entry {
	return entry{tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: to, ModTime: day}, ""}
}

// image is an image with a layer for each list of entries.
func image(t *testing.T, layers ...[]entry) v1.Image {
	t.Helper()
	img := empty.Image
	for _, entries := range layers {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, e := range entries {
			require.NoError(t, w.WriteHeader(&e.Header))
			_, err := io.WriteString(w, e.content)
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
		require.NoError(t, err)
		img, err = mutate.AppendLayers(img, layer)
		require.NoError(t, err)
	}
	return img
}

// save writes an image into an OCI layout.
func save(t *testing.T, img v1.Image) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "layout")
	path, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	require.NoError(t, path.AppendImage(img))
	return dir
}

// tree has the files of a directory: contents by path, → before the target of a link, and / after
// the path of a directory that is empty.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		name, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		switch {
		case d.IsDir():
			entries, err := os.ReadDir(path)
			require.NoError(t, err)
			if len(entries) == 0 && name != "." {
				all[name+"/"] = ""
			}
		case d.Type() == os.ModeSymlink:
			to, err := os.Readlink(path)
			require.NoError(t, err)
			all[name] = "→" + to
		default:
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			all[name] = string(data)
		}
		return nil
	}))
	return all
}

func TestSources(t *testing.T) {
	img := image(t, []entry{file("./disk.img", "disk"), file("/README", "text")})
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	ref, err := name.ParseReference(strings.TrimPrefix(server.URL, "http://") + "/acme/edge:v1.1.7.img")
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, img))
	docker := filepath.Join(t.TempDir(), "docker.tar")
	require.NoError(t, tarball.WriteToFile(docker, ref, img))
	oci := filepath.Join(t.TempDir(), "oci.tar")
	f, err := os.Create(oci)
	require.NoError(t, err)
	w := tar.NewWriter(f)
	require.NoError(t, w.AddFS(os.DirFS(save(t, img))))
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())

	for _, source := range []string{save(t, img), ref.Name(), docker, oci} {
		to := filepath.Join(t.TempDir(), "new")
		got, err := unpack.Unpack(t.Context(), source, to, unpack.Options{Arch: "amd64"})
		require.NoError(t, err, source)
		assert.Equal(t, unpack.Result{Files: 2, Size: 8}, got)
		assert.Equal(t, map[string]string{"disk.img": "disk", "README": "text"}, tree(t, to))
	}
}

// TestLayers unpacks layers over each other.
func TestLayers(t *testing.T) {
	img := image(t,
		[]entry{
			dir("a", 0o755), file("a/old", "1"), file("a/new", "1"), file("b/x", "1"), file("b/y/z", "1"), file("c", "1"), file("d/e", "1"),
			dir("usr/lib", 0o755), link("lib", "usr/lib"),
		},
		// An opaque whiteout may come after what its layer has.
		[]entry{
			file("a/new", "2"), file("b/w", "2"), file("b/.wh..wh..opq", ""), file("a/.wh.old", ""), file("d", "2"), file(".wh.c", ""),
			file("lib/m", "2"), link("usr/lib/n", "../../a/new"), hardlink("h", "a/new"), dir("locked", 0o555), file("locked/f", "2"),
		},
	)
	to := t.TempDir()
	_, err := unpack.Unpack(t.Context(), save(t, img), to, unpack.Options{})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"a/new": "2", "b/w": "2", "d": "2", "lib": "→usr/lib", "usr/lib/m": "2", "usr/lib/n": "→../../a/new", "h": "2", "locked/f": "2",
	}, tree(t, to))
	info, err := os.Stat(filepath.Join(to, "locked"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o555), info.Mode().Perm())
	assert.Equal(t, day, info.ModTime())
	info, err = os.Stat(filepath.Join(to, "a", "new"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o644), info.Mode())
	assert.Equal(t, day, info.ModTime())
	require.NoError(t, os.Chmod(filepath.Join(to, "locked"), 0o755)) // to be removed
}

// TestSparse unpacks a disk with holes at its start, in its middle and at its end.
func TestSparse(t *testing.T) {
	const size = 24 << 20
	disk := make([]byte, size)
	copy(disk[4<<20:], "partition")
	copy(disk[12<<20+100:], "partition")
	to := t.TempDir()
	status := make(chan *client.SolveStatus, 1000)
	_, err := unpack.Unpack(t.Context(), save(t, image(t, []entry{file("disk.img", string(disk))})), to, unpack.Options{Status: status})
	require.NoError(t, err)
	got, err := os.ReadFile(filepath.Join(to, "disk.img"))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(disk, got))
	var st unix.Stat_t
	require.NoError(t, unix.Stat(filepath.Join(to, "disk.img"), &st))
	assert.LessOrEqual(t, st.Blocks*512, int64(1<<20))

	var steps, last int64
	for s := range status { // closed
		steps += int64(len(s.Vertexes))
		for _, f := range s.Statuses {
			assert.Equal(t, "disk.img", f.Name)
			assert.EqualValues(t, size, f.Total)
			last = f.Current
		}
	}
	assert.EqualValues(t, 2, steps, "the start and the end of the layer")
	assert.EqualValues(t, size, last)
}

func TestOwners(t *testing.T) {
	program := file("program", "x")
	program.Mode, program.Uid, program.Gid = 0o4755, os.Getuid(), os.Getgid()
	layout := save(t, image(t, []entry{program}))
	for owners, want := range map[bool]os.FileMode{false: 0o755, true: 0o755 | os.ModeSetuid} {
		to := t.TempDir()
		_, err := unpack.Unpack(t.Context(), layout, to, unpack.Options{Owners: owners})
		require.NoError(t, err)
		info, err := os.Stat(filepath.Join(to, "program"))
		require.NoError(t, err)
		assert.Equal(t, want, info.Mode())
	}
}

func TestForce(t *testing.T) {
	layout := save(t, image(t, []entry{file("sub/a", "new"), file("b", "new")}))
	to := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(to, "sub"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(to, "sub", "a"), []byte("old"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(to, "sub", "other"), []byte("old"), 0o600))
	_, err := unpack.Unpack(t.Context(), layout, to, unpack.Options{})
	assert.ErrorContains(t, err, filepath.Join(to, "sub/a")+" exists; use --force to replace it")
	assert.Equal(t, map[string]string{"sub/a": "old", "sub/other": "old"}, tree(t, to), "nothing is left of it")

	_, err = unpack.Unpack(t.Context(), layout, to, unpack.Options{Force: true})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"sub/a": "new", "sub/other": "old", "b": "new"}, tree(t, to))
	info, err := os.Stat(filepath.Join(to, "sub"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "a directory that was there keeps its mode")

	_, err = unpack.Unpack(t.Context(), save(t, image(t, []entry{file("sub", "x")})), to, unpack.Options{Force: true})
	assert.ErrorContains(t, err, filepath.Join(to, "sub")+" exists and is of another type")
}

// TestRefused unpacks what would write out of the directory, or what no file can hold.
func TestRefused(t *testing.T) {
	fifo := entry{tar.Header{Typeflag: tar.TypeFifo, Name: "pipe"}, ""}
	for want, entries := range map[string][]entry{
		`"../a" leads out of the directory`:                      {file("../a", "x")},
		`"a/../../b" leads out of the directory`:                 {file("a/../../b", "x")},
		"write a: it is a link out of the directory, to /etc":    {link("a", "/etc")},
		"write b/c: it is a link out of the directory, to ../..": {link("b/c", "../..")},
		"write d: it is a link out of the directory, to e/..":    {link("d", "e/..")},
		"write u: it is a link out of the directory, to ../x":    {dir("a/b", 0o755), link("a/b/s", "../.."), link("a/b/s/u", "../x")},
		`"../f" leads out of the directory`:                      {hardlink("f", "../f")},
		"write pipe: it is a device or a pipe":                   {fifo},
		"names no file":                                          {file("a/.wh...", "")},
		"has no files":                                           {dir("a", 0o755)},
	} {
		to := filepath.Join(t.TempDir(), "to")
		_, err := unpack.Unpack(t.Context(), save(t, image(t, entries)), to, unpack.Options{})
		assert.ErrorContains(t, err, want)
		assert.Empty(t, tree(t, to), want)
	}
}

// TestDamaged unpacks a layer that is not the one of the image, and one that ends early.
func TestDamaged(t *testing.T) {
	img := image(t, []entry{file("disk.img", strings.Repeat("disk", 1000))})
	layers, err := img.Layers()
	require.NoError(t, err)
	id, err := layers[0].Digest()
	require.NoError(t, err)
	other := func(content []byte) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, err := w.Write(content)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return b.Bytes()
	}
	for want, damage := range map[string]func(blob []byte) []byte{
		"is truncated: it has 40 bytes of ": func(blob []byte) []byte { return blob[:40] },
		"read the archive: ":                func(blob []byte) []byte { return append(blob[:40], make([]byte, len(blob)-40)...) },
		"it is damaged: its content has the checksum sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef": func(blob []byte) []byte {
			zeros := other(make([]byte, 1024))
			// Bytes after the end of gzip would be read as another stream: a comment fills the header.
			header := append([]byte{}, zeros[:10]...)
			header[3] = 16
			header = append(header, bytes.Repeat([]byte("x"), len(blob)-len(zeros)-1)...)
			return append(append(header, 0), zeros[10:]...)
		},
	} {
		dir := save(t, img)
		blob := filepath.Join(dir, "blobs", "sha256", id.Hex)
		data, err := os.ReadFile(blob)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(blob, damage(data), 0o600))
		to := t.TempDir()
		_, err = unpack.Unpack(t.Context(), dir, to, unpack.Options{})
		assert.ErrorContains(t, err, want)
		assert.Empty(t, tree(t, to), want)
	}
}

// TestInterrupted cancels an unpacking in the middle of a file.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	status := make(chan *client.SolveStatus)
	go func() {
		for s := range status {
			if len(s.Statuses) > 0 {
				cancel()
			}
		}
	}()
	to := t.TempDir()
	_, err := unpack.Unpack(ctx, save(t, image(t, []entry{file("disk.img", strings.Repeat("x", 32<<20))})), to, unpack.Options{Status: status})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, tree(t, to))
}

func TestNoImage(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.iso")
	require.NoError(t, os.WriteFile(name, append(make([]byte, 32769), "CD001"...), 0o600))
	_, err := unpack.Unpack(t.Context(), name, t.TempDir(), unpack.Options{})
	assert.EqualError(t, err, name+" is no image: its format is ISO 9660")
}
