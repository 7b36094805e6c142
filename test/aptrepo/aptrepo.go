// Package aptrepo makes signed repositories for apt, and serves them on the loopback interface.
package aptrepo

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

const (
	// Suite is that of every repository.
	Suite = "stable"
	// Component is that of every repository.
	Component = "main"
	arch      = "amd64"
)

// Repository is a repository that a test fills.
type Repository struct {
	t     testing.TB
	dir   string
	index strings.Builder
}

// New makes an empty repository.
func New(t testing.TB) *Repository {
	t.Helper()
	testkit.Need(t, "dpkg-deb", "run the tests on Debian or Ubuntu")
	return &Repository{t: t, dir: t.TempDir()}
}

// Add adds a package with the file /usr/share/NAME/from, which says where it came from. It is another
// one in each test: an engine that tests share keeps downloads by their checksums.
func (r *Repository) Add(name, version, from string) {
	r.t.Helper()
	tree := r.t.TempDir()
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: nobody\nDescription: made for %s\n", name, version, r.t.Name())
	r.write(filepath.Join(tree, "DEBIAN/control"), control)
	r.write(filepath.Join(tree, "usr/share", name, "from"), from+"\n")
	require.NoError(r.t, os.Chmod(tree, 0o755))
	file := r.Archive(name, version)
	require.NoError(r.t, os.MkdirAll(filepath.Dir(file), 0o755))
	r.run("dpkg-deb", "--root-owner-group", "--build", tree, file)
	data, err := os.ReadFile(file)
	require.NoError(r.t, err)
	fmt.Fprintf(&r.index, "%sFilename: pool/%s\nSize: %d\nSHA256: %x\n\n", control, filepath.Base(file), len(data), sha256.Sum256(data))
}

// Archive is the path of a package's archive. What the index says of it stays the same when the file changes.
func (r *Repository) Archive(name, version string) string {
	return filepath.Join(r.dir, fmt.Sprintf("pool/%s_%s_all.deb", name, version))
}

// Release is how a repository is published.
type Release struct {
	// Signer signs it; nil leaves it unsigned.
	Signer *Signer
	// ValidUntil is when it expires, such as "Thu, 01 Jan 2015 00:00:00 UTC". Empty: never.
	ValidUntil string
}

// Publish writes the index. It may be published again, another way.
func (r *Repository) Publish(how Release) {
	r.t.Helper()
	top := filepath.Join(r.dir, "dists", Suite)
	require.NoError(r.t, os.RemoveAll(top))
	name := Component + "/binary-" + arch + "/Packages"
	r.write(filepath.Join(top, name), r.index.String())
	release := fmt.Sprintf("Origin: Test\nSuite: %s\nCodename: %s\nDate: Wed, 01 Jan 2020 00:00:00 UTC\nArchitectures: %s\nComponents: %s\n", Suite, Suite, arch, Component)
	if how.ValidUntil != "" {
		release += "Valid-Until: " + how.ValidUntil + "\n"
	}
	release += fmt.Sprintf("SHA256:\n %x %d %s\n", sha256.Sum256([]byte(r.index.String())), r.index.Len(), name)
	r.write(filepath.Join(top, "Release"), release)
	if how.Signer != nil {
		how.Signer.gpg("--output", filepath.Join(top, "InRelease"), "--clear-sign", filepath.Join(top, "Release"))
	}
}

// Serve serves a repository until the end of the test. With a login, user:password, it refuses
// requests without it.
func (r *Repository) Serve(login string) (url string) {
	server := httptest.NewServer(r.handler(login))
	r.t.Cleanup(server.Close)
	return server.URL
}

// ServeTLS serves a repository over https until the end of the test, with a certificate that is its
// own authority, in PEM.
func (r *Repository) ServeTLS() (url, authority string) {
	return r.serveTLS(httptest.NewUnstartedServer(r.handler("")))
}

// ServeClient is ServeTLS for one client alone: one with the login, user:password, and the
// certificate, in PEM.
func (r *Repository) ServeClient(login, certificate string) (url, authority string) {
	r.t.Helper()
	clients := x509.NewCertPool()
	require.True(r.t, clients.AppendCertsFromPEM([]byte(certificate)), "the certificate of the client")
	server := httptest.NewUnstartedServer(r.handler(login))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	return r.serveTLS(server)
}

func (r *Repository) serveTLS(server *httptest.Server) (url, authority string) {
	server.StartTLS()
	r.t.Cleanup(server.Close)
	return server.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func (r *Repository) handler(login string) http.Handler {
	files := http.FileServer(http.Dir(r.dir))
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if user, password, _ := req.BasicAuth(); login != "" && user+":"+password != login {
			w.Header().Set("WWW-Authenticate", `Basic realm="packages"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		files.ServeHTTP(w, req)
	})
}

func (r *Repository) write(path, text string) {
	r.t.Helper()
	require.NoError(r.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(r.t, os.WriteFile(path, []byte(text), 0o644))
}

func (r *Repository) run(program string, args ...string) {
	r.t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	require.NoError(r.t, err, "%s: %s", program, out)
}

// Signer has a key that repositories are signed with.
type Signer struct {
	t testing.TB
	// home of gpg; a short path, for the socket of its agent.
	home string
	// then is the time that gpg believes it is.
	then []string
}

// NewSigner makes a key that does not expire.
func NewSigner(t testing.TB) *Signer {
	t.Helper()
	return newSigner(t, "never")
}

// NewExpiredSigner makes a key that has expired. It signs as if it had not.
func NewExpiredSigner(t testing.TB) *Signer {
	t.Helper()
	return newSigner(t, "1d", "--faked-system-time", "20200101T000000!")
}

func newSigner(t testing.TB, expires string, then ...string) *Signer {
	t.Helper()
	testkit.Need(t, "gpg", "run hack/deps.sh test")
	home, err := os.MkdirTemp("", "gpg")
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		_ = os.RemoveAll(home)
	})
	s := &Signer{t: t, home: home, then: then}
	s.gpg("--quick-generate-key", "test", "rsa2048", "sign", expires)
	return s
}

// Sign writes a detached signature of a file beside it, with the ending .asc.
func (s *Signer) Sign(file string) {
	s.t.Helper()
	s.gpg("--yes", "--armor", "--output", file+".asc", "--detach-sign", file)
}

// Key is the public key as text.
func (s *Signer) Key() string {
	s.t.Helper()
	return s.gpg("--armor", "--export")
}

// Binary is the public key as gpg keeps it.
func (s *Signer) Binary() string {
	s.t.Helper()
	return s.gpg("--export")
}

func (s *Signer) gpg(args ...string) string {
	s.t.Helper()
	all := append([]string{"--homedir", s.home, "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""}, s.then...)
	cmd := exec.Command("gpg", append(all, args...)...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	require.NoError(s.t, err, "%s", &said)
	return string(out)
}
