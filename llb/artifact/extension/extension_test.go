package extension

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/scripttest"
	"github.com/flavorkit/flavorkit/test/spectest"
)

const releaseFile = "usr/lib/extension-release.d/extension-release.tools-1"

// system is a bench with a small system, and what an extension makes of it.
type system struct{ scripttest.Bench }

func newSystem(t *testing.T) system {
	t.Helper()
	s := system{scripttest.New(t)}
	for _, dir := range []string{"base", "made"} {
		for _, empty := range []string{"etc/systemd/system", "usr/lib/modules/6.12", "var/lib"} {
			s.Mkdir(dir + "/" + empty)
		}
		s.Write(dir+"/usr/lib/os-release", "NAME=\"Debian\"\nID=debian\nVERSION_ID=\"13\"\n")
		s.Write(dir+"/usr/lib/systemd/system/systemd-sysext.service.d/10-kairos.conf", "[Service]\nEnvironment=SYSTEMD_SYSEXT_HIERARCHIES=/usr/bin:/usr/lib:/usr/share\n")
		s.Write(dir+"/usr/lib/systemd/system/old.service", "")
		s.Write(dir+"/usr/bin/old", "old")
		s.Write(dir+"/etc/old.conf", "old")
	}
	s.Mkdir("changes")
	s.Mkdir("out")
	lines := map[string][]string{"hierarchies": {"/usr", "/opt"}, "ignored": ignored(), "release": {"ARCHITECTURE=x86-64"}, "services": nil}
	for name, list := range lines {
		s.Write("in/"+name, strings.Join(append(list, ""), "\n"))
	}
	return s
}

// adds writes a file that the extension has and the system does not.
func (s system) adds(name, text string) {
	s.Helper()
	s.Write("made/"+name, text)
	s.Write("changes/"+name, text)
}

func (s system) take() (string, int) {
	s.Helper()
	said, err := s.Try(changesScript(), []string{"FLAVORKIT_VARIABLE=SYSTEMD_SYSEXT_HIERARCHIES"}, "base", "made", "changes", "in", "out", "/"+releaseFile)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return said, exit.ExitCode()
	}
	require.NoError(s, err)
	return said, 0
}

// files are the paths of the extension.
func (s system) files() (all []string) {
	s.Helper()
	require.NoError(s, filepath.WalkDir(s.Path("out"), func(name string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			all = append(all, strings.TrimPrefix(name, s.Path("out")+"/"))
		}
		return err
	}))
	return all
}

// TestChanges takes files with their links, modes and times, and leaves out what a package manager
// remembers.
func TestChanges(t *testing.T) {
	s := newSystem(t)
	s.adds("usr/bin/tool", "tool")
	require.NoError(t, os.Chmod(s.Path("changes/usr/bin/tool"), 0o755|os.ModeSetuid))
	require.NoError(t, os.Link(s.Path("changes/usr/bin/tool"), s.Path("changes/usr/bin/same")))
	s.adds(`usr/lib/a\x2db c`, "name")
	s.adds("usr/lib/systemd/system/tool@.service", "")
	s.adds("var/lib/dpkg/status", "status")
	s.adds("var/cache/ldconfig/aux-cache", "cache")
	s.adds("etc/systemd/system/multi-user.target.wants/tool.service", "")
	s.adds("usr/lib/modules/6.12/updates/tool.ko", "module")
	s.Write("changes/etc/old.conf", "old") // written again, as it was
	s.Write("in/services", "tool@one.service\nold.service\n")
	s.Write("in/files/usr/lib/systemd/system/multi-user.target.d/10-tools.conf", "drop-in")
	said, code := s.take()
	require.Zero(t, code, said)
	assert.Empty(t, said)
	assert.Equal(t, []string{
		"usr/bin/same", "usr/bin/tool", `usr/lib/a\x2db c`, releaseFile, "usr/lib/modules/6.12/updates/tool.ko",
		"usr/lib/systemd/system/multi-user.target.d/10-tools.conf", "usr/lib/systemd/system/tool@.service",
	}, s.files())
	assert.Equal(t, "ID=debian\nVERSION_ID=13\nARCHITECTURE=x86-64\n", s.Read("out/"+releaseFile))
	info, err := os.Stat(s.Path("out/usr/bin/tool"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o755)|os.ModeSetuid, info.Mode())
	assert.EqualValues(t, 1700000000, info.ModTime().Unix())
	same, err := os.Stat(s.Path("out/usr/bin/same"))
	require.NoError(t, err)
	assert.True(t, os.SameFile(info, same))
}

// TestChangesForAnyDistro have no version of a distribution, and the directories of systemd if the
// system has no others.
func TestChangesForAnyDistro(t *testing.T) {
	s := newSystem(t)
	require.NoError(t, os.RemoveAll(s.Path("base/usr/lib/systemd/system/systemd-sysext.service.d")))
	require.NoError(t, os.RemoveAll(s.Path("made/usr/lib/systemd/system/systemd-sysext.service.d")))
	s.Write("in/release", "ID=_any\nARCHITECTURE=arm64\n")
	s.adds("opt/tool", "tool")
	said, code := s.take()
	require.Zero(t, code, said)
	assert.Equal(t, []string{"opt/tool", releaseFile}, s.files())
	assert.Equal(t, "ID=_any\nARCHITECTURE=arm64\n", s.Read("out/"+releaseFile))
}

// TestChangesRefused names the path of what no extension can change.
func TestChangesRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(system)
		code   int
		want   string
	}{
		"nothing":                  {func(system) {}, exitEmpty, "check failed: /" + releaseFile + ": there is nothing to merge\n"},
		"a deletion":               {func(s system) { require.NoError(s, os.Remove(s.Path("made/usr/bin/old"))) }, exitDeletes, "check failed: /usr/bin/old: is deleted\n"},
		"a file outside":           {func(s system) { s.adds("etc/tool.conf", "a") }, exitOutside, "check failed: /etc/tool.conf: machines merge nothing here\n"},
		"a change outside":         {func(s system) { s.adds("etc/old.conf", "new") }, exitOutside, "check failed: /etc/old.conf: machines merge nothing here\n"},
		"a directory outside":      {func(s system) { s.Mkdir("made/var/lib/tool"); s.Mkdir("changes/var/lib/tool") }, exitOutside, "check failed: /var/lib/tool: machines merge nothing here\n"},
		"what the system does not": {func(s system) { s.adds("opt/tool", "a") }, exitOutside, "check failed: /opt/tool: machines merge nothing here\n"},
		"another kernel":           {func(s system) { s.adds("usr/lib/modules/6.13/a.ko", "a") }, exitKernel, "check failed: /usr/lib/modules/6.13: modules of another kernel\n"},
		"no unit":                  {func(s system) { s.Write("in/services", "none.service\n") }, exitNoUnit, "check failed: none.service: there is no such unit\n"},
		"no name of the system":    {func(s system) { s.Write("base/usr/lib/os-release", "NAME=a\n") }, exitNoRelease, "check failed: /etc/os-release: has no ID\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			if c.code != exitEmpty {
				s.adds("usr/bin/tool", "tool")
			}
			c.change(s)
			said, code := s.take()
			assert.Equal(t, c.code, code, said)
			assert.Contains(t, said, c.want)
			assert.Empty(t, s.files())
		})
	}
}

const spec = `extends: debian-13
version: v1.0.0
extension:
  name: tools
  packages: [tree]
  services: [tool.service]
  certificate: signing.crt
`

// TestExplained points at the part of the spec.
func TestExplained(t *testing.T) {
	p := spectest.MustPlan(t, spec, nil, "amd64")
	k, e := Kinds()[0], p.Extensions[0]
	for code, want := range map[uint32]string{
		exitEmpty:     "kairos.spec:4:3: extension: the extension tools has nothing that the system lacks; leave out what the system has",
		exitDeletes:   "kairos.spec:4:3: extension: the extension tools deletes files of the system; the log of the step has the path; an extension only adds and replaces: make the change in the system",
		exitOutside:   "kairos.spec:4:3: extension: the extension tools changes files where machines merge no sysext; the log of the step has the path; add the packages to the system, or choose others",
		exitKernel:    "kairos.spec:4:3: extension: the extension tools has modules of another kernel than that of the system; the log of the step has the path; choose packages for the kernel of the system",
		exitNoUnit:    "kairos.spec:6:13: extension.services: the extension tools starts a unit that neither it nor the system has; the log of the step has the path; check its name",
		exitNoRelease: "kairos.spec:4:3: extension: the system does not say in os-release what it is; set anyDistro: true",
	} {
		assert.EqualError(t, k.refused(p, e, code), want, strconv.Itoa(int(code)))
	}
	for code, want := range map[uint32]string{
		exitNoCertificate: "kairos.spec:7:16: extension.certificate: the file has no certificate in PEM; name a file with -----BEGIN CERTIFICATE-----",
		exitNoKey:         "kairos.spec:7:16: extension.certificate: the secret sysext.key has no private key; give it the private key in PEM, without a passphrase",
		exitOtherKey:      "kairos.spec:7:16: extension.certificate: the certificate is not for the key of the secret sysext.key; give the secret the key that the certificate was made for",
	} {
		assert.EqualError(t, unsigned(p, e, code), want, strconv.Itoa(int(code)))
	}
	assert.NoError(t, k.refused(p, e, 1))
	assert.NoError(t, unsigned(p, e, 1))
}

// TestSignature refuses a certificate and a key that do not belong together, before anything is
// packed.
func TestSignature(t *testing.T) {
	b := scripttest.New(t, "openssl")
	b.Mkdir("content")
	for _, name := range []string{"one", "two"} {
		b.Ask("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN="+name, "-keyout", name+".key", "-out", name+".crt")
	}
	for files, want := range map[[2]string]int{
		{"one.key", "one.key"}: exitNoCertificate,
		{"one.crt", "one.crt"}: exitNoKey,
		{"one.crt", "two.key"}: exitOtherKey,
	} {
		_, err := b.Try(imageScript(), nil, "content", "out.raw", "sysext", "x86-64", "seed", files[0], files[1])
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		assert.Equal(t, want, exit.ExitCode(), files)
		assert.NoFileExists(t, b.Path("out.raw"))
	}
}
