package frontend

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestBuildChecks checks the results of docker buildx build --check.
func TestBuildChecks(t *testing.T) {
	const good = "# syntax=x\nextends: debian-12\nversion: v1.0.0\n"
	for _, c := range []struct {
		name, spec string
		files      map[string]string
		rules      []string
		err        string
		file       string // that the error is in
		line       int32
		status     string
	}{
		{name: "right", spec: good, status: "0"},
		{
			name: "a warning", spec: good + "artifacts: {iso: {cloudConfig: {content: \"#cloud-config\\n\"}}}\n",
			rules: []string{"NoAdminUser"}, status: "1",
		},
		{
			name: "mistakes of the language and of the catalog", spec: good + "kernel: gentoo\nnaem: x\n",
			err: "kairos.spec:5:1: unknown key", file: "kairos.spec", line: 4, status: "1",
		},
		{
			name: "a mistake in the spec that is extended", spec: "# syntax=x\nextends: ./base.spec\nversion: v1.0.0\n",
			files: map[string]string{"base.spec": "extends: debian-12\nnaem: x\n"},
			err:   "base.spec:2:1: unknown key", file: "base.spec", line: 2, status: "1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			texts := map[string]string{"kairos.spec": c.spec}
			for name, text := range c.files {
				texts[name] = text
			}
			g := newGateway(map[string]string{"filename": "kairos.spec", "requestid": lint.RequestLint}, map[string]files{
				"dockerfile": {texts: texts}, "context": {},
			})
			res, err := New(Options{}).Build(t.Context(), g)
			require.NoError(t, err)
			assert.Equal(t, c.status, string(res.Metadata["result.statuscode"]))
			var results lint.LintResults
			require.NoError(t, json.Unmarshal(res.Metadata["result.json"], &results))
			var names []string
			for _, w := range results.Warnings {
				names = append(names, w.RuleName)
				assert.Contains(t, w.URL, "docs/rules/"+w.RuleName+".md")
				assert.NotEmpty(t, w.Description)
				assert.Contains(t, w.Detail, "kairos.spec:4:")
				assert.Contains(t, string(res.Metadata["result.txt"]), "WARNING: "+w.RuleName)
			}
			assert.Equal(t, c.rules, names)
			if c.err == "" {
				assert.Nil(t, results.Error)
				return
			}
			require.NotNil(t, results.Error)
			assert.Contains(t, results.Error.Message, c.err)
			at := &results.Error.Location
			assert.Equal(t, c.file, results.Sources[at.SourceIndex].Filename)
			require.Len(t, at.Ranges, 1)
			assert.Equal(t, c.line, at.Ranges[0].Start.Line)
		})
	}
}

// TestDeprecatedKeys warns about deprecated keys that a spec sets, and about no other key.
func TestDeprecatedKeys(t *testing.T) {
	p := spectest.MustPlan(t, "extends: ./base.spec\nversion: v1.0.0\nkernel: {from: debian-13}\n",
		spectest.Files{"base.spec": "extends: debian-12\ncmdline: [quiet]\n"}, "amd64")
	keys := []specs.DeprecatedKey{
		{Key: "cmdline", Since: "1.2"},
		{Key: "kernel.from", Since: "1.4", Replacement: "kernel.donor"},
		{Key: "kernel.package", Since: "1.4", Replacement: "kernel.name"},
	}
	assert.Equal(t, strings.Join([]string{
		"kairos.spec:3:16: kernel.from: deprecated since 1.4, removed in version 2 of the language; use kernel.donor instead [DeprecatedKey]",
		"base.spec:2:10: cmdline: deprecated since 1.2, removed in version 2 of the language; remove it [DeprecatedKey]",
	}, "\n"), deprecated(p, keys).Sorted().Error())
}

// TestEndOfLife warns from the day after the last one with updates: about the userland, the kernel
// of another distribution, and components, each at the key that chose it.
func TestEndOfLife(t *testing.T) {
	day := func(text string) time.Time {
		when, err := time.Parse(time.DateTime, text)
		require.NoError(t, err)
		return when
	}
	const spec = "distro: fedora-43\nversion: v1.0.0\nkernel: ubuntu-22.04\nvariant: standard\nkubernetes: {distribution: k3s, version: v1.35.0+k3s1}\n"
	p := spectest.MustPlan(t, spec, nil, "amd64")
	fedora := "kairos.spec:1:9: distro: fedora-43 gets no updates since 2026-12-09; take a newer release [EndOfLife]"
	k3s := "kairos.spec:5:13: kubernetes: k3s v1.35.0+k3s1 gets no updates since 2027-02-28; take a newer release [EndOfLife]"
	ubuntu := "kairos.spec:3:9: kernel: the kernel of ubuntu-22.04 gets no updates since 2027-04-01; take a newer release [EndOfLife]"
	for when, want := range map[string][]string{
		"2026-12-09 23:59:59": nil,
		"2026-12-10 00:00:00": {fedora},
		"2027-03-01 12:00:00": {fedora, k3s},
		"2027-04-02 00:00:00": {fedora, ubuntu, k3s},
	} {
		var got []string
		for _, d := range endOfLife(subject{plan: p, catalog: spectest.Catalog(t), now: day(when)}).Sorted() {
			got = append(got, d.Error())
		}
		assert.Equal(t, want, got, when)
	}
	old := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\nvariant: standard\nkubernetes: {version: v1.20.0+k3s1}\n", nil, "amd64")
	assert.Equal(t, "kairos.spec:4:13: kubernetes: k3s v1.20.0+k3s1 gets no updates any more; take a newer release [EndOfLife]",
		endOfLife(subject{plan: old, catalog: spectest.Catalog(t), now: day("2025-01-01 00:00:00")}).Error(), "a release before all that have a day")
	none := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\nvariant: standard\nkubernetes: {version: v1.99.0+k3s1}\n", nil, "amd64")
	assert.Empty(t, endOfLife(subject{plan: none, catalog: spectest.Catalog(t), now: day("2028-06-30 12:00:00")}), "a release without a day")
}

// TestEndOfLifeOfBuild counts from the clock, or from SOURCE_DATE_EPOCH when a build has one.
func TestEndOfLifeOfBuild(t *testing.T) {
	warned := func(args map[string]string, clock string) bool {
		opts := map[string]string{"filename": "kairos.spec", "requestid": lint.RequestLint}
		for name, value := range args {
			opts["build-arg:"+name] = value
		}
		g := newGateway(opts, map[string]files{
			"dockerfile": {texts: map[string]string{"kairos.spec": "distro: alpine-3.21\nversion: v1.0.0\n"}}, "context": {},
		})
		res, err := New(Options{Clock: func() time.Time {
			when, err := time.Parse(time.DateOnly, clock)
			require.NoError(t, err)
			return when
		}}).Build(t.Context(), g)
		require.NoError(t, err)
		return strings.Contains(string(res.Metadata["result.txt"]), "alpine-3.21 gets no updates since 2026-11-01")
	}
	assert.False(t, warned(nil, "2026-11-01"))
	assert.True(t, warned(nil, "2026-11-02"))
	assert.False(t, warned(map[string]string{"SOURCE_DATE_EPOCH": "0"}, "2026-11-02"))
	assert.True(t, warned(map[string]string{"SOURCE_DATE_EPOCH": "1793577600"}, "2020-01-01"))
}

// TestRulesHavePages checks that there is a page for every warning, a heading for every mistake,
// and nothing else.
func TestRulesHavePages(t *testing.T) {
	const directory = "../docs/rules"
	text, err := os.ReadFile(filepath.Join(directory, "mistakes.md"))
	require.NoError(t, err)
	var headings, mistakes []string
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "## "); ok {
			headings = append(headings, name)
		}
	}
	want := map[string]bool{"mistakes.md": true}
	seen := map[string]bool{}
	for _, r := range rules.All() {
		assert.False(t, seen[r.Name], "%s is the name of two rules", r.Name)
		seen[r.Name] = true
		if r.Severity == rules.Error {
			mistakes = append(mistakes, r.Name)
			continue
		}
		want[r.Name+".md"] = true
		page, err := os.ReadFile(filepath.Join("..", r.Page()))
		if assert.NoError(t, err) {
			assert.Contains(t, string(page), "# "+r.Name+"\n\n"+r.Description+"\n")
			for _, part := range []string{"## Why", "## Bad", "## Good"} {
				assert.Contains(t, string(page), "\n"+part+"\n", r.Name)
			}
		}
	}
	list, err := os.ReadFile("../docs/lint.md")
	require.NoError(t, err)
	for page := range want {
		assert.Contains(t, string(list), "(rules/"+page+")")
	}
	assert.Equal(t, mistakes, headings)
	pages, err := os.ReadDir(directory)
	require.NoError(t, err)
	for _, page := range pages {
		assert.True(t, want[page.Name()], "%s is the page of no rule", page.Name())
	}
}
