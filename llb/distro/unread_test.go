package distro

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/spectest"
)

// unreadable is a package manager that cannot read an address.
type unreadable struct {
	program string
	// alone are the arguments for one third-party repository, which it can read.
	alone string
	// moments are what it does when it cannot: SAY for the message.
	moments map[string]string
	// says is the message. ADDRESS is what it cannot read.
	says string
}

func unreadables() map[string]unreadable {
	return map[string]unreadable{
		"apt": {
			program: "apt-get", alone: "*sourceparts=/dev/null*",
			moments: map[string]string{"reads": "*' update ') SAY; exit 100 ;;", "installs": "*' install '*) SAY; exit 100 ;;"},
			says:    "E: Failed to fetch ADDRESS/x  Could not connect to 192.0.2.1:80 (192.0.2.1). - connect (111: Connection refused)",
		},
		"apk": {
			program: "apk", alone: "*/private/one' update '",
			moments: map[string]string{
				"reads":    "*' update ') SAY; exit 1 ;;",
				"installs": `*' add '*) : >"$FLAVORKIT_CACHE/down"; exit 3 ;; *' update ') [ ! -e "$FLAVORKIT_CACHE/down" ] || { SAY; exit 1; } ;;`,
			},
			says: "fetch https://mirror.example/a-more/main/x86_64/APKINDEX.tar.gz\nWARNING: fetching ADDRESS/main: temporary error (try again later)",
		},
		"dnf": {
			program: "dnf", alone: "*' --repo=whole '*",
			moments: map[string]string{"installs": "*' install '*) SAY; exit 1 ;;"},
			says:    " - Curl error (7): Could not connect to server for ADDRESS/repodata/repomd.xml [Failed to connect]",
		},
		"zypper": {
			program: "zypper", alone: "*' --force whole '",
			moments: map[string]string{"reads": "*' --force ') SAY; exit 4 ;;", "installs": "*' install '*) SAY; exit 8 ;;"},
			says:    "Download (curl) error for 'ADDRESS/repodata/repomd.xml':\nError code: Connection failed",
		},
	}
}

// TestUnread has an exit code for what a package manager cannot read: a mirror, a third-party
// repository that could be read before, or an archive of the image.
func TestUnread(t *testing.T) {
	const mirrors = "FLAVORKIT_MIRRORS=archive.example/main https://mirror.example/a 193\narchive.example/more https://mirror.example/a-more 194"
	for manager, m := range unreadables() {
		for name, c := range map[string]struct {
			mirrors, address string
			code             int
		}{
			"mirror":                   {mirrors, "https://mirror.example/a", exitMirror},
			"that begins like another": {mirrors, "https://mirror.example/a-more", exitMirror + 1},
			"archive":                  {mirrors, "https://other.example", exitArchive},
			"no mirrors":               {"", "https://mirror.example/a", exitArchive},
			"repository":               {mirrors, "https://whole.example", exitOf(0)},
		} {
			for when, does := range m.moments {
				t.Run(strings.Join([]string{manager, when, name}, " "), func(t *testing.T) {
					does := strings.ReplaceAll(does, "SAY", `echo "`+strings.ReplaceAll(m.says, "ADDRESS", c.address)+`"`)
					i := newImage(t, map[string]string{
						m.program: `case " $* " in ` + m.alone + ") ;; " + does + " esac",
						"rpm":     rpm, "chown": "", "userdel": "", "apt-config": "echo list=/none parts=/none",
					})
					for _, path := range []string{"etc/apk/keys/a.rsa.pub", "etc/apk/repositories", "etc/yum.repos.d/a.repo", "etc/zypp/repos.d/a.repo"} {
						i.write(path, "")
					}
					said, _, err := i.run(manager, append(i.repositoriesOf(manager, nil, whole), c.mirrors)...)
					assert.Equal(t, c.code, failsWith(t, err, said), said)
					assert.Contains(t, said, c.address)
				})
			}
		}
	}
}

// TestUnreadSaysNothingElse leaves the exit codes of other failures.
func TestUnreadSaysNothingElse(t *testing.T) {
	for manager, c := range map[string]struct {
		program, does string
		code          int
	}{
		"apt":    {"apt-get", `case "$*" in *' install '*) echo "E: Unable to locate package htop"; exit 100 ;; esac`, 100},
		"apk":    {"apk", `case "$*" in *' add '*) echo "ERROR: unable to select packages"; exit 3 ;; esac`, 3},
		"dnf":    {"dnf", `case "$*" in *' install '*) echo "No match for argument: htop"; exit 1 ;; esac`, 1},
		"zypper": {"zypper", `case "$*" in *' install '*) echo "'htop' not found in package names"; exit 104 ;; esac`, 1},
	} {
		t.Run(manager, func(t *testing.T) {
			i := newImage(t, map[string]string{c.program: c.does, "rpm": "", "chown": "", "userdel": ""})
			i.write("etc/zypp/repos.d/a.repo", "")
			said, _, err := i.run(manager)
			assert.Equal(t, c.code, failsWith(t, err, said), said)
		})
	}
}

// TestExplainUnread points at the mirror, or at what asks for the distribution.
func TestExplainUnread(t *testing.T) {
	p := spectest.MustPlan(t, `extends: debian-12
version: v1.0.0
kernel:
  from: ubuntu-24.04
mirrors:
  archives:
    debian: https://mirror.example/debian
    ubuntu: https://mirror.example/ubuntu
    debian-security: https://mirror.example/security
`, nil, "amd64")
	const says = "; the log of the step has what apt says"
	assert.Len(t, p.Userland.Mirrors, 3, "two hosts have the archive of security updates")
	said := map[string]bool{}
	for _, m := range p.Userland.Mirrors {
		err := explain(p, p.Userland.Install, uint32(exitOfMirror(p.Userland.Install, m)))
		require.Error(t, err)
		said[err.Error()] = true
	}
	assert.Equal(t, map[string]bool{
		"kairos.spec:7:13: mirrors.archives.debian: apt cannot read the mirror https://mirror.example/debian" + says:            true,
		"kairos.spec:9:22: mirrors.archives.debian-security: apt cannot read the mirror https://mirror.example/security" + says: true,
	}, said)
	assert.EqualError(t, explain(p, p.Kernel.Install, exitMirror), "kairos.spec:8:13: mirrors.archives.ubuntu: apt cannot read the mirror https://mirror.example/ubuntu"+says)
	const hint = says + "; for networks with mirrors or a proxy, see docs/mirrors.md"
	assert.EqualError(t, explain(p, p.Userland.Install, exitArchive), "kairos.spec:1:10: extends: apt cannot read an archive of debian-12"+hint)
	assert.EqualError(t, explain(p, p.ISO.Tools.Install, exitArchive), "kairos.spec:1:10: extends: apt cannot read an archive of debian-12"+hint)
	assert.EqualError(t, explain(p, p.Kernel.Install, exitArchive), "kairos.spec:4:9: kernel.from: apt cannot read an archive of ubuntu-24.04"+hint)
	assert.NoError(t, explain(p, p.Kernel.Install, exitMirror+1), "no other archive has a mirror")

	in := p.Userland.Install
	in.Mirrors = nil
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		m := p.Userland.Mirrors[0]
		m.Archive = name
		in.Mirrors = append(in.Mirrors, m)
	}
	assert.Equal(t, exitMirrors, exitOfMirror(in, in.Mirrors[5]))
	assert.EqualError(t, explain(p, in, exitMirrors), "kairos.spec:7:5: mirrors.archives: apt cannot read one of the mirrors"+says)
}

// TestWrongClock names a clock that was never set, which package managers take for old or future
// signatures.
func TestWrongClock(t *testing.T) {
	for manager, m := range unreadables() {
		for when, does := range m.moments {
			t.Run(manager+" "+when, func(t *testing.T) {
				does := strings.ReplaceAll(does, "SAY", `echo "`+strings.ReplaceAll(m.says, "ADDRESS", "https://other.example")+`"`)
				i := newImage(t, map[string]string{
					m.program: `case " $* " in ` + m.alone + ") ;; " + does + " esac",
					"date":    "echo 1970", "chown": "", "userdel": "", "apt-config": "echo list=/none parts=/none",
				})
				i.write("etc/zypp/repos.d/a.repo", "")
				said, _, err := i.run(manager)
				assert.Equal(t, int(exitClock), failsWith(t, err, said), said)
			})
		}
	}
	p := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\n", nil, "amd64")
	err := explain(p, p.Userland.Install, exitClock)
	assert.EqualError(t, err, "kairos.spec:1:10: extends: the clock of the builder is before 2020, so that no signature and no certificate is valid; set it")
}
