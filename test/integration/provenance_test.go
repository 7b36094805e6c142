package integration

import (
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/client/verify"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// material is what a build was made from, as SLSA has it.
type material struct {
	URI    string            `json:"uri"`
	Digest map[string]string `json:"digest"`
}

// provenanceOf builds an image with everything that BuildKit tells about a build, and returns the
// archive, the statement and the materials in it.
func provenanceOf(t *testing.T, c *client.Client, o solve.Options) (archive, text string, materials []material) {
	t.Helper()
	o.Provenance = "max"
	archive = image(t, c, o)
	found, closer, err := inspect.Open(t.Context(), archive, inspect.Options{Arch: arch})
	require.NoError(t, err)
	defer closer.Close()
	for _, a := range found.Attestations {
		layers, err := a.Layers()
		require.NoError(t, err)
		for _, l := range layers {
			r, err := l.Compressed()
			require.NoError(t, err)
			data, err := io.ReadAll(r)
			require.NoError(t, err)
			var statement struct {
				PredicateType string `json:"predicateType"`
				Predicate     struct {
					Materials       []material `json:"materials"`
					BuildDefinition struct {
						ResolvedDependencies []material `json:"resolvedDependencies"`
					} `json:"buildDefinition"`
				} `json:"predicate"`
			}
			require.NoError(t, json.Unmarshal(data, &statement))
			if strings.HasPrefix(statement.PredicateType, "https://slsa.dev/provenance/") {
				text = string(data)
				materials = slices.Concat(statement.Predicate.Materials, statement.Predicate.BuildDefinition.ResolvedDependencies)
			}
		}
	}
	require.NotEmpty(t, text, "the image has no provenance")
	assertPrivate(t, text, o)
	return archive, text, materials
}

// assertPrivate finds nothing of this machine or its user in a provenance.
func assertPrivate(t *testing.T, text string, o solve.Options) {
	t.Helper()
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	for _, private := range []string{home + "/", o.Context, filepath.Dir(testkit.Cache(t))} {
		assert.NotContains(t, text, private)
	}
}

// checkProvenance compares the materials of a locked build with the lock, in both directions, and has
// flavorkit verify compare the rest.
func checkProvenance(t *testing.T, c *client.Client, o solve.Options, f *lock.File) {
	t.Helper()
	o.SBOM = true
	archive, _, materials := provenanceOf(t, c, o)
	downloaded, others := map[string]string{}, []string{}
	for _, m := range materials {
		if strings.HasPrefix(m.URI, "http") {
			downloaded[m.Digest["sha256"]] = m.URI
		} else {
			others = append(others, m.URI)
		}
	}
	locked := map[string]string{}
	for _, stage := range f.Stages {
		if stage.Stage == "userland" || stage.Stage == "kernel" { // the others are for media
			for _, id := range stage.Archives {
				locked[f.Archives[stage.Distro][id].SHA256] = id
			}
		}
	}
	require.Greater(t, len(locked), 100)
	assert.ElementsMatch(t, slices.Collect(maps.Keys(locked)), slices.Collect(maps.Keys(downloaded)), "the materials are the archives of the lock")
	assert.Len(t, others, 1, "only the base image is something else")

	r, err := verify.Verify(t.Context(), archive, verify.Options{
		Options: inspect.Options{Arch: arch}, Lock: filepath.Join(filepath.Dir(o.File), "kairos.lock"),
		Require: []verify.Kind{verify.Digest, verify.SBOM, verify.Lock},
	})
	require.NoError(t, err)
	assert.Zero(t, r.Count(verify.Failed), "%+v", r)
	var text strings.Builder
	require.NoError(t, r.WriteText(&text))
	assert.Contains(t, text.String(), "packages are in the base image, and", "the given lock and the attested one")
	t.Log(text.String())
}
