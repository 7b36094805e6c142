package status

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

func day(n int) time.Time { return time.Date(2026, time.November, n, 2, 30, 0, 0, time.UTC) }

// entries are two flavors, one of them on two architectures.
func entries() []Entry {
	return []Entry{
		{Name: "a-amd64", Flavor: "a", Arch: "amd64", Model: "generic", Stages: []Stage{Check, Core, Boot}},
		{Name: "a-arm64", Flavor: "a", Arch: "arm64", Model: "generic", Stages: []Stage{Core}},
		{Name: "b-amd64", Flavor: "b", Arch: "amd64", Model: "generic", Stages: []Stage{Core}},
	}
}

func result(entry string, stage Stage, state State, n int) Result {
	return Result{Entry: entry, Stage: stage, State: state, Date: day(n)}
}

// TestMerge follows a stage through nights.
func TestMerge(t *testing.T) {
	var s Status
	for _, night := range []struct {
		state  State
		day    int
		turned bool
		passed int
		red    bool
	}{
		{Passed, 1, false, 1, false},
		{Unreachable, 2, false, 1, false},
		{Failed, 3, true, 1, true},
		{Failed, 4, false, 1, true},
		{Unreachable, 5, false, 1, true},
		{Failed, 6, false, 1, true}, // reported already
		{Skipped, 7, false, 1, true},
		{Passed, 8, false, 8, false},
		{Failed, 9, true, 8, true},
	} {
		red, err := s.Merge([]Result{result("b-amd64", Core, night.state, night.day)}, entries())
		require.NoError(t, err)
		assert.Equal(t, night.turned, len(red) == 1, night)
		require.Len(t, s.Results, 1)
		e := s.Results[0]
		assert.Equal(t, night.state, e.State)
		assert.Equal(t, day(night.day), e.Date)
		assert.Equal(t, day(night.passed), e.Passed)
		assert.Equal(t, night.red, e.Red)
	}
}

// TestMergeFirst has a stage that fails the first time.
func TestMergeFirst(t *testing.T) {
	var s Status
	red, err := s.Merge([]Result{result("b-amd64", Core, Failed, 1)}, entries())
	require.NoError(t, err)
	assert.Len(t, red, 1)
	assert.True(t, s.Results[0].Passed.IsZero())
}

// TestMergeKeeps checks that a stage without a new result keeps its old one, that an older result
// does not replace a newer one, and that the order is that of the entries.
func TestMergeKeeps(t *testing.T) {
	var s Status
	_, err := s.Merge([]Result{result("b-amd64", Core, Passed, 5), result("a-amd64", Boot, Failed, 5), result("a-amd64", Check, Passed, 5)}, entries())
	require.NoError(t, err)
	_, err = s.Merge([]Result{result("b-amd64", Core, Failed, 4), result("a-arm64", Core, Passed, 6), result("a-arm64", Core, Failed, 5)}, entries())
	require.NoError(t, err)
	var keys []string
	for _, e := range s.Results {
		keys = append(keys, e.key()+" "+string(e.State))
	}
	assert.Equal(t, []string{"a-amd64 check passed", "a-amd64 boot failed", "a-arm64 core passed", "b-amd64 core passed"}, keys)

	_, err = s.Merge(nil, entries()[1:])
	require.NoError(t, err)
	assert.Len(t, s.Results, 2, "the matrix has no entry a-amd64 any more")
}

func TestMergeUnknown(t *testing.T) {
	for _, r := range []Result{result("c-amd64", Core, Passed, 1), result("a-arm64", Boot, Passed, 1)} {
		var s Status
		_, err := s.Merge([]Result{r}, entries())
		assert.EqualError(t, err, "no entry of the matrix goes through "+r.key())
	}
}

// TestMergeSubstitutes has a result that is not about the real images and programs.
func TestMergeSubstitutes(t *testing.T) {
	var s Status
	r := result("b-amd64", Core, Failed, 1)
	r.Substitutes = []string{"debian:12-slim"}
	red, err := s.Merge([]Result{r}, entries())
	require.NoError(t, err)
	assert.Empty(t, red)
	assert.Empty(t, s.Results)
}

func TestPage(t *testing.T) {
	var s Status
	failed := result("a-amd64", Core, Failed, 2)
	failed.Log = "https://ci.example/2"
	_, err := s.Merge([]Result{result("a-amd64", Core, Passed, 1)}, entries())
	require.NoError(t, err)
	_, err = s.Merge([]Result{failed, result("b-amd64", Core, Unreachable, 2), result("a-amd64", Check, Passed, 2)}, entries())
	require.NoError(t, err)
	assert.Equal(t, `| entry | check | core | standard | boot | install | upgrade | k3s | publish |
|---|---|---|---|---|---|---|---|---|
| `+"`a-amd64`"+` | passed 2026-11-02 | **[failed](https://ci.example/2)** 2026-11-02, passed 2026-11-01 | – | never ran | – | – | – | – |
| `+"`a-arm64`"+` | – | never ran | – | – | – | – | – | – |
| `+"`b-amd64`"+` | – | unreachable 2026-11-02 | – | – | – | – | – | – |
`, s.Page(entries()))
}

// TestFlavor sums up flavors. Nothing but a pass of all stages of all entries is called passed.
func TestFlavor(t *testing.T) {
	all := func(state State) []Result {
		return []Result{result("a-amd64", Check, Passed, 1), result("a-amd64", Core, Passed, 2), result("a-amd64", Boot, state, 3), result("a-arm64", Core, Passed, 1)}
	}
	for _, c := range []struct {
		results []Result
		want    string
	}{
		{nil, "never ran"},
		{all(Passed), "passed 2026-11-03"},
		{all(Passed)[:3], "3 of 4 passed 2026-11-03"},
		{all(Failed), "failed: boot 2026-11-03"},
		{all(Unreachable), "unreachable: boot 2026-11-03"},
		{all(Skipped), "skipped: boot 2026-11-03"},
		{append(all(Failed)[:3], result("a-arm64", Core, Failed, 1)), "failed: core, boot 2026-11-03"},
		{append(all(Unreachable)[:3], result("a-arm64", Core, Failed, 1)), "failed: core 2026-11-03"},
		{[]Result{result("b-amd64", Core, Passed, 1)}, "never ran"},
	} {
		var s Status
		_, err := s.Merge(c.results, entries())
		require.NoError(t, err)
		assert.Equal(t, c.want, s.Flavor("a", entries()))
	}
}

func TestReport(t *testing.T) {
	e := Last{Result: result("a-amd64", Core, Failed, 2)}
	e.Note, e.Log = "kairos.spec:1:1:\nno", "https://ci.example/2"
	assert.Contains(t, Report([]Last{e, {Result: result("b-amd64", Core, Failed, 2)}}), `
* `+"`a-amd64`"+`, core: kairos.spec:1:1: no (https://ci.example/2)
* `+"`b-amd64`"+`, core: no note (no log)
`)
}

// TestReadResults reads what was written, and refuses everything else.
func TestReadResults(t *testing.T) {
	dir := t.TempDir()
	good := result("a-amd64", Core, Passed, 1)
	require.NoError(t, Write(filepath.Join(dir, "one", "a.json"), good))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "log.txt"), []byte("{"), 0o644))
	found, err := ReadResults(dir)
	require.NoError(t, err)
	assert.Equal(t, []Result{good}, found)

	const head = `{"entry": "a-amd64", "stage": "core", "state": "passed", "date": "2026-11-01T02:30:00Z"`
	for text, want := range map[string]string{
		``:                                     "EOF",
		head:                                   "unexpected EOF",
		head + `, "result": "x"}`:              `unknown field "result"`,
		`{"stage": "core", "state": "passed"}`: "the result is of no entry",
		strings.Replace(head, "core", "cor", 1) + "}":                                  `unknown stage "cor"`,
		strings.Replace(head, "passed", "green", 1) + "}":                              `unknown state "green"`,
		strings.Replace(head, "2026-11-01T02:30:00Z", "0001-01-01T00:00:00Z", 1) + "}": "the result has no date",
		strings.Replace(head, "2026-11-01T02:30:00Z", "yesterday", 1) + "}":            "cannot parse",
		head + `, "log": "javascript:alert(1)"}`:                                       "is no link",
	} {
		file := filepath.Join(dir, "bad.json")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		_, err := ReadResults(dir)
		require.Error(t, err, text)
		assert.Contains(t, err.Error(), want)
		assert.Contains(t, err.Error(), "bad.json")
	}
	_, err = ReadResults(filepath.Join(dir, "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "status.json")
	var s Status
	_, err := s.Merge([]Result{result("a-amd64", Core, Failed, 1), result("b-amd64", Core, Passed, 2)}, entries())
	require.NoError(t, err)
	require.NoError(t, Write(file, s))
	read, err := Read(file)
	require.NoError(t, err)
	assert.Equal(t, s, *read)
	for _, text := range []string{`{"results": [{"entry": "a", "stage": "cor"}]}`, `{"entries": []}`, `[]`, ``} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		_, err := Read(file)
		assert.ErrorContains(t, err, "status.json", text)
	}
}

// TestEntries checks that one entry of each family goes through all stages, and that these have both
// init systems.
func TestEntries(t *testing.T) {
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	all, err := Entries(cat)
	require.NoError(t, err)
	names, families, inits, flavors := map[string]bool{}, map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, c := range all {
		assert.False(t, names[c.Name], c.Name)
		names[c.Name], flavors[c.Flavor] = true, true
		for _, stage := range c.Stages {
			p, err := Plan(cat, c, Spec(c, stage))
			require.NoError(t, err, "%s, %s", c.Name, stage)
			assert.Equal(t, stage.variant(), p.Variant)
			if stage == K3s {
				families[cat.Distros[p.Userland.Distro].Family]++
				inits[p.System.Init] = true
			}
			assert.Equal(t, stage == Boot || stage == Install || stage == K3s, p.Test != nil, "%s, %s", c.Name, stage)
		}
	}
	for _, d := range cat.Distros {
		assert.Equal(t, 1, families[d.Family], d.Family)
	}
	assert.Equal(t, map[string]bool{"systemd": true, "openrc": true}, inits)
	assert.True(t, names["debian-12-amd64"])
	assert.True(t, names["debian-12-arm64-rpi4"])
	assert.True(t, flavors["alpine-ubuntu"])
}
