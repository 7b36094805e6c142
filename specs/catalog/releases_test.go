package catalog_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// TestPublished checks that the catalog says where all releases are listed.
func TestPublished(t *testing.T) {
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	var names []string
	for _, p := range cat.Published() {
		names = append(names, p.Kind+" "+p.Name)
		assert.NotNil(t, p.Releases, "%s says no list of its releases", p.Name)
		assert.NotEmpty(t, p.Range.String(), p.Name)
		assert.True(t, slices.IsSortedFunc(p.Versions, func(a, b string) int { return catalog.CompareVersions(b, a) }), p.Versions)
	}
	for _, name := range []string{"component k3s", "component kairos-agent", "distribution alpine", "distribution debian", "distribution fedora", "distribution opensuse", "distribution ubuntu"} {
		assert.Contains(t, names, name)
	}
	following := 0
	for _, c := range cat.Components {
		if c.Follows != "" {
			following++
			assert.Equal(t, cat.Components[c.Follows].Version, c.Version)
		}
	}
	assert.Positive(t, following)
	assert.Len(t, names, len(cat.Components)-following+5)
}

// TestPublishedLike has distributions that are like others.
func TestPublishedLike(t *testing.T) {
	const releases = "releases: {format: endoflife, url: 'https://endoflife.date/api/v1/products/d'}\n"
	cat, err := catalog.Load(layer(map[string]string{
		"distros/d.yaml":     distro + releases,
		"distros/d-10.yaml":  "name: d-10\nlike: d\nrelease: '10'\n",
		"distros/d-9.yaml":   "name: d-9\nlike: d-10\nrelease: '9'\n",
		"distros/acme.yaml":  "name: acme\nlike: d\nflavor: acme\nrelease: '1'\n",
		"distros/acme2.yaml": "name: acme2\nlike: acme\nrelease: '2'\n",
	}))
	require.NoError(t, err)
	all := cat.Published()
	require.Len(t, all, 2)
	assert.Equal(t, "acme", all[0].Name)
	assert.Nil(t, all[0].Releases, "those of d are not those of acme")
	assert.Equal(t, []string{"2", "1"}, all[0].Versions)
	assert.Equal(t, "f", all[1].Name)
	assert.Equal(t, []string{"10", "9", "1"}, all[1].Versions)
	assert.Equal(t, "acme/distros/d-10.yaml:3:10", all[1].Range.String())
	assert.Equal(t, "endoflife", all[1].Releases.Format)
}

func TestReleasesMistakes(t *testing.T) {
	for releases, want := range map[string]string{
		"{format: gitlab, url: 'https://x.example'}":                  `acme/distros/d.yaml:10:20: releases.format: "gitlab" is not valid; did you mean "github"?`,
		"{url: 'https://x.example'}":                                  `acme/distros/d.yaml:10:11: releases.format: is missing; valid: channels, endoflife, github`,
		"{format: github, url: x.example}":                            `acme/distros/d.yaml:10:33: releases.url: "x.example" is not the URL of a web server`,
		"{format: github, url: 'file:///etc/passwd'}":                 `acme/distros/d.yaml:10:33: releases.url: "file:///etc/passwd" is not the URL of a web server`,
		"{format: channels, url: 'https://x.example'}":                `acme/distros/d.yaml:10:11: releases: has no channel; name the channel to follow, such as latest`,
		"{format: github, url: 'https://x.example', channel: latest}": `acme/distros/d.yaml:10:63: releases.channel: a list of the format github has no channels; remove it`,
		"{format: github, url: 'https://x.example', repository: a/b}": `releases: unknown key "repository"; valid: channel, format, prefix, url`,
		"https://x.example":                                           `acme/distros/d.yaml:10:11: releases: must be a mapping with the keys format, url, channel, prefix`,
	} {
		_, err := catalog.Load(layer(map[string]string{"distros/d.yaml": distro + "releases: " + releases + "\n"}))
		require.Error(t, err, releases)
		assert.Contains(t, err.Error(), want)
	}
}

func TestCompareVersions(t *testing.T) {
	ordered := []string{"9", "24.04", "24.10", "26.04", "v0.9.0", "v1.2.10", "v1.10.0+k3s1", "v1.36.4", "v1.36.4+k3s1", "v1.36.4+k3s2", "v1.36.4+k3s10", "v1.36.10+k3s1"}
	for i, a := range ordered {
		for j, b := range ordered {
			assert.Equal(t, sign(i-j), catalog.CompareVersions(a, b), "%s %s", a, b)
		}
	}
}

func sign(n int) int {
	return max(-1, min(1, n))
}
