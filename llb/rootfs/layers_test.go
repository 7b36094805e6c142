package rootfs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/look"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/test/spectest"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// brought is a layer in a directory, and a small userland that it is checked against.
type brought struct {
	t                    *testing.T
	layer, userland, out string
	to                   string
}

func newBrought(t *testing.T) *brought {
	t.Helper()
	b := &brought{t: t, layer: t.TempDir(), userland: t.TempDir(), out: t.TempDir(), to: "/"}
	for _, dir := range []string{"boot", "etc/ssl/private", "tmp", "usr/bin", "usr/lib/systemd/system", "usr/share/doc", "var"} {
		require.NoError(t, os.MkdirAll(filepath.Join(b.userland, dir), 0o755))
	}
	require.NoError(t, os.Chmod(filepath.Join(b.userland, "etc/ssl/private"), 0o710))
	require.NoError(t, os.Chown(filepath.Join(b.userland, "etc/ssl/private"), 0, 42))
	for link, target := range map[string]string{"bin": "usr/bin", "lib": "usr/lib", "var/run": "/run", "etc/localtime": "/usr/share/zoneinfo/UTC", "usr/bin/awk": "mawk"} {
		require.NoError(t, os.Symlink(target, filepath.Join(b.userland, link)))
	}
	require.NoError(t, os.WriteFile(filepath.Join(b.userland, "usr/bin/mawk"), []byte("x"), 0o755))
	return b
}

func (b *brought) write(paths ...string) {
	b.t.Helper()
	for _, p := range paths {
		p = filepath.Join(b.layer, p)
		require.NoError(b.t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(b.t, os.WriteFile(p, []byte("x"), 0o644))
	}
}

func (b *brought) mkdir(p string) {
	b.t.Helper()
	require.NoError(b.t, os.MkdirAll(filepath.Join(b.layer, p), 0o755))
}

func (b *brought) link(p, target string) {
	b.t.Helper()
	p = filepath.Join(b.layer, p)
	require.NoError(b.t, os.MkdirAll(filepath.Dir(p), 0o755))
	require.NoError(b.t, os.Symlink(target, p))
}

// check runs the script on the layer.
func (b *brought) check() (lines []string, code int) {
	b.t.Helper()
	dir := b.t.TempDir()
	for name, text := range map[string][]byte{"layer.sh": layerScript, "look.sh": look.Script().Text} {
		require.NoError(b.t, os.WriteFile(filepath.Join(dir, name), text, 0o755))
	}
	cmd := exec.Command("sh", append([]string{filepath.Join(dir, "layer.sh"), b.layer, b.userland, b.out, b.to}, databases()...)...)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=315532800")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // the exit code has it
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines, cmd.ProcessState.ExitCode()
}

func TestLayerPasses(t *testing.T) {
	testkit.NeedRoot(t) // it sets owners
	for name, change := range map[string]func(*brought){
		"files":                           func(b *brought) { b.write("opt/acme/bin/tool", "etc/ssl/private/acme.key", "usr/share/with space") },
		"one file":                        func(b *brought) { b.write("usr/bin/tool"); b.to = "/usr/bin/tool" },
		"a directory":                     func(b *brought) { b.mkdir("opt/acme/empty"); b.to = "/opt/acme" },
		"the same link":                   func(b *brought) { b.link("bin", "usr/bin"); b.write("opt/x") },
		"another file in place of a link": func(b *brought) { b.write("etc/localtime", "usr/bin/awk") },
		"links in the system": func(b *brought) {
			b.link("opt/acme/current", "../../usr/./bin/../lib")
			b.link("etc/systemd/system/ssh.service", "/dev/null")
			b.link("top", "usr/..")
		},
		"directories that are mounted over": func(b *brought) { b.mkdir("proc"); b.mkdir("tmp/x"); b.write("opt/x") },
		"directories of a kernel": func(b *brought) {
			b.mkdir("usr/lib/modules")
			b.mkdir("boot")
			b.write("boot/config.txt", "etc/modules")
		},
		"a directory of a package manager": func(b *brought) { b.mkdir("var/lib/dpkg/info"); b.write("etc/apt/sources.list.d/a.sources") },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBrought(t)
			change(b)
			lines, code := b.check()
			assert.Zero(t, code)
			assert.Empty(t, lines)
		})
	}
}

// TestLayerFails has one thing wrong with a layer at a time: each gives one line, and its exit code.
func TestLayerFails(t *testing.T) {
	testkit.NeedRoot(t) // it makes a device
	for want, c := range map[string]struct {
		code   int
		change func(*brought)
	}{
		"/: the tree is empty":         {exitEmpty, func(*brought) {}},
		"/opt/acme: the tree is empty": {exitEmpty, func(b *brought) { b.mkdir("opt/acme"); b.to = "/opt/acme" }},

		"/boot/vmlinuz-6.1: a kernel or an initramfs":                           {exitKernel, func(b *brought) { b.write("boot/vmlinuz-6.1") }},
		"/boot/vmlinuz: a kernel or an initramfs":                               {exitKernel, func(b *brought) { b.link("boot/vmlinuz", "/opt/kernel") }},
		"/boot/initrd.img: a kernel or an initramfs":                            {exitKernel, func(b *brought) { b.write("boot/initrd.img") }},
		"/boot/a/bzImage: a kernel or an initramfs":                             {exitKernel, func(b *brought) { b.write("boot/a/bzImage") }},
		"/usr/lib/modules/6.1: modules of a kernel":                             {exitKernel, func(b *brought) { b.write("usr/lib/modules/6.1/a.ko") }},
		"/opt/lib/modules/6.1: modules of a kernel":                             {exitKernel, func(b *brought) { b.write("opt/lib/modules/6.1/a.ko"); b.link("usr/lib/modules", "/opt/lib/modules") }},
		"/var/lib/dpkg/status: the database of a package manager":               {exitDatabase, func(b *brought) { b.write("var/lib/dpkg/status") }},
		"/usr/lib/apk/db/installed: the database of a package manager":          {exitDatabase, func(b *brought) { b.write("usr/lib/apk/db/installed") }},
		"/usr/lib/sysimage/rpm/rpmdb.sqlite: the database of a package manager": {exitDatabase, func(b *brought) { b.write("usr/lib/sysimage/rpm/rpmdb.sqlite") }},

		"/bin: a directory replaces the link to usr/bin":             {exitReplaces, func(b *brought) { b.write("bin/tool") }},
		"/usr/bin/awk: a directory replaces the link to mawk":        {exitReplaces, func(b *brought) { b.write("usr/bin/awk/x") }},
		"/usr/bin/mawk: a directory replaces a file":                 {exitReplaces, func(b *brought) { b.write("usr/bin/mawk/x") }},
		"/bin: replaces the link to the directory usr/bin":           {exitReplaces, func(b *brought) { b.link("bin", "/opt/bin") }},
		"/lib: replaces the link to the directory usr/lib":           {exitReplaces, func(b *brought) { b.write("lib"); b.to = "/lib" }},
		"/etc: replaces a directory":                                 {exitReplaces, func(b *brought) { b.link("etc", "/opt/etc") }},
		"/usr/share/doc: replaces a directory":                       {exitReplaces, func(b *brought) { b.write("usr/share/doc") }},
		"/opt/a: the link to ../../etc leads out of the system":      {exitClimbs, func(b *brought) { b.link("opt/a", "../../etc") }},
		"/a: the link to .. leads out of the system":                 {exitClimbs, func(b *brought) { b.link("a", "..") }},
		"/a: the link to /../etc leads out of the system":            {exitClimbs, func(b *brought) { b.link("a", "/../etc") }},
		"/opt/b c: the link to x/../../../y leads out of the system": {exitClimbs, func(b *brought) { b.link("opt/b c", "x/../../../y") }},
		"/opt/null: a device, a socket or a pipe": {exitDevice, func(b *brought) {
			b.mkdir("opt")
			require.NoError(b.t, syscall.Mknod(filepath.Join(b.layer, "opt/null"), syscall.S_IFCHR|0o666, 1<<8|3))
		}},
		"/opt/pipe: a device, a socket or a pipe": {exitDevice, func(b *brought) {
			b.mkdir("opt")
			require.NoError(b.t, syscall.Mkfifo(filepath.Join(b.layer, "opt/pipe"), 0o600))
		}},
		"/tmp/a/b: /tmp is mounted over or emptied at boot": {exitVolatile, func(b *brought) { b.write("tmp/a/b") }},
		"/run/a: /run is mounted over or emptied at boot":   {exitVolatile, func(b *brought) { b.write("run/a") }},
	} {
		t.Run(want, func(t *testing.T) {
			b := newBrought(t)
			if c.code != exitEmpty {
				b.write("opt/other")
			}
			c.change(b)
			lines, code := b.check()
			assert.Equal(t, []string{"check failed: " + want}, lines)
			assert.Equal(t, c.code, code)
			assert.Empty(t, b.list(), "what fails gives nothing")
		})
	}
}

// TestLayerFailsTwice reports everything that is wrong, and ends with the code of the first.
func TestLayerFailsTwice(t *testing.T) {
	b := newBrought(t)
	b.write("boot/vmlinuz", "lib/a")
	b.link("a", "../b")
	lines, code := b.check()
	assert.Equal(t, []string{
		"check failed: /boot/vmlinuz: a kernel or an initramfs",
		"check failed: /lib: a directory replaces the link to usr/lib",
		"check failed: /a: the link to ../b leads out of the system",
	}, lines)
	assert.Equal(t, exitKernel, code)
}

func (b *brought) list() string {
	b.t.Helper()
	out, err := exec.Command("sh", "-c", `cd "$1" && find . -mindepth 1 -printf '%P %U:%G:%m %Ts\n' | LC_ALL=C sort`, "sh", b.out).CombinedOutput()
	require.NoError(b.t, err, string(out))
	return string(out)
}

// TestLayerDirectories gives the directories of the userland that the layer has, as the userland has
// them, and no others.
func TestLayerDirectories(t *testing.T) {
	testkit.NeedRoot(t) // it sets owners
	b := newBrought(t)
	b.write("etc/ssl/private/a", "opt/acme/b", "usr/share/doc/acme/c")
	for _, dir := range []string{"etc", "etc/ssl/private", "opt", "usr/share/doc"} {
		require.NoError(t, os.Chown(filepath.Join(b.layer, dir), 1000, 1000))
		require.NoError(t, os.Chmod(filepath.Join(b.layer, dir), 0o777))
	}
	lines, code := b.check()
	require.Zero(t, code, lines)
	assert.Equal(t, `etc 0:0:755 315532800
etc/ssl 0:0:755 315532800
etc/ssl/private 0:42:710 315532800
usr 0:0:755 315532800
usr/share 0:0:755 315532800
usr/share/doc 0:0:755 315532800
`, b.list())
}

// TestRefused has the error for every exit code at the line of the layer.
func TestRefused(t *testing.T) {
	p := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\nlayers:\n  - {name: tools, image: acme/tools, path: out}\n", nil, "amd64")
	refusal := func(code uint32) error { return refused(p, key.Layers.Item(0), p.Layers[0], code) }
	const at = "kairos.spec:4:5: layers[0]: the layer tools "
	const log = "; the log of the step has the path; "
	for code, want := range map[uint32]string{
		exitEmpty:    "kairos.spec:4:44: layers[0].path: there is nothing at /out in the image acme/tools; name a directory or file inside it",
		exitKernel:   at + "brings a kernel, an initramfs or kernel modules" + log + "choose a kernel with kernel.image or kernel.context, or leave them out",
		exitDatabase: at + "brings the database of a package manager" + log + "choose only what you need, with path",
		exitReplaces: at + "replaces a link or a directory of the distribution" + log + "put the files where the link points, such as /usr/lib instead of /lib",
		exitClimbs:   at + "has a link that leads out of the system" + log + "mend the link",
		exitDevice:   at + "has a device, a socket or a pipe" + log + "choose only what you need, with path",
		exitVolatile: at + "has files in a directory that is mounted over or emptied at boot" + log + "choose only what you need, with path",
	} {
		assert.EqualError(t, refusal(code), want)
	}
	for _, code := range []uint32{0, 1, exitEmpty - 1, exitVolatile + 1, 137} {
		require.NoError(t, refusal(code), "code %d is of no check", code)
	}
	context := plan.Layer{Name: "a", Context: "tools", Path: "/"}
	require.ErrorContains(t, refused(p, key.Layers.Item(0), context, exitEmpty), "there is nothing at / in the named context tools")
}
