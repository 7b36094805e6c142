package frontend

import (
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/flavorkit/flavorkit/specs"
)

// gateway is a BuildKit that reads the client's directories and builds nothing.
type gateway struct {
	gwclient.Client // for unused methods
	opts            map[string]string
	dirs            map[string]files
	// result is that of all steps.
	result files
	// made are the small files of all graphs, by path.
	made map[string][]byte
	// execs are the commands of all graphs.
	execs []*pb.ExecOp
	// resolved are the images whose configurations were asked for, and solved the sources of the graphs
	// that are not only a directory of the client.
	resolved, solved []string
	// away are the sources that no server has.
	away map[string]bool

	mu sync.Mutex
	// sent has the requested paths of each directory.
	sent   map[string][]string
	warned []string
	urls   []string
}

func newGateway(opts map[string]string, dirs map[string]files) *gateway {
	return &gateway{opts: opts, dirs: dirs, sent: map[string][]string{}, made: map[string][]byte{}}
}

func (g *gateway) BuildOpts() gwclient.BuildOpts {
	return gwclient.BuildOpts{
		Opts:    g.opts,
		LLBCaps: pb.Caps.CapSet(pb.Caps.All()),
		Caps:    gwpb.Caps.CapSet(gwpb.Caps.All()),
		Workers: []gwclient.WorkerInfo{{Platforms: []ocispecs.Platform{{OS: "linux", Architecture: "amd64"}}}},
	}
}

func (g *gateway) Inputs(context.Context) (map[string]llb.State, error) { return nil, nil }

func (g *gateway) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.resolved = append(g.resolved, ref)
	if _, pinned, ok := strings.Cut(ref, "@"); ok {
		return ref, digest.Digest(pinned), []byte("{}"), nil
	}
	return ref, digest.FromString(ref), []byte("{}"), nil
}

func (g *gateway) ResolveSourceMetadata(_ context.Context, op *pb.SourceOp, _ sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	if g.away[op.Identifier] {
		return nil, errors.New("invalid response status 404")
	}
	return &sourceresolver.MetaResponse{}, nil
}

func (g *gateway) Solve(_ context.Context, req gwclient.SolveRequest) (*gwclient.Result, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	res := gwclient.NewResult()
	var first pb.Op
	if err := first.UnmarshalVT(req.Definition.Def[0]); err != nil {
		return nil, err
	}
	for _, def := range req.Definition.Def {
		var op pb.Op
		if err := op.UnmarshalVT(def); err != nil {
			return nil, err
		}
		if g.away[op.GetSource().GetIdentifier()] {
			return nil, errdefs.WrapVertex(errors.New("digest mismatch"), digest.FromBytes(def))
		}
		if exec := op.GetExec(); exec != nil {
			g.execs = append(g.execs, exec)
		}
		for _, a := range op.GetFile().GetActions() {
			if f := a.GetMkfile(); f != nil {
				g.made[f.Path] = f.Data
			}
		}
	}
	name, local := strings.CutPrefix(first.GetSource().GetIdentifier(), "local://")
	if !local || len(req.Definition.Def) > 2 { // the directory and the pointer to it
		g.solved = append(g.solved, first.GetSource().GetIdentifier())
		res.SetRef(g.result)
		return res, nil
	}
	paths := []string{"all of it"}
	if attr, ok := first.GetSource().Attrs[pb.AttrFollowPaths]; ok {
		if err := json.Unmarshal([]byte(attr), &paths); err != nil {
			return nil, err
		}
	}
	g.sent[name] = append(g.sent[name], paths...)
	res.SetRef(g.dirs[name])
	return res, nil
}

func (g *gateway) Warn(_ context.Context, _ digest.Digest, msg string, opts gwclient.WarnOpts) error {
	g.warned, g.urls = append(g.warned, msg), append(g.urls, opts.URL)
	return nil
}

// files are a directory, by path.
type files struct {
	gwclient.Reference // for unused methods
	texts              map[string]string
}

func (f files) ReadFile(_ context.Context, req gwclient.ReadRequest) ([]byte, error) {
	text, ok := f.texts[req.Filename]
	if !ok {
		return nil, errors.Errorf("open %s: no such file or directory", req.Filename)
	}
	if r := req.Range; r != nil {
		text = text[min(r.Offset, len(text)):min(r.Offset+r.Length, len(text))]
	}
	return []byte(text), nil
}

func (f files) StatFile(_ context.Context, req gwclient.StatRequest) (*fstypes.Stat, error) {
	if text, ok := f.texts[req.Path]; ok {
		return &fstypes.Stat{Path: req.Path, Size: int64(len(text))}, nil
	}
	for name := range f.texts {
		if req.Path == "." || strings.HasPrefix(name, req.Path+"/") {
			return &fstypes.Stat{Mode: uint32(fs.ModeDir)}, nil
		}
	}
	return nil, errors.Errorf("stat %s: no such file or directory", req.Path)
}

func (f files) ReadDir(_ context.Context, req gwclient.ReadDirRequest) ([]*fstypes.Stat, error) {
	below := map[string]*fstypes.Stat{}
	for name, text := range f.texts {
		rest, ok := strings.CutPrefix(name, req.Path+"/")
		if req.Path == "." {
			rest, ok = name, true
		}
		first, more, isDir := strings.Cut(rest, "/")
		switch {
		case !ok:
		case isDir && more != "":
			below[first] = &fstypes.Stat{Path: first, Mode: uint32(fs.ModeDir)}
		default:
			below[first] = &fstypes.Stat{Path: first, Size: int64(len(text))}
		}
	}
	if len(below) == 0 {
		return nil, errors.Errorf("open %s: no such file or directory", req.Path)
	}
	return slices.Collect(maps.Values(below)), nil
}

// TestMistakesOfFiles checks that a build reports mistakes in files and cloud-configs together, and
// only once for several platforms.
func TestMistakesOfFiles(t *testing.T) {
	const spec = `extends: debian-12
version: v1.0.0
files: [{path: /etc/motd, from: motd}, {path: /opt, from: opt}]
cloudConfig: .
components: {immucore: {url: 'https://acme.example/{arch}', sha256: {arm64: '0000000000000000000000000000000000000000000000000000000000000000'}}}
artifacts:
  disk: {cloudConfig: b.yaml}
  iso:
    cloudConfig:
      content: |
        #cloud-config
        users:
        - name: a: b
`
	texts := map[string]string{"opt/acme": "", "b.yaml": "hostname: edge\n"}
	want := []string{
		`kairos.spec:3:33: files[0].from: there is no file "motd" in the build context; paths start at the top of the context; a .dockerignore file may exclude it`,
		`kairos.spec:4:14: cloudConfig.from: "." is a directory; name a file`,
		`kairos.spec:13:9: artifacts.iso.cloudConfig: is not YAML: a colon is in the wrong place; put a text with a colon in quotes; after a key, write a colon and a space, also in the lines above`,
		`b.yaml:1:1: is not a cloud-config: a machine ignores a file without its first line; write #cloud-config into the first line`,
	}
	const unverified = `kairos.spec:5:69: components.immucore.sha256: https://acme.example/amd64 needs a checksum for amd64; add the sha256 of amd64`
	for _, c := range []struct {
		name, platforms string
		want            []string
	}{
		{"one platform", "linux/arm64", want},
		{"the same twice", "linux/arm64,linux/arm64/v8", want},
		{"others in others", "linux/amd64,linux/arm64", []string{want[0], want[1], unverified, want[2], want[3]}},
	} {
		for _, request := range []string{"", PlanRequest} {
			t.Run(c.name+" "+request, func(t *testing.T) {
				opts := map[string]string{"filename": "kairos.spec", "platform": c.platforms}
				if request != "" {
					opts["requestid"] = request
				}
				g := newGateway(opts, map[string]files{"dockerfile": {texts: map[string]string{"kairos.spec": spec}}, "context": {texts: texts}})
				_, err := New(Options{}).Build(t.Context(), g)
				require.Error(t, err)
				assert.Equal(t, c.want, strings.Split(err.Error(), "\n"))
				assert.Len(t, errdefs.Sources(err), len(c.want))
				assert.NotContains(t, g.sent["context"], "all of it")
			})
		}
	}
}

// TestWarnedOnce builds a system without users for several platforms and in several entries.
func TestWarnedOnce(t *testing.T) {
	const text = "extends: debian-12\nversion: v1.0.0\nartifacts: {iso: {cloudConfig: {content: '#cloud-config'}}}\n"
	entry := func(arch string) Entry {
		return Entry{Name: arch, Spec: &specs.Source{Name: "kairos.spec", Data: []byte(text)}, Arch: arch}
	}
	for name, c := range map[string]struct {
		build     gwclient.BuildFunc
		platforms string
	}{
		"platforms": {New(Options{}).Build, "linux/amd64,linux/arm64"},
		"entries":   {New(Options{}).Entries(Entries{entry("amd64"), entry("arm64")}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			opts := map[string]string{"filename": "kairos.spec", "target": "iso"}
			if c.platforms != "" {
				opts["platform"] = c.platforms
			}
			g := newGateway(opts, map[string]files{"dockerfile": {texts: map[string]string{"kairos.spec": text}}})
			res, err := c.build(t.Context(), g)
			require.NoError(t, err)
			assert.Len(t, res.Refs, 2)
			require.Len(t, g.warned, 1)
			assert.Equal(t, []string{"https://github.com/flavorkit/flavorkit/blob/main/docs/rules/NoAdminUser.md"}, g.urls)
			assert.True(t, strings.HasSuffix(g.warned[0], " [NoAdminUser]"), g.warned[0])
			assert.Contains(t, g.warned[0], "kairos.spec:3:32: artifacts.iso.cloudConfig: no user in it is in the group admin: ")
		})
	}
}

// TestMistakesOfEntries builds two entries that read the same file.
func TestMistakesOfEntries(t *testing.T) {
	g := newGateway(map[string]string{}, map[string]files{
		"dockerfile": {texts: map[string]string{"base.spec": "extends: debian-12\nversion: v1.0.0\npackages: {add: [-x], remove: [-y]}\n"}},
	})
	entry := func(name, text string) Entry {
		return Entry{Name: name, Spec: &specs.Source{Name: name + ".spec", Data: []byte(text)}, Arch: "amd64"}
	}
	_, err := New(Options{}).Entries(Entries{entry("a", "extends: ./base.spec\n"), entry("b", "extends: ./base.spec\nname: A\n")})(t.Context(), g)
	require.Error(t, err)
	assert.Equal(t, []string{
		`b.spec:2:7: name: "A" is not valid; use lower case letters and digits, with . _ or - between them`,
		`base.spec:3:18: packages.add[0]: "-x" is not a package name; write the name of one package, such as htop`,
		`base.spec:3:32: packages.remove[0]: "-y" is not a package name; write the name of one package, such as htop`,
	}, strings.Split(err.Error(), "\n"))
	assert.Len(t, errdefs.Sources(err), 2, "each line is shown once")
}

// TestSpecOfContext reads only the specs of a named context.
func TestSpecOfContext(t *testing.T) {
	for name, c := range map[string]struct {
		extends string
		texts   map[string]string
		sent    []string
		err     string
	}{
		"a spec": {"acme", map[string]string{"kairos.spec": smallSpec}, []string{"kairos.spec"}, ""},
		"no spec": {
			"acme", map[string]string{"large": ""},
			[]string{"kairos.spec"}, "kairos.spec:1:10: extends: the named context acme has no kairos.spec; extend another spec of it by its path, such as acme/base.spec",
		},
		"files": {
			"acme", map[string]string{"kairos.spec": "extends: ./systems/edge.spec\n", "systems/edge.spec": "extends: ../base.spec\n", "base.spec": smallSpec, "large": ""},
			[]string{"kairos.spec", "systems/edge.spec", "base.spec"}, "",
		},
		"another spec": {"acme/edge.spec", map[string]string{"edge.spec": "extends: ./base.spec\n", "base.spec": smallSpec}, []string{"edge.spec", "base.spec"}, ""},
		"a mistake": {
			"acme", map[string]string{"kairos.spec": "extends: ./base.spec\n", "base.spec": smallSpec + "nmae: x\n"},
			[]string{"kairos.spec", "base.spec"}, `acme/base.spec:3:1: unknown key "nmae"; did you mean "name"?`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(map[string]string{"filename": "kairos.spec", "context:acme": "local:acme", "requestid": PlanRequest}, map[string]files{
				"dockerfile": {texts: map[string]string{"kairos.spec": "extends: " + c.extends + "\nname: edge\n"}}, "acme": {texts: c.texts},
			})
			_, err := New(Options{}).Build(t.Context(), g)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.err)
			}
			assert.Equal(t, c.sent, slices.DeleteFunc(g.sent["acme"], func(name string) bool { return name == ".dockerignore" }))
		})
	}
}

// TestSpecOfUrl extends the URL of a single file, which is the spec of its context and no other file.
func TestSpecOfUrl(t *testing.T) {
	for text, want := range map[string]string{
		smallSpec:                "",
		"extends: ./base.spec\n": "acme/kairos.spec:1:10: extends: the named context acme has no base.spec",
	} {
		g := newGateway(map[string]string{"filename": "kairos.spec", "context:acme": "https://acme.example/edge.spec", "requestid": PlanRequest}, map[string]files{
			"dockerfile": {texts: map[string]string{"kairos.spec": "extends: acme\n"}},
		})
		g.result = files{texts: map[string]string{"context": text}}
		_, err := New(Options{}).Build(t.Context(), g)
		if want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, want)
		}
	}
}
