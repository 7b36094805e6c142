package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/golden"
	"github.com/flavorkit/flavorkit/test/spectest"
)

const kairosReleases = "https://github.com/kairos-io/kairos/releases/download/"

// TestKairosPlans compares plans with the one program of Kairos, for both init systems.
func TestKairosPlans(t *testing.T) {
	for flavor, variant := range map[string]string{"debian-12": "core", "alpine": "standard"} {
		t.Run(flavor, func(t *testing.T) {
			p := spectest.MustPlan(t, "extends: "+flavor+"\nversion: v1.0.0\nvariant: "+variant+"\nkairos: v4.3.0\n", nil, "amd64")
			golden.Check(t, "../testdata/targets/"+variant+"-"+flavor+"-amd64-kairos-plan.yaml", p.String())
			_, back := spectest.RoundTrip(t, p)
			assert.Equal(t, p, back)
		})
	}
}

// TestKairos checks what the key kairos changes.
func TestKairos(t *testing.T) {
	separate := spectest.MustPlan(t, debian, nil, "amd64")
	assert.Equal(t, separate.Components, spectest.MustPlan(t, debian+"kairos: separate\n", nil, "amd64").Components, "the default")
	_, path, ok := separate.Program("immucore")
	assert.True(t, ok)
	assert.Equal(t, "/usr/bin/immucore", path)
	_, _, ok = separate.Program("kcrypt-discovery-challenger")
	assert.False(t, ok, "only if the spec names it")

	p := spectest.MustPlan(t, debian+"kairos: latest\n", nil, "arm64")
	assert.Equal(t, []string{"kairos"}, names(p))
	c := p.Components[0]
	assert.Equal(t, plan.Component{
		Name: "kairos", Version: "v4.3.0", Install: "/usr/bin/kairos", Path: "kairos",
		Provides: map[string]string{
			"immucore": "/usr/bin/immucore", "kairos-agent": "/usr/bin/kairos-agent",
			"kcrypt-discovery-challenger": "/system/discovery/kcrypt-discovery-challenger",
		},
		Links: []plan.Link{
			{Path: "/usr/bin/immucore", Target: "/usr/bin/kairos"},
			{Path: "/usr/bin/kairos-agent", Target: "/usr/bin/kairos"},
			{Path: "/system/discovery/kcrypt-discovery-challenger", Target: "/usr/bin/kairos"},
		},
		Download: &plan.Download{
			URL:       kairosReleases + "v4.3.0/kairos-v4.3.0-linux-arm64.tar.gz",
			Checksums: kairosReleases + "v4.3.0/checksums.txt",
		},
	}, c)
	for name, path := range c.Provides {
		given, at, ok := p.Program(name)
		assert.True(t, ok)
		assert.Equal(t, path, at)
		assert.Equal(t, c, given)
		assert.Contains(t, p.Checks.Programs, path)
	}
	assert.Contains(t, p.Needs[catalog.NeedInitramfsFiles], "/usr/bin/immucore")
	assert.Equal(t, separate.Userland.Packages, spectest.MustPlan(t, debian+"kairos: latest\n", nil, "amd64").Userland.Packages)
	assert.Equal(t, 3, p.At(c.Key()).Start.Line, "steps of the program point at the key")
}

// TestKairosWithProvider: the provider is of the same release, and does not take the name of the
// program.
func TestKairosWithProvider(t *testing.T) {
	provider := func(spec string) plan.Component {
		c, ok := spectest.MustPlan(t, standard+spec, nil, "amd64").Component("provider-kairos")
		require.True(t, ok)
		return c
	}
	c := provider("kairos: v4.4.1\n")
	assert.Equal(t, "v4.4.1", c.Version)
	assert.Equal(t, kairosReleases+"v4.4.1/provider-kairos-v4.4.1-linux-amd64.tar.gz", c.Download.URL)
	assert.Equal(t, kairosReleases+"v4.4.1/checksums.txt", c.Download.Checksums)
	assert.Empty(t, c.Links)
	assert.Equal(t, "/system/providers/agent-provider-kairos", c.Install)

	c = provider("kairos: v4.4.1\ncomponents: {provider-kairos: {image: acme/provider, version: v2.16.4}}\n")
	assert.Equal(t, "v2.16.4", c.Version, "another source has another version")
	assert.Empty(t, c.Links)
	assert.Equal(t, []plan.Link{{Path: "/usr/bin/kairos", Target: c.Install}}, provider("").Links)
}

// TestKairosSources takes the one program from other places.
func TestKairosSources(t *testing.T) {
	for spec, want := range map[string]plan.Component{
		"{context: mine, path: bin/kairos}": {Context: "mine", Path: "bin/kairos"},
		"{image: acme/kairos}":              {Image: "acme/kairos", Path: "kairos"},
		"{url: 'https://x/k-{version}-{arch}', checksums: 'https://x/sums'}": {
			Path: "kairos", Download: &plan.Download{URL: "https://x/k-v4.3.1-amd64", Checksums: "https://x/sums"},
		},
	} {
		c, ok := spectest.MustPlan(t, debian+"kairos: v4.3.1\ncomponents: {kairos: "+spec+"}\n", nil, "amd64").Component("kairos")
		require.True(t, ok)
		assert.Equal(t, "v4.3.1", c.Version)
		assert.Len(t, c.Links, 3)
		assert.Equal(t, want, plan.Component{Context: c.Context, Image: c.Image, Path: c.Path, Download: c.Download})
	}
}

// TestKairosStages: an agent after v4.3.0 runs one more stage.
func TestKairosStages(t *testing.T) {
	for version, want := range map[string][]string{"separate": nil, "v4.3.0": nil, "v4.3.1-rc1": {"first-boot"}, "v4.4.0": {"first-boot"}} {
		assert.Equal(t, want, spectest.MustPlan(t, debian+"kairos: "+version+"\n", nil, "amd64").RunsStages(), version)
	}
}

// TestNewerSpecChoosesKairos: a spec can go back to the separate programs of the base.
func TestNewerSpecChoosesKairos(t *testing.T) {
	base := spectest.Files{"base.spec": "extends: debian-12\nkairos: latest\n"}
	assert.Equal(t, []string{"kairos"}, names(spectest.MustPlan(t, "extends: ./base.spec\nversion: v1.0.0\n", base, "amd64")))
	assert.Equal(t, []string{"immucore", "kairos-agent"}, names(spectest.MustPlan(t, "extends: ./base.spec\nversion: v1.0.0\nkairos: separate\n", base, "amd64")))
}

// TestExplainKairos finds the programs that are part of another.
func TestExplainKairos(t *testing.T) {
	doc, err := spectest.Load(debian+"kairos: latest\n", nil)
	require.NoError(t, err)
	all, err := plan.Explain(spectest.MustPlan(t, debian+"kairos: latest\n", nil, "amd64"), doc, spectest.Catalog(t))
	require.NoError(t, err)
	for name, why := range map[string]string{
		"kairos":   spectest.Catalog(t).Components["kairos"].Why,
		"immucore": "mounts the immutable system in the initramfs, part of kairos",
	} {
		found, _ := plan.Find(all, name)
		require.NotEmpty(t, found) // kairos is a key, too
		assert.Equal(t, name+" v4.3.0", found[0].Name)
		assert.Equal(t, why, found[0].Why)
		assert.Equal(t, "kairos.spec:3:9", found[0].Place)
		assert.Equal(t, "kairos: separate", found[0].Remove)
	}
}

func TestMistakesOfKairos(t *testing.T) {
	const unknown = `, or a version such as v4.3.0`
	for _, c := range []struct {
		name, spec string
		want       []string
	}{
		{"no version", debian + "kairos: lates\n", []string{`3:9: kairos: "lates" is no version of Kairos; did you mean "latest"?` + unknown}},
		{"half a version", debian + "kairos: v4.3\n", []string{`3:9: kairos: "v4.3" is no version of Kairos; valid: latest, separate` + unknown}},
		{
			"a version of the separate programs", debian + "kairos: v2.31.4\ncomponents: {kairos: {image: acme/kairos}, immucore: {version: v0.20.3}}\n",
			[]string{`3:9: kairos: v2.31.4 is before v4.3.0, the first version of one program for all; set the versions of immucore and kairos-agent in components`},
		},
		{"a candidate of the first", debian + "kairos: v4.3.0-rc1\n", []string{
			`3:9: kairos: v4.3.0-rc1 is before v4.3.0, the first version of one program for all; set the versions of immucore and kairos-agent in components`,
		}},
		{
			"with separate programs", debian + "kairos: v4.3.0\ncomponents: {kairos-agent: {version: v2.31.4}, immucore: {version: v0.20.4}}\n",
			[]string{
				`4:28: components.kairos-agent: kairos-agent is part of kairos v4.3.0; remove it, or write "kairos: separate"`,
				`4:58: components.immucore: immucore is part of kairos v4.3.0; remove it, or write "kairos: separate"`,
			},
		},
		{
			"with the optional program", debian + "kairos: latest\ncomponents:\n  kcrypt-discovery-challenger: {}\n",
			[]string{`5:32: components.kcrypt-discovery-challenger: kcrypt-discovery-challenger is part of kairos v4.3.0; remove it, or write "kairos: separate"`},
		},
		{
			"not chosen", debian + "components: {kairos: {context: mine}}\n",
			[]string{`3:22: components.kairos: the programs of kairos are separate in this system; choose it with "kairos: latest", or remove it`},
		},
		{
			"two versions", standard + "kairos: v4.3.0\ncomponents: {kairos: {version: v4.3.1}, provider-kairos: {version: v4.3.1}}\n",
			[]string{
				`5:32: components.kairos.version: the version of kairos is in kairos; remove it`,
				`5:68: components.provider-kairos.version: the version of provider-kairos is in kairos; remove it`,
			},
		},
		{"wrong type", debian + "kairos: [v4.3.0]\ncomponents: {kairos: {context: mine}}\n", []string{`3:9: kairos: must be a text, not a list`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := spectest.Plan(c.spec, nil, "amd64")
			require.Error(t, err)
			var want string
			for i, line := range c.want {
				if i > 0 {
					want += "\n"
				}
				want += "kairos.spec:" + line
			}
			assert.Equal(t, want, err.Error())
		})
	}
}

// TestKairosOnOtherArchitecture: without a file of the publisher, the spec has to name a source.
func TestKairosOnOtherArchitecture(t *testing.T) {
	cat, err := spectest.With(map[string]string{"components/kairos.yaml": "name: kairos\nlike: kairos\narch: {arm64: ~}\n"})
	require.NoError(t, err)
	resolve := func(spec string) error {
		doc, err := spectest.Load(debian+spec, nil)
		require.NoError(t, err)
		_, err = plan.Resolve(doc, cat, "arm64")
		return err
	}
	assert.EqualError(t, resolve("kairos: latest\n"),
		`kairos.spec:3:9: kairos: kairos v4.3.0 has no arm64; it has amd64; name another source in "components", or write "kairos: separate"`)
	assert.NoError(t, resolve("kairos: latest\ncomponents: {kairos: {context: kairos}}\n"))
	assert.NoError(t, resolve(""))
}

// TestKairosWithoutOne: a catalog may have separate programs only.
func TestKairosWithoutOne(t *testing.T) {
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	delete(cat.Components, "kairos")
	doc, err := spectest.Load(debian+"kairos: latest\n", nil)
	require.NoError(t, err)
	_, err = plan.Resolve(doc, cat, "amd64")
	assert.EqualError(t, err, `kairos.spec:3:9: kairos: the catalog has only separate programs of Kairos; write "kairos: separate", or remove it`)
}
