package releasetest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/releasetest"
)

// TestLists reads every recorded list.
func TestLists(t *testing.T) {
	read := 0
	require.NoError(t, fs.WalkDir(os.DirFS("lists"), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		list, err := releasetest.Read("https://" + name)
		assert.NoError(t, err)
		assert.NotEmpty(t, list, name)
		names := map[string]bool{}
		for _, line := range list {
			assert.False(t, names[line.Name], "%s names %s twice", name, line.Name)
			names[line.Name] = true
		}
		read++
		return nil
	}))
	assert.NotZero(t, read)
	_, err := releasetest.Read("https://github.com/k3s-io/k3s/releases/download/v0/sha256sum-amd64.txt")
	assert.EqualError(t, err, "no checksum list is recorded from https://github.com/k3s-io/k3s/releases/download/v0/sha256sum-amd64.txt; "+
		"add test/releasetest/lists/github.com/k3s-io/k3s/releases/download/v0/sha256sum-amd64.txt")
}

// TestServer downloads a release whose list marks binary files, with names in the publisher's case
// and in another.
func TestServer(t *testing.T) {
	const release = "https://github.com/k0sproject/k0s/releases/download/v1.36.4+k0s.0/"
	server := releasetest.Serve(t, releasetest.StandIn(t, release+"sha256sums.txt", "k0s", []byte("program")))
	get := func(address string) (int, string) {
		r, err := http.Get(server.At(address))
		require.NoError(t, err)
		defer r.Body.Close()
		data, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		return r.StatusCode, string(data)
	}
	sum := sha256.Sum256([]byte("program"))
	status, list := get(release + "sha256sums.txt")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, list, hex.EncodeToString(sum[:])+" *k0s-v1.36.4+k0s.0-arm64\n")
	assert.NotContains(t, list, "#")
	for _, name := range []string{"k0s-v1.36.4+k0s.0-amd64", "K0s-v1.36.4+k0s.0-AMD64"} {
		status, program := get(release + name)
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, "program", program)
	}
	status, _ = get(release + "k0s")
	assert.Equal(t, http.StatusNotFound, status)
}
