package integration

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/matrix"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// entries reads a matrix for the frontend.
func entries(t testing.TB, text string) frontend.Entries {
	t.Helper()
	all, err := matrix.Read(&specs.Source{Name: "matrix.yaml", Data: []byte(text)}, matrix.Options{FlavorVersion: "v1.0.0", Flavors: spectest.Catalog(t).FlavorNames(), Archs: catalog.Names(spectest.Catalog(t).Archs)})
	require.NoError(t, err)
	return together(all)
}

// together are entries of a matrix for the frontend.
func together(all []matrix.Entry) frontend.Entries {
	cs := make(frontend.Entries, len(all))
	for i, c := range all {
		cs[i] = frontend.Entry{Name: c.Name, Spec: c.Spec, Arch: c.Arch}
	}
	return cs
}

// installs returns the vertices that ran and install packages.
func (r *record) installs() []string {
	var names []string
	for _, name := range r.ran() {
		if strings.Contains(name, "] install ") {
			names = append(names, name)
		}
	}
	return names
}

// TestMatrix builds two userlands with two kernels in one build: the packages of each are installed
// once. Another kernel takes one more installation.
func TestMatrix(t *testing.T) {
	t.Parallel()
	c := embedded(t)
	const (
		// Another version, so that no other test has built one of them.
		bases   = "entries: [{extends: [debian-12, debian-12-openrc], architectures: [amd64], versions: [v1.7.0], kernels: ["
		kernels = "debian-12, debian-13"
		another = ", {from: debian-12, package: linux-image-rt-amd64}"
	)
	run := func(t *testing.T, text string) *record {
		t.Helper()
		cs := entries(t, text)
		o := options(t, nil)
		o.Frontend = frontend.New(frontend.Options{}).Entries(cs)
		r := watch(&o)
		start := time.Now()
		if _, err := solve.Build(t.Context(), c, o); err != nil {
			t.Fatalf("build: %+v\n%v", err, o.Log)
		}
		t.Logf("%d entries in %s", len(cs), time.Since(start).Round(time.Second))
		return r
	}
	r := run(t, bases+kernels+"]}]")
	installs := r.installs()
	assert.LessOrEqual(t, len(installs), 4, "two userlands and two kernels: %v", installs)
	checked := 0
	for _, name := range r.ran() {
		if strings.HasSuffix(name, " rootfs] check the root filesystem") { // with the name of the entry
			checked++
		}
	}
	assert.Equal(t, 4, checked, "every root filesystem is checked")

	t.Run("nothing changed", func(t *testing.T) {
		assert.Empty(t, run(t, bases+kernels+"]}]").ran())
	})
	t.Run("another kernel", func(t *testing.T) {
		installs := run(t, bases+kernels+another+"]}]").installs()
		require.Len(t, installs, 1, "%v", installs)
		assert.Contains(t, installs[0], "[debian-12/kernel] install linux-image-rt-amd64 ")
	})
}

// TestMatrixFiles exports the files of two entries together. They only differ in the last stage,
// and most of the others are cached from other tests.
func TestMatrixFiles(t *testing.T) {
	t.Parallel()
	c := embedded(t)
	iso(t) // warms the cache
	cs := entries(t, "entries: [{extends: [debian-12], architectures: [amd64], versions: [v1.0.0, v1.0.1]}]")
	const name = "kairos-debian-12-core-amd64-generic-"
	for _, tt := range []struct {
		split string
		want  []string
	}{
		{"false", []string{name + "v1.0.0.iso", name + "v1.0.0.iso.sha256", name + "v1.0.1.iso", name + "v1.0.1.iso.sha256"}},
		{"true", []string{"debian-12-amd64-v1.0.0", "debian-12-amd64-v1.0.1"}},
	} {
		o := options(t, nil)
		o.Target = "iso"
		o.Frontend = frontend.New(frontend.Options{}).Entries(cs)
		watch(&o)
		dir := t.TempDir()
		out, err := solve.OutputDir(dir)
		require.NoError(t, err)
		out.Entry.Attrs = map[string]string{"platform-split": tt.split}
		if _, err := solve.Build(t.Context(), c, o, out.Entry); err != nil {
			t.Fatalf("build: %+v\n%v", err, o.Log)
		}
		_, err = out.Commit()
		require.NoError(t, err)
		assert.Equal(t, tt.want, visible(t, dir))
		if tt.split == "false" {
			assert.Equal(t, sumOf(t, iso(t)), sumOf(t, filepath.Join(dir, name+"v1.0.0.iso")), "the same bytes as when it is built alone")
		}
	}
}

// TestMatrixImage exports the image of one entry after building all entries.
func TestMatrixImage(t *testing.T) {
	t.Parallel()
	c := embedded(t)
	iso(t) // warms the cache
	cs := entries(t, "entries: [{extends: [debian-12], architectures: [amd64]}]")
	o := options(t, map[string]string{"kairos.spec": debianSpec})
	alone := image(t, c, o)
	o.Frontend, o.Platforms = frontend.New(frontend.Options{}).Entry(cs[0]), []string{"linux/amd64"}
	entry := image(t, c, o)
	assert.Equal(t, sumOf(t, alone), sumOf(t, entry), "the same bytes as when it is built alone")
}

// TestMatrixMistakes builds a matrix with a wrong entry, and one with two entries that fail.
func TestMatrixMistakes(t *testing.T) {
	t.Parallel()
	c := embedded(t)
	t.Run("specs", func(t *testing.T) {
		cs := entries(t, "entries:\n- extends: [debian-12, debain-12]\n  architectures: [amd64]\n- extends: [debian-13]\n  architectures: [amd64]\n  models: [rpi4]\n  kernels: [gentoo]\n")
		o := options(t, nil)
		o.Frontend = frontend.New(frontend.Options{}).Entries(cs)
		r := watch(&o)
		_, err := solve.Build(t.Context(), c, o)
		require.Error(t, err)
		assert.Contains(t, err.Error(), "matrix.yaml:2:24: extends: no flavor and no named context is called \"debain-12\"; did you mean \"debian-12\"?\n"+
			"matrix.yaml:6:12: model: Raspberry Pi 4 has no amd64; it has arm64\n"+
			"matrix.yaml:7:13: kernel.from: unknown distribution \"gentoo\"; ")
		assert.Empty(t, r.ran(), "nothing is built")
	})
	t.Run("steps", func(t *testing.T) {
		cs := entries(t, "entries: [{extends: [./a.spec, ./b.spec, ./c.spec], architectures: [amd64]}]")
		// Both fail at the same step.
		const spec = "extends: debian-12\nversion: v1.0.0\npackages: {add: [no-such-package]}\n"
		o := options(t, map[string]string{"a.spec": spec, "b.spec": spec + "name: b\n", "c.spec": "extends: debian-12\nversion: v1.0.0\npackages: {add: [htop]}\n"})
		o.Frontend = frontend.New(frontend.Options{}).Entries(cs)
		watch(&o)
		_, err := solve.Build(t.Context(), c, o)
		require.Error(t, err)
		// The one that asked for the step first is named, at its own line.
		assert.Regexp(t, `(a-amd64: a|b-amd64: b)\.spec:3:18: packages\.add\[0\]: debian-12 has no package "no-such-package"`, err.Error())
	})
}

// BenchmarkMatrix compares building all amd64 entries in one build with building the slowest of
// them alone. Every step runs again, but the packages are downloaded. The result depends on the
// number of cores, so it also reports how many steps ran at a time, and how long the longest chain
// of steps is: the limit with a core for each step.
func BenchmarkMatrix(b *testing.B) {
	c := embedded(b)
	all, err := matrix.Read(matrix.Builtin(), matrix.Options{FlavorVersion: "v1.0.0", Flavors: spectest.Catalog(b).FlavorNames(), Archs: catalog.Names(spectest.Catalog(b).Archs)})
	require.NoError(b, err)
	all, err = matrix.Selection{Archs: []string{arch}}.Of(all)
	require.NoError(b, err)
	cs := together(all)
	sources := standIns(b, all...)
	maps.Copy(sources, standardContexts(b))
	run := func(cs frontend.Entries, noCache bool) (took time.Duration, r *record) {
		o := options(b, nil)
		o.Frontend, o.Contexts, o.NoCache = frontend.New(frontend.Options{}).Entries(cs), sources, noCache
		r = watch(&o)
		start := time.Now()
		if _, err := solve.Build(b.Context(), c, o); err != nil {
			b.Fatalf("build: %+v\n%v", err, o.Log)
		}
		return time.Since(start), r
	}
	run(cs, false)
	for b.Loop() {
		var slowest, alone time.Duration
		for i := range cs {
			// An entry of the variant core is part of one of the variant standard.
			if !strings.Contains(cs[i].Name, "standard") {
				continue
			}
			took, _ := run(cs[i:i+1], true)
			b.Logf("%s alone: %s", cs[i].Name, took.Round(time.Second))
			slowest, alone = max(slowest, took), alone+took
		}
		together, r := run(cs, true)
		steps, chain := r.took()
		b.Logf("%d entries together: %s", len(cs), together.Round(time.Second))
		b.ReportMetric(slowest.Seconds(), "s/slowest")
		b.ReportMetric(alone.Seconds(), "s/one-by-one")
		b.ReportMetric(together.Seconds(), "s/together")
		b.ReportMetric(together.Seconds()/slowest.Seconds(), "together/slowest")
		b.ReportMetric(steps.Seconds()/together.Seconds(), "steps-at-a-time")
		b.ReportMetric(chain.Seconds()/slowest.Seconds(), "chain/slowest")
	}
}
