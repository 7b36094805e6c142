package distro

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

// archive is a directory with packages for arm64 in the area "extra" of a suite, and a list of
// sources that does not ask for that area.
type archive struct {
	t   *testing.T
	dir string
	// stale is a file that changes after the index of the archive was made.
	stale string
}

func newArchive(t *testing.T) archive {
	t.Helper()
	testkit.Need(t, "apt-get", "run the tests on Debian or Ubuntu")
	testkit.Need(t, "dpkg-deb", "run the tests on Debian or Ubuntu")
	a := archive{t: t, dir: t.TempDir()}
	a.write("etc/sources.list", "")
	a.write("etc/sources.list.d/a.sources", "Types: deb\nURIs: file:"+a.dir+"\nSuites: suite\nComponents: main\nTrusted: yes\n")
	a.write("apt.conf", "Dir::Etc \""+a.dir+"/etc\";\n")
	a.write("dists/suite/main/binary-arm64/Packages", "")
	require.NoError(t, os.Mkdir(a.dir+"/out", 0o755))
	return a
}

func (a archive) write(name, text string) {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	require.NoError(a.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(a.t, os.WriteFile(path, []byte(text), 0o644))
}

// add makes a package of files.
func (a archive) add(name, depends string, files ...string) {
	a.t.Helper()
	control := fmt.Sprintf("Package: %s\nVersion: 1:2\nArchitecture: arm64\nMaintainer: nobody\nDepends: %s\nDescription: x\n", name, depends)
	a.write(name+"/DEBIAN/control", control)
	a.write(name+"/DEBIAN/postinst", "#!/bin/sh\nexit 1\n")
	require.NoError(a.t, os.Chmod(a.dir+"/"+name+"/DEBIAN/postinst", 0o755))
	for _, file := range append(files, "/usr/share/doc/"+name+"/copyright") {
		a.write(name+file, "of "+name)
	}
	a.run("dpkg-deb", "--build", name, name+"_2_arm64.deb")
	sum := strings.Fields(a.run("sha256sum", name+"_2_arm64.deb"))[0]
	size := strings.TrimSpace(a.run("stat", "-c", "%s", name+"_2_arm64.deb"))
	index := a.dir + "/dists/suite/extra/binary-arm64/Packages"
	known, _ := os.ReadFile(index)
	a.write("dists/suite/extra/binary-arm64/Packages", string(known)+control+"Filename: "+name+"_2_arm64.deb\nSize: "+size+"\nSHA256: "+sum+"\n\n")
}

func (a archive) run(program string, args ...string) string {
	a.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = a.dir
	out, err := cmd.CombinedOutput()
	require.NoError(a.t, err, string(out))
	return string(out)
}

// take runs the script as a step does.
func (a archive) take(files string, packages ...string) (string, error) {
	return a.script("apt-take.sh", []string{"FLAVORKIT_ARCH=arm64", "FLAVORKIT_AREAS=extra", "FLAVORKIT_FILES=" + files}, a.dir+"/out", packages...)
}

// script runs a script with what it asks for as environment and arguments.
func (a archive) script(name string, env []string, out string, packages ...string) (string, error) {
	script, err := filepath.Abs(name)
	require.NoError(a.t, err)
	index := a.run("sh", "-c", "cd dists/suite && sha256sum */*/Packages $(ls */Contents-* 2>/dev/null || true) | while read -r sum file; do echo \" $sum $(stat -c %s $file) $file\"; done")
	a.write("dists/suite/Release", "Suite: suite\nArchitectures: arm64\nComponents: main extra\nSHA256:\n"+index)
	if a.stale != "" {
		a.write(a.stale, "another day\n")
	}
	cmd := exec.Command("sh", append([]string{script, out}, packages...)...)
	cmd.Env = append(append(os.Environ(), "LC_ALL=C.UTF-8", "APT_CONFIG="+a.dir+"/apt.conf", "FLAVORKIT_CACHE="+a.dir+"/cache"), env...)
	said, err := cmd.CombinedOutput()
	return string(said), err
}

func TestTake(t *testing.T) {
	a := newArchive(t)
	a.add("firmware", "nowhere", "/usr/lib/firmware/start.elf", "/usr/lib/firmware/other.elf")
	a.add("linux", "libc6 (>= 1:2), linux-6.1 (= 1:2)", "/usr/share/bug/linux")
	a.add("linux-6.1", "initramfs-tools", "/usr/lib/linux-6.1/a.dtb", "/usr/lib/linux-6.1/b.dtb")
	out, err := a.take("/usr/lib/firmware/start.elf\n/usr/lib/linux-*/*.dtb", "firmware", "linux")
	require.NoError(t, err, out)
	files, err := filepath.Glob(a.dir + "/out/*")
	require.NoError(t, err)
	assert.Equal(t, []string{a.dir + "/out/a.dtb", a.dir + "/out/b.dtb", a.dir + "/out/start.elf"}, files)
	assert.Equal(t, "of linux-6.1", a.run("cat", "out/a.dtb"))

	out, err = a.take("/usr/lib/firmware/start.elf\n/usr/lib/linux-*/*.dtb", "firmware")
	require.Error(t, err)
	assert.Contains(t, out, "no package has /usr/lib/linux-*/*.dtb\n")
	out, err = a.take("/a", "nonfree")
	require.Error(t, err)
	assert.Contains(t, out, "nonfree")
}
