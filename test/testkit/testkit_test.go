package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/sys/mountinfo"
	"github.com/stretchr/testify/require"
)

func TestRegistryReturnsWhatWasPushed(t *testing.T) {
	image, err := random.Image(1024, 2)
	require.NoError(t, err)
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	require.NoError(t, path.AppendImage(image))

	server := Registry(t)
	pushed := server.PushLayout(dir, "docker.io/library/thing:1.2")

	digest, err := image.Digest()
	require.NoError(t, err)
	require.Equal(t, server.Addr()+"/library/thing@"+digest.String(), pushed)
	tag, err := name.NewTag(server.Addr() + "/library/thing:1.2")
	require.NoError(t, err)
	pulled, err := remote.Image(tag)
	require.NoError(t, err)
	pulledDigest, err := pulled.Digest()
	require.NoError(t, err)
	require.Equal(t, digest, pulledDigest)
}

func TestDaemonBuildsAndLeavesNothing(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	var root, socket string
	t.Run("build", func(t *testing.T) {
		daemon := Buildkitd(t)
		root, socket = daemon.root, daemon.socket
		result := filepath.Join(t.TempDir(), "out")
		solve(t, daemon, llb.Scratch().File(llb.Mkfile("/hello", 0o644, []byte("world"))), result)

		content, err := os.ReadFile(filepath.Join(result, "hello"))
		require.NoError(t, err)
		require.Equal(t, "world", string(content))

		out, err := exec.Command(Tool(t, "buildctl"), "--addr", daemon.Addr(), "debug", "workers").CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), "linux/")
	})
	if root == "" {
		t.SkipNow() // the subtest has said why
	}
	require.NoFileExists(t, socket)
	require.NoDirExists(t, root)
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestKilledDaemonLeavesNoProcessAndNoMount(t *testing.T) {
	var root string
	t.Run("kill", func(t *testing.T) {
		daemon := Buildkitd(t)
		root = daemon.root
		daemon.Registry.PushLayout(Base(t, "debian-12", runtime.GOARCH), "docker.io/library/debian:12-slim")
		step := llb.Image("docker.io/library/debian:12-slim").Run(llb.Shlex("sleep 98765")).Root()
		definition, err := step.Marshal(t.Context())
		require.NoError(t, err)
		connection := daemon.Client(t)
		go func() { _, _ = connection.Solve(t.Context(), definition, client.SolveOpt{}, nil) }()
		require.Eventually(t, func() bool { return len(sleepers()) == 1 }, time.Minute, 20*time.Millisecond)
		daemon.kill(syscall.SIGKILL)
	})
	if root == "" {
		t.SkipNow() // the subtest has said why
	}
	require.Empty(t, sleepers())
	mounts, err := mountinfo.GetMounts(mountinfo.PrefixFilter(root))
	require.NoError(t, err)
	require.Empty(t, mounts)
	require.NoDirExists(t, root)
}

func TestStateOutlivesTheDaemon(t *testing.T) {
	state := fmt.Sprintf("once-%d-state", os.Getpid())
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Join(Cache(t), "buildkitd", state)) })
	usage := func(t *testing.T) int {
		t.Helper()
		daemon := Buildkitd(t, WithState(state))
		hello := llb.Scratch().File(llb.Mkfile("/hello", 0o644, []byte("world")))
		before, err := daemon.Client(t).DiskUsage(t.Context())
		require.NoError(t, err)
		solve(t, daemon, hello, t.TempDir())
		return len(before)
	}
	records := -1
	t.Run("first", func(t *testing.T) { require.Zero(t, usage(t)) })
	t.Run("second", func(t *testing.T) { records = usage(t) })
	require.NoDirExists(t, filepath.Join(Cache(t), "buildkitd", state, "tmp"))
	if records == -1 {
		t.SkipNow() // the subtest has said why
	}
	require.NotZero(t, records)
}

// sleepers are the processes of the build step above.
func sleepers() []string {
	var found []string
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, command := range commands {
		content, _ := os.ReadFile(command)
		if string(content) == "sleep\x0098765\x00" {
			found = append(found, command)
		}
	}
	return found
}

func TestAbandonedRootIsRemoved(t *testing.T) {
	parent := t.TempDir()
	ended := exec.Command("true")
	require.NoError(t, ended.Run())
	abandoned := filepath.Join(parent, fmt.Sprintf("once-%d-x", ended.Process.Pid))
	used := filepath.Join(parent, fmt.Sprintf("once-%d-x", os.Getpid()))
	kept := filepath.Join(parent, "by-name")
	for _, dir := range []string{abandoned, used, kept} {
		require.NoError(t, os.Mkdir(dir, 0o755))
	}
	require.NoError(t, removeAbandoned(parent))
	require.NoDirExists(t, abandoned)
	require.DirExists(t, used)
	require.DirExists(t, kept)
}

func TestDaemonRunsTheBaseFromItsMirror(t *testing.T) {
	daemon := Buildkitd(t)
	daemon.Registry.PushLayout(Base(t, "debian-12", runtime.GOARCH), "docker.io/library/debian:12-slim")

	result := filepath.Join(t.TempDir(), "out")
	step := llb.Image("docker.io/library/debian:12-slim").
		Run(llb.Shlex(`sh -c "apt-get update && cp /etc/os-release /out/"`))
	solve(t, daemon, step.AddMount("/out", llb.Scratch()), result)

	release, err := os.ReadFile(filepath.Join(result, "os-release"))
	require.NoError(t, err)
	require.Contains(t, string(release), "VERSION_ID=\"12\"")
}

func TestBuildxBuildsWithNamedContexts(t *testing.T) {
	buildx := Buildx(t, Buildkitd(t))
	buildx.Dir = t.TempDir()
	dockerfile := `FROM debian:12-slim
COPY --from=immucore /immucore /usr/bin/immucore
RUN immucore --version > /version
FROM scratch
COPY --from=0 /version /
`
	require.NoError(t, os.WriteFile(filepath.Join(buildx.Dir, "Dockerfile"), []byte(dockerfile), 0o644))

	out, err := buildx.Build(
		"--build-context", "debian:12-slim=oci-layout://"+Base(t, "debian-12", runtime.GOARCH),
		"--build-context", "immucore="+Component(t, "immucore", runtime.GOARCH),
		"--output", "out", ".")
	require.NoError(t, err, out)

	version, err := os.ReadFile(filepath.Join(buildx.Dir, "out", "version"))
	require.NoError(t, err)
	require.Equal(t, "immucore version v0.20.4\n", string(version))

	out, err = buildx.Build("--file", "missing", ".")
	require.Error(t, err)
	require.Contains(t, out, "missing")
}

func TestMissingThingsAreSeen(t *testing.T) {
	for _, test := range []struct {
		name, require   string
		skipped, failed bool
	}{
		{name: "skip", require: "", skipped: true},
		{name: "fail", require: "1", failed: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("FLAVORKIT_REQUIRE_ALL", test.require)
			probe := &probe{TB: t}
			Need(probe, "no-such-command", "install it")
			require.Equal(t, test.skipped, probe.skipped)
			require.Equal(t, test.failed, probe.failed)
		})
	}
}

// probe records failures and skips instead of executing them.
type probe struct {
	testing.TB
	skipped, failed bool
}

func (p *probe) Skipf(string, ...any)  { p.skipped = true }
func (p *probe) Fatalf(string, ...any) { p.failed = true }

func solve(t *testing.T, daemon *Daemon, state llb.State, result string) {
	t.Helper()
	definition, err := state.Marshal(t.Context())
	require.NoError(t, err)
	_, err = daemon.Client(t).Solve(t.Context(), definition, client.SolveOpt{
		Exports: []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: result}},
	}, nil)
	require.NoError(t, err)
}
