package testkit

import (
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// BuildxCLI is the buildx binary with a builder for one Daemon and a separate configuration.
type BuildxCLI struct {
	// Dir is the directory that Run starts in; empty for the test's own.
	Dir string
	// Env is added to the environment of every command: KEY=VALUE.
	Env []string
	// Stdin is what the next commands read.
	Stdin io.Reader

	t      testing.TB
	binary string
	config string
}

// Buildx sets up buildx to build with daemon.
func Buildx(t testing.TB, daemon *Daemon) *BuildxCLI {
	t.Helper()
	buildx := &BuildxCLI{t: t, binary: Tool(t, "buildx"), config: t.TempDir()}
	if out, err := buildx.Run("create", "--name", "testkit", "--driver", "remote", daemon.Addr()); err != nil {
		t.Fatalf("creating a builder: %v\n%s", err, out)
	}
	return buildx
}

// WithEnv returns the same buildx with more in the environment of its commands: KEY=VALUE.
func (b *BuildxCLI) WithEnv(env ...string) *BuildxCLI {
	other := *b
	other.Env = slices.Concat(b.Env, env)
	return &other
}

// Build runs `buildx build` with plain progress and returns all its output.
func (b *BuildxCLI) Build(args ...string) (string, error) {
	b.t.Helper()
	return b.Run(append([]string{"build", "--progress=plain"}, args...)...)
}

// Start starts a buildx command that ends with its input, and returns its input and output.
func (b *BuildxCLI) Start(args ...string) (io.Writer, io.Reader) {
	b.t.Helper()
	command := b.command(args)
	in, err := command.StdinPipe()
	if err != nil {
		b.t.Fatalf("starting buildx: %v", err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		b.t.Fatalf("starting buildx: %v", err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		b.t.Fatalf("starting buildx: %v", err)
	}
	b.t.Cleanup(func() {
		_ = in.Close()
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	return in, out
}

// Run runs any buildx command and returns all its output.
func (b *BuildxCLI) Run(args ...string) (string, error) {
	b.t.Helper()
	command := b.command(args)
	command.Stdin = b.Stdin
	out, err := command.CombinedOutput()
	return string(out), err
}

func (b *BuildxCLI) command(args []string) *exec.Cmd {
	command := exec.CommandContext(b.t.Context(), b.binary, args...)
	command.Dir = b.Dir
	command.Env = append(append(os.Environ(), b.Env...),
		"BUILDX_CONFIG="+b.config, "DOCKER_CONFIG="+b.config, "BUILDX_BUILDER=testkit")
	return command
}
