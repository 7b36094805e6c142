package integration

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	regname "github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	intoto "github.com/in-toto/in-toto-golang/in_toto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

// pushImage pushes the image that a daemon has built, with options that change its description and
// none of its steps.
func pushImage(t *testing.T, buildx *testkit.BuildxCLI, daemon *testkit.Daemon, args []string) {
	t.Helper()
	name := daemon.Registry.Addr() + "/acme/edge:v1"
	metadata, id := filepath.Join(t.TempDir(), "metadata.json"), filepath.Join(t.TempDir(), "id")
	out, err := buildx.Build(append([]string{
		"--tag=" + name, "--push", "--iidfile=" + id, "--label=org.example.team=edge", "--metadata-file=" + metadata,
		"--annotation=org.example.channel=stable", "--annotation=index:org.example.channel=all",
		"--attest=type=sbom", "--attest=type=provenance,mode=max",
	}, args...)...)
	require.NoError(t, err, out)
	assert.Equal(t, states{cached: true}, stateOf(out, "[debian-12/userland] install"), out)

	ref, err := regname.ParseReference(name, regname.Insecure)
	require.NoError(t, err)
	index, err := remote.Index(ref)
	require.NoError(t, err)
	found, err := index.Digest()
	require.NoError(t, err)
	var written struct {
		Digest string `json:"containerimage.digest"`
		Name   string `json:"image.name"`
	}
	text, err := os.ReadFile(metadata)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &written))
	assert.Equal(t, found.String(), written.Digest)
	text, err = os.ReadFile(id)
	require.NoError(t, err)
	assert.Equal(t, written.Digest, string(text))
	assert.Equal(t, name, written.Name)

	both, err := index.IndexManifest()
	require.NoError(t, err)
	assert.Equal(t, "all", both.Annotations["org.example.channel"])
	attested := attestationsOf(t, index)
	assert.Greater(t, len(attested.packages), 100)
	assert.Contains(t, attested.provenance, "/run/flavorkit/apt.sh", "mode=max has the steps")

	image, err := remote.Image(ref, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: arch}))
	require.NoError(t, err)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	assert.Equal(t, "edge", config.Config.Labels["org.example.team"])
	manifest, err := image.Manifest()
	require.NoError(t, err)
	assert.Equal(t, "stable", manifest.Annotations["org.example.channel"])

	out, err = buildx.Run(append([]string{"build", "--quiet", "--tag=" + name, "--push", "--sbom=true"}, args...)...)
	require.NoError(t, err, out)
	index, err = remote.Index(ref)
	require.NoError(t, err)
	found, err = index.Digest()
	require.NoError(t, err)
	assert.Equal(t, found.String()+"\n", out, "the ID is all that is printed")
	again := attestationsOf(t, index)
	assert.Equal(t, attested.packages, again.packages)
	assert.NotContains(t, again.provenance, "/run/flavorkit/apt.sh")

	out, err = buildx.Build(append([]string{"--tag=" + name, "--push", "--attest=type=sbom,generator=" + pushScanner(t, daemon)}, args...)...)
	require.NoError(t, err, out)
	index, err = remote.Index(ref)
	require.NoError(t, err)
	assert.Equal(t, []string{"scanned"}, attestationsOf(t, index).packages)

	out, err = buildx.Build(append([]string{"--no-cache-filter=rootfs"}, args...)...)
	require.NoError(t, err, out)
	assert.Equal(t, states{cached: true}, stateOf(out, "[debian-12/userland] install"), out)
	assert.Equal(t, states{ran: true}, stateOf(out, "[rootfs] check the root filesystem"), out)

	dir, stored := filepath.Join(t.TempDir(), "cache"), daemon.Registry.Addr()+"/acme/cache"
	for to, from := range map[string]string{
		"type=local,dest=" + dir: "type=local,src=" + dir, "type=registry,mode=max,ref=" + stored: "type=registry,ref=" + stored,
	} {
		out, err = buildx.Build(append([]string{"--cache-to=" + to}, args...)...)
		require.NoError(t, err, out)
		empty := testkit.Buildx(t, testkit.Buildkitd(t, testkit.WithRegistry(daemon.Registry)))
		out, err = empty.Build(append([]string{"--cache-from=" + from}, args...)...)
		require.NoError(t, err, out)
		assert.Equal(t, states{cached: true}, stateOf(out, "[rootfs] check the root filesystem"), out)
		assert.NotEqual(t, states{ran: true}, stateOf(out, "[debian-12/userland] install"), out)
	}
}

// pushScanner pushes an image that makes a bill of materials, as BuildKit runs it
// (docs/attestations/sbom-protocol.md).
func pushScanner(t *testing.T, daemon *testkit.Daemon) (name string) {
	t.Helper()
	name = daemon.Registry.Addr() + "/acme/scanner:1"
	image := layoutImage(t, testkit.Base(t, "debian-12", arch))
	config, err := image.ConfigFile()
	require.NoError(t, err)
	config = config.DeepCopy()
	config.Config.Entrypoint = []string{"sh", "-c", `test -e "$BUILDKIT_SCAN_SOURCE/etc/kairos-release" && echo '{"_type": "` + intoto.StatementInTotoV01 +
		`", "predicateType": "` + intoto.PredicateSPDX + `", "predicate": {"packages": [{"name": "scanned"}]}}' >"$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json"`}
	image, err = mutate.ConfigFile(image, config)
	require.NoError(t, err)
	ref, err := regname.ParseReference(name, regname.Insecure)
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, image))
	return name
}

// layoutImage is the only image of an OCI layout.
func layoutImage(t *testing.T, dir string) v1.Image {
	t.Helper()
	all, err := layout.ImageIndexFromPath(dir)
	require.NoError(t, err)
	manifest, err := all.IndexManifest()
	require.NoError(t, err)
	require.Len(t, manifest.Manifests, 1)
	image, err := all.Image(manifest.Manifests[0].Digest)
	require.NoError(t, err)
	return image
}

// statements are what a pushed image tells about its build.
type statements struct {
	// packages are the names in its bill of materials.
	packages   []string
	provenance string
}

func attestationsOf(t *testing.T, index v1.ImageIndex) (a statements) {
	t.Helper()
	all, err := index.IndexManifest()
	require.NoError(t, err)
	for _, d := range all.Manifests {
		if d.Annotations["vnd.docker.reference.type"] != "attestation-manifest" { // BuildKit, docs/attestations/attestation-storage.md
			continue
		}
		attestations, err := index.Image(d.Digest)
		require.NoError(t, err)
		layers, err := attestations.Layers()
		require.NoError(t, err)
		for _, layer := range layers {
			r, err := layer.Compressed()
			require.NoError(t, err)
			data, err := io.ReadAll(r)
			require.NoError(t, err)
			var statement struct {
				PredicateType string `json:"predicateType"`
				Predicate     struct{ Packages []struct{ Name string } }
			}
			require.NoError(t, json.Unmarshal(data, &statement))
			if strings.HasPrefix(statement.PredicateType, "https://slsa.dev/provenance/") {
				a.provenance = string(data)
				continue
			}
			assert.Equal(t, intoto.PredicateSPDX, statement.PredicateType)
			for _, p := range statement.Predicate.Packages {
				a.packages = append(a.packages, p.Name)
			}
		}
	}
	require.NotEmpty(t, a.provenance)
	return a
}
