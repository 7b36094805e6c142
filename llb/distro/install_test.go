package distro

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// image is a directory that stands for the root of a base image, and programs that
// stand for those in it. A program writes its words into the file called.
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

// run runs the script of a package manager as the step does, in the directory in place
// of the root, and returns what it says and which programs it called. What cleans
// the machine is left out.
func (i image) run(manager string, env ...string) (said, called string, err error) {
	i.t.Helper()
	for _, file := range []string{manager + ".sh", "common.sh"} {
		text, err := scripts.ReadFile(file)
		require.NoError(i.t, err)
		moved := strings.NewReplacer(" /etc/", " "+i.dir+"/root/etc/", "/etc/systemd", i.dir+"/root/etc/systemd", " /usr/lib/", " "+i.dir+"/root/usr/lib/",
			"\t/usr/lib/", "\t"+i.dir+"/root/usr/lib/", " /var/", " "+i.dir+"/root/var/", " /lib/", " "+i.dir+"/root/lib/", "find /etc ", "find "+i.dir+"/root/etc ").Replace(string(text))
		if file == "common.sh" {
			moved += "\nclean() { :; }\n"
		}
		require.NoError(i.t, os.WriteFile(filepath.Join(i.dir, file), []byte(moved), 0o755))
	}
	cmd := exec.Command("sh", filepath.Join(i.dir, manager+".sh"), "htop")
	cmd.Env = append([]string{"PATH=" + i.dir + "/bin:/usr/sbin:/usr/bin:/sbin:/bin", "FLAVORKIT_CACHE=" + i.dir + "/cache"}, env...)
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

// TestSkippedRepositories is not read, and another one that the image does not have
// is nothing to fail for.
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

// TestInit has a program called init for sysvinit to ask, which is none of the
// commands that coreutils of one program answer to.
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
