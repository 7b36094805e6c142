package frontend

import (
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/spectest"
)

func withArgs(args map[string]string) *request {
	return &request{inputs: &inputs{ui: &dockerui.Client{Config: dockerui.Config{BuildArgs: args}}}}
}

func TestEpoch(t *testing.T) {
	at := func(year int) *time.Time { u := time.Date(year, 5, 1, 2, 3, 4, 567, time.UTC); return &u }
	base := &dockerspec.DockerOCIImage{}
	base.History = []ocispecs.History{{Created: at(2024)}, {Created: at(2025)}, {}, {Created: at(2023)}}
	old := &dockerspec.DockerOCIImage{}
	old.History = []ocispecs.History{{Created: at(1970)}}

	for _, tt := range []struct {
		name, arg string
		base      *dockerspec.DockerOCIImage
		want      time.Time
	}{
		{"argument", "86400", base, time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC)},
		{"newest time of the base, in whole seconds", "", base, time.Date(2025, 5, 1, 2, 3, 4, 0, time.UTC)},
		{"base older than FAT", "", old, graph.DefaultEpoch()},
		{"a directory for a base", "", nil, graph.DefaultEpoch()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := epoch(tt.arg, tt.base)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
	_, err := epoch("now", nil)
	assert.EqualError(t, err, `build argument SOURCE_DATE_EPOCH="now" is not a number of seconds`)
}

func TestProxy(t *testing.T) {
	assert.Equal(t, llb.ProxyEnv{}, withArgs(nil).proxy())
	r := withArgs(map[string]string{"HTTP_PROXY": "a", "http_proxy": "b", "https_proxy": "c", "NO_PROXY": "d"})
	assert.Equal(t, llb.ProxyEnv{HTTPProxy: "a", HTTPSProxy: "c", NoProxy: "d"}, r.proxy())
	assert.Len(t, r.runOptions(), 1)
	assert.Empty(t, withArgs(nil).runOptions())
}

func TestPlatforms(t *testing.T) {
	amd64, arm64 := ocispecs.Platform{OS: "linux", Architecture: "amd64"}, ocispecs.Platform{OS: "linux", Architecture: "arm64"}
	r := withArgs(nil)
	r.ui.BuildPlatforms = []ocispecs.Platform{arm64}
	target, builder := r.platforms(nil)
	assert.Equal(t, arm64.Architecture, target.Architecture, "the builder's own, when none is asked for")
	assert.Equal(t, arm64.Architecture, builder.Architecture)
	target, builder = r.platforms(&amd64)
	assert.Equal(t, amd64, target)
	assert.Equal(t, arm64.Architecture, builder.Architecture)
}

func TestTargetByName(t *testing.T) {
	for name, want := range map[string]string{"": "image", "image": "image", "iso": "iso"} {
		got, err := TargetByName(name)
		require.NoError(t, err)
		assert.Equal(t, want, got.Name)
	}
	_, err := TargetByName("Iso")
	assert.EqualError(t, err, `unknown target "Iso"; did you mean "iso"?`)
}

func TestImageConfig(t *testing.T) {
	p := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\n", nil, "arm64")
	platform := ocispecs.Platform{OS: "linux", Architecture: "arm64"}
	img := imageConfig(p, platform, nil, map[string]string{ocispecs.AnnotationTitle: "mine", "x": "y"}, Targets()[0])
	assert.Equal(t, platform, img.Platform)
	assert.Nil(t, img.Created, "the time of the build would make every build another")
	assert.Equal(t, "mine", img.Config.Labels[ocispecs.AnnotationTitle], "the user has the last word")
	assert.Equal(t, "v1.0.0", img.Config.Labels[ocispecs.AnnotationVersion])
	assert.Equal(t, "y", img.Config.Labels["x"])
	assert.NotEmpty(t, img.Config.Env)

	carrier, err := TargetByName("img-image")
	require.NoError(t, err)
	data := imageConfig(p, platform, nil, nil, carrier)
	assert.Equal(t, "core-debian-12:12-core-arm64-generic-v1.0.0-img", data.Config.Labels[ocispecs.AnnotationTitle])
	assert.Equal(t, "Disk image of Kairos on debian-12, for arm64", data.Config.Labels[ocispecs.AnnotationDescription])
	assert.Empty(t, data.Config.Env)
}

// TestImageDescription describes the system, not the target.
func TestImageDescription(t *testing.T) {
	for spec, want := range map[string]string{
		"extends: debian-12\n":                          "Kairos on debian-12, for amd64",
		"extends: debian-12\nkernel: debian-13\n":       "Kairos on debian-12 with the kernel of debian-13, for amd64",
		"extends: debian-12\nkernel: {context: mine}\n": "Kairos on debian-12 with a custom kernel, for amd64",
		"extends: alpine\nvariant: standard\nkubernetes: {distribution: k0s, version: v1.33.1+k0s.0}\n": "Kairos on alpine-3.23, k0s v1.33.1+k0s.0, for amd64",
	} {
		p := spectest.MustPlan(t, spec+"version: v1.0.0\n", nil, "amd64")
		img := imageConfig(p, ocispecs.Platform{}, nil, nil, Targets()[0])
		assert.Equal(t, want, img.Config.Labels[ocispecs.AnnotationDescription])
	}
}

// TestTargets holds the record to what its readers count on.
func TestTargets(t *testing.T) {
	names, suffixes := map[string]bool{}, map[string]bool{}
	for _, target := range Targets() {
		assert.False(t, names[target.Name], "%s is there twice", target.Name)
		names[target.Name] = true
		assert.NotEmpty(t, target.Description, target.Name)
		if target.IsImage() {
			assert.False(t, suffixes[target.Suffix], "%s would take the tag of another image", target.Name)
			suffixes[target.Suffix] = true
		} else {
			assert.Empty(t, target.Suffix, "%s is no image", target.Name)
		}
	}
	assert.Equal(t, SystemImage, Targets()[0].Output, "the default")
	assert.Equal(t, []string{"image", "img-image"}, TargetNames(Target.IsImage))
}

// TestLocate keeps the text and adds the places of all mistakes.
func TestLocate(t *testing.T) {
	_, err := spectest.Load("name: A\nextends: ./b.spec\n", spectest.Files{"b.spec": "nmae: x\n"})
	located := Locate(err)
	assert.Equal(t, err.Error(), located.Error())
	files := map[string]int32{}
	for _, s := range errdefs.Sources(located) {
		files[s.Info.Filename] = s.Ranges[0].Start.Line
		assert.NotEmpty(t, s.Info.Data)
	}
	assert.Equal(t, map[string]int32{"kairos.spec": 1, "b.spec": 1}, files)

	other := errors.New("other")
	assert.Same(t, other, Locate(other))
	assert.NoError(t, Locate(nil))
}

// TestSourceMaps gives BuildKit's own map for the spec itself, and one of ours for each other file,
// even one of the same name.
func TestSourceMaps(t *testing.T) {
	main := &llb.SourceMap{Filename: "kairos.spec"}
	m := newSourceMaps(main)
	assert.Same(t, main, m.of(&specs.Source{Name: "kairos.spec"}))
	assert.NotSame(t, main, m.of(&specs.Source{Name: "kairos.spec", Context: "acme"}))
	assert.NotSame(t, main, m.of(&specs.Source{Name: "kairos.spec", Builtin: true}))
	src := &specs.Source{Name: "b.spec"}
	first := m.of(src)
	assert.Same(t, first, m.of(src))
}

func TestNamedFiles(t *testing.T) {
	p := spectest.MustPlan(t, "extends: acme\nversion: v1.0.0\nfiles: [{path: /a, from: ./a}, {path: /b, content: b}]\n"+
		"artifacts: {iso: {cloudConfig: iso.yaml}}\n",
		spectest.Files{"context:acme/kairos.spec": "extends: debian-12\nfiles: [{path: /c, from: c}]\ncloudConfig: oem.yaml\n"}, "amd64")
	var got []string
	for _, f := range namedFiles(p) {
		got = append(got, f.context+" "+f.key.String()+" "+f.path)
	}
	assert.Equal(t, []string{
		"acme files[0].from c", " files[1].from a", "acme cloudConfig.from oem.yaml", " artifacts.iso.cloudConfig.from iso.yaml",
	}, got)
}

func TestIsNotExist(t *testing.T) {
	assert.True(t, isNotExist(errors.Wrap(fs.ErrNotExist, "x")))
	assert.True(t, isNotExist(errors.New("rpc error: open /x: no such file or directory")))
	assert.False(t, isNotExist(errors.New("permission denied")))
}

// TestStepOptions has the options of docker buildx build for steps in every step.
func TestStepOptions(t *testing.T) {
	g := newGateway(map[string]string{
		"filename": "kairos.spec", "target": "iso",
		"add-hosts": "mirror.example=10.0.0.5", "ulimit": "nofile=1024:2048", "shm-size": "134217728", "cgroup-parent": "edge", "force-network-mode": "host",
	}, map[string]files{"dockerfile": {texts: map[string]string{"kairos.spec": "extends: debian-12\nversion: v1.0.0\n"}}})
	_, err := New(Options{}).Build(t.Context(), g)
	require.NoError(t, err)
	require.Greater(t, len(g.execs), 10)
	networked := 0
	for _, exec := range g.execs {
		require.Len(t, exec.Meta.ExtraHosts, 1)
		assert.Equal(t, "10.0.0.5", exec.Meta.ExtraHosts[0].IP)
		require.Len(t, exec.Meta.Ulimit, 1)
		assert.EqualValues(t, 2048, exec.Meta.Ulimit[0].Hard)
		assert.Equal(t, "edge", exec.Meta.CgroupParent)
		shm := slices.IndexFunc(exec.Mounts, func(m *pb.Mount) bool { return m.Dest == "/dev/shm" })
		require.GreaterOrEqual(t, shm, 0, exec.Meta.Args)
		assert.EqualValues(t, 128<<20, exec.Mounts[shm].TmpfsOpt.Size)
		if exec.Network == pb.NetMode_HOST {
			networked++
		} else {
			assert.Equal(t, pb.NetMode_NONE, exec.Network)
		}
	}
	assert.Positive(t, networked, "steps that download have the network that was asked for; the others have none")
}
