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

// in opens files of a directory as Read asks for them.
func in(dir string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if os.IsNotExist(err) {
			return nil, nil
		}
		return data, err
	}
}

func install(manager string, packages ...string) plan.Install {
	all := plan.Install{Distro: "x", Manager: manager}
	for _, p := range packages {
		name, version, _ := strings.Cut(p, "=")
		all.Packages = append(all.Packages, plan.Package{Name: name, Version: version})
	}
	return all
}

func listed(name, version, arch string, size int64, repository string) Package {
	return Package{Name: name, Version: version, Arch: arch, Size: size, Repository: repository}
}

// TestRead reads what the package managers print. apt, zypper and dnf 4 were run for the files.
func TestRead(t *testing.T) {
	for dir, want := range map[string]Resolution{
		"apt": {Size: 141796 + 2754312 + 248036 + 328644, Names: []string{}, Packages: []Package{
			{
				Name: "htop", Version: "3.2.2-2", Arch: "amd64", Size: 141796, Repository: "Debian:12.15/oldstable",
				URL: "http://deb.debian.org/debian/pool/main/h/htop/htop_3.2.2-2_amd64.deb", SHA256: "2e6e2f1a0007dc43bc91c273fd36e91e40a4f1c2765a03eca68b70a42103878a",
			},
			listed("libc6", "2.36-9+deb12u14", "amd64", 2754312, "Debian:12.15/oldstable, Debian-Security:12/oldstable-security"),
			listed("shim-signed", "1:1.44~1+deb12u1+15.8-1~deb12u1", "amd64", 328644, "file:/run/repo"),
			listed("tzdata", "2025b-0+deb12u1", "all", 248036, "Debian:12.15/oldstable"),
		}},
		"apk": {Size: 223000, Names: []string{"htop", "libncursesw"}, Packages: []Package{
			listed("htop", "3.3.0-r0", "x86_64", 73000, "https://dl-cdn.alpinelinux.org/alpine/v3.21/main"),
			listed("libncursesw", "6.5_p20241006-r3", "x86_64", 150000, "https://dl-cdn.alpinelinux.org/alpine/v3.21/main"),
		}},
		"dnf4": {Size: 12012116, Names: []string{"a-package-with-a-name-that-needs-a-line-of-its-own", "alpha", "beta"}, Packages: []Package{
			listed("a-package-with-a-name-that-needs-a-line-of-its-own", "1-1", "x86_64", 12000000, "updates"),
			listed("alpha", "2:1.2-3", "noarch", 6057, "fedora"),
			listed("beta", "0.5-3", "noarch", 6059, "fedora"),
		}},
		"dnf5": {Size: 2012116, Names: []string{"alpha", "beta", "libc"}, Packages: []Package{
			listed("alpha", "2:1.2-3", "noarch", 6057, "fedora"),
			listed("beta", "0.5-3", "noarch", 6059, "fedora"),
			listed("libc", "2.42-5.fc43", "x86_64", 2000000, "updates"),
		}},
		// zypper tells the size of all.
		"zypper": {Size: 12116, Names: []string{"alpha", "beta"}, Packages: []Package{
			listed("alpha", "2:1.2-3", "noarch", -1, "oss"),
			listed("beta", "0.5-3", "noarch", -1, "Main"),
		}},
	} {
		t.Run(dir, func(t *testing.T) {
			r, err := Read(install(strings.TrimRight(dir, "45"), "htop", "alpha"), in("testdata/"+dir))
			require.NoError(t, err)
			assert.Equal(t, &want, r)
		})
	}
}

func TestReadMissing(t *testing.T) {
	for dir, want := range map[string]struct {
		asked []string
		found []Missing
	}{
		"apt": {[]string{"htop", "htopp", "tree=9", "firmware-misc-nonfree"}, []Missing{
			{Package: plan.Package{Name: "htopp"}},
			{Package: plan.Package{Name: "tree", Version: "9"}, Versions: []string{"2.1.0-1"}},
			{Package: plan.Package{Name: "firmware-misc-nonfree"}},
		}},
		"apk": {[]string{"htop", "htopp", "libncursesw=9", "acme-agent"}, []Missing{
			{Package: plan.Package{Name: "htopp"}},
			{Package: plan.Package{Name: "libncursesw", Version: "9"}, Versions: []string{"6.5_p20241006-r3"}},
			{Package: plan.Package{Name: "acme-agent"}, Beside: []string{"acme"}},
		}},
		"dnf4":   {[]string{"alpha", "alphx", "beta=9", "gamma"}, append(rpmMissing(), onlyElsewhere())},
		"dnf5":   {[]string{"alpha", "alphx", "beta=9", "gamma"}, append(rpmMissing(), onlyElsewhere())},
		"zypper": {[]string{"alpha", "alfa", "alphx", "beta=9"}, rpmMissing()},
	} {
		t.Run(dir, func(t *testing.T) {
			r, err := Read(install(strings.TrimRight(dir, "45"), want.asked...), in("testdata/"+dir+"-missing"))
			require.NoError(t, err)
			assert.Equal(t, want.found, r.Missing)
			assert.NotEmpty(t, r.Names)
			assert.Empty(t, r.Packages)
		})
	}
}

func rpmMissing() []Missing {
	return []Missing{
		{Package: plan.Package{Name: "alphx"}, Beside: []string{"extra"}},
		{Package: plan.Package{Name: "beta", Version: "9"}, Versions: []string{"0.5-3"}},
	}
}

// onlyElsewhere is a package of a repository that is limited to others.
func onlyElsewhere() Missing {
	return Missing{Package: plan.Package{Name: "gamma"}, Beside: []string{"acme"}}
}

// TestEveryManagerResolves has a script and a reader for each package manager.
func TestEveryManagerResolves(t *testing.T) {
	for _, name := range catalog.ManagerNames() {
		_, err := script(name + "-resolve")
		require.NoError(t, err)
		read, ok := managers()[name]
		require.True(t, ok, name)
		assert.Contains(t, read.resolve.files, Answer)
	}
	_, err := Read(install("pacman"), in("testdata/apt"))
	assert.ErrorContains(t, err, `nothing reads the answers of "pacman"`)
}

// TestAPTResolves runs the script with the apt of this machine.
func TestAPTResolves(t *testing.T) {
	a := newArchive(t)
	a.add("linux", "linux-6.1 (= 1:2), initramfs-tools", "/boot/vmlinuz")
	a.add("linux-6.1", "initramfs-tools", "/lib/x")
	a.add("initramfs-tools", "linux-6.1", "/usr/bin/x")

	resolve := func(extract bool, packages ...string) (*Resolution, string, error) {
		env := []string{"FLAVORKIT_AREAS=extra"}
		if extract {
			env = append(env, "FLAVORKIT_EXTRACT=arm64")
		} else {
			a.write("apt.conf", "Dir::Etc \""+a.dir+"/etc\";\nAPT::Architecture \"arm64\";\nAPT::Architectures { \"arm64\"; };\nDir::State::status \"/dev/null\";\n")
		}
		out := t.TempDir()
		said, err := a.script("apt-resolve.sh", env, out, packages...)
		if err != nil {
			return nil, said, err
		}
		r, err := Read(install("apt", packages...), in(out))
		require.NoError(t, err)
		return r, said, nil
	}
	names := func(r *Resolution) (names []string) {
		for _, p := range r.Packages {
			assert.Equal(t, "1:2", p.Version)
			assert.Equal(t, "arm64", p.Arch)
			assert.Positive(t, p.Size)
			assert.NotEmpty(t, p.Repository)
			names = append(names, p.Name)
		}
		return names
	}

	r, said, err := resolve(true, "linux")
	require.NoError(t, err, said)
	assert.Equal(t, []string{"linux", "linux-6.1"}, names(r), "what it depends on in its own version")
	r, said, err = resolve(true, "linux", "linus")
	require.NoError(t, err, said)
	assert.Equal(t, []Missing{{Package: plan.Package{Name: "linus"}}}, r.Missing)

	r, said, err = resolve(false, "linux")
	require.NoError(t, err, said)
	assert.Equal(t, []string{"initramfs-tools", "linux", "linux-6.1"}, names(r))
	r, said, err = resolve(false, "linux=7", "linus", "linux-6.2")
	require.NoError(t, err, said)
	assert.Equal(t, []Missing{
		{Package: plan.Package{Name: "linux", Version: "7"}, Versions: []string{"1:2"}},
		{Package: plan.Package{Name: "linus"}},
		{Package: plan.Package{Name: "linux-6.2"}},
	}, r.Missing)
	assert.Equal(t, []string{"initramfs-tools", "linux", "linux-6.1"}, r.Names)

	a.add("broken", "nowhere", "/usr/bin/y")
	_, said, err = resolve(false, "broken")
	require.Error(t, err)
	assert.Contains(t, said, "apt-get finds no way to install the packages")
}

// TestAPKResolves runs the script with the apk of the stand-in for Alpine.
func TestAPKResolves(t *testing.T) {
	i := newImage(t, nil)
	i.write("etc/apk/arch", "x86_64\n")
	i.write("etc/apk/repositories", i.dir+"/repo\n")
	i.write("etc/apk/world", "")
	i.write("lib/apk/db/installed", "P:musl\nV:1-r0\n\n")
	require.NoError(t, os.MkdirAll(i.dir+"/repo/x86_64", 0o755))
	require.NoError(t, os.WriteFile(i.dir+"/APKINDEX", []byte("P:musl\nV:1-r0\nA:x86_64\nS:10\n\nP:htop\nV:3-r0\nA:x86_64\nS:7300\np:cmd:htop=3-r0\nD:ncurses musl\n\nP:ncurses\nV:6-r0\nA:x86_64\nS:20\n\n"), 0o644))
	out, err := exec.Command("tar", "-czf", i.dir+"/repo/x86_64/APKINDEX.tar.gz", "-C", i.dir, "APKINDEX").CombinedOutput()
	require.NoError(t, err, string(out))
	standIn, err := os.ReadFile("../../hack/standins/alpine/apk.sh")
	require.NoError(t, err)
	moved := strings.NewReplacer("/lib/apk/db", i.dir+"/root/lib/apk/db", "/etc/apk", i.dir+"/root/etc/apk").Replace(string(standIn))
	require.NoError(t, os.WriteFile(i.dir+"/bin/apk", []byte(moved), 0o755))

	resolve := func(packages ...string) *Resolution {
		out := t.TempDir()
		for _, file := range []string{"apk-resolve.sh", "common.sh"} {
			text, err := scripts.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(i.dir, file), []byte(strings.ReplaceAll(string(text), "/etc/apk", i.dir+"/root/etc/apk")), 0o755))
		}
		cmd := exec.Command("sh", append([]string{filepath.Join(i.dir, "apk-resolve.sh"), out}, packages...)...)
		cmd.Env = []string{"PATH=" + i.dir + "/bin:/usr/sbin:/usr/bin:/sbin:/bin", "FLAVORKIT_CACHE=" + i.dir + "/cache"}
		said, err := cmd.CombinedOutput()
		require.NoError(t, err, string(said))
		r, err := Read(install("apk", packages...), in(out))
		require.NoError(t, err)
		return r
	}
	r := resolve("htop")
	assert.Equal(t, []Package{listed("htop", "3-r0", "x86_64", 7300, i.dir+"/repo"), listed("ncurses", "6-r0", "x86_64", 20, i.dir+"/repo")}, r.Packages)
	r = resolve("htopp", "ncurses=7", "htop")
	assert.Equal(t, []Missing{
		{Package: plan.Package{Name: "htopp"}},
		{Package: plan.Package{Name: "ncurses", Version: "7"}, Versions: []string{"6-r0"}},
	}, r.Missing)
}

// TestResolvesRepositories looks packages up in the repositories that they are installed from. What
// the scripts write has no secret in it.
func TestResolvesRepositories(t *testing.T) {
	for manager, c := range map[string]struct {
		program, refused string
		calls            string
		files            map[string]string
	}{
		"apk": {
			program: `case $* in *" update") tar -czf "$FLAVORKIT_CACHE/APKINDEX.1.tar.gz" -C "$FLAVORKIT_REPOSITORIES/../root" APKINDEX ;; ` +
				`*" add --simulate htop") echo "(1/1) Installing htop (3-r0)" ;; ` +
				`*" policy htop") printf 'htop policy:\n  3-r0:\n    @acme.some https://me:%%70@acme.example/some\n' ;; esac`,
			refused: `echo "ERROR: https://acme.example/some: UNTRUSTED signature"; exit 1`,
			calls:   "/private/one update\n(.*\n)*.*/private/repositories update\n(.*\n)*.*/private/repositories add --simulate htop\n",
			files:   map[string]string{"index": "P:htop\nV:3-r0\n", "policy": "htop policy:\n  3-r0:\n    @acme.some https://acme.example/some\n"},
		},
		"dnf": {
			program: "echo Operation aborted",
			refused: `case $* in *makecache) echo "Error: Signature of repomd.xml"; exit 1 ;; esac`,
			calls:   "--import .*acme.some.asc\n(.*\n)*.*reposdir=[^ ]*/private/repos.d .*makecache\n.*reposdir=[^ ]*/private/repos.d .*--assumeno .* install htop\n.*reposdir=[^ ]*/private/repos.d .*repoquery ",
		},
		"zypper": {
			program: "",
			refused: `case $* in *"refresh --force acme.some") echo "File 'repomd.xml' is unsigned."; exit 4 ;; esac`,
			calls:   "--import .*acme.some.asc\n(.*\n)*.* refresh --force acme.some\n(.*\n)*.* install --dry-run ",
		},
	} {
		t.Run(manager, func(t *testing.T) {
			resolve := func(program string) (out, said, called string, err error) {
				i := newImage(t, map[string]string{manager: program, "rpm": rpm})
				out = t.TempDir()
				i.write("APKINDEX", "P:htop\nV:3-r0\n\n")
				i.write("etc/apk/repositories", "https://alpine.example/main\n")
				i.write("etc/apk/keys/alpine.rsa.pub", "x")
				i.write("etc/zypp/repos.d/oss.repo", "[repo-oss]\n")
				said, called, err = i.script(manager+"-resolve", []string{out, "htop"}, i.repositoriesOf(manager, map[string]string{"acme.some": "me:password\n"}, limited)...)
				return out, said, called, err
			}
			out, said, called, err := resolve(c.program)
			require.NoError(t, err, said)
			assert.Regexp(t, c.calls, called)
			for name, text := range c.files {
				data, err := os.ReadFile(filepath.Join(out, name))
				require.NoError(t, err)
				assert.Contains(t, string(data), text)
			}
			files, err := filepath.Glob(out + "/*")
			require.NoError(t, err)
			assert.NotEmpty(t, files)
			for _, file := range files {
				data, err := os.ReadFile(file)
				require.NoError(t, err)
				assert.NotContains(t, string(data), "me:", file)
				assert.NotContains(t, string(data), "password", file)
			}
			_, said, _, err = resolve(c.refused)
			assert.Equal(t, exitOf(0)+1, failsWith(t, err, said), said)
		})
	}
}

// TestReadTags reads what apk says about the packages of a limited repository.
func TestReadTags(t *testing.T) {
	open := func(name string) ([]byte, error) {
		return []byte(map[string]string{
			"index":    "P:htop\nV:3-r0\nA:x86_64\nS:7\n\n",
			"resolved": "(1/1) Installing htop (3-r0)\n",
			"policy":   "htop policy:\n  3-r0:\n    @acme.some https://acme.example/some\n",
			"said":     "ERROR: unable to select packages:\n  tree@acme.some (no such package):\n    required by: world[tree@acme.some]\n  htop-3-r0:\n    breaks: world[htop@acme.some=9]\n",
		}[name]), nil
	}
	r, err := Read(install("apk", "tree", "htop=9"), open)
	require.NoError(t, err)
	assert.Equal(t, "https://acme.example/some", r.Packages[0].Repository)
	assert.Equal(t, []Missing{
		{Package: plan.Package{Name: "tree"}},
		{Package: plan.Package{Name: "htop", Version: "9"}, Versions: []string{"3-r0"}},
	}, r.Missing)
}
