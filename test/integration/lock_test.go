package integration

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/bundle"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	planbundle "github.com/flavorkit/flavorkit/plan/bundle"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/aptrepo"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestLock locks a spec with the real apt, and builds it after its repository has moved on: with
// another archive of the same name, without the package, and with a newer one. An archive has left
// Debian, and is in a snapshot, for a build and for a bundle. The image is the same as that of an unlocked
// build before.
func TestLock(t *testing.T) {
	t.Parallel()
	signer := aptrepo.NewSigner(t)
	r := aptrepo.New(t)
	r.Add("acme-agent", "1.0", "acme")
	r.Publish(aptrepo.Release{Signer: signer})
	o := options(t, map[string]string{"kairos.spec": repositorySpec(r.Serve(""), "", "acme-agent, figlet"), "keys/acme.asc": signer.Key()})
	snapshots := serveSnapshots(t, &o)
	watch(&o)
	c := embedded(t)
	unlocked := sumOf(t, image(t, c, o))

	var text []byte
	write := func() error {
		return solve.AskLong(t.Context(), c, o, frontend.LockRequest, func(res *gwclient.Result) error {
			text = res.Metadata["result.txt"]
			return os.WriteFile(filepath.Join(filepath.Dir(o.File), "kairos.lock"), text, 0o644)
		})
	}
	require.NoError(t, write())
	text = snapshots.lose(text, "figlet")
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(o.File), "kairos.lock"), text, 0o644))
	f, err := lock.Read(&specs.Source{Name: "kairos.lock", Data: text})
	require.NoError(t, err)
	archives := f.Archives["debian-12"]
	assert.Greater(t, len(archives), 100, f.Summary())
	require.Contains(t, archives, "acme-agent/1.0/all")

	o.Args = map[string]string{frontend.LockedArg: "1"}
	archive := r.Archive("acme-agent", "1.0")
	good, err := os.ReadFile(archive)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(archive, append(bytes.Clone(good), 'x'), 0o644))
	_, err = solve.Build(t.Context(), c, o)
	require.Error(t, err)
	assert.Regexp(t, `kairos.lock:\d+:\d+: archives.debian-12.acme-agent/1.0/all: .*digest mismatch.*; choose what the repositories have now with flavorkit lock --update`, err.Error())

	require.NoError(t, os.Remove(archive))
	_, err = solve.Build(t.Context(), c, o)
	require.Error(t, err)
	assert.Regexp(t, `kairos.lock:\d+:\d+: archives.debian-12.acme-agent/1.0/all: .*invalid response status 404; choose`, err.Error())

	require.NoError(t, os.WriteFile(archive, good, 0o644))
	r.Add("acme-agent", "2.0", "acme")
	r.Publish(aptrepo.Release{Signer: signer})
	assert.Equal(t, unlocked, sumOf(t, image(t, c, o)), "the same image as without a lock")
	assert.NotZero(t, snapshots.asked("figlet"), "the server of snapshots was asked")
	checkProvenance(t, c, o, f)
	require.NoError(t, os.Remove(archive))
	again := watch(&o)
	solved(t, c, o)
	assert.Empty(t, again.ran(), "what was downloaded once is there")

	// The spec moves on.
	spec, err := os.ReadFile(o.File)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(o.File, append(spec, "name: other\n"...), 0o644))
	require.NoError(t, write(), "a name needs no other packages")
	o.NoCache = true
	before := f
	require.NoError(t, write())
	f, err = lock.Read(&specs.Source{Name: "kairos.lock", Data: text})
	require.NoError(t, err)
	changes := lock.Diff(before, f)
	require.Len(t, changes, 1, "%v", changes)
	assert.Contains(t, changes[0].String(), "~ package acme-agent (debian-12, all) 1.0 ")

	// A bundle takes an archive that has left Debian from there, too.
	o.NoCache, o.Args = false, nil
	require.NoError(t, os.WriteFile(o.File, bytes.Replace(spec, []byte("figlet"), []byte("figlet, sl"), 1), 0o644))
	require.NoError(t, write())
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(o.File), "kairos.lock"), snapshots.lose(text, "sl"), 0o644))
	has, err := bundle.Make(t.Context(), c, o, filepath.Join(t.TempDir(), "edge.tar"))
	require.NoError(t, err, "%v", o.Log)
	assert.NotZero(t, snapshots.asked("sl"), "the server of snapshots was asked")
	assert.True(t, slices.ContainsFunc(has.Downloads, func(d planbundle.Download) bool {
		return strings.HasPrefix(d.URL, "http://deb.debian.org/debian/pool/gone/sl_")
	}), "it is known by its own address")
}

// snapshotServer has the archives of packages that have left Debian. It sends those who ask for one to
// where it really is.
type snapshotServer struct {
	t  *testing.T
	mu sync.Mutex
	// there are addresses, and requests counts, by the name of a file.
	there    map[string]string
	requests map[string]int
}

// serveSnapshots gives a build a catalog whose Debian has snapshots on a server of the test.
func serveSnapshots(t *testing.T, o *solve.Options) *snapshotServer {
	t.Helper()
	s := &snapshotServer{t: t, there: map[string]string{}, requests: map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	data, err := os.ReadFile(filepath.Join(testkit.RepoRoot(t), "specs", "catalog", "distros", "debian-12.yaml"))
	require.NoError(t, err)
	own := strings.Replace(string(data), "https://snapshot.debian.org/archive/debian/", server.URL+"/", 1)
	require.NotEqual(t, string(data), own)
	o.Contexts["catalog"] = writeFiles(t, map[string]string{"distros/debian-12.yaml": own})
	return s
}

func (s *snapshotServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	file := path.Base(r.URL.Path)
	if s.there[file] == "" || !regexp.MustCompile(`^/\d{8}T000000Z/pool/gone/`).MatchString(r.URL.Path) {
		http.NotFound(w, r)
		return
	}
	s.requests[file]++
	http.Redirect(w, r, s.there[file], http.StatusFound)
}

// lose has a lock name an archive of a package that has left Debian.
func (s *snapshotServer) lose(text []byte, name string) []byte {
	s.t.Helper()
	there := regexp.MustCompile(`http://deb\.debian\.org/debian/pool/\S*/` + name + `_\S+`).Find(text)
	require.NotEmpty(s.t, there)
	file := path.Base(string(there))
	asked, err := url.PathUnescape(file)
	require.NoError(s.t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.there[asked] = string(there)
	return bytes.ReplaceAll(text, there, []byte("http://deb.debian.org/debian/pool/gone/"+file))
}

// asked counts the requests for the archive of a package.
func (s *snapshotServer) asked(name string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for file, requests := range s.requests {
		if strings.HasPrefix(file, name+"_") {
			n += requests
		}
	}
	return n
}
