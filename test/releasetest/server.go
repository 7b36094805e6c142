package releasetest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Release is a checksum list at its URL, and its files next to it.
type Release struct {
	URL   string // of the list
	List  List
	Files map[string][]byte
}

// StandIn returns the release with the list of a URL. All of its files are one program: archives
// contain it under its name, other files are the program. The checksums are those of these files.
func StandIn(t testing.TB, address, program string, content []byte) Release {
	t.Helper()
	list, err := Read(address)
	require.NoError(t, err)
	r := Release{URL: address, Files: map[string][]byte{}}
	for _, line := range list {
		data := content
		if strings.HasSuffix(line.Name, ".tar.gz") {
			data = archive(t, program, content)
		}
		sum := sha256.Sum256(data)
		line.SHA256 = hex.EncodeToString(sum[:])
		r.List = append(r.List, line)
		r.Files[line.Name] = data
	}
	return r
}

// archive is a tar.gz with one program in it.
func archive(t testing.TB, program string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: program, Mode: 0o755, Size: int64(len(content))}))
	_, err := w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return b.Bytes()
}

// Server serves releases like GitHub, where names are not case-sensitive.
type Server struct {
	url   string
	files map[string][]byte // by path in lower case
}

// Serve starts a server on the loopback interface until the end of the test.
func Serve(t testing.TB, releases ...Release) *Server {
	t.Helper()
	s := &Server{files: map[string][]byte{}}
	for _, r := range releases {
		s.put(r.URL, []byte(r.List.String()))
		for name, data := range r.Files {
			s.put(strings.TrimSuffix(r.URL, path.Base(r.URL))+name, data)
		}
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *Server) put(address string, data []byte) {
	s.files[strings.ToLower("/"+strings.TrimPrefix(address, "https://"))] = data
}

// At returns the URL on the server for a publisher's URL, which may have placeholders, such as
// {version}.
func (s *Server) At(address string) string {
	return s.url + "/" + strings.TrimPrefix(address, "https://")
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, ok := s.files[strings.ToLower(r.URL.Path)]
	if !ok {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(data)
}
