package distro

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/rules"
	"github.com/flavorkit/flavorkit/test/scripttest"
	"github.com/flavorkit/flavorkit/test/spectest"
	"github.com/flavorkit/flavorkit/test/testkit"

	"github.com/flavorkit/flavorkit/llb/graph"
)

// texts are the files of repositories by path.
func texts(entries []tree.Entry) map[string]string {
	files := map[string]string{}
	for _, e := range entries {
		files[e.Path] = string(e.Data)
	}
	return files
}

// rendered are two repositories: one with all that it can have, which stays, and one with no more
// than it needs.
func rendered(priority int) []plan.Repository {
	return []plan.Repository{
		{
			Name: "full", URL: "https://full.example:8443/debian", Suites: []string{"bookworm", "bookworm-updates"}, Components: []string{"main", "extra"},
			Key: plan.SigningKey{File: "full.rsa.pub"}, Priority: priority, Packages: []string{"a", "b"}, Keep: true, Secret: "login", Certificate: "client",
		},
		{Name: "plain", URL: "http://plain.example/x", Suites: []string{"./"}, Key: plan.SigningKey{File: "plain.rsa.pub"}},
	}
}

// TestRendering has the files of every package manager: those of the step, and those that stay,
// without anything that names a secret.
func TestRendering(t *testing.T) {
	const (
		step = "/run/flavorkit/repositories/keys/"
		list = "full https://full.example:8443/debian full.example stays 200\nplain http://plain.example/x plain.example goes 205\n"
	)
	source := func(key string) string {
		return "Types: deb\nURIs: https://full.example:8443/debian\nSuites: bookworm bookworm-updates\nComponents: main extra\nSigned-By: " + key + "\n"
	}
	const pins = "Package: a b\nPin: origin \"full.example\"\nPin-Priority: 600\n\nPackage: *\nPin: origin \"full.example\"\nPin-Priority: -1\n"
	for manager, want := range map[string]struct{ step, kept map[string]string }{
		"apt": {
			step: map[string]string{
				"/list":                         list,
				"/sources.list.d/full.sources":  source(step + "full.gpg"),
				"/sources.list.d/plain.sources": "Types: deb\nURIs: http://plain.example/x\nSuites: ./\nSigned-By: " + step + "plain.gpg\n",
				"/preferences.d/full.pref":      pins,
			},
			kept: map[string]string{
				"/etc/apt/sources.list.d/full.sources": source("/etc/apt/keyrings/full.gpg"),
				"/etc/apt/preferences.d/full.pref":     pins,
			},
		},
		"apk": {
			step: map[string]string{
				"/list":                      list,
				"/repositories.d/full.list":  "@full https://full.example:8443/debian\n",
				"/repositories.d/plain.list": "http://plain.example/x\n",
			},
			kept: map[string]string{"/etc/apk/repositories.d/full.list": "@full https://full.example:8443/debian\n"},
		},
		"dnf": {
			step: map[string]string{
				"/list": list,
				"/full.repo": "[full]\nname=full\nbaseurl=https://full.example:8443/debian\nenabled=1\ngpgcheck=1\ngpgkey=file://" + step + "full.asc\n" +
					"priority=600\nincludepkgs=a b\nsslclientcert=/run/flavorkit/secrets/full.pem\nsslclientkey=/run/flavorkit/secrets/full.pem\n",
				"/plain.repo": "[plain]\nname=plain\nbaseurl=http://plain.example/x\nenabled=1\ngpgcheck=1\ngpgkey=file://" + step + "plain.asc\n",
			},
			kept: map[string]string{
				"/etc/yum.repos.d/full.repo": "[full]\nname=full\nbaseurl=https://full.example:8443/debian\nenabled=1\ngpgcheck=1\n" +
					"gpgkey=file:///etc/pki/rpm-gpg/full.asc\npriority=600\nincludepkgs=a b\n",
			},
		},
		"zypper": {
			step: map[string]string{
				"/list": list,
				"/full.repo": "[full]\nname=full\nbaseurl=https://full.example:8443/debian?credentials=/run/flavorkit/private/full" +
					"&ssl_clientcert=/run/flavorkit/secrets/full.pem&ssl_clientkey=/run/flavorkit/secrets/full.pem\n" +
					"enabled=1\nautorefresh=1\ngpgcheck=1\ngpgkey=file://" + step + "full.asc\npriority=600\n",
				"/plain.repo": "[plain]\nname=plain\nbaseurl=http://plain.example/x\nenabled=1\nautorefresh=1\ngpgcheck=1\ngpgkey=file://" + step + "plain.asc\n",
			},
			kept: map[string]string{
				"/etc/zypp/repos.d/full.repo": "[full]\nname=full\nbaseurl=https://full.example:8443/debian\nenabled=1\nautorefresh=1\ngpgcheck=1\n" +
					"gpgkey=file:///etc/pki/rpm-gpg/full.asc\npriority=600\n",
			},
		},
	} {
		t.Run(manager, func(t *testing.T) {
			m, ok := catalog.ManagerByName(manager)
			require.True(t, ok)
			assert.Empty(t, cmp.Diff(want.step, texts(stepFiles(m, rendered(600)))))
			assert.Empty(t, cmp.Diff(want.kept, texts(keptFiles(m, rendered(600)))))
		})
	}
	apt, _ := catalog.ManagerByName("apt")
	for name, c := range map[string]struct {
		change func(*plan.Repository)
		want   string
	}{
		"packages at the usual priority": {func(r *plan.Repository) { r.Priority = 0 }, strings.Replace(pins, "600", "500", 1)},
		"a priority of all packages":     {func(r *plan.Repository) { r.Packages = nil }, "Package: *\nPin: origin \"full.example\"\nPin-Priority: 600\n"},
	} {
		r := rendered(600)[0]
		c.change(&r)
		assert.Equal(t, c.want, texts(stepFiles(apt, []plan.Repository{r}))["/preferences.d/full.pref"], name)
	}
	assert.Equal(t, "full.gpg", keyFile(apt, rendered(0)[0]))
	apk, _ := catalog.ManagerByName("apk")
	assert.Equal(t, "full.rsa.pub", keyFile(apk, rendered(0)[0]), "a signature names the file of its key")
}

// TestExplain has an exit code for every failure of every repository, and says nothing about other
// codes.
func TestExplain(t *testing.T) {
	var spec strings.Builder
	spec.WriteString("extends: debian-12\nversion: v1.0.0\nrepositories:\n")
	for i := range 12 {
		name := string(rune('a' + i))
		spec.WriteString("  - {name: " + name + ", url: 'https://" + name + ".example', path: ./, key: a.asc, secret: s}\n")
	}
	p := spectest.MustPlan(t, spec.String(), nil, "amd64")
	said := map[string]bool{}
	for i := range p.Userland.Repositories {
		for kind := range exitKinds {
			err := explain(p, p.Userland.Install, uint32(exitOf(i)+kind))
			require.Error(t, err)
			said[err.Error()] = true
		}
	}
	assert.Len(t, said, 10*exitKinds+1, "the last two have no codes of their own")
	assert.True(t, said["kairos.spec:3:1: repositories: apt cannot use one of the repositories; the log of the step has what apt says"] ||
		said["kairos.spec:4:3: repositories: apt cannot use one of the repositories; the log of the step has what apt says"], "%v", said)
	for code, want := range map[uint32]string{
		205: "kairos.spec:5:20: repositories[1].url: apt cannot read the repository b at https://b.example; the log of the step has what apt says",
		206: "kairos.spec:5:56: repositories[1].key: the key does not verify the repository b; the log of the step has what apt says",
		207: "kairos.spec:5:5: repositories[1]: the repository b, its key or its signature has expired; the log of the step has what apt says",
		208: "kairos.spec:5:71: repositories[1].secret: the repository b refuses the credentials, or needs some; the log of the step has what apt says",
		209: "kairos.spec:5:12: repositories[1].name: the base image has a repository b of its own; choose another name",
	} {
		assert.EqualError(t, explain(p, p.Userland.Install, code), want)
	}
	assert.NoError(t, explain(p, p.Userland.Install, 100))
	assert.NoError(t, explain(p, p.ISO.Tools.Install, 205), "it has no repositories")
	p.Userland.Repositories = p.Userland.Repositories[:1]
	assert.NoError(t, explain(p, p.Userland.Install, 205))

	assert.Equal(t, rules.Error, rules.RepositoryRefused.Severity)
}

// keyScript reads the public key of a repository.
func keyScript(t *testing.T) graph.Script {
	t.Helper()
	text, err := scripts.ReadFile("key.sh")
	require.NoError(t, err)
	return graph.Script{Name: "key.sh", Text: text}
}

// gpg runs gpg with a home of the test.
func gpg(t *testing.T, home string, args ...string) {
	t.Helper()
	cmd := exec.Command("gpg", append([]string{"--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// gpgHome is a short path, for the socket of the agent.
func gpgHome(t *testing.T) string {
	t.Helper()
	testkit.Need(t, "gpg", "run hack/deps.sh test")
	home, err := os.MkdirTemp("", "gpg")
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		_ = os.RemoveAll(home)
	})
	return home
}

// TestKey turns keys into the form of each package manager, and refuses what is none.
func TestKey(t *testing.T) {
	home := gpgHome(t)
	for _, name := range []string{"one", "two"} {
		gpg(t, home, "--quick-generate-key", name, "ed25519", "sign", "never")
	}
	b := scripttest.New(t, "awk", "base64", "od")
	gpg(t, home, "--output", b.Path("one.gpg"), "--export", "one")
	gpg(t, home, "--output", b.Path("both.gpg"), "--export")
	gpg(t, home, "--output", b.Path("one.asc"), "--armor", "--export", "one")
	gpg(t, home, "--output", b.Path("two.asc"), "--armor", "--export", "two")
	gpg(t, home, "--output", b.Path("secret.asc"), "--armor", "--export-secret-keys", "one")
	b.Write("both.asc", "Our keys:\n"+b.Read("one.asc")+"\n"+strings.ReplaceAll(strings.Replace(b.Read("two.asc"), "\n\n", "\nComment: two\n\n", 1), "\n", "\r\n"))
	b.Write("rsa.pub", "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n")
	b.Write("page.html", "<html>not found</html>\n")
	b.Write("broken.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n%%%\n-----END PGP PUBLIC KEY BLOCK-----\n")
	b.Write("empty", "")

	for _, c := range []struct{ form, key, same string }{
		{"binary", "one.gpg", "one.gpg"},
		{"binary", "one.asc", "one.gpg"},
		{"binary", "both.asc", "both.gpg"},
		{"armored", "one.asc", "one.asc"},
		{"rsa", "rsa.pub", "rsa.pub"},
	} {
		out, err := b.Try(keyScript(t), nil, c.form, c.key, "out")
		require.NoError(t, err, "%s of %s: %s", c.form, c.key, out)
		assert.Equal(t, []byte(b.Read(c.same)), []byte(b.Read("out")), "%s of %s", c.form, c.key)
	}
	for _, c := range []struct {
		form, key string
		code      int
	}{
		{"binary", "page.html", exitNoKey},
		{"binary", "broken.asc", exitNoKey},
		{"binary", "secret.asc", exitNoKey},
		{"binary", "empty", exitNoKey},
		{"armored", "one.gpg", exitNotText},
		{"armored", "page.html", exitNoKey},
		{"armored", "secret.asc", exitNoKey},
		{"rsa", "one.asc", exitNoKey},
	} {
		out, err := b.Try(keyScript(t), nil, c.form, c.key, "out")
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, "%s of %s: %s", c.form, c.key, out)
		assert.Equal(t, c.code, exit.ExitCode(), "%s of %s: %s", c.form, c.key, out)
	}
	_, err := os.Stat(filepath.Join(b.Dir, "out"))
	require.NoError(t, err)
}
