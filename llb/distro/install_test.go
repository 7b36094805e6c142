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
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// image is a directory that replaces the root of a base image, with fake programs. A program
// appends its arguments to the file called.
type image struct {
	t   *testing.T
	dir string
}

func newImage(t *testing.T, programs map[string]string) image {
	t.Helper()
	i := image{t, t.TempDir()}
	for _, dir := range []string{"bin", "cache", "root/etc/systemd/system", "root/var/log/zypp", "root/var/lib", "root/usr/lib"} {
		require.NoError(t, os.MkdirAll(filepath.Join(i.dir, dir), 0o755))
	}
	for name, text := range programs {
		text = "#!/bin/sh\necho \"${0##*/} $*\" >>" + i.dir + "/called\n" + text + "\n"
		require.NoError(t, os.WriteFile(filepath.Join(i.dir, "bin", name), []byte(text), 0o755))
	}
	return i
}

func (i image) write(path, text string) {
	i.t.Helper()
	path = filepath.Join(i.dir, "root", path)
	require.NoError(i.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(i.t, os.WriteFile(path, []byte(text), 0o644))
}

func (i image) exists(path string) bool {
	_, err := os.Lstat(filepath.Join(i.dir, "root", path))
	return err == nil
}

// run runs the script of a package manager as the step does, in the directory in place of the root,
// and returns what it says and which programs it called. What cleans the machine is left out.
func (i image) run(manager string, env ...string) (said, called string, err error) {
	i.t.Helper()
	return i.script(manager, []string{"htop"}, env...)
}

// script runs a script as run does, with arguments.
func (i image) script(name string, args []string, env ...string) (said, called string, err error) {
	i.t.Helper()
	for _, file := range []string{name + ".sh", "common.sh"} {
		text, err := scripts.ReadFile(file)
		require.NoError(i.t, err)
		moved := strings.NewReplacer(" /etc/", " "+i.dir+"/root/etc/", "/etc/systemd", i.dir+"/root/etc/systemd", " /usr/lib/", " "+i.dir+"/root/usr/lib/",
			"\t/usr/lib/", "\t"+i.dir+"/root/usr/lib/", " /var/", " "+i.dir+"/root/var/", " /lib/", " "+i.dir+"/root/lib/", "find /etc ", "find "+i.dir+"/root/etc ").Replace(string(text))
		if file == "common.sh" {
			moved += "\nclean() { :; }\n"
		}
		require.NoError(i.t, os.WriteFile(filepath.Join(i.dir, file), []byte(moved), 0o755))
	}
	cmd := exec.Command("sh", append([]string{filepath.Join(i.dir, name+".sh")}, args...)...)
	cmd.Env = append([]string{"PATH=" + i.dir + "/bin:/usr/sbin:/usr/bin:/sbin:/bin", "FLAVORKIT_CACHE=" + i.dir + "/cache", "TMPDIR=" + i.dir}, env...)
	out, err := cmd.CombinedOutput()
	text, _ := os.ReadFile(filepath.Join(i.dir, "called"))
	return string(out), string(text), err
}

// zypper fails with a code when it installs.
func zypper(code string) map[string]string {
	return map[string]string{"zypper": "case \"$*\" in *' install '*) exit " + code + " ;; esac", "rpm": ""}
}

func TestZypper(t *testing.T) {
	for code, fails := range map[string]bool{"0": false, "102": false, "103": false, "107": false, "4": true, "106": true} {
		t.Run(code, func(t *testing.T) {
			i := newImage(t, zypper(code))
			i.write("etc/zypp/repos.d/oss.repo", "[repo-oss]\n")
			i.write("var/log/zypp/history", "a|script of htop failed\n")
			said, _, err := i.run("zypper")
			assert.Equal(t, fails, err != nil, said)
			if fails {
				assert.Contains(t, said, "zypper failed with the exit code "+code)
			}
			assert.Equal(t, code == "107", strings.Contains(said, "warning: the script of a package failed"), said)
			assert.Equal(t, code == "107", strings.Contains(said, "a|script of htop failed"), said)
		})
	}
}

// TestSkippedRepositories checks that a skipped repository is not read, and that one that the image
// does not have is not an error.
func TestSkippedRepositories(t *testing.T) {
	i := newImage(t, zypper("0"))
	i.write("etc/zypp/repos.d/oss.repo", "[repo-oss]\n")
	i.write("etc/zypp/repos.d/codec.repo", "[repo-openh264]\n")
	said, called, err := i.run("zypper", "FLAVORKIT_SKIP_REPOSITORIES=repo-openh264\nrepo-elsewhere")
	require.NoError(t, err, said)
	assert.Contains(t, called, "modifyrepo --disable repo-openh264\n")
	assert.NotContains(t, called, "repo-elsewhere")
	assert.Less(t, strings.Index(called, "--disable"), strings.Index(called, "refresh"))
	assert.True(t, i.exists("etc/zypp/repos.d/codec.repo"), "the system keeps it")
}

func TestDNF(t *testing.T) {
	i := newImage(t, map[string]string{"dnf": "echo dnf5 version 5.2", "userdel": ""})
	i.write("usr/lib/sysimage/libdnf5/transaction_history.sqlite", "x")
	i.write("usr/lib/sysimage/libdnf5/packages.toml", "x")
	i.write("etc/passwd", "root:x:0:0::/root:/bin/sh\nfedora:x:1000:1000::/home/fedora:/bin/sh\n")
	i.write("etc/systemd/system/mine.service", "[Unit]\n")
	require.NoError(t, os.Symlink("/dev/null", i.dir+"/root/etc/systemd/system/console-getty.service"))
	said, called, err := i.run("dnf", "FLAVORKIT_REMOVE_USERS=fedora\nnobody-else")
	require.NoError(t, err, said)
	assert.False(t, i.exists("usr/lib/sysimage/libdnf5/transaction_history.sqlite"), "it has the time of the build")
	assert.True(t, i.exists("usr/lib/sysimage/libdnf5/packages.toml"))
	assert.Contains(t, called, "userdel --remove fedora\n")
	assert.NotContains(t, called, "nobody-else", "an image of another day may not have it")
	assert.False(t, i.exists("etc/systemd/system/console-getty.service"), "a machine needs what a container does not")
	assert.True(t, i.exists("etc/systemd/system/mine.service"))
}

func TestAPK(t *testing.T) {
	i := newImage(t, map[string]string{"apk": ""})
	i.write("etc/mkinitfs/mkinitfs.conf", "disable_trigger=true\n")
	i.write("etc/mkinitfs/mkinitfs.conf.apk-new", "features=x\n")
	said, called, err := i.run("apk")
	require.NoError(t, err, said)
	assert.Contains(t, called, "add htop\n")
	assert.True(t, i.exists("etc/mkinitfs/mkinitfs.conf"))
	assert.False(t, i.exists("etc/mkinitfs/mkinitfs.conf.apk-new"))
}

// TestInit checks that there is a program init for sysvinit, which also works with single-program
// coreutils.
func TestInit(t *testing.T) {
	i := newImage(t, map[string]string{"apt-get": "", "apt-config": "", "chown": ""})
	said, called, err := i.run("apt")
	require.NoError(t, err, said)
	assert.Contains(t, called, "install -- htop\n")
	info, err := os.Lstat(i.dir + "/cache/bin/init")
	require.NoError(t, err)
	assert.True(t, info.Mode().IsRegular(), "no link to a program that looks at its name")
	out, err := exec.Command(i.dir+"/cache/bin/init", "u").CombinedOutput()
	assert.NoError(t, err, string(out))
}

// repositoriesOf writes the files of repositories as a step has them, and returns the environment
// of the script.
func (i image) repositoriesOf(manager string, secrets map[string]string, all ...plan.Repository) []string {
	i.t.Helper()
	m, ok := catalog.ManagerByName(manager)
	require.True(i.t, ok)
	files := map[string]string{}
	for _, e := range stepFiles(m, all) {
		files["repositories"+e.Path] = string(e.Data)
	}
	for _, r := range all {
		files["repositories/keys/"+keyFile(m, r)] = "key of " + r.Name
	}
	for name, text := range secrets {
		files["secrets/"+name] = text
	}
	for name, text := range files {
		path := filepath.Join(i.dir, name)
		require.NoError(i.t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(i.t, os.WriteFile(path, []byte(text), 0o644))
	}
	for _, dir := range []string{"private", "secrets"} {
		require.NoError(i.t, os.MkdirAll(filepath.Join(i.dir, dir), 0o755))
	}
	return []string{"FLAVORKIT_REPOSITORIES=" + i.dir + "/repositories", "FLAVORKIT_SECRETS=" + i.dir + "/secrets", "FLAVORKIT_PRIVATE=" + i.dir + "/private"}
}

// read returns a file beside the root.
func (i image) read(path string) string {
	i.t.Helper()
	data, err := os.ReadFile(filepath.Join(i.dir, path))
	require.NoError(i.t, err)
	return string(data)
}

// failsWith is the exit code of a script, which must fail.
func failsWith(t *testing.T, err error, said string) int {
	t.Helper()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, said)
	return exit.ExitCode()
}

var (
	limited = plan.Repository{Name: "acme.some", URL: "https://acme.example/some", Key: plan.SigningKey{File: "acme-1.rsa.pub"}, Packages: []string{"htop"}, Secret: "login", Certificate: "client"}
	whole   = plan.Repository{Name: "whole", URL: "https://whole.example", Key: plan.SigningKey{File: "whole.rsa.pub"}, Keep: true}
)

func TestAPKRepositories(t *testing.T) {
	i := newImage(t, map[string]string{"apk": `echo "$SSL_CLIENT_CERT_FILE" >` + "$FLAVORKIT_PRIVATE/certificate"})
	i.write("etc/apk/repositories", "https://alpine.example/main\n")
	i.write("etc/apk/keys/alpine.rsa.pub", "x")
	i.write("etc/apk/world", "busybox\nhtop@acme.some\nhtop-doc@acme.some=1-r0\nother@acme-some\n")
	env := i.repositoriesOf("apk", map[string]string{"acme.some": "me:p@s/s:1|\\\n", "acme.some.pem": "pem"}, limited, whole)
	said, called, err := i.run("apk", env...)
	require.NoError(t, err, said)
	private := i.dir + "/private"
	with := " --keys-dir " + private + "/keys --repositories-file "
	assert.Equal(t, []string{
		"apk --cache-dir " + i.dir + "/cache" + with + private + "/one update",
		"apk --cache-dir " + i.dir + "/cache" + with + private + "/one update",
		"apk --cache-dir " + i.dir + "/cache" + with + private + "/repositories update",
		"apk --cache-dir " + i.dir + "/cache" + with + private + "/repositories add htop",
	}, strings.Split(strings.TrimSpace(called), "\n"))
	assert.Equal(t, "https://alpine.example/main\n@acme.some https://%6d%65:%70%40%73%2f%73%3a%31%7c%5c@acme.example/some\nhttps://whole.example\n", i.read("private/repositories"))
	assert.Equal(t, "x", i.read("private/keys/alpine.rsa.pub"))
	assert.Equal(t, "key of acme.some", i.read("private/keys/acme-1.rsa.pub"))
	assert.Equal(t, i.dir+"/secrets/acme.some.pem\n", i.read("private/certificate"))
	assert.Equal(t, "busybox\nhtop\nhtop-doc=1-r0\nother@acme-some\n", i.read("root/etc/apk/world"), "what does not stay leaves no tag behind")
	assert.False(t, i.exists("etc/apk/repositories.d"), "what stays is added later")
	assert.Equal(t, "https://alpine.example/main\n", i.read("root/etc/apk/repositories"))

	for says, code := range map[string]int{
		"ERROR: https://acme.example/some: UNTRUSTED signature": 206,
		"ERROR: https://acme.example/some: HTTP 401: Nobody":    208,
		"ERROR: https://acme.example/some: DNS lookup error":    205,
	} {
		i := newImage(t, map[string]string{"apk": `case $* in *"/one update") grep -q whole "$FLAVORKIT_PRIVATE/one" || { echo "` + says + `"; exit 1; } ;; esac`})
		i.write("etc/apk/keys/alpine.rsa.pub", "x")
		said, _, err := i.run("apk", i.repositoriesOf("apk", nil, whole, limited)...)
		assert.Equal(t, code, failsWith(t, err, said), said)
		assert.Contains(t, said, says)
	}
	i = newImage(t, map[string]string{"apk": ""})
	i.write("etc/apk/keys/alpine.rsa.pub", "x")
	i.write("etc/apk/repositories.d/whole.list", "https://other.example\n")
	said, _, err = i.run("apk", i.repositoriesOf("apk", nil, whole)...)
	assert.Equal(t, 204, failsWith(t, err, said), said)
}

// rpm knows a key before, and one for each import.
const rpm = `case $* in "--import "*) echo "gpg-pubkey-${2##*/}" >>"$FLAVORKIT_PRIVATE/rpm" ;; "-q gpg-pubkey") echo gpg-pubkey-old; cat "$FLAVORKIT_PRIVATE/rpm" 2>/dev/null ;; esac`

func TestDNFRepositories(t *testing.T) {
	i := newImage(t, map[string]string{"dnf": "echo dnf5 version 5.2", "userdel": "", "rpm": rpm})
	said, called, err := i.run("dnf", i.repositoriesOf("dnf", map[string]string{"acme.some": "me:pass:word\n"}, limited, whole)...)
	require.NoError(t, err, said)
	dirs := "--setopt=reposdir=/etc/yum.repos.d,/etc/distro.repos.d,/usr/share/dnf5/repos.d," + i.dir + "/private/repos.d"
	assert.Contains(t, called, dirs+" -y --refresh --repo=acme.some makecache\n")
	assert.Contains(t, called, dirs+" -y --refresh --setopt=install_weak_deps=False --setopt=tsflags=nodocs --setopt=keepcache=True install htop\n")
	assert.Contains(t, i.read("private/repos.d/acme.some.repo"), "includepkgs=htop\nsslclientcert=/run/flavorkit/secrets/acme.some.pem\nsslclientkey=/run/flavorkit/secrets/acme.some.pem\nusername=me\npassword=pass:word\n")
	assert.NotContains(t, i.read("private/repos.d/whole.repo"), "password")
	assert.Contains(t, called, "rpm -e --allmatches gpg-pubkey-acme.some.asc\n")
	assert.NotContains(t, called, "-e --allmatches gpg-pubkey-old")
	assert.NotContains(t, called, "-e --allmatches gpg-pubkey-whole", "it stays")

	for name, c := range map[string]struct {
		dnf  string
		code int
	}{
		"no metadata":        {`case $* in *"--repo=acme.some makecache") echo "Status code: 404 for https://acme.example/some/repodata/repomd.xml"; exit 1 ;; esac`, 205},
		"credentials":        {`case $* in *"--repo=acme.some makecache") echo "Status code: 401 for https://acme.example/some/repodata/repomd.xml"; exit 1 ;; esac`, 208},
		"another key, dnf 4": {`case $* in *" install "*) echo " GPG Keys are configured as: file:///run/flavorkit/repositories/keys/acme.some.asc"; echo "Error: GPG check FAILED"; exit 1 ;; esac`, 206},
		"another key, dnf 5": {`case $* in *" install "*) echo "PGP check for package \"htop-3\" (/x) from repo \"acme.some\" has failed: No signature"; exit 1 ;; esac`, 206},
		"no such package":    {`case $* in *" install "*) echo "No match for argument: htop"; exit 1 ;; esac`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			i := newImage(t, map[string]string{"dnf": c.dnf, "userdel": "", "rpm": rpm})
			said, _, err := i.run("dnf", i.repositoriesOf("dnf", nil, whole, limited)...)
			assert.Equal(t, c.code, failsWith(t, err, said), said)
		})
	}
}

func TestZypperRepositories(t *testing.T) {
	i := newImage(t, map[string]string{"zypper": "", "rpm": rpm})
	i.write("etc/zypp/repos.d/oss.repo", "[repo-oss]\n")
	said, called, err := i.run("zypper", i.repositoriesOf("zypper", map[string]string{"acme.some": "me:pass:word\n"}, limited, whole)...)
	require.NoError(t, err, said)
	assert.Equal(t, "username=me\npassword=pass:word\n", i.read("private/acme.some"))
	assert.Contains(t, i.read("cache/repos.d/acme.some.repo"), "credentials=/run/flavorkit/private/acme.some&")
	assert.NotContains(t, i.read("cache/repos.d/whole.repo"), "?")
	assert.Regexp(t, `refresh --force acme\.some\n(.*\n)*.* refresh --force whole\n(.*\n)*.* refresh --force\n(.*\n)*.* install `, called)
	assert.Contains(t, called, "rpm -e --allmatches gpg-pubkey-acme.some.asc\n")
	assert.NotContains(t, called, "-e --allmatches gpg-pubkey-whole")
	assert.False(t, i.exists("etc/zypp/repos.d/acme.some.repo"))

	for says, code := range map[string]int{
		"Signature verification failed for file 'repomd.xml' from repository 'acme.some'.": 206,
		"File 'repomd.xml' from repository 'acme.some' is unsigned.":                       206,
		"The gpg key signing file 'repomd.xml' has expired.":                               207,
		"Login to repository failed. HTTP response: 401":                                   208,
		"Timeout exceeded when accessing 'https://acme.example/some'.":                     205,
	} {
		i := newImage(t, map[string]string{"zypper": `case $* in *"refresh --force acme.some") echo "` + says + `"; exit 4 ;; esac`, "rpm": rpm})
		i.write("etc/zypp/repos.d/oss.repo", "[repo-oss]\n")
		said, _, err := i.run("zypper", i.repositoriesOf("zypper", nil, whole, limited)...)
		assert.Equal(t, code, failsWith(t, err, said), said)
		assert.Contains(t, said, says)
	}
}
