package integration

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	regname "github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/test/aptrepo"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// Steps of the target packages: how the name of one begins that asks the distribution, in every build,
// and one that is cached.
const (
	packagesName = "[debian-12/userland] look up"
	keyName      = "[repositories] read the public key of acme"
)

// buildxSystem is a spec for the real buildx, with a frontend image in a registry.
type buildxSystem struct {
	*testkit.BuildxCLI
	daemon *testkit.Daemon
	// syntax is the first line of specs.
	syntax string
	// contexts are the named contexts of every build.
	contexts map[string]string
}

func newBuildxSystem(t *testing.T) *buildxSystem {
	t.Helper()
	daemon := testkit.Buildkitd(t)
	ref := daemon.Registry.PushLayout(testkit.Frontend(t, arch), "flavorkit/frontend:1")
	return &buildxSystem{BuildxCLI: testkit.Buildx(t, daemon), daemon: daemon, syntax: "# syntax=" + ref + "\n", contexts: contexts(t)}
}

// spec is the spec of the README for this frontend image, and more.
func (b *buildxSystem) spec(more string) string {
	_, rest, _ := strings.Cut(debianSpec, "\n")
	return b.syntax + rest + more
}

// arguments are those of a build of kairos.spec.
func (b *buildxSystem) arguments(t *testing.T, more ...string) []string {
	t.Helper()
	args := []string{"-f", "kairos.spec"}
	for name, value := range b.contexts {
		args = append(args, "--build-context", name+"="+value)
	}
	for name, value := range siteArgs(t) {
		args = append(args, "--build-arg", name+"="+value)
	}
	return append(args, more...)
}

// call asks a question, such as "outline", and returns the answer.
func (b *buildxSystem) call(t *testing.T, question string, more ...string) (string, error) {
	t.Helper()
	return b.Run(append([]string{"build", "--progress=quiet", "--call=" + question}, b.arguments(t, more...)...)...)
}

// graph asks for the steps of a build.
func (b *buildxSystem) graph(t *testing.T, more ...string) []*pb.Op {
	t.Helper()
	out, err := b.call(t, "convertllb,format=json", more...)
	require.NoError(t, err, out)
	ops := opsOf(t, out)
	require.NotEmpty(t, ops)
	return ops
}

// packages builds the target packages into a new directory.
func (b *buildxSystem) packages(t *testing.T, more ...string) (dir, log string) {
	t.Helper()
	dir = t.TempDir()
	log, err := b.lookUp(t, dir, more...)
	require.NoError(t, err, log)
	assert.NotEmpty(t, visible(t, dir))
	return dir, log
}

// lookUp builds the target packages, which installs nothing, into a directory.
func (b *buildxSystem) lookUp(t *testing.T, dir string, more ...string) (log string, err error) {
	t.Helper()
	return b.Build(b.arguments(t, append([]string{"--target=packages", "--output=" + dir}, more...)...)...)
}

// rawStates builds with progress for programs, and returns whether each step was cached, by name.
func (b *buildxSystem) rawStates(t *testing.T, more ...string) (cached map[string]bool) {
	t.Helper()
	out, err := b.Run(append([]string{"build", "--progress=rawjson"}, b.arguments(t, more...)...)...)
	require.NoError(t, err, out)
	cached = map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var s client.SolveStatus
		if !strings.HasPrefix(line, "{") {
			continue // buildx says that there is no output
		}
		require.NoError(t, json.Unmarshal([]byte(line), &s), line)
		for _, v := range s.Vertexes {
			cached[v.Name] = cached[v.Name] || v.Cached
		}
	}
	return cached
}

// TestBuildxOptions tries the options that docs/buildx.md lists with the real buildx and the
// frontend image, on a target that installs nothing.
func TestBuildxOptions(t *testing.T) {
	t.Parallel()
	b := newBuildxSystem(t)
	signer := aptrepo.NewSigner(t)
	url := acmeRepository(t, aptrepo.Release{Signer: signer}, login)
	_, repository, _ := strings.Cut(repositorySpec(url, "    secret: acme-login\n", "acme-agent"), "version: v1.0.0\n")
	b.Dir = writeFiles(t, map[string]string{
		"kairos.spec":   b.spec("args: {CHANNEL: {default: stable, values: [stable, edge]}}\nname: ${CHANNEL}\n" + repository),
		"plain.spec":    b.spec(""),
		"keys/acme.asc": signer.Key(), "login.txt": login + "\n",
	})
	secret := "--secret=id=acme-login,src=login.txt"

	t.Run("secrets", func(t *testing.T) { b.secrets(t) })
	t.Run("steps", func(t *testing.T) { b.steps(t) })
	t.Run("platforms and warnings", func(t *testing.T) { b.platforms(t) })
	t.Run("cache", func(t *testing.T) {
		_, log := b.packages(t, secret, "--network=host", ".")
		assert.Equal(t, states{ran: true}, stateOf(log, keyName), log)
		cached := b.rawStates(t, secret, "--target=packages", ".")
		assert.True(t, cached[keyName])
		assert.Contains(t, fmt.Sprint(cached), packagesName)
		b.noCache(t, url, secret, ".")
	})
	t.Run("context from stdin", func(t *testing.T) {
		b.Stdin = tarOf(t, map[string]string{"kairos.spec": b.spec("files: [{path: /etc/motd, from: motd}]\n"), "motd": "hello\n"})
		defer func() { b.Stdin = nil }()
		b.packages(t, "-")
	})
	t.Run("spec from stdin", func(t *testing.T) {
		b.Stdin = strings.NewReader(b.spec("name: stdin\n"))
		defer func() { b.Stdin = nil }()
		dir, _ := b.packages(t, "-f", "-", ".")
		assert.FileExists(t, filepath.Join(dir, "stdin-debian-12-core-amd64-generic-v1.0.0.packages.json"))
	})
	t.Run("git", func(t *testing.T) {
		repository := testkit.Git(t, map[string]string{
			"systems/kairos.spec": b.spec("name: from-git\nfiles: [{path: /etc/motd, from: motd}]\n"), "systems/motd": "hello\n",
		})
		dir, _ := b.packages(t, repository+"#main:systems")
		assert.FileExists(t, filepath.Join(dir, "from-git-debian-12-core-amd64-generic-v1.0.0.packages.json"))
	})
	t.Run("named contexts", func(t *testing.T) {
		files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/second.tar":
				_, _ = io.Copy(w, tarOf(t, map[string]string{"kairos.spec": "extends: ./base.spec\n", "base.spec": "extends: third\npackages: {add: [of-archive]}\n"}))
			case "/third.spec":
				_, _ = io.WriteString(w, "extends: fourth\npackages: {add: [of-url]}\n")
			case "/catalog.tar":
				_, _ = io.Copy(w, tarOf(t, map[string]string{"flavors/acme.spec": "extends: ../bases/acme.spec\n", "bases/acme.spec": "extends: debian-12\npackages: {add: [of-catalog]}\n"}))
			default:
				http.NotFound(w, r)
			}
		}))
		defer files.Close()
		image := b.daemon.Registry.Addr() + "/acme/base:v1"
		pushFiles(t, image, map[string]string{"kairos.spec": "extends: ./base.spec\n", "base.spec": "extends: acme\npackages: {add: [of-image]}\n"})
		dir := writeFiles(t, map[string]string{"kairos.spec": b.syntax + "extends: first\nversion: v1.0.0\n"})
		named := []string{
			"--build-context=first=" + testkit.Git(t, map[string]string{"base/kairos.spec": "extends: ./systems/edge.spec\n", "base/systems/edge.spec": "extends: ../base.spec\n", "base/base.spec": "extends: second\npackages: {add: [of-git]}\n"}) + "#main:base",
			"--build-context=second=" + files.URL + "/second.tar",
			"--build-context=third=" + files.URL + "/third.spec",
			"--build-context=fourth=docker-image://" + image,
			"--build-context=catalog=" + files.URL + "/catalog.tar",
		}
		out, err := b.Run(slices.Concat([]string{"build", "--progress=quiet", "--call=kairos.plan"}, named, b.arguments(t, "-f", filepath.Join(dir, "kairos.spec"), dir))...)
		require.NoError(t, err, out)
		// The command does not build, and has them fetched.
		planned, err := exec.Command(command(t), slices.Concat([]string{"plan", dir, "--builder", b.daemon.Addr()}, named)...).CombinedOutput()
		require.NoError(t, err, string(planned))
		for _, name := range []string{"of-git", "of-archive", "of-url", "of-image", "of-catalog"} {
			assert.Contains(t, out, "name: "+name)
			assert.Contains(t, string(planned), "name: "+name)
		}
	})
	t.Run("ssh", func(t *testing.T) {
		url, key := testkit.GitSSH(t, map[string]string{"kairos.spec": "extends: debian-12\npackages: {add: [of-ssh]}\n"})
		dir := writeFiles(t, map[string]string{"kairos.spec": b.syntax + "extends: acme\nversion: v1.0.0\n"})
		named := "--build-context=acme=" + url + "#main"
		ask := append([]string{"build", "--progress=quiet", "--call=kairos.plan", named}, b.arguments(t, "-f", filepath.Join(dir, "kairos.spec"), dir)...)
		out, err := b.Run(ask...)
		require.Error(t, err, "without a key")
		assert.Contains(t, out, "the build has no SSH agent or key for the repository; pass it with --ssh default, or --ssh default=FILE")
		out, err = b.Run(append(ask, "--ssh=default="+key)...)
		require.NoError(t, err, out)
		assert.Contains(t, out, "name: of-ssh")
		planned, err := exec.Command(command(t), "plan", dir, "--builder", b.daemon.Addr(), named, "--ssh=default="+key).CombinedOutput()
		require.NoError(t, err, string(planned))
		assert.Contains(t, string(planned), "name: of-ssh")
	})
	t.Run("check", func(t *testing.T) {
		out, err := b.Run(append([]string{"build", "--check"}, b.arguments(t, ".")...)...)
		assert.NoError(t, err, out)
		require.NoError(t, os.WriteFile(filepath.Join(b.Dir, "bad.spec"), []byte(b.spec("pakages: {}\n")), 0o644))
		out, err = b.Run(append([]string{"build", "--check"}, b.arguments(t, "-f", "bad.spec", ".")...)...)
		require.Error(t, err)
		assert.Contains(t, out, `bad.spec:4:1: unknown key "pakages"; did you mean "packages"?`)
	})
	t.Run("calls", func(t *testing.T) {
		old := writeFiles(t, map[string]string{"kairos.spec": "extends: debian-12\nversion: v0.9.0\n"}) // to compare with
		ask := func(t *testing.T, question string, more ...string) (string, error) {
			t.Helper()
			return b.call(t, question, append(more, "--build-context=old="+old, ".")...)
		}
		call := func(t *testing.T, question string, more ...string) string {
			t.Helper()
			out, err := ask(t, question, more...)
			require.NoError(t, err, out)
			return out
		}
		var locked string
		for _, name := range describedCalls(t, call(t, "subrequests.describe,format=json")) {
			t.Run(name, func(t *testing.T) {
				out, err := ask(t, name, "-f", "plain.spec")
				if strings.HasSuffix(frontend.LockRequest, name) {
					locked = out
				}
				assert.NotEmpty(t, strings.TrimSpace(out))
				if strings.HasSuffix(frontend.BundleRequest, name) {
					require.Error(t, err)
					assert.Contains(t, out, "there is no plain.lock beside the spec; write it with flavorkit lock")
					return
				}
				require.NoError(t, err, out)
			})
		}
		t.Run("locked", func(t *testing.T) { b.locked(t, locked) })
		outline := call(t, "outline")
		assert.Regexp(t, `CHANNEL +.*stable`, outline, "an argument that the spec declares")
		assert.Contains(t, outline, "acme-login")
		both := call(t, "kairos.plan", "--platform=linux/amd64,linux/arm64")
		for _, arch := range []string{"amd64", "arm64"} {
			assert.Contains(t, both, "\narch: "+arch+"\n")
		}
	})
	t.Run("bake", func(t *testing.T) {
		bake := fmt.Sprintf(`
target "base" {
  dockerfile = "kairos.spec"
  target     = "packages"
  secret     = ["id=acme-login,src=login.txt"]
  contexts   = %s
  args       = %s
}
target "system" {
  inherits = ["base"]
  name     = "system-${channel}"
  matrix   = { channel = ["stable", "edge"] }
  args     = { CHANNEL = channel }
  output   = ["out/${channel}"]
}
`, hclMap(t, contexts(t)), hclMap(t, siteArgs(t)))
		require.NoError(t, os.WriteFile(filepath.Join(b.Dir, "docker-bake.hcl"), []byte(bake), 0o644))
		out, err := b.Run("bake", "--progress=plain", "--allow=fs=*", "-f", "docker-bake.hcl", "system")
		require.NoError(t, err, out)
		for _, channel := range []string{"stable", "edge"} {
			assert.FileExists(t, filepath.Join(b.Dir, "out", channel, channel+"-debian-12-core-amd64-generic-v1.0.0.packages.json"))
		}
	})
	t.Run("history", func(t *testing.T) {
		out, err := b.Run("history", "ls", "--format", "{{.Ref}} {{.Name}}")
		require.NoError(t, err, out)
		ref, name, _ := strings.Cut(strings.Split(strings.TrimSpace(out), "\n")[0], " ")
		assert.Contains(t, name, "packages", "the name has the target")
		out, err = b.Run("history", "logs", ref)
		require.NoError(t, err, out)
		assert.Contains(t, out, packagesName)
		out, err = b.Run("history", "inspect", ref)
		require.NoError(t, err, out)
		assert.Contains(t, out, "packages")
	})
}

// describedCalls are the names for --call in the list of subrequests.describe.
func describedCalls(t *testing.T, text string) (names []string) {
	t.Helper()
	var all []struct{ Name string }
	require.NoError(t, json.Unmarshal([]byte(text), &all), text)
	for _, r := range all {
		names = append(names, strings.TrimPrefix(r.Name, "frontend."))
	}
	require.Subset(t, names, []string{"outline", "targets", "convertllb", "kairos.plan", "kairos.explain"})
	return names
}

// states tells how plain progress reports a step.
type states struct{ cached, ran bool }

func stateOf(log, name string) states {
	numbers, s := map[string]bool{}, states{}
	for _, line := range strings.Split(log, "\n") {
		number, rest, _ := strings.Cut(line, " ")
		switch {
		case !strings.HasPrefix(number, "#"):
		case strings.HasPrefix(rest, name):
			numbers[number] = true
		case numbers[number] && rest == "CACHED":
			s.cached = true
		case numbers[number] && strings.HasPrefix(rest, "DONE"):
			s.ran = true
		}
	}
	return s
}

// opsOf are the steps of a converted graph.
func opsOf(t *testing.T, data string) (all []*pb.Op) {
	t.Helper()
	var result struct {
		Def map[digest.Digest]json.RawMessage
	}
	require.NoError(t, json.Unmarshal([]byte(data), &result), data)
	for _, raw := range result.Def {
		op := &pb.Op{}
		require.NoError(t, protojson.Unmarshal(raw, op))
		all = append(all, op)
	}
	return all
}

// pushFiles pushes an image with files.
func pushFiles(t *testing.T, name string, files map[string]string) {
	t.Helper()
	image, err := mutate.AppendLayers(empty.Image, layerOf(t, files))
	require.NoError(t, err)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	config.OS, config.Architecture = "linux", arch
	image, err = mutate.ConfigFile(image, config)
	require.NoError(t, err)
	ref, err := regname.ParseReference(name, regname.Insecure)
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, image))
}

// layerOf is a layer of an image.
func layerOf(t *testing.T, files map[string]string) v1.Layer {
	t.Helper()
	data, err := io.ReadAll(tarOf(t, files))
	require.NoError(t, err)
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil })
	require.NoError(t, err)
	return layer
}

// tarOf is a tar archive of files.
func tarOf(t *testing.T, files map[string]string) io.Reader {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, text := range files {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}))
		_, err := io.WriteString(w, text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return &out
}

// hclMap writes a map for bake, whose language takes that of JSON.
func hclMap(t *testing.T, m map[string]string) string {
	t.Helper()
	text, err := json.Marshal(m)
	require.NoError(t, err)
	return string(text)
}
