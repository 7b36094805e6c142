package integration

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/pages"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// firstSession types the recorded session of the documentation, with more arguments for builds. The
// tests of the command compare what the steps before the build print.
func firstSession(t *testing.T, binary string, buildArgs []string) {
	t.Helper()
	testkit.Need(t, "qemu-system-x86_64", "run hack/deps.sh boot")
	home := writeFiles(t, map[string]string{
		".ssh/id_ed25519.pub": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDbW4XmDbXYvHvDGhhMVYrOHkBVkMmnPWfUJ1u4T6cBI me@example.com\n",
		"bin/sudo":            "#!/bin/sh\nexec \"$@\"\n",
		"bin/flavorkit": fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = build ]; then exec %s \"$@\" %s; fi\nexec %s \"$@\"\n",
			binary, strings.Join(buildArgs, " "), binary),
	})
	for _, name := range []string{"sudo", "flavorkit"} {
		require.NoError(t, os.Chmod(filepath.Join(home, "bin", name), 0o755))
	}
	before, after := pages.Session(t, filepath.Join(testkit.RepoRoot(t), "docs", "first-session.md"))
	for _, step := range append(before, after...) {
		// HOME stays, because it has the mirrors of this network.
		cmd := exec.CommandContext(t.Context(), "bash", "-c", strings.ReplaceAll(step.Command, "~", home))
		cmd.Dir = home
		cmd.Env = append(os.Environ(), "PATH="+filepath.Join(home, "bin")+":"+os.Getenv("PATH"))
		out := typed(t, cmd, step)
		if strings.HasPrefix(step.Command, "sudo ") || strings.Contains(step.Command, " boot ") || strings.Contains(step.Command, " inspect ") {
			prints(t, step, out)
		}
	}
	report, err := os.ReadFile(filepath.Join(home, "report.html"))
	require.NoError(t, err)
	assert.Contains(t, string(report), "write kairos-debian-12-core-amd64-generic-v0.1.0.iso")
}

// typed runs a step and returns what it prints. A machine ends with Ctrl-a x, when the last recorded
// line is there.
func typed(t *testing.T, cmd *exec.Cmd, step pages.Step) string {
	t.Helper()
	if !strings.Contains(step.Command, " boot ") {
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", step.Command, out)
		return string(out)
	}
	lines := strings.Split(strings.TrimSpace(step.Output), "\n")
	screen := &seen{text: lines[len(lines)-1], found: make(chan struct{})}
	keys, keyboard := io.Pipe()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = keys, screen, screen
	require.NoError(t, cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-screen.found:
	case err := <-done:
		t.Fatalf("%s ended: %v\n%s", step.Command, err, screen.buf.String())
	case <-time.After(8 * time.Minute):
		_ = cmd.Process.Kill()
		t.Fatalf("%s\n%s", step.Command, screen.buf.String())
	}
	_, err := keyboard.Write([]byte("\x01x"))
	require.NoError(t, err)
	require.NoError(t, keyboard.Close())
	require.NoError(t, <-done)
	return screen.buf.String()
}

// volatile is what differs from run to run: numbers of steps, times, versions of packages, names of
// machines, and how QEMU runs.
var volatile = regexp.MustCompile(`^#[0-9]+|[0-9]+(\.[0-9]+)*(-[0-9]+)?[a-zA-Z]*|kairos-[0-9a-f]{4}\b|with (kvm|tcg)( \([^)]*\))?|\x1b\[[0-9;?]*[a-zA-Z]|\s+`)

// prints checks that output has the recorded lines, in their order.
func prints(t *testing.T, step pages.Step, output string) {
	t.Helper()
	require.NotEmpty(t, step.Output, "nothing is recorded of %s, which prints:\n%s", step.Command, output)
	plain := func(line string) string { return volatile.ReplaceAllString(line, "") }
	found := strings.Split(output, "\n")
	at := 0
	for _, line := range strings.Split(step.Output, "\n") {
		want := plain(line)
		if want == "" || want == "…" {
			continue
		}
		for at < len(found) && !strings.Contains(plain(found[at]), want) {
			at++
		}
		if at == len(found) {
			t.Errorf("%s does not print %q after the lines before it:\n%s", step.Command, line, output)
			return
		}
		at++
	}
}
