package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
)

// flavorkit runs a command line in the current directory.
func flavorkit(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

func write(t *testing.T, file, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
}

const good = "# syntax=x\nextends: debian-12\nversion: v1.0.0\n"

func TestCommands(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "kairos.spec", good)
	write(t, "good/kairos.spec", good)
	write(t, "bad.spec", "extends: debain-12\nversoin: v1.0.0\n")
	write(t, "acme.spec", "# syntax=x\nextends: acme\nversion: v1.0.0\n")
	write(t, "acme/kairos.spec", "extends: debian-12\nname: acme\n")
	write(t, "empty/readme", "")
	write(t, "disk.img.zst", "")
	for _, c := range []commandLine{
		{line: "", stdout: "Available Commands:"},
		{line: "--help", stdout: "Available Commands:"},
		{line: "help", stdout: "Available Commands:"},
		{line: "help matrix build", stdout: "Build entries of a matrix in one solve"},
		{line: "help bogus", code: exitUsage, stderr: "flavorkit: unknown command \"bogus\"\nSee"},
		{line: "help matrix bild", code: exitUsage, stderr: "flavorkit: unknown command \"matrix bild\"\nSee"},
		{line: "completion", stdout: "flavorkit completion [command]"},
		{line: "completion bash", stdout: "bash completion V2 for flavorkit"},
		{line: "completion bogus", code: exitUsage, stderr: "flavorkit: unknown command \"bogus\" for \"flavorkit completion\"\nSee"},
		{line: "--version", stdout: "flavorkit version"},
		{line: "bild", code: exitUsage, stderr: "flavorkit: unknown command \"bild\"; did you mean \"build\"?\nSee 'flavorkit --help'.\n"},
		{line: "check --nope", code: exitUsage, stderr: "flavorkit: unknown flag: --nope\nSee"},
		{line: "check --build-context acme", code: exitUsage, stderr: "flavorkit: invalid argument \"acme\" for \"--build-context\" flag: expected name=value\nSee"},
		{line: "check x", code: exitFailed, stderr: "flavorkit: no spec x/kairos.spec; create one with 'flavorkit init', or name yours with -f\n"},
		{line: "check x y", code: exitUsage, stderr: "flavorkit: accepts at most 1 arg(s), received 2\nSee"},
		{line: "check good/kairos.spec", stdout: "good/kairos.spec is right: kairos-debian-12-core-"},
		{line: "cloud-config good/kairos.spec --json", stdout: "{\n"},
		{line: "graph good/kairos.spec --arch amd64", stdout: "[rootfs] check the root filesystem"},
		{line: "check good", stdout: "good/kairos.spec is right: kairos-debian-12-core-"},
		{line: "plan good --arch amd64", stdout: "file: kairos-debian-12-core-amd64-generic-v1.0.0\n"},
		{line: "graph good --arch amd64", stdout: "[rootfs] check the root filesystem"},
		{line: "check", stdout: "kairos.spec is right: kairos-debian-12-core-"},
		{line: "check -f acme.spec --arch arm64 --build-context acme=acme", stdout: "acme.spec is right: acme-debian-12-core-arm64-generic-v1.0.0, "},
		{line: "check -f acme.spec", code: exitFailed, stderr: "flavorkit: acme.spec:2:10: extends: no flavor and no named context is called \"acme\"; "},
		{line: "check -f acme.spec --build-context acme=empty", code: exitFailed, stderr: "acme.spec:2:10: extends: the named context acme has no kairos.spec; extend another spec of it by its path, such as acme/base.spec\n"},
		{line: "check -f none.spec", code: exitFailed, stderr: "flavorkit: no spec none.spec; create one with 'flavorkit init', or name yours with -f\n"},
		{line: "check -f acme", code: exitFailed, stderr: "flavorkit: acme is a directory; name the spec in it\n"},
		{line: "plan --arch amd64", stdout: "file: kairos-debian-12-core-amd64-generic-v1.0.0\n"},
		{line: "plan -f bad.spec", code: exitFailed, stderr: "flavorkit: bad.spec:1:10: extends: no flavor and no named context is called \"debain-12\"; did you mean \"debian-12\"?\nbad.spec:2:1: unknown key \"versoin\"; did you mean \"version\"?\n"},
		{line: "graph --arch amd64", stdout: "[rootfs] check the root filesystem"},
		{line: "graph --arch arm64 --target iso", stdout: "write kairos-debian-12-core-arm64-generic-v1.0.0.iso"},
		{line: "lsp x y", code: exitUsage, stderr: "flavorkit: accepts at most 1 arg(s), received 2\nSee"},
		{line: "lsp --arch mips", code: exitUsage, stderr: "flavorkit: unknown architecture \"mips\"; "},
		{line: "schema", stdout: string(specs.Schema())},
		{line: "init", code: exitFailed, stderr: "flavorkit: kairos.spec already exists; use --force to replace it\n"},
		{line: "init .", code: exitFailed, stderr: "flavorkit: kairos.spec already exists; use --force to replace it\n"},
		{line: "init good", code: exitFailed, stderr: "flavorkit: good/kairos.spec already exists; use --force to replace it\n"},
		{line: "init x y", code: exitUsage, stderr: "flavorkit: accepts at most 1 arg(s), received 2\nSee"},
		{line: "init kairos.spec/x", code: exitFailed, stderr: "flavorkit: write the spec into kairos.spec/x: not a directory\n"},
		{line: "init -f none/new.spec", code: exitFailed, stderr: "flavorkit: write the spec into none: no such file or directory\n"},
		{line: "build -f none.spec", code: exitFailed, stderr: "flavorkit: no spec none.spec; "},
		{line: "boot", code: exitUsage, stderr: "flavorkit: accepts 1 arg(s), received 0\nSee"},
		{line: "boot disk.img.zst", code: exitFailed, stderr: "flavorkit: disk.img.zst is compressed; unpack it first: zstd -d --sparse disk.img.zst\n"},
		{line: "boot acme", code: exitFailed, stderr: "flavorkit: acme is a directory; name an ISO or a disk in it\n"},
		{line: "boot none.iso", code: exitFailed, stderr: "flavorkit: open the artifact: stat none.iso: no such file or directory\n"},
	} {
		t.Run(c.line, c.run)
	}
	assert.NoFileExists(t, "new.spec", "nothing is left of an init that failed")
	assert.NoDirExists(t, "dist")
}

// commandLine is a command, with what comes of it.
type commandLine struct {
	line           string
	code           int
	stdout, stderr string // what they hold
}

// run tells that a command that works says nothing on stderr, and one that fails nothing on stdout.
func (c commandLine) run(t *testing.T) {
	code, stdout, stderr := flavorkit(t.Context(), strings.Fields(c.line)...)
	assert.Equal(t, c.code, code, stderr)
	assert.Contains(t, stdout, c.stdout)
	assert.Contains(t, stderr, c.stderr)
	if code == 0 {
		assert.Empty(t, stderr)
	} else {
		assert.Empty(t, stdout)
	}
}

// TestMistakeShowsItsLine checks that the lines of the file are above the message, as in BuildKit's
// clients.
func TestMistakeShowsItsLine(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "kairos.spec", good+"name: A b\n")
	code, _, stderr := flavorkit(t.Context(), "check")
	assert.Equal(t, exitFailed, code)
	assert.Equal(t, `kairos.spec:4
--------------------
   2 |     extends: debian-12
   3 |     version: v1.0.0
   4 | >>> name: A b
   5 |     
--------------------
flavorkit: kairos.spec:4:7: name: "A b" is not valid; use lower case letters and digits, with . _ or - between them
`, stderr)
}

// TestInitGivesRightSpec uses the spec that init writes.
func TestInitGivesRightSpec(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("my edge", 0o755))
	for _, c := range []struct {
		args   []string
		flavor string
		stdout string
		check  []string
	}{
		{
			flavor: "debian-12",
			stdout: "wrote kairos.spec; build it with: flavorkit build . --target iso -o dist\n",
			check:  []string{"check"},
		},
		{
			args:   []string{"my edge", "--flavor", "alpine"},
			flavor: "alpine",
			stdout: "wrote my edge/kairos.spec; build it with: flavorkit build 'my edge' --target iso -o dist\n",
			check:  []string{"check", "my edge"},
		},
		{
			args:   []string{"-f", "my board.spec", "--flavor", "opensuse-arm-rpi"},
			flavor: "opensuse-arm-rpi",
			stdout: "wrote my board.spec; build it with: flavorkit build -f 'my board.spec' . --platform linux/arm64 --target img -o dist\n",
			check:  []string{"check", "-f", "my board.spec", "--arch", "arm64"},
		},
	} {
		t.Run(c.flavor, func(t *testing.T) {
			code, stdout, stderr := flavorkit(t.Context(), append([]string{"init"}, c.args...)...)
			require.Zero(t, code, stderr)
			assert.Equal(t, c.stdout, stdout)
			text, err := os.ReadFile(strings.Split(stdout[len("wrote "):], ";")[0])
			require.NoError(t, err)
			assert.True(t, strings.HasPrefix(string(text), "# syntax=ghcr.io/flavorkit/frontend:1\n"), string(text))
			assert.Contains(t, string(text), "\nextends: "+c.flavor+"\n")
			code, _, stderr = flavorkit(t.Context(), c.check...)
			assert.Zero(t, code, stderr)
		})
	}
}

func TestInterrupted(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, _, stderr := flavorkit(ctx, "check")
	assert.Equal(t, exitInterrupted, code)
	assert.Equal(t, "flavorkit: interrupted\n", stderr)
}
