package rootfs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/look"
	"github.com/flavorkit/flavorkit/test/spectest"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// system is a root filesystem that passes every check, in a directory.
type system struct {
	t      *testing.T
	root   string
	checks string
	// userland is the distribution alone, in a directory.
	userland string
}

func newSystem(t *testing.T) *system {
	t.Helper()
	s := &system{
		t: t, root: t.TempDir(), userland: t.TempDir(),
		checks: "70 files \n71 cloud-config \n64 command bash\n65 need awk or gawk\tstages\n66 mask masked.service\n67 program /usr/bin/immucore\n" +
			"68 release KAIROS_ID\n68 release KAIROS_VERSION\n69 file /usr/lib/shim/shimx64.efi\n69 file \n66 init systemd\n",
	}
	require.NoError(t, os.Chmod(s.root, 0o755))
	for _, dir := range []string{
		"dev", "etc/cos", "etc/ssh", "home", "oem", "opt", "proc", "run/lock", "srv", "sys", "system/discovery", "system/oem",
		"system/providers", "usr/libexec", "usr/local", "var/lib", "var/tmp", "usr/lib64", "boot", "root", "tmp",
	} {
		require.NoError(t, os.MkdirAll(s.path(dir), 0o755))
	}
	s.chmod("/tmp", 0o777|os.ModeSticky)
	s.chmod("/var/tmp", 0o777|os.ModeSticky)
	s.chmod("/root", 0o700)
	for _, dir := range []string{"etc", "root", "tmp", "usr"} {
		require.NoError(t, os.Mkdir(filepath.Join(s.userland, dir), 0o755))
		info, err := os.Stat(s.path(dir))
		require.NoError(t, err)
		require.NoError(t, os.Chmod(filepath.Join(s.userland, dir), info.Mode()))
	}
	for _, dir := range []string{"bin", "lib", "lib64", "sbin"} {
		s.write("/usr/"+dir+"/.keep", "")
		s.link("/"+dir, "usr/"+dir)
		require.NoError(t, os.Symlink("usr/"+dir, filepath.Join(s.userland, dir)))
	}
	s.link("/var/lock", "/run/lock")
	s.link("/sbin/init", "/lib/systemd/systemd")
	for _, program := range []string{"/usr/bin/bash", "/usr/bin/gawk", "/usr/bin/immucore", "/usr/lib/systemd/systemd", "/usr/bin/sudo"} {
		s.write(program, "#!program")
		s.chmod(program, 0o755)
	}
	s.chmod("/usr/bin/sudo", 0o755|os.ModeSetuid)
	s.write("/usr/lib/shim/shimx64.efi", "shim")
	s.write("/etc/kairos-release", "KAIROS_ID=\"kairos\"\nKAIROS_VERSION=\"v1.0.0\"\n")
	s.write("/etc/machine-id", "")
	s.passwd("root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
	files, err := spectest.Catalog(t).Overlays().Files("common") // grub.cfg, bootargs.cfg and the stages are the real ones
	require.NoError(t, err)
	for _, f := range files {
		s.write(f.Path, string(f.Data))
	}
	return s
}

func (s *system) path(p string) string { return filepath.Join(s.root, p) }

func (s *system) write(p, text string) {
	s.t.Helper()
	require.NoError(s.t, os.MkdirAll(filepath.Dir(s.path(p)), 0o755))
	require.NoError(s.t, os.WriteFile(s.path(p), []byte(text), 0o644))
}

func (s *system) link(p, target string) {
	s.t.Helper()
	require.NoError(s.t, os.Symlink(target, s.path(p)))
}

// passwd writes the accounts of the distribution, which the system has as well.
func (s *system) passwd(text string) {
	s.t.Helper()
	s.write("/etc/passwd", text)
	require.NoError(s.t, os.WriteFile(filepath.Join(s.userland, "etc/passwd"), []byte(text), 0o644))
}

// masks has the image of the distribution mask a unit, and the system as well.
func (s *system) masks(unit string) {
	s.t.Helper()
	dir := filepath.Join(s.userland, "etc/systemd/system")
	require.NoError(s.t, os.MkdirAll(dir, 0o755))
	require.NoError(s.t, os.Symlink("/dev/null", filepath.Join(dir, unit)))
	s.write("/etc/systemd/system/x", "")
	s.link("/etc/systemd/system/"+unit, "/dev/null")
}

// lends has the packages of the distribution bring files, and asks for the one that a pattern
// finds.
func (s *system) lends(files ...string) {
	s.t.Helper()
	for _, file := range files {
		file = filepath.Join(s.userland, file)
		require.NoError(s.t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(s.t, os.WriteFile(file, []byte("x"), 0o644))
	}
	s.checks += "69 one /usr/lib/efi/*/EFI/grub.efi\n"
}

// lacks removes a link from the distribution.
func (s *system) lacks(p string) {
	s.t.Helper()
	require.NoError(s.t, os.Remove(filepath.Join(s.userland, p)))
}

func (s *system) chmod(p string, mode os.FileMode) {
	s.t.Helper()
	require.NoError(s.t, os.Chmod(s.path(p), mode))
}

func (s *system) remove(p string) {
	s.t.Helper()
	_, err := os.Lstat(s.path(p))
	require.NoError(s.t, err, "a test removes what is not there")
	require.NoError(s.t, os.RemoveAll(s.path(p)))
}

// replace replaces a file or directory.
func (s *system) replace(p, text string) { s.remove(p); s.write(p, text) }

// run checks the system and returns what the script says.
func (s *system) run() (lines []string, ok bool) {
	s.t.Helper()
	lines, code := s.check()
	return lines, code == 0
}

// check returns the exit code too.
func (s *system) check() (lines []string, code int) {
	s.t.Helper()
	dir := s.t.TempDir()
	for name, text := range map[string]string{"check.sh": string(checkScript), "look.sh": string(look.Script().Text), "checks": s.checks} {
		require.NoError(s.t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755))
	}
	cmd := exec.Command("sh", filepath.Join(dir, "check.sh"), s.root, filepath.Join(dir, "checks"), s.userland, s.userland)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // the exit code has it
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines, cmd.ProcessState.ExitCode()
}

func TestCheckPasses(t *testing.T) {
	testkit.NeedRoot(t) // the owner of files is checked
	for name, change := range map[string]func(*system){
		"as it is":           func(*system) {},
		"no sudo by choice":  func(s *system) { s.remove("/usr/bin/sudo") },
		"no /lib64 on arm64": func(s *system) { s.remove("/usr/lib64"); s.remove("/lib64"); s.lacks("/lib64") },
		"program by a link": func(s *system) {
			s.remove("/usr/bin/immucore")
			s.write("/usr/bin/kairos", "x")
			s.chmod("/usr/bin/kairos", 0o755)
			s.link("/usr/bin/immucore", "/bin/../bin/./kairos")
		},
		"sudo that nobody reads, as on Fedora": func(s *system) { s.chmod("/usr/bin/sudo", 0o111|os.ModeSetuid) },
		"the other command": func(s *system) {
			s.remove("/usr/bin/gawk")
			s.write("/usr/bin/awk", "x")
			s.chmod("/usr/bin/awk", 0o755)
		},
		"a unit that is masked by choice": func(s *system) { s.masks("masked.service") },
		"a unit that a layer unmasks": func(s *system) {
			s.masks("console-getty.service")
			s.remove("/etc/systemd/system/console-getty.service")
		},
		"an account that the spec makes": func(s *system) { s.replace("/etc/passwd", "admin:x:1000:1000::/:/bin/sh\n") },
		"one file of a version": func(s *system) {
			s.lends("usr/lib/efi/1:2.12-60.fc44/EFI/grub.efi", "usr/lib/efi/1:2.12-60.fc44/EFI/shim.efi")
		},
		"no machine-id": func(s *system) { s.remove("/etc/machine-id") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			change(s)
			lines, ok := s.run()
			assert.True(t, ok)
			assert.Empty(t, lines)
		})
	}
}

// TestCheckFails breaks one thing at a time: each gives exactly one line.
func TestCheckFails(t *testing.T) {
	testkit.NeedRoot(t)
	for want, changes := range map[string][]func(*system){
		"command bash: not found in the PATH": {
			func(s *system) { s.remove("/usr/bin/bash") },
			func(s *system) { s.chmod("/usr/bin/bash", 0o644) },
			func(s *system) { s.replace("/usr/bin/bash", ""); s.chmod("/usr/bin/bash", 0o755) },
		},
		"command awk or gawk: not found in the PATH; needed for stages": {
			func(s *system) { s.remove("/usr/bin/gawk") },
			func(s *system) { s.chmod("/usr/bin/gawk", 0o644) },
		},
		"account ubuntu: is part of the distribution and has the user ID 1000, which the first account of a machine gets": {
			func(s *system) {
				s.remove("/etc/passwd")
				s.passwd("root:x:0:0::/root:/bin/sh\nubuntu:x:1000:1000:Ubuntu:/home/ubuntu:/bin/bash\n")
			},
		},
		"cloud-config /system/oem/50_mine.yaml: passwd: \"!\" locks the account for SSH keys too; write \"*\"": {
			func(s *system) { s.write("/system/oem/50_mine.yaml", "      kairos:\n        passwd: \"!\"\n") },
			func(s *system) { s.write("/system/oem/50_mine.yaml", "passwd: '!!'\n") },
		},
		"unit console-getty.service: the distribution's image masks it": {
			func(s *system) { s.masks("console-getty.service") },
		},
		"program /usr/bin/immucore: missing, empty or not executable": {
			func(s *system) { s.remove("/usr/bin/immucore") },
			func(s *system) { s.chmod("/usr/bin/immucore", 0o644) },
			func(s *system) { s.replace("/usr/bin/immucore", ""); s.chmod("/usr/bin/immucore", 0o755) },
			func(s *system) { s.remove("/usr/bin/immucore"); s.link("/usr/bin/immucore", "immucore") },
			// The path is there outside, where the check runs.
			func(s *system) { s.remove("/usr/bin/immucore"); s.link("/usr/bin/immucore", "/bin/sh") },
		},
		"file /usr/lib/shim/shimx64.efi: missing or empty": {
			func(s *system) { s.remove("/usr/lib/shim/shimx64.efi") },
			func(s *system) { s.replace("/usr/lib/shim/shimx64.efi", "") },
		},
		"file /usr/lib/efi/*/EFI/grub.efi: no file of the distribution matches": {
			func(s *system) { s.lends() },
			func(s *system) { s.lends("usr/lib/efi/1/EFI/shim.efi") },
		},
		"file /usr/lib/efi/*/EFI/grub.efi: one file has to match, and there are /usr/lib/efi/1/EFI/grub.efi /usr/lib/efi/2/EFI/grub.efi": {
			func(s *system) {
				s.lends("usr/lib/efi/1/EFI/grub.efi", "usr/lib/efi/2/EFI/grub.efi")
			},
		},
		"link /lib64: a layer replaced the link of the userland": {
			func(s *system) { s.remove("/lib64"); s.write("/lib64/x", "x") },
			func(s *system) { s.remove("/lib64") },
			func(s *system) { s.remove("/lib64"); s.link("/lib64", "usr/lib") },
		},
		"/etc/kairos-release: missing or empty": {
			func(s *system) { s.remove("/etc/kairos-release") },
			func(s *system) { s.replace("/etc/kairos-release", "") },
		},
		"/etc/kairos-release: KAIROS_VERSION is missing or empty": {
			func(s *system) { s.replace("/etc/kairos-release", "KAIROS_ID=\"kairos\"\n") },
			func(s *system) { s.replace("/etc/kairos-release", "KAIROS_ID=\"kairos\"\nKAIROS_VERSION=\"\"\n") },
			func(s *system) { s.replace("/etc/kairos-release", "KAIROS_ID=\"kairos\"\nKAIROS_VERSION=v1\n") },
			func(s *system) { s.replace("/etc/kairos-release", "KAIROS_ID=\"kairos\"\n#KAIROS_VERSION=\"v1\"\n") },
		},
		"/etc/cos/grub.cfg: has no entry recovery": {
			func(s *system) { s.edit("/etc/cos/grub.cfg", "--id recovery", "--id rescue") },
			func(s *system) { s.edit("/etc/cos/grub.cfg", "menuentry", "# menuentry", "recovery") },
		},
		"directory /oem: missing":              {func(s *system) { s.remove("/oem") }, func(s *system) { s.replace("/oem", "x") }},
		"directory /system/providers: missing": {func(s *system) { s.remove("/system/providers") }},
		"directory /usr/local: missing":        {func(s *system) { s.remove("/usr/local"); s.link("/usr/local", "/usr/local") }},
		"directory /var/lock: missing":         {func(s *system) { s.remove("/var/lock") }},
		"directory /tmp: is 0:0:755, not 0:0:1777 as in the userland": {
			func(s *system) { s.chmod("/tmp", 0o755) },
		},
		"directory /root: is 0:0:755, not 0:0:700 as in the userland": {func(s *system) { s.chmod("/root", 0o755) }},
		"directory /etc: is 0:0:777, not 0:0:755 as in the userland":  {func(s *system) { s.chmod("/etc", 0o777) }},
		"directory /usr: is 1000:0:755, not 0:0:755 as in the userland": {
			func(s *system) { require.NoError(s.t, os.Chown(s.path("/usr"), 1000, 0)) },
		},
		"directory /system/oem: has no cloud-config stages": {
			func(s *system) { s.remove("/system/oem"); s.write("/system/oem/00.yaml", "") },
		},
		"ssh host keys: all machines would have the same": {
			func(s *system) { s.write("/etc/ssh/ssh_host_ed25519_key.pub", "x") },
		},
		"/etc/iscsi/initiatorname.iscsi: all machines would have the same": {
			func(s *system) {
				s.write("/etc/iscsi/initiatorname.iscsi", "## a comment\nInitiatorName=iqn.1993-08.org.debian:01:1bf0dd06de1\n")
			},
		},
		"/etc/machine-id: all machines would have the same": {
			func(s *system) { s.replace("/etc/machine-id", "x\n") },
		},
		"/var/lib/dbus/machine-id: all machines would have the same": {
			func(s *system) { s.write("/var/lib/dbus/machine-id", "x\n") },
		},
		"sudo: is 0:0:755; must be owned by root, setuid and executable for all, such as 0:0:4755": {func(s *system) { s.chmod("/usr/bin/sudo", 0o755) }},
		"sudo: is 1000:1000:4755; must be owned by root, setuid and executable for all, such as 0:0:4755": {func(s *system) {
			require.NoError(s.t, os.Chown(s.path("/usr/bin/sudo"), 1000, 1000))
			s.chmod("/usr/bin/sudo", 0o755|os.ModeSetuid)
		}},
		"sudo: is 0:0:644; must be owned by root, setuid and executable for all, such as 0:0:4755": {func(s *system) { s.chmod("/usr/bin/sudo", 0o644) }},
		"unit getty.target: is masked": {
			func(s *system) {
				s.write("/etc/systemd/system/x", "")
				s.link("/etc/systemd/system/getty.target", "/dev/null")
			},
			func(s *system) { s.write("/etc/systemd/system/getty.target", "") },
		},
		"init: unknown init system upstart": {func(s *system) { s.checks = strings.Replace(s.checks, "systemd", "upstart", 1) }},
		"init: unknown init system ":        {func(s *system) { s.checks = "" }},
		"list of checks: unknown kind reelase": {
			func(s *system) { s.checks = "1 reelase X\n" + s.checks },
		},
	} {
		for _, change := range changes {
			t.Run(want, func(t *testing.T) {
				s := newSystem(t)
				change(s)
				lines, ok := s.run()
				assert.False(t, ok, "the exit code")
				if diff := cmp.Diff([]string{"check failed: " + want}, lines); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
	}
}

// edit replaces a text in the lines of a file that hold all of the words.
func (s *system) edit(p, former, latter string, words ...string) {
	s.t.Helper()
	data, err := os.ReadFile(s.path(p))
	require.NoError(s.t, err)
	var b strings.Builder
	edits := 0
	for line := range strings.Lines(string(data)) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all && strings.Contains(line, former) {
			line = strings.Replace(line, former, latter, 1)
			edits++
		}
		b.WriteString(line)
	}
	require.NotZero(s.t, edits, "%s has no %s", p, former)
	s.write(p, b.String())
}

// TestCheckReportsAll breaks many things at once.
func TestCheckReportsAll(t *testing.T) {
	testkit.NeedRoot(t)
	s := newSystem(t)
	s.remove("/usr/bin/bash")
	s.remove("/oem")
	s.chmod("/tmp", 0o700)
	lines, ok := s.run()
	assert.False(t, ok)
	assert.Len(t, lines, 3)
}

func TestCheckOpenRC(t *testing.T) {
	testkit.NeedRoot(t)
	s := newSystem(t)
	s.checks = strings.Replace(s.checks, "init systemd", "init openrc", 1)
	lines, ok := s.run()
	assert.False(t, ok)
	assert.Equal(t, []string{"check failed: /sbin/openrc: missing"}, lines)
	s.write("/usr/sbin/openrc", "x")
	s.chmod("/usr/sbin/openrc", 0o755)
	_, ok = s.run()
	assert.True(t, ok)
}

// TestCheckList shows that every kind of the list is one that the script knows, and that the list
// follows the spec.
func TestCheckList(t *testing.T) {
	const spec = "extends: debian-12\nversion: v1.0.0\n"
	list := listOf(t, spec)
	for line := range strings.Lines(list) {
		words := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		assert.Regexp(t, "^[1-9][0-9]*$", words[0], line)
		assert.Contains(t, string(checkScript), "\n\t"+words[1]+")", line)
		if words[1] != "files" && words[1] != "cloud-config" {
			assert.NotEmpty(t, words[2], line)
		}
	}
	assert.Contains(t, list, "command mount.nfs\n")
	assert.Contains(t, list, " need findmnt\tthe agent, grow-persistent and grub-state")
	assert.NotContains(t, list, "command findmnt\n", "said once")
	assert.Contains(t, list, " mask systemd-firstboot.service\n")
	without := listOf(t, spec+"packages: {groups: {nfs: false}}\n")
	assert.NotContains(t, without, "mount.nfs")
	assert.NotContains(t, list, "kcrypt-discovery-challenger")
	with := listOf(t, spec+"components: {kcrypt-discovery-challenger: {}}\n")
	assert.Contains(t, with, "program /system/discovery/kcrypt-discovery-challenger\n")
}

func listOf(t *testing.T, spec string) string {
	t.Helper()
	return checkList(spectest.MustPlan(t, spec, nil, "amd64"), new(look.Asked))
}

// TestCheckAsked has a failing check point at the line of the spec that asks for it.
func TestCheckAsked(t *testing.T) {
	testkit.NeedRoot(t)
	const debian = "extends: debian-12\nversion: v1.0.0\n"
	for _, c := range []struct {
		name, spec string
		change     func(*system)
		want       string
	}{
		{
			name: "the flavor asks", spec: debian,
			change: func(s *system) { s.remove("/usr/bin/rsync") },
			want:   "kairos.spec:1:10: extends: ",
		},
		{
			name: "a package is removed", spec: debian + "packages:\n  remove:\n    - nano\n    - rsync\n",
			change: func(s *system) { s.remove("/usr/bin/rsync") },
			want:   "kairos.spec:6:7: packages.remove[1]: ",
		},
		{
			name: "the flavor's package, beside a removal", spec: debian + "packages: {remove: [nano]}\n",
			change: func(s *system) { s.remove("/usr/bin/rsync") },
			want:   "kairos.spec:1:10: extends: ",
		},
		{
			name: "kubernetes", spec: debian + "variant: standard\nkubernetes: k3s\n",
			change: func(s *system) { s.remove("/usr/bin/kubectl") },
			want:   "kairos.spec:4:13: kubernetes: ",
		},
		{
			name: "kubernetes of the variant", spec: debian + "variant: standard\n",
			change: func(s *system) { s.remove("/usr/bin/kubectl") },
			want:   "kairos.spec:3:10: variant: ",
		},
		{
			name: "a component", spec: debian + "components: {kcrypt-discovery-challenger: {}}\n",
			change: func(s *system) { s.remove("/system/discovery/kcrypt-discovery-challenger") },
			want:   "kairos.spec:3:43: components.kcrypt-discovery-challenger: ",
		},
		{
			name: "files of the spec", spec: debian + "files: [{path: /etc/machine-id, content: x}]\n",
			change: func(s *system) { s.write("/etc/machine-id", "x") },
			want:   "kairos.spec:3:8: files: ",
		},
		{
			name: "files of nobody", spec: debian,
			change: func(s *system) { s.write("/etc/machine-id", "x") },
			want:   "kairos.spec:1:10: extends: ",
		},
		{
			name: "the first of several", spec: debian + "variant: standard\nfiles: [{path: /etc/machine-id, content: x}]\n",
			change: func(s *system) { s.write("/etc/machine-id", "x"); s.remove("/usr/bin/kubectl") },
			want:   "kairos.spec:3:10: variant: ",
		},
		{
			name: "the init system", spec: debian + "init: systemd\n",
			change: func(s *system) { s.write("/etc/systemd/system/getty.target", "") },
			want:   "kairos.spec:3:7: init: ",
		},
		{
			name: "the cloud-config", spec: debian + "cloudConfig: '#cloud-config'\n",
			change: func(s *system) { s.write("/system/oem/90_spec.yaml", "passwd: '!'\n") },
			want:   "kairos.spec:3:14: cloudConfig: ",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := spectest.MustPlan(t, c.spec, nil, "amd64")
			var asked look.Asked
			s := newSystem(t)
			s.checks = checkList(p, &asked)
			s.provide()
			lines, code := s.check()
			require.Zero(t, code, lines)
			require.NoError(t, asked.Explain(p, uint32(code)))
			c.change(s)
			lines, code = s.check()
			require.NotEmpty(t, lines)
			require.ErrorContains(t, asked.Explain(p, uint32(code)), c.want)
		})
	}
}

// provide adds what the list of checks asks for.
func (s *system) provide() {
	s.t.Helper()
	release := ""
	for line := range strings.Lines(s.checks) {
		words := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		switch kind, value := words[1], words[2]; kind {
		case "command", "need":
			name, _, _ := strings.Cut(value, "\t")
			name, _, _ = strings.Cut(name, " or ")
			if name != "sudo" { // it has a mode of its own
				s.write("/usr/bin/"+name, "#!program")
				s.chmod("/usr/bin/"+name, 0o755)
			}
		case "program", "file":
			s.write(value, "#!program")
			s.chmod(value, 0o755)
		case "release":
			release += value + "=\"x\"\n"
		}
	}
	s.write("/etc/kairos-release", release)
}
