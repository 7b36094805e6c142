// Package scripttest runs the scripts of steps on this machine.
package scripttest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// Bench is a directory in which scripts run as in a step.
type Bench struct {
	testing.TB
	Dir string
}

// New makes a bench. programs are those that the scripts need and not every system has.
func New(t testing.TB, programs ...string) Bench {
	t.Helper()
	for _, program := range programs {
		testkit.Need(t, program, "run hack/deps.sh test")
	}
	return Bench{t, t.TempDir()}
}

// Path of a file on the bench.
func (b Bench) Path(name string) string { return filepath.Join(b.Dir, name) }

// Write writes a file, and makes the directories above it.
func (b Bench) Write(name, text string) {
	b.Helper()
	require.NoError(b, os.MkdirAll(filepath.Dir(b.Path(name)), 0o755))
	require.NoError(b, os.WriteFile(b.Path(name), []byte(text), 0o644))
}

// Mkdir makes a directory, and those above it.
func (b Bench) Mkdir(name string) {
	b.Helper()
	require.NoError(b, os.MkdirAll(b.Path(name), 0o755))
}

// Read returns the content of a file.
func (b Bench) Read(name string) string {
	b.Helper()
	data, err := os.ReadFile(b.Path(name))
	require.NoError(b, err)
	return string(data)
}

// Try runs a script, with environment variables as name=value, and returns what it prints.
func (b Bench) Try(script graph.Script, env []string, args ...string) (string, error) {
	b.Helper()
	b.lay(script)
	cmd := exec.Command("sh", append([]string{"scripts/" + script.Name}, args...)...)
	cmd.Dir = b.Dir
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000", "LC_ALL=C.UTF-8", "TZ=UTC")
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// lay writes a script and the scripts that it sources.
func (b Bench) lay(script graph.Script) {
	b.Helper()
	b.Write("scripts/"+script.Name, string(script.Text))
	for _, beside := range script.Beside {
		b.lay(beside)
	}
}

// Run runs a script that must succeed.
func (b Bench) Run(script graph.Script, env []string, args ...string) {
	b.Helper()
	out, err := b.Try(script, env, args...)
	require.NoError(b, err, out)
}

// Ask returns the output of a program that inspects the result.
func (b Bench) Ask(program string, args ...string) string {
	b.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = b.Dir
	out, err := cmd.CombinedOutput()
	require.NoError(b, err, string(out))
	return string(out)
}
