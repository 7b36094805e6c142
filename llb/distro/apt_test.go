package distro

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/aptrepo"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// aptImage is an image whose apt-get reads repositories for real, and installs nothing: it says
// what it would.
type aptImage struct {
	image
	all []plan.Repository
	// env is more of the environment of the step.
	env []string
}

func newAptImage(t *testing.T) *aptImage {
	t.Helper()
	testkit.Need(t, "apt-get", "run the tests on Debian or Ubuntu")
	i := newImage(t, map[string]string{
		"apt-get": `case " $* " in *' --print-uris '*) exec /usr/bin/apt-get "$@" ;; *' install '*) exec /usr/bin/apt-get --simulate "$@" ;; *' autoclean '*) ;; *) exec /usr/bin/apt-get "$@" ;; esac`,
		"chown":   "",
	})
	a := &aptImage{image: i}
	a.write("etc/apt/apt.conf.d/x", "")
	a.write("etc/apt/preferences.d/x", "")
	a.write("etc/apt/sources.list.d/x", "")
	a.write("var/lib/dpkg/status", "")
	conf := `Dir "` + a.dir + "/root\";\nDir::State::status \"" + a.dir + "/root/var/lib/dpkg/status\";\nAPT::Architecture \"amd64\";\nAPT::Architectures { \"amd64\"; };\n" +
		"APT::Sandbox::User \"root\";\n#clear Acquire::http::Proxy;\n"
	require.NoError(t, os.WriteFile(filepath.Join(a.dir, "apt.conf"), []byte(conf), 0o644))
	return a
}

// add adds a repository, with its key as the step has it.
func (a *aptImage) add(r plan.Repository, key string) {
	a.t.Helper()
	r.Suites, r.Components = []string{aptrepo.Suite}, []string{aptrepo.Component}
	a.all = append(a.all, r)
	path := filepath.Join(a.dir, "repositories/keys", r.Name+".gpg")
	require.NoError(a.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(a.t, os.WriteFile(path, []byte(key), 0o644))
}

// install runs the script that installs.
func (a *aptImage) install(secrets map[string]string) (said string, code int) {
	a.t.Helper()
	return a.script("apt", []string{"htop"}, secrets)
}

// script runs a script, with files that are elsewhere here than in a step.
func (a *aptImage) script(name string, args []string, secrets map[string]string) (said string, code int) {
	a.t.Helper()
	m, _ := catalog.ManagerByName("apt")
	for _, e := range stepFiles(m, a.all) {
		path := filepath.Join(a.dir, "repositories", e.Path)
		require.NoError(a.t, os.MkdirAll(filepath.Dir(path), 0o755))
		text := strings.ReplaceAll(string(e.Data), repositoriesDir, filepath.Join(a.dir, "repositories"))
		require.NoError(a.t, os.WriteFile(path, []byte(text), 0o644))
	}
	for _, dir := range []string{"secrets", "private"} {
		require.NoError(a.t, os.MkdirAll(filepath.Join(a.dir, dir), 0o755))
	}
	for name, text := range secrets {
		require.NoError(a.t, os.WriteFile(filepath.Join(a.dir, "secrets", name), []byte(text), 0o600))
	}
	env := append([]string{
		"APT_CONFIG=" + a.dir + "/apt.conf", "LC_ALL=C.UTF-8",
		"FLAVORKIT_REPOSITORIES=" + a.dir + "/repositories", "FLAVORKIT_SECRETS=" + a.dir + "/secrets", "FLAVORKIT_PRIVATE=" + a.dir + "/private",
	}, a.env...)
	said, _, err := a.image.script(name, args, env...)
	if err == nil {
		return said, 0
	}
	var exit *exec.ExitError
	require.ErrorAs(a.t, err, &exit, said)
	return said, exit.ExitCode()
}

// TestAptRepositories reads repositories with the real apt: with keys that fit and
// that do not.
func TestAptRepositories(t *testing.T) {
	signer, other, expired := aptrepo.NewSigner(t), aptrepo.NewSigner(t), aptrepo.NewExpiredSigner(t)
	const old = "Thu, 02 Jan 2020 00:00:00 UTC"
	for name, c := range map[string]struct {
		release      aptrepo.Release
		key          *aptrepo.Signer
		login, given string
		url          string
		code         int
		says         string
	}{
		"right key":              {release: aptrepo.Release{Signer: signer}, key: signer, says: "Inst htop (2"},
		"right credentials":      {release: aptrepo.Release{Signer: signer}, key: signer, login: "me:pass:word", given: "me:pass:word\n", says: "Inst htop (2"},
		"wrong key":              {release: aptrepo.Release{Signer: signer}, key: other, code: 201, says: "NO_PUBKEY"},
		"unsigned":               {key: signer, code: 201, says: "not signed"},
		"release that expired":   {release: aptrepo.Release{Signer: signer, ValidUntil: old}, key: signer, code: 202, says: "expired"},
		"key that expired":       {release: aptrepo.Release{Signer: expired}, key: expired, code: 202, says: "EXPKEYSIG"},
		"wrong credentials":      {release: aptrepo.Release{Signer: signer}, key: signer, login: "me:secret", given: "me:guess", code: 203, says: "401  Unauthorized"},
		"no credentials":         {release: aptrepo.Release{Signer: signer}, key: signer, login: "me:secret", code: 203, says: "401  Unauthorized"},
		"nobody there":           {release: aptrepo.Release{Signer: signer}, key: signer, url: "http://127.0.0.1:9", code: 200, says: "Could not connect"},
		"another directory":      {release: aptrepo.Release{Signer: signer}, key: signer, url: "/nowhere", code: 200, says: "does not have a Release file"},
		"secret of another form": {release: aptrepo.Release{Signer: signer}, key: signer, given: "token", code: 1, says: "the secret of the repository acme is not user:password"},
	} {
		t.Run(name, func(t *testing.T) {
			repository := aptrepo.New(t)
			repository.Add("htop", "2", "acme")
			repository.Publish(c.release)
			a := newAptImage(t)
			r := plan.Repository{Name: "acme", URL: repository.Serve(c.login)}
			if strings.HasPrefix(c.url, "/") {
				c.url = r.URL + c.url
			}
			if c.url != "" {
				r.URL = c.url
			}
			a.add(r, c.key.Binary())
			secrets := map[string]string{}
			if c.given != "" {
				secrets["acme"] = c.given
			}
			said, code := a.install(secrets)
			assert.Equal(t, c.code, code, said)
			assert.Contains(t, said, c.says)
			assert.NotContains(t, said, "pass:word")
			// What outlives the step has no secret in it.
			for _, dir := range []string{"cache", "root"} {
				require.NoError(t, filepath.WalkDir(filepath.Join(a.dir, dir), func(path string, d os.DirEntry, err error) error {
					if err != nil || !d.Type().IsRegular() {
						return err
					}
					data, err := os.ReadFile(path)
					assert.NotContains(t, string(data), "pass:word", path)
					return err
				}))
			}
		})
	}
}

// TestAptNames the repository that is to blame, and one that the image has already.
func TestAptNames(t *testing.T) {
	signer, other := aptrepo.NewSigner(t), aptrepo.NewSigner(t)
	repository := aptrepo.New(t)
	repository.Add("htop", "2", "acme")
	repository.Publish(aptrepo.Release{Signer: signer})
	url := repository.Serve("")
	a := newAptImage(t)
	a.add(plan.Repository{Name: "first", URL: url}, signer.Binary())
	a.add(plan.Repository{Name: "second", URL: url}, other.Binary())
	_, code := a.install(nil)
	assert.Equal(t, exitOf(1)+1, code)

	a = newAptImage(t)
	a.write("etc/apt/sources.list.d/debian.sources", "")
	a.add(plan.Repository{Name: "debian", URL: url}, signer.Binary())
	_, code = a.install(nil)
	assert.Equal(t, exitOf(0)+4, code)
}

// TestAptPins takes from a repository what it is limited to, and prefers one.
func TestAptPins(t *testing.T) {
	signer := aptrepo.NewSigner(t)
	serve := func(version, from string) string {
		repository := aptrepo.New(t)
		repository.Add("htop", version, from)
		repository.Add("other", version, from)
		repository.Publish(aptrepo.Release{Signer: signer})
		return repository.Serve("")
	}
	newer, older := serve("2", "newer"), strings.Replace(serve("1", "older"), "127.0.0.1", "localhost", 1)
	for name, c := range map[string]struct {
		newer, older plan.Repository
		want         string
	}{
		"the newest":              {want: "Inst htop (2"},
		"limited to it":           {newer: plan.Repository{Packages: []string{"htop"}}, want: "Inst htop (2"},
		"limited to another":      {newer: plan.Repository{Packages: []string{"other"}}, want: "Inst htop (1"},
		"a higher priority":       {older: plan.Repository{Priority: 600}, want: "Inst htop (1"},
		"a limit with a priority": {older: plan.Repository{Priority: 600, Packages: []string{"other"}}, want: "Inst htop (2"},
		"nobody may have it": {
			newer: plan.Repository{Packages: []string{"other"}}, older: plan.Repository{Packages: []string{"other"}}, want: "htop' has no installation candidate",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAptImage(t)
			c.newer.Name, c.newer.URL, c.older.Name, c.older.URL = "newer", newer, "older", older
			a.add(c.newer, signer.Binary())
			a.add(c.older, signer.Binary())
			said, _ := a.install(nil)
			assert.Contains(t, said, c.want)
		})
	}
}

// TestAptResolvesRepositories looks packages up in the repositories that they are installed from.
func TestAptResolvesRepositories(t *testing.T) {
	signer, other := aptrepo.NewSigner(t), aptrepo.NewSigner(t)
	repository := aptrepo.New(t)
	repository.Add("htop", "2", "acme")
	repository.Add("other", "2", "acme")
	repository.Publish(aptrepo.Release{Signer: signer})
	r := plan.Repository{Name: "acme", URL: repository.Serve("me:pass:word"), Packages: []string{"htop"}}
	secrets := map[string]string{"acme": "me:pass:word"}
	resolve := func(key string, packages ...string) (*Resolution, string, int) {
		a, out := newAptImage(t), t.TempDir()
		a.add(r, key)
		said, code := a.script("apt-resolve", append([]string{out}, packages...), secrets)
		if code != 0 {
			return nil, said, code
		}
		found, err := Read(install("apt", packages...), in(out))
		require.NoError(t, err)
		files, err := filepath.Glob(out + "/*")
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.NotContains(t, string(data), "pass", file)
		}
		return found, said, 0
	}

	found, said, code := resolve(signer.Binary(), "htop")
	require.Zero(t, code, said)
	require.Len(t, found.Packages, 1)
	assert.Equal(t, "htop", found.Packages[0].Name)
	assert.Equal(t, "2", found.Packages[0].Version)
	assert.Positive(t, found.Packages[0].Size)

	found, said, code = resolve(signer.Binary(), "htop", "other")
	require.Zero(t, code, said)
	assert.Equal(t, []Missing{{Package: plan.Package{Name: "other"}, Beside: []string{strings.TrimSuffix(r.URL, "/")}}}, found.Missing, "the repository is limited to another")

	_, said, code = resolve(other.Binary(), "htop")
	assert.Equal(t, exitOf(0)+1, code, said)
	secrets["acme"] = "me:guess"
	_, said, code = resolve(signer.Binary(), "htop")
	assert.Equal(t, exitOf(0)+3, code, said)
}

// TestAptResolvesCertificates counts the certificates that apt.sh installs to read https.
func TestAptResolvesCertificates(t *testing.T) {
	const apt = `case " $* " in *" install -- ca-certificates "*) echo new >>"$ROOT/status" ;; *" -s install "*) cat "$CACHE/status" ;; esac`
	i := newImage(t, nil)
	i.write("../status", "old\n")
	programs := map[string]string{
		"apt-get":    strings.NewReplacer("$ROOT", i.dir, "$CACHE", i.dir+"/cache").Replace(apt),
		"apt-config": `case $* in *State*) echo "status='` + i.dir + `/status'" ;; *) echo "list=/none parts=/none" ;; esac`,
		"chown":      "",
	}
	for name, text := range programs {
		require.NoError(t, os.WriteFile(filepath.Join(i.dir, "bin", name), []byte("#!/bin/sh\necho \"${0##*/} $*\" >>"+i.dir+"/called\n"+text+"\n"), 0o755))
	}
	out := t.TempDir()
	said, called, err := i.script("apt-resolve", []string{out, "htop"}, i.repositoriesOf("apt", nil, plan.Repository{Name: "acme", URL: "https://acme.example", Suites: []string{"./"}})...)
	require.NoError(t, err, said)
	assert.Contains(t, called, " -s install -- htop ca-certificates\n")
	resolved, err := os.ReadFile(out + "/resolved")
	require.NoError(t, err)
	assert.Equal(t, "old\n", string(resolved), "the state from before they were installed")
	assert.Equal(t, "old\nnew\n", i.read("status"))
}

// TestAptLocked has the real apt-get read a repository of archives, and nothing else.
func TestAptLocked(t *testing.T) {
	r := aptrepo.New(t)
	r.Add("htop", "2.0", "lock")
	a := newAptImage(t)
	a.write("etc/apt/sources.list", "deb http://127.0.0.1:9/debian stable main\n")
	archives := filepath.Join(a.dir, "archives")
	require.NoError(t, os.Mkdir(archives, 0o755))
	data, err := os.ReadFile(r.Archive("htop", "2.0"))
	require.NoError(t, err)
	path := filepath.Join(archives, fmt.Sprintf("%x.deb", sha256.Sum256(data)))
	require.NoError(t, os.WriteFile(path, data, 0o644))
	run := func(packages ...string) (string, error) {
		said, _, err := a.image.script("apt", packages, "APT_CONFIG="+a.dir+"/apt.conf", "LC_ALL=C.UTF-8", "FLAVORKIT_ARCHIVES="+archives)
		return said, err
	}
	said, err := run("htop")
	require.NoError(t, err, said)
	assert.Contains(t, said, "Inst htop (2.0 localhost [all])")
	assert.NotContains(t, said, "127.0.0.1")
	said, err = run("htop", "tree")
	require.Error(t, err)
	assert.Contains(t, said, "Unable to locate package tree")
}

// TestAptTakesLocked extracts files from the archives of a lock.
func TestAptTakesLocked(t *testing.T) {
	r := aptrepo.New(t)
	r.Add("firmware", "2.0", "lock")
	a := newAptImage(t)
	archives, out := filepath.Join(a.dir, "archives"), filepath.Join(a.dir, "out")
	require.NoError(t, os.Mkdir(archives, 0o755))
	require.NoError(t, os.Mkdir(out, 0o755))
	require.NoError(t, os.Rename(r.Archive("firmware", "2.0"), filepath.Join(archives, "a.deb")))
	said, called, err := a.image.script("apt-take", []string{out, "firmware"}, "FLAVORKIT_ARCHIVES="+archives, "FLAVORKIT_ARCH=arm64", "FLAVORKIT_FILES=/usr/share/firmware/*")
	require.NoError(t, err, said)
	text, err := os.ReadFile(filepath.Join(out, "from"))
	require.NoError(t, err)
	assert.Equal(t, "lock\n", string(text))
	assert.Empty(t, called, "apt-get is not called")
}
