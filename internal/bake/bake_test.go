package bake_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/bake"
)

func TestFile(t *testing.T) {
	cells := []bake.Cell{
		{Name: "core-edge-1.2-amd64", Spec: "extends: ./edge-1.2.spec\nversion: " + bake.Version + "\n", Image: "core-edge:1-" + bake.Version, Arch: "amd64", Groups: []string{"core", "edge-1.2"}},
		{Name: "core-own-arm64", Spec: "extends: \"./${own}.spec\"\n", Image: "core-own:1-v9", Arch: "arm64", Groups: []string{"core", "own"}},
	}
	text, err := bake.File(cells, bake.Options{
		Frontend: "acme/frontend:1", Context: "ci", Registry: "ghcr.io/acme", Version: "v1.0.0", Target: "image",
		CacheFrom: []string{"type=registry,ref=acme/cache"}, Contexts: map[string]string{"acme": "../acme"},
	})
	require.NoError(t, err)
	const want = `{
  "variable": {
    "REGISTRY": {
      "default": "ghcr.io/acme",
      "description": "where images are pushed to"
    },
    "TARGET": {
      "default": "image",
      "description": "what is built: image or iso"
    },
    "VERSION": {
      "default": "v1.0.0",
      "description": "version of what is built"
    }
  },
  "group": {
    "core": {
      "targets": [
        "core-edge-1-2-amd64",
        "core-own-arm64"
      ]
    },
    "default": {
      "targets": [
        "core-edge-1-2-amd64",
        "core-own-arm64"
      ]
    },
    "edge-1-2": {
      "targets": [
        "core-edge-1-2-amd64"
      ]
    },
    "own": {
      "targets": [
        "core-own-arm64"
      ]
    }
  },
  "target": {
    "core-edge-1-2-amd64": {
      "context": "ci",
      "contexts": {
        "acme": "../acme"
      },
      "dockerfile-inline": "# syntax=acme/frontend:1\nextends: ./edge-1.2.spec\nversion: ${VERSION}\n",
      "target": "${TARGET}",
      "platforms": [
        "linux/amd64"
      ],
      "tags": [
        "${REGISTRY}/core-edge:1-${replace(VERSION, \"+\", \"-\")}"
      ],
      "cache-from": [
        "type=registry,ref=acme/cache"
      ]
    },
    "core-own-arm64": {
      "context": "ci",
      "contexts": {
        "acme": "../acme"
      },
      "dockerfile-inline": "# syntax=acme/frontend:1\nextends: \"./$${own}.spec\"\n",
      "target": "${TARGET}",
      "platforms": [
        "linux/arm64"
      ],
      "tags": [
        "${REGISTRY}/core-own:1-v9"
      ],
      "cache-from": [
        "type=registry,ref=acme/cache"
      ]
    }
  }
}
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
