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
	o.Contexts = map[string]string{"immucore": o.Contexts["immucore"]}
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
	assert.Equal(t, []string{"common.spec", "kairos.lock", "kairos.spec"}, has.Spec)
	_, err = bundle.Make(t.Context(), c, o, layout)
	require.NoError(t, err, "%v", o.Log)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "nothing hidden is left")
	assert.FileExists(t, filepath.Join(layout, "context", "issue"))
	assert.NoFileExists(t, filepath.Join(layout, "context", "unrelated"))
	again := filepath.Join(t.TempDir(), "again.tar")
	_, err = bundle.Make(t.Context(), c, o, again)
	require.NoError(t, err, "%v", o.Log)
	assert.Equal(t, sumOf(t, archive), sumOf(t, again), "the same bundle twice")
	require.NoError(t, os.Remove(again))

	binary := filepath.Join(t.TempDir(), "flavorkit")
	out, err := exec.Command("go", "build", "-o", binary, "github.com/flavorkit/flavorkit/cmd/flavorkit").CombinedOutput()
	require.NoError(t, err, string(out))
	state := passingState(t, "integration-bundle")
	// offline runs flavorkit build in a network namespace that has nothing but a loopback interface.
	offline := func(args ...string) (string, error) {
		cmd := exec.Command("unshare", append([]string{"--net", "sh", "-c", `ip link set lo up && exec "$@"`, "sh", binary, "build", "--progress", "plain", "--state-dir", state}, args...)...)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		err := cmd.Run()
		return said.String(), err
	}
	made := filepath.Join(t.TempDir(), "image.tar")
	said, err := offline("--from-bundle", archive, "-o", "type=oci,dest="+made)
	require.NoError(t, err, said)
	assert.Equal(t, locked, sumOf(t, made), "the same image as with a network")

	// What does not fit says so.
	text, err := os.ReadFile(lockFile)
	require.NoError(t, err)
	other := regexp.MustCompile(`(acme-agent_1\.0_all:\n +url: \S+\n +sha256: )\w{4}`).ReplaceAll(text, []byte("${1}0000"))
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
		"another spec":     {args: []string{"--from-bundle", layout, o.Context}, want: `kairos\.lock:\d+:\d+: archives\.debian-12\.acme-agent_1\.0_all: the bundle does not have http://\S+; write it again with flavorkit bundle`},
		"truncated":        {args: []string{"--from-bundle", damaged}, bundle: whole[:len(whole)*2/3], want: `the bundle \S+ is truncated`},
	} {
		if tt.bundle != nil {
			require.NoError(t, os.WriteFile(damaged, tt.bundle, 0o644))
		}
		said, err := offline(append(tt.args, "-o", filepath.Join(t.TempDir(), "none"))...)
		require.Error(t, err, name)
		assert.Regexp(t, tt.want, said, name)
	}
	blob := filepath.Join(layout, "blobs", "sha256", has.Downloads[0].Digest.Encoded())
	data, err := os.ReadFile(blob)
	require.NoError(t, err)
	data[len(data)/2] ^= 1
	require.NoError(t, os.WriteFile(blob, data, 0o644))
	said, err = offline("--from-bundle", layout, "-o", filepath.Join(t.TempDir(), "none"))
	require.Error(t, err)
	assert.Contains(t, said, "blobs/sha256/"+has.Downloads[0].Digest.Encoded()+" has other bytes than its name says")
}
