// Package registrytest has a registry that counts what it sends, and has the troubles that a test gives
// it.
package registrytest

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit/registry"
)

// Registry is a registry on the loopback interface, for one test.
type Registry struct {
	server *httptest.Server

	mu sync.Mutex
	// sent are the bytes of blobs, by digest, and of manifests, by tag or digest.
	sent map[string]int64
	// asked are the ranges of requests for blobs; empty for all of one.
	asked   []string
	trouble Trouble
}

// Trouble is what goes wrong. The zero Trouble is nothing.
type Trouble struct {
	// Breaks is how many answers with a blob break off, after so many bytes.
	Breaks     int
	BreakAfter int64
	// AwayAfter answers with an error to everything after the last of Breaks.
	AwayAfter bool
	// Ranges says what happens when only a part is asked for.
	Ranges Ranges
	// Wrong changes the first byte of blobs.
	Wrong bool
	// Pause is between pieces of a blob.
	Pause time.Duration
	// Gate, if there is one, has to be closed before a blob is sent.
	Gate chan struct{}
}

// Ranges is how a registry answers when only a part is asked for: it sends the part, or all, or an
// error.
type Ranges int

// Ways to answer.
const (
	Sends Ranges = iota
	Ignores
	Refuses
)

// New starts an empty registry.
func New(t testing.TB) *Registry {
	t.Helper()
	r := &Registry{sent: map[string]int64{}}
	handler := registry.Handler(t.TempDir())
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodGet || req.URL.Path == "/v2/" {
			handler.ServeHTTP(w, req)
			return
		}
		r.get(handler, w, req)
	}))
	t.Cleanup(r.server.Close)
	return r
}

// Addr is its HOST:PORT; it speaks plain HTTP.
func (r *Registry) Addr() string { return strings.TrimPrefix(r.server.URL, "http://") }

// In is the name of an image in the registry, as a path of the cache.
func (r *Registry) In(image string) string {
	return strings.ReplaceAll(r.Addr(), ":", "_") + "/" + image
}

func (r *Registry) get(handler http.Handler, w http.ResponseWriter, req *http.Request) {
	blob := strings.Contains(req.URL.Path, "/blobs/")
	limit, part := int64(-1), req.Header.Get("Range")
	r.mu.Lock()
	trouble := r.trouble
	if blob {
		r.asked = append(r.asked, part)
		if trouble.Breaks > 0 {
			r.trouble.Breaks--
			limit = trouble.BreakAfter
		}
	}
	r.mu.Unlock()
	if trouble.AwayAfter && trouble.Breaks == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if trouble.Ranges != Refuses { // the handler knows no open range
		req.Header.Del("Range")
	}
	recorded := httptest.NewRecorder()
	handler.ServeHTTP(recorded, req)
	for key, values := range recorded.Header() {
		w.Header()[key] = values
	}
	body := recorded.Body.Bytes()
	var first int
	if _, err := fmt.Sscanf(part, "bytes=%d-", &first); err == nil && trouble.Ranges == Sends {
		if first >= len(body) {
			w.Header().Del("Content-Length")
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, len(body)-1, len(body)))
		w.Header().Set("Content-Length", strconv.Itoa(len(body)-first))
		recorded.Code, body = http.StatusPartialContent, body[first:]
	}
	w.WriteHeader(recorded.Code)
	if !blob {
		r.send(w, path.Base(req.URL.Path), body)
		return
	}
	if trouble.Gate != nil {
		<-trouble.Gate
	}
	if trouble.Wrong {
		body = bytes.Clone(body)
		body[0]++
	}
	if limit >= 0 && int64(len(body)) > limit {
		r.send(w, path.Base(req.URL.Path), body[:limit])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	const piece = 16 << 10
	for len(body) > 0 {
		n := min(piece, len(body))
		if !r.send(w, path.Base(req.URL.Path), body[:n]) {
			return
		}
		body = body[n:]
		if trouble.Pause > 0 {
			_ = http.NewResponseController(w).Flush()
			time.Sleep(trouble.Pause)
		}
	}
}

func (r *Registry) send(w io.Writer, what string, data []byte) bool {
	n, err := w.Write(data)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent[what] += int64(n)
	return err == nil
}

// Set changes what goes wrong.
func (r *Registry) Set(trouble Trouble) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble = trouble
}

// Asked are the ranges of the requests for blobs since the last Reset; empty for all of a blob.
func (r *Registry) Asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.asked)
}

// Reset forgets what was counted, and returns it: the bytes of all blobs, and of all answers.
func (r *Registry) Reset() (blobs, all int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for what, n := range r.sent {
		all += n
		if strings.HasPrefix(what, "sha256:") {
			blobs += n
		}
	}
	r.sent, r.asked = map[string]int64{}, nil
	return blobs, all
}

// Push makes an image of layers and pushes it.
func (r *Registry) Push(t testing.TB, image string, layers ...v1.Layer) {
	t.Helper()
	img, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), layers...)
	require.NoError(t, err)
	r.Write(t, image, img)
}

// Write pushes an image.
func (r *Registry) Write(t testing.TB, image string, img v1.Image) {
	t.Helper()
	ref, err := name.ParseReference(r.Addr() + "/" + image)
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, img))
}

// Archive is a layer with one file of so many bytes. The name makes them.
func Archive(t testing.TB, file string, size int) v1.Layer {
	t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: file, Mode: 0o644, Size: int64(size)}))
	_, err := w.Write(noise(uint32(len(file))+uint32(file[0])<<8, size))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return static.NewLayer(data.Bytes(), types.DockerUncompressedLayer)
}

// Layer is a layer of so many bytes that compress badly. The seed makes it.
func Layer(seed byte, size int) v1.Layer {
	return static.NewLayer(noise(uint32(seed)+1, size), types.OCIUncompressedLayer)
}

func noise(seed uint32, size int) []byte {
	data := make([]byte, size)
	for i := range data {
		seed = seed*1664525 + 1013904223
		data[i] = byte(seed >> 24)
	}
	return data
}

// Size is that of layers, in bytes, as they are sent.
func Size(t testing.TB, layers ...v1.Layer) (total int64) {
	t.Helper()
	for _, l := range layers {
		n, err := l.Size()
		require.NoError(t, err)
		total += n
	}
	return total
}

// Pull reads an image as the agent does: first the manifest for its size, then all layers.
func Pull(source string) error {
	ref, err := name.ParseReference(source)
	if err != nil {
		return err
	}
	soon := remote.WithRetryBackoff(remote.Backoff{Duration: time.Millisecond, Steps: 2})
	if _, err := remote.Get(ref, soon); err != nil {
		return err
	}
	img, err := remote.Image(ref, soon)
	if err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	for _, l := range layers {
		r, err := l.Compressed()
		if err != nil {
			return err
		}
		// The reader checks the digest.
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
	}
	return nil
}

// CheckStore fails unless every blob in the store of a cache is what its name says, and returns how many
// there are.
func CheckStore(t testing.TB, dir string) (blobs int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "blobs", "*"))
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		sum := sha256.Sum256(data)
		assert.Equal(t, filepath.Base(file), hex.EncodeToString(sum[:]))
	}
	return len(files)
}
