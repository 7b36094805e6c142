package integration

import (
	"bytes"
	"encoding/base64"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/test/aptrepo"
)

// login of a repository; the secret has it, and nothing else may.
const login = "builder:very-s3cret"

// newAcmeRepository has a package of its own, and a newer one that Debian has too.
func newAcmeRepository(t *testing.T, how aptrepo.Release) *aptrepo.Repository {
	t.Helper()
	r := aptrepo.New(t)
	r.Add("acme-agent", "1.0", "acme")
	r.Add("tree", "99.0", "acme")
	r.Publish(how)
	return r
}

// acmeRepository is a newAcmeRepository over http.
func acmeRepository(t *testing.T, how aptrepo.Release, login string) (url string) {
	t.Helper()
	return newAcmeRepository(t, how).Serve(login)
}

// repositorySpec is a spec with the repository, from line 4 on, and packages.
func repositorySpec(url, more, packages string) string {
	return debianSpec + "repositories:\n  - name: acme\n    url: " + url + "\n    suites: [stable]\n    components: [main]\n    key: keys/acme.asc\n" +
		more + "packages:\n  add: [" + packages + "]\n"
}

// rootArchive builds the root filesystem of a spec as a tar archive. A directory takes many times as
// long.
func rootArchive(t *testing.T, o solve.Options) string {
	t.Helper()
	archive := filepath.Join(t.TempDir(), "root.tar")
	d, err := solve.ParseOutput("type=tar,dest=" + archive)
	require.NoError(t, err)
	out, err := d.Open()
	require.NoError(t, err)
	defer func() { assert.NoError(t, out.Discard()) }()
	if _, err = solve.Build(t.Context(), embedded(t), o, out.Entry); err != nil {
		t.Fatalf("build: %+v\n%v", err, o.Log)
	}
	_, err = out.Commit()
	require.NoError(t, err)
	return archive
}

// rootFiles builds the root filesystem of a spec and returns its smaller files by path.
func rootFiles(t *testing.T, o solve.Options) map[string][]byte {
	t.Helper()
	files := smallFiles(t, rootArchive(t, o))
	require.Contains(t, files, "etc/os-release")
	return files
}

// TestRepository installs from a repository with a password, with the real apt. One that does not
// stay leaves nothing behind, and one that does no password.
func TestRepository(t *testing.T) {
	t.Parallel()
	signer := aptrepo.NewSigner(t)
	url := acmeRepository(t, aptrepo.Release{Signer: signer}, login)
	keyRead := 0
	for name, c := range map[string]struct {
		more string
		tree bool
		kept []string
	}{
		"whole": {more: "    secret: acme-login\n", tree: true},
		"limited and kept": {
			more: "    secret: acme-login\n    packages: [acme-agent]\n    keep: true\n",
			kept: []string{"etc/apt/keyrings/acme.gpg", "etc/apt/preferences.d/acme.pref", "etc/apt/sources.list.d/acme.sources"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, map[string]string{"kairos.spec": repositorySpec(url, c.more, "acme-agent, tree"), "keys/acme.asc": signer.Key()})
			o.Secrets = secretsprovider.FromMap(map[string][]byte{"acme-login": []byte(login + "\n")})
			r := watch(&o)
			files := rootFiles(t, o)
			keyRead += strings.Count(strings.Join(r.ran(), "\n"), "[repositories] read the public key of acme")
			assert.Equal(t, "acme\n", string(files["usr/share/acme-agent/from"]))
			_, newer := files["usr/share/tree/from"]
			assert.Equal(t, c.tree, newer, "the newer one is the repository's")

			var kept []string
			_, password, _ := strings.Cut(login, ":")
			for _, name := range slices.Sorted(maps.Keys(files)) {
				if strings.HasPrefix(name, "etc/apt/") && strings.Contains(path.Base(name), "acme") {
					kept = append(kept, name)
				}
				if bytes.Contains(files[name], []byte(password)) || strings.HasPrefix(name, "run/flavorkit") {
					t.Errorf("%s is left, or has the password", name)
				}
			}
			assert.Equal(t, c.kept, kept)
			assert.NotContains(t, r.log.String(), password)
			if c.tree {
				_, provenance, _ := provenanceOf(t, embedded(t), o)
				assert.NotContains(t, provenance, password)
				assert.NotContains(t, provenance, base64.StdEncoding.EncodeToString([]byte(login)))
			}
		})
	}
	assert.Equal(t, 1, keyRead, "the key is read once for all of them")
}

// TestBadRepository has the error point at what is wrong with a repository.
func TestBadRepository(t *testing.T) {
	t.Parallel()
	signer, other, expired := aptrepo.NewSigner(t), aptrepo.NewSigner(t), aptrepo.NewExpiredSigner(t)
	const withLogin = "    secret: acme-login\n"
	for name, c := range map[string]struct {
		release   aptrepo.Release
		key       string
		login     string
		url       string
		more      string
		packages  string
		secret    string
		err, says string
		line      int32
	}{
		"wrong key": {
			release: aptrepo.Release{Signer: signer}, key: other.Key(),
			err: "kairos.spec:9:10: repositories[0].key: the key does not verify the repository acme; ", says: "NO_PUBKEY", line: 9,
		},
		"key that expired": {
			release: aptrepo.Release{Signer: expired}, key: expired.Key(),
			err: "kairos.spec:5:5: repositories[0]: the repository acme, its key or its signature has expired; ", says: "EXPKEYSIG", line: 5,
		},
		"index that expired": {
			release: aptrepo.Release{Signer: signer, ValidUntil: "Thu, 02 Jan 2020 00:00:00 UTC"}, key: signer.Key(),
			err: "kairos.spec:5:5: repositories[0]: the repository acme, its key or its signature has expired; ", says: "expired", line: 5,
		},
		"no key at all": {
			release: aptrepo.Release{Signer: signer}, key: "<html>404</html>\n",
			err: "kairos.spec:9:10: repositories[0].key: the file is no public key for apt; ", line: 9,
		},
		"nobody there": {
			release: aptrepo.Release{Signer: signer}, key: signer.Key(), url: "http://127.0.0.1:9",
			err: "kairos.spec:6:10: repositories[0].url: apt cannot read the repository acme at ", says: "Could not connect", line: 6,
		},
		"wrong password": {
			release: aptrepo.Release{Signer: signer}, key: signer.Key(), login: login, more: withLogin, secret: "builder:guessed",
			err: "kairos.spec:10:13: repositories[0].secret: the repository acme refuses the credentials, or needs some; ", says: "401", line: 10,
		},
		"secret that the build was not given": {
			release: aptrepo.Release{Signer: signer}, key: signer.Key(), login: login, more: withLogin,
			err: `kairos.spec:10:13: repositories[0].secret: the build has no secret "acme-login"; pass it with --secret id=acme-login,src=FILE`, line: 10,
		},
		"package that the repository is not asked for": {
			release: aptrepo.Release{Signer: signer}, key: signer.Key(), more: "    packages: [tree]\n", packages: "acme-agent",
			err:  `kairos.spec:12:9: packages.add[0]: debian-12 has no package "acme-agent" for amd64; the repository acme has it, but is limited to other packages: add it to repositories[0].packages`,
			says: "acme-agent", line: 12,
		},
	} {
		t.Run(name, func(t *testing.T) {
			url := acmeRepository(t, c.release, c.login)
			if c.url != "" {
				url = c.url
			}
			packages := "tree"
			if c.packages != "" {
				packages = c.packages
			}
			o := options(t, map[string]string{"kairos.spec": repositorySpec(url, c.more, packages), "keys/acme.asc": c.key})
			if c.secret != "" {
				o.Secrets = secretsprovider.FromMap(map[string][]byte{"acme-login": []byte(c.secret)})
			}
			r := watch(&o)
			_, err := solve.Build(t.Context(), embedded(t), o)
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.err)
			assert.Contains(t, r.log.String(), c.says)
			assert.NotContains(t, r.log.String(), "guessed")
			sources := errdefs.Sources(err)
			require.NotEmpty(t, sources, "the error points at the spec")
			assert.Equal(t, c.line, sources[0].Ranges[0].Start.Line)
		})
	}
}
