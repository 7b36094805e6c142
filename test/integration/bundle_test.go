package integration

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/bundle"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	planbundle "github.com/flavorkit/flavorkit/plan/bundle"
	"github.com/flavorkit/flavorkit/test/aptrepo"
	"github.com/flavorkit/flavorkit/test/releasetest"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestBundle builds a locked spec from its bundle, with the command on an engine without cache and
// without a network: the same image as with a network. The spec has a base image in a registry, packages
// of Debian and of another repository, a program that is downloaded and one in a named context, and files
// of the build context.
func TestBundle(t *testing.T) {
	t.Parallel()
	signer := aptrepo.NewSigner(t)
	r := aptrepo.New(t)
	r.Add("acme-agent", "1.0", "acme")
	r.Publish(aptrepo.Release{Signer: signer})
	registry := testkit.Registry(t)
	registry.PushLayout(testkit.Base(t, "debian-12", arch), "docker.io/library/debian:12-slim")
	agent := component(t, "kairos-agent")
	program, err := os.ReadFile(filepath.Join(contexts(t)["kairos-agent"], "kairos-agent"))
	require.NoError(t, err)
	releases := releasetest.Serve(t, release(t, agent, program))
	o := options(t, map[string]string{
		"kairos.spec":   "extends: ./common.spec\nversion: v1.0.0\nmirrors: {registries: {docker.io: '" + registry.Addr() + "'}, downloads: {'https://github.com': '" + releases.At("https://github.com") + "'}}\n",
		"common.spec":   repositorySpec(r.Serve(""), "", "acme-agent") + "args: {TREE: hello}\nfiles:\n  - {path: '/etc/${TREE}', from: issue}\n",
		"keys/acme.asc": signer.Key(), "issue": "edge\n", "unrelated": "not named by the spec\n",
	})
	o.Contexts = map[string]string{"immucore": o.Contexts["immucore"], planbundle.FrontendName: "oci-layout://" + testkit.Frontend(t, arch)}
	o.Args["TREE"] = "welcome"
	watch(&o)
	c := embedded(t)
	lockFile := filepath.Join(filepath.Dir(o.File), "kairos.lock")
	require.NoError(t, solve.AskLong(t.Context(), c, o, frontend.LockRequest, func(res *gwclient.Result) error {
		return os.WriteFile(lockFile, res.Metadata["result.txt"], 0o644)
	}))
	locked := sumOf(t, image(t, c, o))

	dir := t.TempDir()
	archive, layout := filepath.Join(dir, "edge.tar"), filepath.Join(dir, "edge")
	has, err := bundle.Make(t.Context(), c, o, archive)
	require.NoError(t, err, "%v", o.Log)
	assert.Equal(t, []string{"common.spec", "kairos.lock"}, has.Spec)
	_, err = bundle.Make(t.Context(), c, o, layout)
	require.NoError(t, err, "%v", o.Log)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "nothing hidden is left")
	assert.FileExists(t, filepath.Join(layout, "context", "issue"))
	assert.NoFileExists(t, filepath.Join(layout, "context", "unrelated"))
	index, err := exec.Command("tar", "-xOf", archive, "index.json").Output()
	require.NoError(t, err)
	second, err := os.ReadFile(filepath.Join(layout, "index.json"))
	require.NoError(t, err)
	assert.Equal(t, string(second), string(index), "the same bundle twice: the index has the digests of all")

	offline := withoutNetwork(t, "integration-bundle")
	made := filepath.Join(t.TempDir(), "image.tar")
	said, err := offline("build", "--from-bundle", archive, "-o", "type=oci,dest="+made)
	require.NoError(t, err, said)
	assert.Equal(t, locked, sumOf(t, made), "the same image as with a network")

	bundleInBuildx(t, layout)

	// What does not fit says so.
	text, err := os.ReadFile(lockFile)
	require.NoError(t, err)
	other := regexp.MustCompile(`(acme-agent/1\.0/all:\n +url: \S+\n +sha256: )\w{4}`).ReplaceAll(text, []byte("${1}0000"))
	require.NotEqual(t, text, other)
	require.NoError(t, os.WriteFile(lockFile, other, 0o644))
	damaged := filepath.Join(dir, "damaged")
	whole, err := os.ReadFile(archive)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		bundle []byte
		args   []string
		want   string
	}{
		"another platform": {args: []string{"--from-bundle", layout, "--platform", "linux/arm64"}, want: `the bundle is for linux/amd64, and not for linux/arm64; choose with --platform`},
		"another spec":     {args: []string{"--from-bundle", layout, o.Context}, want: `kairos\.lock:\d+:\d+: archives\.debian-12\.acme-agent/1\.0/all: the bundle does not have http://\S+; write it again with flavorkit bundle`},
		"truncated":        {args: []string{"--from-bundle", damaged}, bundle: whole[:len(whole)*2/3], want: `the bundle \S+ is truncated`},
	} {
		if tt.bundle != nil {
			require.NoError(t, os.WriteFile(damaged, tt.bundle, 0o644))
		}
		said, err := offline(append([]string{"build", "-o", filepath.Join(t.TempDir(), "none")}, tt.args...)...)
		require.Error(t, err, name)
		assert.Regexp(t, tt.want, said, name)
	}
	blob := filepath.Join(layout, "blobs", "sha256", has.Downloads[0].Digest.Encoded())
	data, err := os.ReadFile(blob)
	require.NoError(t, err)
	data[len(data)/2] ^= 1
	require.NoError(t, os.WriteFile(blob, data, 0o644))
	said, err = offline("build", "--from-bundle", layout, "-o", filepath.Join(t.TempDir(), "none"))
	require.Error(t, err)
	assert.Contains(t, said, "blobs/sha256/"+has.Downloads[0].Digest.Encoded()+" has other bytes than its name says")
}

// withoutNetwork returns a function that runs the command in a network namespace that has nothing but a
// loopback interface, on an engine without cache.
func withoutNetwork(t *testing.T, state string) func(args ...string) (string, error) {
	t.Helper()
	binary := command(t)
	state = passingState(t, state)
	return func(args ...string) (string, error) {
		args = append(args, "--progress", "plain", "--state-dir", state)
		cmd := exec.Command("unshare", append([]string{"--net", "sh", "-c", `ip link set lo up && exec "$@"`, "sh", binary}, args...)...)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		err := cmd.Run()
		return said.String(), err
	}
}

// TestMatrixBundle builds the entries of a locked matrix from its bundle, with the command on an engine
// without cache and without a network: the same images as with a network. The second entry extends a
// named context, and differs from the first in its last steps only.
func TestMatrixBundle(t *testing.T) {
	t.Parallel()
	const spec = "extends: debian-12\nversion: v1.0.0\n"
	o := options(t, map[string]string{
		"edge.yaml": "entries: [{extends: [./edge.spec, acme], architectures: [amd64]}]\n",
		"edge.spec": spec + "name: edge\nfiles: [{path: /etc/edge, from: issue}]\n", "issue": "edge\n", "unrelated": "not named by the matrix\n",
	})
	o.File = filepath.Join(o.Context, "edge.yaml")
	acme := writeFiles(t, map[string]string{"kairos.spec": spec + "name: acme\n"})
	o.Contexts = map[string]string{"debian:12-slim": o.Contexts["debian:12-slim"], "kairos-agent": o.Contexts["kairos-agent"], "immucore": o.Contexts["immucore"], "acme": acme}
	text, err := os.ReadFile(o.File)
	require.NoError(t, err)
	cs := entries(t, string(text))
	require.Len(t, cs, 2)
	for i := range cs {
		cs[i].Lock = "edge.lock"
	}
	o.Frontend = frontend.New(frontend.Options{}).Entries(cs)
	watch(&o)
	c := embedded(t)
	require.NoError(t, solve.AskLong(t.Context(), c, o, frontend.LockRequest, func(res *gwclient.Result) error {
		return os.WriteFile(filepath.Join(o.Context, "edge.lock"), res.Metadata["result.txt"], 0o644)
	}))
	archive := filepath.Join(t.TempDir(), "edge.tar")
	has, err := bundle.Make(t.Context(), c, o, archive)
	require.NoError(t, err, "%v", o.Log)
	assert.Equal(t, []string{"edge-amd64", "acme-amd64"}, has.Entries)
	assert.Equal(t, []string{"edge.lock", "edge.spec"}, has.Spec)
	assert.Equal(t, []string{"issue"}, has.Files)

	dist := t.TempDir()
	offline := withoutNetwork(t, "integration-matrix-bundle")
	said, err := offline("matrix", "build", "--from-bundle", archive, "--entry", "edge-*", "-o", dist)
	require.NoError(t, err, said)
	assert.Equal(t, []string{"edge-debian-12-core-amd64-generic-v1.0.0.oci.tar"}, visible(t, dist), "the entry that was chosen")
	said, err = offline("matrix", "build", "--from-bundle", archive, "-o", dist)
	require.NoError(t, err, said)
	o.Platforms = []string{"linux/" + arch}
	for i, name := range []string{"edge", "acme"} {
		o.Frontend = frontend.New(frontend.Options{}).Entry(cs[i])
		made := filepath.Join(dist, name+"-debian-12-core-amd64-generic-v1.0.0.oci.tar")
		assert.Equal(t, sumOf(t, image(t, c, o)), sumOf(t, made), "%s: the same image as with a network", name)
	}
}

// bundleInBuildx asks docker buildx for the graph of a build from a bundle, with the command of its
// README: all that it takes is of the bundle.
func bundleInBuildx(t *testing.T, layout string) {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(layout, planbundle.Readme))
	require.NoError(t, err)
	for _, line := range []string{"skopeo copy oci:.:frontend ", "--build-context flavorkit-bundle=oci-layout://.:bundle ", "--build-arg 'TREE=welcome' ", "-f spec/kairos.spec "} {
		assert.Contains(t, string(readme), line)
	}
	daemon := testkit.Buildkitd(t)
	ref := daemon.Registry.PushLayout(testkit.Frontend(t, arch), "flavorkit/frontend:1")
	out, err := testkit.Buildx(t, daemon).Run("build", "--progress=quiet", "--call=convertllb,format=json",
		"--build-context", "flavorkit-bundle=oci-layout://"+layout+":bundle", "--build-arg", "TREE=welcome", "--build-arg", "BUILDKIT_SYNTAX="+ref,
		"-f", filepath.Join(layout, "spec", "kairos.spec"), filepath.Join(layout, "context"))
	require.NoError(t, err, out)
	graph := textOf(t, out)
	assert.Contains(t, graph, "\n  source oci-layout+blob://")
	assert.NotRegexp(t, `\n  source (https?|docker-image)://`, graph)
}
