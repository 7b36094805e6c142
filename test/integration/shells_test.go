package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/flavorkit/flavorkit/client/bake"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/graphtext"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestShells builds the same image in three ways, and compares the graphs and the bytes.
func TestShells(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"kairos.spec": debianSpec + "# flavorkit: skip=PersistentFile\n" + closedDirs + "  - {path: /etc/motd, from: motd}\ncloudConfig: cloud.yaml\n",
		"motd":        "welcome\n",
		"cloud.yaml":  "#cloud-config\n",
		"unrelated":   "not named by the spec\n",
	}
	o := options(t, files)
	graphs := map[string]string{}

	disk := o
	disk.Target = "img"
	watch(&disk)
	var archive string
	sums := func(c *client.Client) [2]digest.Digest {
		archive = image(t, c, o)
		return [2]digest.Digest{sumOf(t, archive), sumOf(t, filepath.Join(build(t, c, disk), diskName+".img.zst"))}
	}
	var bytes [2]digest.Digest
	t.Run("engine", func(t *testing.T) {
		c := embedded(t)
		graphs["engine"] = convert(t, c, o)
		bytes = sums(c)
		withinBudget(t, imageSizes(t, archive))
	})
	daemon := testkit.Buildkitd(t)
	var ref string // of the frontend image
	t.Run("frontend image", func(t *testing.T) {
		ref = daemon.Registry.PushLayout(testkit.Frontend(t, arch), "flavorkit/frontend:1")
		spec := strings.Replace(files["kairos.spec"], "ghcr.io/flavorkit/frontend:1", ref, 1)
		require.NoError(t, os.WriteFile(o.File, []byte(spec), 0o644))
		buildx := testkit.Buildx(t, daemon)
		args := append([]string{"-f", o.File}, directories(o)...)

		out, err := buildx.Run(append([]string{"build", "--progress=quiet", "--call=convertllb,format=json"}, args...)...)
		require.NoError(t, err, out)
		graphs["frontend image"] = textOf(t, out)

		archive := filepath.Join(t.TempDir(), "image.tar")
		out, err = buildx.Build(append([]string{"-o", "type=oci,dest=" + archive}, args...)...)
		require.NoError(t, err, out)
		assert.FileExists(t, archive)

		out, err = buildx.Run(append([]string{"build", "--call=targets"}, args...)...)
		require.NoError(t, err, out)
		assert.Regexp(t, `image \(default\) +OCI image`, out)
		out, err = buildx.Run(append([]string{"build", "--check"}, args...)...)
		require.NoError(t, err, out)
	})
	t.Run("client", func(t *testing.T) {
		c := daemon.Client(t)
		graphs["client"] = convert(t, c, o)
		r := watch(&o)
		solved(t, c, o)
		assert.Empty(t, r.ran(), "the frontend image has built all of it")
		assert.Equal(t, bytes, sums(c), "two engines make the same image and disk")
	})
	t.Run("push", func(t *testing.T) {
		pushImage(t, testkit.Buildx(t, daemon), daemon, append([]string{"-f", o.File}, directories(o)...))
	})
	t.Run("debug", func(t *testing.T) {
		debugBuild(t, testkit.Buildx(t, daemon), o.File, directories(o))
	})
	t.Run("bake", func(t *testing.T) {
		bakeImage(t, testkit.Buildx(t, daemon), ref, o)
	})
	assert.NotEmpty(t, graphs["engine"])
	assert.Equal(t, graphs["engine"], graphs["frontend image"])
	assert.Equal(t, graphs["engine"], graphs["client"])
}

// directories are the contexts of a build, as arguments for buildx.
func directories(o solve.Options) []string {
	var args []string
	for name, value := range o.Contexts {
		args = append(args, "--build-context", name+"="+value)
	}
	return append(args, o.Context)
}

// bakeImage builds the image with a bake file. Its inline spec extends the spec in the build
// context.
func bakeImage(t *testing.T, buildx *testkit.BuildxCLI, frontendRef string, o solve.Options) {
	t.Helper()
	text, err := bake.File([]bake.Entry{{
		Name: "core-edge-1.0-amd64", Spec: "extends: ./kairos.spec\nversion: " + bake.Version + "\n",
		Image: "core-edge:1-" + bake.Version, Arch: arch, Groups: []string{"core"},
	}}, bake.Options{Frontend: frontendRef, Context: o.Context, Registry: "ghcr.io/acme", Version: "v1.0.0", Target: "image", Targets: frontend.Targets()})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "docker-bake.json")
	require.NoError(t, os.WriteFile(file, text, 0o644))

	archive := filepath.Join(t.TempDir(), "image.tar")
	args := []string{"bake", "--progress=plain", "--allow=fs=*", "-f", file, "--set", "*.output=type=oci,dest=" + archive}
	for name, value := range o.Contexts {
		args = append(args, "--set", "*.contexts."+name+"="+value)
	}
	out, err := buildx.Run(append(args, "core")...)
	require.NoError(t, err, out)
	assert.NotContains(t, out, "Setting up ", "all steps are in the cache")
	index, err := exec.Command("tar", "-xOf", archive, "index.json").Output()
	require.NoError(t, err)
	assert.Contains(t, string(index), "ghcr.io/acme/core-edge:1-v1.0.0")

	// Only the system image gets its tag.
	for target, tags := range map[string][]string{"image": {"ghcr.io/acme/core-edge:1-v1.0.0"}, "img-image": {"ghcr.io/acme/core-edge:1-v1.0.0-img"}, "iso": nil} {
		buildx.Env = []string{"TARGET=" + target}
		out, err := buildx.Run("bake", "--progress=quiet", "-f", file, "--print", "core")
		require.NoError(t, err, out)
		var printed struct {
			Target map[string]struct{ Tags []string }
		}
		require.NoError(t, json.Unmarshal([]byte(out), &printed), out)
		assert.Equal(t, tags, printed.Target["core-edge-1-0-amd64"].Tags, target)
	}
}

// image builds the default target into an OCI archive.
func image(t *testing.T, c *client.Client, o solve.Options) string {
	t.Helper()
	archive := filepath.Join(t.TempDir(), "image.tar")
	out, err := solve.OutputImage(archive)
	require.NoError(t, err)
	export(t, c, o, out)
	return archive
}

// imageWith builds an image whose layers all have the same compression.
func imageWith(t *testing.T, c *client.Client, o solve.Options, compression string) string {
	t.Helper()
	archive := filepath.Join(t.TempDir(), "image.tar")
	d, err := solve.ParseOutput("type=oci,oci-mediatypes=true,force-compression=true,compression=" + compression + ",dest=" + archive)
	require.NoError(t, err)
	out, err := d.Open()
	require.NoError(t, err)
	export(t, c, o, out)
	return archive
}

// export builds the default target into an output.
func export(t *testing.T, c *client.Client, o solve.Options, out *solve.Output) {
	t.Helper()
	defer func() { assert.NoError(t, out.Discard()) }()
	if _, err := solve.Build(t.Context(), c, o, out.Entry); err != nil {
		t.Fatalf("build: %+v\n%v", err, o.Log)
	}
	_, err := out.Commit()
	require.NoError(t, err)
}

// convert asks for the graph of a build.
func convert(t *testing.T, c *client.Client, o solve.Options) string {
	t.Helper()
	var text string
	err := solve.Ask(t.Context(), c, o, "frontend.convertllb", func(res *gwclient.Result) error {
		text = textOf(t, string(res.Metadata["result.json"]))
		return nil
	})
	require.NoError(t, err)
	return text
}

// textOf writes a converted graph as text, without what belongs to a session.
func textOf(t *testing.T, data string) string {
	t.Helper()
	var result struct {
		Def      map[digest.Digest]json.RawMessage
		Metadata map[digest.Digest]llb.OpMetadata
	}
	require.NoError(t, json.Unmarshal([]byte(data), &result), data)
	g := graphtext.Graph{Ops: map[digest.Digest]*pb.Op{}, Metadata: result.Metadata}
	for d, raw := range result.Def {
		op := &pb.Op{}
		require.NoError(t, protojson.Unmarshal(raw, op))
		g.Ops[d] = op
	}
	return g.String()
}
