package distro

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/test/aptrepo"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// library runs a function of common.sh over a text.
func library(t *testing.T, function, text string, env ...string) string {
	t.Helper()
	common, err := scripts.ReadFile("common.sh")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "common.sh")
	require.NoError(t, os.WriteFile(file, common, 0o644))
	cmd := exec.Command("sh", "-euc", ". "+file+"; "+function)
	cmd.Env, cmd.Stdin = append([]string{"PATH=" + os.Getenv("PATH")}, env...), strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// TestMirrored replaces archives, and nothing that only begins the same.
func TestMirrored(t *testing.T) {
	const mirrors = "FLAVORKIT_MIRRORS=deb.debian.org/debian https://mirror.example/a&b 193\narchive.ubuntu.com/ubuntu http://mirror.example:8080/ubuntu 194"
	const text = `deb http://deb.debian.org/debian bookworm main
deb [signed-by=/x.gpg] https://deb.debian.org/debian/ bookworm main
deb http://deb.debian.org/debian-security bookworm-security main
deb http://debXdebian.org/debian bookworm main
URIs: http://archive.ubuntu.com/ubuntu http://deb.debian.org/debian
deb http://mirror.of/deb.debian.org/debian bookworm main
`
	assert.Equal(t, `deb https://mirror.example/a&b bookworm main
deb [signed-by=/x.gpg] https://mirror.example/a&b/ bookworm main
deb http://deb.debian.org/debian-security bookworm-security main
deb http://debXdebian.org/debian bookworm main
URIs: http://mirror.example:8080/ubuntu https://mirror.example/a&b
deb http://mirror.of/deb.debian.org/debian bookworm main
`, library(t, "mirrored", text, mirrors))
	assert.Equal(t, text, library(t, "mirrored", text))
}

// TestRPMMirrored has repositories in the forms of Fedora and of openSUSE.
func TestRPMMirrored(t *testing.T) {
	const mirrors = "FLAVORKIT_MIRRORS=download.example/pub/fedora/linux https://mirror.example/fedora 193\ncdn.opensuse.org http://mirror.example/suse 194"
	const text = `# of the distribution
[fedora]
name=Fedora $releasever
#baseurl=http://download.example/pub/fedora/linux/releases/$releasever/os/
metalink=https://mirrors.example/metalink?repo=fedora-$releasever
gpgkey=file:///etc/pki/key

[other]
#baseurl=http://other.example/
mirrorlist = https://other.example/list
[suse]
baseurl = https://cdn.opensuse.org/distribution/$releasever
gpgkey=http://cdn.opensuse.org/key`
	assert.Equal(t, `# of the distribution
[fedora]
name=Fedora $releasever
baseurl=https://mirror.example/fedora/releases/$releasever/os/
gpgkey=file:///etc/pki/key

[other]
#baseurl=http://other.example/
mirrorlist = https://other.example/list
[suse]
baseurl = http://mirror.example/suse/distribution/$releasever
gpgkey=http://mirror.example/suse/key
`, library(t, "rpm_mirrored", text, mirrors))
}

// TestAptMirror reads a mirror with the real apt, over https with an authority of its own. The
// image keeps its archive, unless it is to have the mirror.
func TestAptMirror(t *testing.T) {
	signer := aptrepo.NewSigner(t)
	repository := aptrepo.New(t)
	repository.Add("htop", "2", "the mirror")
	repository.Publish(aptrepo.Release{Signer: signer})
	url, authority := repository.ServeTLS()
	for name, c := range map[string]struct {
		authority string
		keep      bool
		code      int
		says      string
	}{
		"of the authority":     {authority: authority, says: "Inst htop (2"},
		"that stays":           {authority: authority, keep: true, says: "Inst htop (2"},
		"of another authority": {code: exitMirror, says: "ertificate"},
		"without certificates": {authority: "<html>404</html>", code: exitNoCertificate},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAptImage(t)
			a.write("key.asc", signer.Key())
			archive := "deb [signed-by=" + a.dir + "/root/key.asc] http://deb.debian.org/debian stable main\n"
			a.write("etc/apt/sources.list.d/debian.list", archive)
			a.write("ca.pem", c.authority)
			a.env = []string{"FLAVORKIT_REPOSITORIES=", "FLAVORKIT_MIRRORS=deb.debian.org/debian " + url + " 193"}
			if c.authority != "" {
				a.env = append(a.env, "FLAVORKIT_CA="+a.dir+"/root/ca.pem")
			}
			want := archive
			if c.keep {
				a.env = append(a.env, "FLAVORKIT_KEEP_MIRRORS=1")
				want = strings.Replace(archive, "http://deb.debian.org/debian", url, 1)
			}
			said, code := a.install(nil)
			require.Equal(t, c.code, code, said)
			assert.Contains(t, said, c.says)
			kept, err := os.ReadFile(filepath.Join(a.dir, "root/etc/apt/sources.list.d/debian.list"))
			require.NoError(t, err)
			assert.Equal(t, want, string(kept))
		})
	}
}

// TestMirrorsOfOthers has apk, dnf and zypper read copies of the repositories of the image, with
// mirrors, and trust an authority.
func TestMirrorsOfOthers(t *testing.T) {
	const (
		rpm     = "[a]\n#baseurl=http://archive.example/x\nmetalink=https://a.example\n"
		changed = "[a]\nbaseurl=https://mirror.example/x\n"
	)
	for manager, c := range map[string]struct {
		file, text, want string
		programs         map[string]string
		calls            string
	}{
		"apk": {
			file: "etc/apk/repositories", text: "http://archive.example/main\n@edge http://archive.example/edge\n",
			want:     "https://mirror.example/main\n@edge https://mirror.example/edge\n",
			programs: map[string]string{"apk": `cat DIR/private/repositories "$SSL_CERT_FILE"`},
			calls:    " --keys-dir DIR/private/keys --repositories-file DIR/private/repositories add htop",
		},
		"dnf": {
			file: "etc/yum.repos.d/a.repo", text: rpm, want: changed,
			programs: map[string]string{"dnf": "cat DIR/private/found.d/*.repo DIR/private/ca.pem", "rpm": ""},
			calls:    " --setopt=reposdir=DIR/private/found.d --setopt=sslcacert=DIR/private/ca.pem -y ",
		},
		"zypper": {
			file: "etc/zypp/repos.d/a.repo", text: rpm, want: changed,
			programs: map[string]string{"zypper": "cat DIR/cache/repos.d/*.repo DIR/root/anchors/flavorkit-build.crt", "rpm": "", "update": ""},
			calls:    "update --all\nzypper --non-interactive --reposd-dir DIR/cache/repos.d ",
		},
	} {
		t.Run(manager, func(t *testing.T) {
			for _, keep := range []string{"", "1"} {
				i := newImage(t, nil)
				here := strings.NewReplacer("DIR", i.dir)
				for name, text := range c.programs {
					text = "#!/bin/sh\necho \"${0##*/} $*\" >>" + i.dir + "/called\n" + here.Replace(text) + "\n"
					require.NoError(t, os.WriteFile(filepath.Join(i.dir, "bin", name), []byte(text), 0o755))
				}
				require.NoError(t, os.MkdirAll(filepath.Join(i.dir, "private"), 0o755))
				i.write("etc/apk/keys/a.pub", "")
				i.write(c.file, c.text)
				i.write("ca.pem", "-----BEGIN CERTIFICATE-----\nacme\n-----END CERTIFICATE-----")
				i.write("bundle.pem", "of the image\n")
				said, called, err := i.run(manager, "FLAVORKIT_MIRRORS=archive.example https://mirror.example 193", "FLAVORKIT_KEEP_MIRRORS="+keep,
					"FLAVORKIT_PRIVATE="+i.dir+"/private", "FLAVORKIT_CA="+i.dir+"/root/ca.pem", "FLAVORKIT_CA_BUNDLE="+i.dir+"/root/bundle.pem",
					"FLAVORKIT_CA_DIRECTORY="+i.dir+"/root/anchors", "FLAVORKIT_CA_UPDATE=update --all")
				require.NoError(t, err, said)
				assert.Contains(t, called, here.Replace(c.calls))
				assert.Contains(t, said, c.want)
				assert.Contains(t, said, "acme\n-----END CERTIFICATE-----")
				if manager != "zypper" {
					assert.Contains(t, said, "of the image\n")
				}
				left, err := os.ReadFile(filepath.Join(i.dir, "root", c.file))
				require.NoError(t, err)
				assert.Equal(t, map[string]string{"": c.text, "1": c.want}[keep], string(left))
				assert.False(t, i.exists("anchors/flavorkit-build.crt"))
			}
		})
	}
}

// TestTrust gives every certificate a file of its own, which the tool of the distribution reads.
func TestTrust(t *testing.T) {
	text, err := scripts.ReadFile("trust.sh")
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755))
	}
	const one, two = "-----BEGIN CERTIFICATE-----\none\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\ntwo\n-----END CERTIFICATE-----\n"
	write("trust.sh", string(text))
	write("ca.pem", "Acme\n"+strings.ReplaceAll(one, "\n", "\r\n")+"\n"+strings.TrimSuffix(two, "\n"))
	write("list", "mozilla/x.crt\n")
	write("tool", "#!/bin/sh\ncd "+dir+"/anchors\necho \"$@\"\nls -A\ncat *\n")
	out, err := exec.Command("sh", dir+"/trust.sh", dir+"/ca.pem", dir+"/anchors", dir+"/list", dir+"/tool", "extract").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "extract\nflavorkit-1.crt\nflavorkit-2.crt\n"+one+two, string(out))
	list, err := os.ReadFile(filepath.Join(dir, "list"))
	require.NoError(t, err)
	assert.Equal(t, "mozilla/x.crt\nflavorkit-1.crt\nflavorkit-2.crt\n", string(list))

	err = exec.Command("sh", dir+"/trust.sh", dir+"/ca.pem", dir+"/anchors", "", "flavorkit-no-such-tool").Run()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, exitNoTool, exit.ExitCode())
}

// TestAuthoritySecret points at the secret that is wrong.
func TestAuthoritySecret(t *testing.T) {
	p := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\nca: {secret: acme-ca}\n", nil, "amd64")
	err := explain(p, p.Userland.Install, exitNoCertificate)
	require.EqualError(t, err, "kairos.spec:3:14: ca.secret: the secret has no certificate in PEM; give the secret a file with -----BEGIN CERTIFICATE-----")
	p.CA = nil
	assert.NoError(t, explain(p, plan.Install{}, exitNoCertificate))
}
