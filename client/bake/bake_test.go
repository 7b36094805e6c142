package bake_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/bake"
	"github.com/flavorkit/flavorkit/frontend"
)

func TestFile(t *testing.T) {
	entries := []bake.Entry{
		{Name: "core-edge-1.2-amd64", Spec: "extends: ./edge-1.2.spec\nversion: " + bake.Version + "\n", Image: "core-edge:1-" + bake.Version, Arch: "amd64", Groups: []string{"core", "edge-1.2"}},
		{Name: "core-own-arm64", Spec: "extends: \"./${own}.spec\"\n", Image: "core-own:1-v9", Arch: "arm64", Groups: []string{"core", "own"}},
	}
	text, err := bake.File(entries, bake.Options{
		Frontend: "acme/frontend:1", Context: "ci", Registry: "ghcr.io/acme", Version: "v1.0.0", Target: "image", Targets: frontend.Targets(),
		CacheFrom: []string{"type=registry,ref=acme/cache:{entry}"},
		CacheTo:   []string{"type=registry,ref=${REGISTRY}/cache:{entry},mode=max"}, Contexts: map[string]string{"acme": "../acme"},
	})
	require.NoError(t, err)
	const want = `{
  "//": "written by flavorkit bake; the next run overwrites it",
  "variable": {
    "REGISTRY": {
      "default": "ghcr.io/acme",
      "description": "where images are pushed to"
    },
    "TARGET": {
      "default": "image",
      "description": "what is built: image, iso, img, qcow2, vhd, vmdk, gce, img-image, netboot, sysext, confext, test, packages, sbom"
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
        "${TARGET == \"image\" ? \"${REGISTRY}/core-edge:1-${replace(VERSION, \"+\", \"-\")}\" : \"\"}",
        "${TARGET == \"img-image\" ? \"${REGISTRY}/core-edge:1-${replace(VERSION, \"+\", \"-\")}-img\" : \"\"}"
      ],
      "cache-from": [
        "type=registry,ref=acme/cache:core-edge-1-2-amd64"
      ],
      "cache-to": [
        "type=registry,ref=${REGISTRY}/cache:core-edge-1-2-amd64,mode=max"
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
        "${TARGET == \"image\" ? \"${REGISTRY}/core-own:1-v9\" : \"\"}",
        "${TARGET == \"img-image\" ? \"${REGISTRY}/core-own:1-v9-img\" : \"\"}"
      ],
      "cache-from": [
        "type=registry,ref=acme/cache:core-own-arm64"
      ],
      "cache-to": [
        "type=registry,ref=${REGISTRY}/cache:core-own-arm64,mode=max"
      ]
    }
  }
}
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestNames checks entries and groups with names that bake does not accept, or that become equal.
func TestNames(t *testing.T) {
	for _, c := range []struct {
		name    string
		entries []bake.Entry
		target  map[string]string // to the spec
		group   map[string][]string
	}{
		{
			name:    "signs alone differ",
			entries: []bake.Entry{{Name: "edge-1.2", Spec: "a"}, {Name: "edge-1-2", Spec: "b"}, {Name: "edge-1_2", Spec: "c"}, {Name: "edge-1~2", Spec: "d"}},
			target:  map[string]string{"edge-1-2": "a", "edge-1-2-2": "b", "edge-1_2": "c", "edge-1-2-3": "d"},
			group:   map[string][]string{"default": {"edge-1-2", "edge-1-2-2", "edge-1_2", "edge-1-2-3"}},
		},
		{
			name:    "a number that is taken",
			entries: []bake.Entry{{Name: "a-2", Spec: "a"}, {Name: "a", Spec: "b"}, {Name: "a", Spec: "c"}},
			target:  map[string]string{"a-2": "a", "a": "b", "a-3": "c"},
			group:   map[string][]string{"default": {"a-2", "a", "a-3"}},
		},
		{
			name:    "not ASCII",
			entries: []bake.Entry{{Name: "é", Spec: "a", Groups: []string{"ü"}}, {Name: "è", Spec: "b", Groups: []string{"ö", "ü"}}},
			target:  map[string]string{"-": "a", "--2": "b"},
			group:   map[string][]string{"default": {"-", "--2"}, "--3": {"-", "--2"}, "--4": {"--2"}},
		},
		{
			name:    "a group that is called like a target, and like that of all",
			entries: []bake.Entry{{Name: "edge-amd64", Spec: "a", Groups: []string{"amd64", "edge-amd64", "amd64"}}, {Name: "default", Spec: "b", Groups: []string{"default"}}},
			target:  map[string]string{"edge-amd64": "a", "default-2": "b"},
			group:   map[string][]string{"default": {"edge-amd64", "default-2"}, "amd64": {"edge-amd64"}, "edge-amd64-2": {"edge-amd64"}, "default-3": {"default-2"}},
		},
		{
			name:    "groups of which signs alone differ",
			entries: []bake.Entry{{Name: "a", Spec: "a", Groups: []string{"v1.2"}}, {Name: "b", Spec: "b", Groups: []string{"v1-2"}}},
			target:  map[string]string{"a": "a", "b": "b"},
			group:   map[string][]string{"default": {"a", "b"}, "v1-2": {"a"}, "v1-2-2": {"b"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := bake.File(c.entries, bake.Options{Frontend: "x"})
			require.NoError(t, err)
			var f struct {
				Target map[string]struct {
					Spec string `json:"dockerfile-inline"`
				}
				Group map[string]struct{ Targets []string }
			}
			require.NoError(t, json.Unmarshal(text, &f))
			target, group := map[string]string{}, map[string][]string{}
			for name, value := range f.Target {
				target[name] = value.Spec[len("# syntax=x\n"):]
			}
			for name, value := range f.Group {
				group[name] = value.Targets
			}
			assert.Equal(t, c.target, target)
			assert.Equal(t, c.group, group)
		})
	}
}

func TestOurs(t *testing.T) {
	text, err := bake.File(nil, bake.Options{})
	require.NoError(t, err)
	assert.True(t, bake.Ours(text))
	for _, other := range []string{"", "{}", `{"//": "mine"}`, `{"target": {"app": {}}}`, `target "app" {}`} {
		assert.False(t, bake.Ours([]byte(other)), other)
	}
}
