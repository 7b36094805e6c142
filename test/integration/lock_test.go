package integration

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/aptrepo"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestLock locks a spec with the real apt, and builds it after its repository has moved on: with
// another archive of the same name, without the package, and with a newer one. An archive has left
// Debian, and is in a snapshot. The image is the same as that of an unlocked build before.
func TestLock(t *testing.T) {
	t.Parallel()
	signer := aptrepo.NewSigner(t)
	r := aptrepo.New(t)
	r.Add("acme-agent", "1.0", "acme")
	r.Publish(aptrepo.Release{Signer: signer})
	o := options(t, map[string]string{"kairos.spec": repositorySpec(r.Serve(""), "", "acme-agent, figlet"), "keys/acme.asc": signer.Key()})
	gone, asked := snapshots(t, &o, "figlet")
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
	text = gone(text)
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
	assert.NotZero(t, asked.Load(), "the server of snapshots was asked")
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
}

// snapshots gives a build a catalog whose Debian has snapshots on a server of the test, and returns a
// function that has a lock name an archive of a package that has left Debian. The server sends those who
// ask for it to where it really is.
func snapshots(t *testing.T, o *solve.Options, name string) (gone func(text []byte) []byte, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	var there string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !regexp.MustCompile(`^/\d{8}T000000Z/pool/gone/` + name).MatchString(r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		asked.Add(1)
		http.Redirect(w, r, there, http.StatusFound)
	}))
	t.Cleanup(server.Close)
	data, err := os.ReadFile(filepath.Join(testkit.RepoRoot(t), "specs", "catalog", "distros", "debian-12.yaml"))
	require.NoError(t, err)
	own := strings.Replace(string(data), "https://snapshot.debian.org/archive/debian/", server.URL+"/", 1)
	require.NotEqual(t, string(data), own)
	o.Contexts["catalog"] = writeFiles(t, map[string]string{"distros/debian-12.yaml": own})
	address := regexp.MustCompile(`http://deb\.debian\.org/debian/pool/\S*/` + name + `_\S+`)
	return func(text []byte) []byte {
		there = string(address.Find(text))
		require.NotEmpty(t, there)
		return bytes.ReplaceAll(text, []byte(there), []byte("http://deb.debian.org/debian/pool/gone/"+path.Base(there)))
	}, asked
}
