package integration

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/aptrepo"
)

// secrets installs from a repository that asks for a login and for the certificate of a client, behind
// an authority that only a secret has, and looks for all three in everything that is left.
func (b *buildxSystem) secrets(t *testing.T) {
	t.Helper()
	sign := aptrepo.NewSigner(t)
	key, certificate := signer(t)
	repository := newAcmeRepository(t, aptrepo.Release{Signer: sign})
	url, authority := repository.ServeClient(login, certificate)
	spec := repositorySpec(url, "    secret: acme-login\n    certificate: acme-client\n", "acme-agent")
	_, spec, _ = strings.Cut(spec, "version: v1.0.0\n")
	dir := writeFiles(t, map[string]string{
		"kairos.spec": b.spec("name: secrets\nca: {secret: acme-ca}\n" + spec), "keys/acme.asc": sign.Key(),
	})
	given := writeFiles(t, map[string]string{"acme-login": login + "\n", "acme-client": certificate + key, "acme-ca": authority})
	metadata := filepath.Join(t.TempDir(), "metadata.json")
	args := []string{"-f", filepath.Join(dir, "kairos.spec"), "--metadata-file=" + metadata, "--provenance=mode=max"}
	for _, id := range []string{"acme-login", "acme-client", "acme-ca"} {
		args = append(args, "--secret=id="+id+",src="+filepath.Join(given, id))
	}
	made, log := b.packages(t, append(args, dir)...)
	assert.FileExists(t, filepath.Join(made, "provenance.json"))

	_, password, _ := strings.Cut(login, ":")
	for what, text := range map[string]string{"password": password, "key of the client": secretPart(key), "authority": secretPart(authority)} {
		assert.NotContains(t, log, text, what)
		assert.NotContains(t, b.daemon.Log(), text, what)
		for _, tree := range []string{made, filepath.Dir(metadata), b.daemon.Root()} {
			assert.Empty(t, filesWith(t, tree, text, time.Time{}), "files with the %s", what)
		}
	}
	assert.NotEmpty(t, filesWith(t, b.daemon.Root(), url, time.Time{}), "what is no secret is found there")
	text, err := os.ReadFile(metadata)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"buildx.build.ref"`)
	assert.Contains(t, string(text), `"buildx.build.provenance"`)
}

// secretPart is a line in the middle of a key or a certificate in PEM, which no other one has.
func secretPart(pem string) string {
	lines := strings.Split(strings.TrimSpace(pem), "\n")
	return lines[len(lines)/2]
}

// filesWith are the files of a directory that hold a text, among those that were changed since a
// time: the state of an engine that tests share has gigabytes from before.
func filesWith(t *testing.T, dir, text string, since time.Time) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.Walk(dir, func(path string, info fs.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() && !changedAt(info).Before(since) {
			var has bool
			if has, err = fileHas(path, []byte(text)); has {
				found = append(found, path)
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a daemon removes files
		}
		return err
	}))
	return found
}

// changedAt is when the kernel has seen a file change, whatever time a build has given it.
func changedAt(info fs.FileInfo) time.Time {
	return time.Unix(info.Sys().(*syscall.Stat_t).Ctim.Unix())
}

// fileHas reads a file in pieces that overlap by the length of the text.
func fileHas(path string, text []byte) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	piece, kept := make([]byte, 1<<20), 0
	for {
		n, err := file.Read(piece[kept:])
		if bytes.Contains(piece[:kept+n], text) {
			return true, nil
		}
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		kept = copy(piece, piece[max(0, kept+n-len(text)):kept+n])
	}
}
