package integration

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	regname "github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestInterrupted interrupts and kills the command during a build: the output directory has only
// complete files, and the next build works with the same state. Its result is the same as that of
// the other tests' engine, and its trace tells what became of the steps of the graph.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	testkit.NeedRoot(t)
	binary := command(t)
	dir := writeFiles(t, map[string]string{"kairos.spec": debianSpec})
	state := passingState(t, "integration-cli")
	dist := filepath.Join(t.TempDir(), "dist")
	args := []string{"build", dir, "--target", "iso", "-o", dist, "--state-dir", state, "--progress", "plain"}
	for name, value := range contexts(t) {
		args = append(args, "--build-context", name+"="+value)
	}

	for _, tt := range []struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGINT, 130}, {syscall.SIGKILL, -1}} {
		cmd := exec.Command(binary, args...)
		progress := &seen{text: "[debian-12/userland] install", found: make(chan struct{})}
		cmd.Stderr = progress
		require.NoError(t, cmd.Start())
		select {
		case <-progress.found:
		case <-time.After(2 * time.Minute):
			_ = cmd.Process.Kill()
			t.Fatalf("no step began: %s", progress.buf.String())
		}
		time.Sleep(2 * time.Second) // into the step
		require.NoError(t, cmd.Process.Signal(tt.signal))
		_ = cmd.Wait()
		assert.Equal(t, tt.code, cmd.ProcessState.ExitCode(), progress.buf.String())
		assert.Empty(t, visible(t, dist), "after %s", tt.signal)
		if tt.signal == syscall.SIGINT {
			assert.Contains(t, progress.buf.String(), "flavorkit: interrupted")
		}
	}

	record := filepath.Join(t.TempDir(), "trace.json")
	cmd := exec.Command(binary, append(args, "--trace", record)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s", &stderr)
	graph := func() string {
		t.Helper()
		out, err := exec.Command(binary, append([]string{"graph", dir, "--target", "iso", "--format", "tree", "--trace", record}, args[10:]...)...).CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	const took = ` \(([0-9]+m)?[0-9.]+s\b`
	assert.Regexp(t, `\[debian-12/userland\] install [^(]*`+took, graph())
	assert.Regexp(t, `\[rootfs\] check the root filesystem`+took, graph())
	made := filepath.Join(dist, "kairos-debian-12-core-amd64-generic-v1.0.0.iso")
	assert.Equal(t, made+"\n"+made+".sha256\n", stdout.String(), "the files are all that goes to standard output")
	assert.Equal(t, sumOf(t, iso(t)), sumOf(t, made), "two engines make the same ISO")
	entries, err := os.ReadDir(dist)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "nothing hidden is left")

	t.Run("cloud-config", func(t *testing.T) {
		configs := writeFiles(t, map[string]string{
			"user.yaml": machineConfig, "nobody.yaml": "#cloud-config\nhostname: edge\n", "broken.yaml": "#cloud-config\nstages: [\n",
		})
		for _, tt := range []struct {
			file, says string
			code       int
		}{
			{"broken.yaml", "broken.yaml:3:1: is not YAML: ", 1},
			{"none.yaml", "flavorkit: read the cloud-config: ", 1},
			{"nobody.yaml", "artifacts.iso.cloudConfig: no user in it is in the group admin: ", 0},
			{"user.yaml", "", 0},
		} {
			file := filepath.Join(configs, tt.file)
			cmd := exec.Command(binary, append(args, "--cloud-config", file, "--trace", record)...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			_ = cmd.Run()
			require.Equal(t, tt.code, cmd.ProcessState.ExitCode(), "%s: %s", tt.file, &stderr)
			assert.Contains(t, stderr.String(), tt.says)
			if tt.code != 0 {
				continue
			}
			if tt.says == "" {
				assert.NotContains(t, stderr.String(), "warning")
			}
			assert.Contains(t, graph(), "[rootfs] check the root filesystem (cached)")
			assert.Regexp(t, `\[iso\] write kairos-debian-12-core-amd64-generic-v1.0.0.iso`+took, graph())
			given, err := os.ReadFile(file)
			require.NoError(t, err)
			found := filepath.Join(t.TempDir(), "config.yaml")
			ask(t, dist, "xorriso", "-osirrox", "on", "-indev", made, "-extract", "/config.yaml", found)
			text, err := os.ReadFile(found)
			require.NoError(t, err)
			assert.Equal(t, string(given), string(text))
		}
	})
	t.Run("first session", func(t *testing.T) {
		firstSession(t, binary, args[6:])
	})
	t.Run("push entries of a matrix", func(t *testing.T) {
		registry := testkit.Registry(t)
		push := append([]string{"matrix", "build", "--entry", "core-debian-12-amd64-generic", "--version", "v1.0.0", "--push", "--registry", registry.Addr()}, args[6:]...)
		cmd := exec.Command(binary, push...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		require.NoError(t, cmd.Run(), "%s", &stderr)
		name := registry.Addr() + "/core-debian-12:12-core-amd64-generic-v1.0.0"
		assert.Equal(t, name+"\n", stdout.String(), "the images are all that goes to standard output")
		ref, err := regname.ParseReference(name, regname.Insecure)
		require.NoError(t, err)
		_, err = remote.Head(ref)
		require.NoError(t, err, "it is in the registry")
	})
}

// visible lists the files of a directory that do not begin with a dot.
func visible(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// seen is a writer that waits for a text.
type seen struct {
	text  string
	found chan struct{}
	buf   bytes.Buffer
	done  bool
}

func (s *seen) Write(p []byte) (int, error) {
	s.buf.Write(p)
	if !s.done && strings.Contains(s.buf.String(), s.text) {
		s.done = true
		close(s.found)
	}
	return len(p), nil
}
