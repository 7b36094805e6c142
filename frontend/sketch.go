package frontend

import (
	"context"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	subtargets "github.com/moby/buildkit/frontend/subrequests/targets"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
)

// Sketch is a system whose graph is looked at and not built.
type Sketch struct {
	plan    *plan.Plan
	graph   *graph.Graph
	doc     *specs.Document
	catalog *catalog.Catalog
}

// placeKey is the key in a vertex's description for the place in the spec of its stage.
const placeKey = "flavorkit.place"

// NewSketch returns the sketch of a spec that is planned with a catalog. The sources of the graph are
// Unresolved.
func NewSketch(g *graph.Graph, p *plan.Plan, doc *specs.Document, cat *catalog.Catalog) Sketch {
	g.Locate = func(r specs.Range) llb.ConstraintsOpt {
		return llb.WithDescription(map[string]string{placeKey: r.String()})
	}
	return Sketch{p, g, doc, cat}
}

// sketch plans the spec for a platform. Files that the spec names are not read.
func (r *request) sketch(ctx context.Context, doc *specs.Document, platform *ocispecs.Platform) (Sketch, error) {
	cat, err := r.catalog(ctx)
	if err != nil {
		return Sketch{}, err
	}
	target, builder := r.platforms(platform)
	p, err := plan.Resolve(doc, cat, target.Architecture)
	if err != nil {
		return Sketch{}, err
	}
	g := r.graph(Unresolved(p, r.contextNames()), cat, target, builder)
	g.Epoch = graph.DefaultEpoch()
	return NewSketch(g, p, doc, cat), nil
}

// sketches plans the spec for every requested platform.
func (r *request) sketches(ctx context.Context) ([]Sketch, error) {
	doc, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	return each(ctx, r.requested(), func(ctx context.Context, platform *ocispecs.Platform) (Sketch, error) {
		return r.sketch(ctx, doc, platform)
	})
}

// refusal is why a system cannot be built as a target; empty if it can.
func (s Sketch) refusal(ctx context.Context, t Target) string {
	_, err := t.generate(ctx, s.graph, s.plan)
	var mistakes specs.Diagnostics
	switch {
	case err == nil:
		return ""
	case errors.As(err, &mistakes):
		return mistakes[0].Text()
	default:
		return err.Error()
	}
}

// cannot is between the description of a target and why a system cannot be built as it.
const cannot = "; cannot be built: "

// TargetsOf lists all targets. The description of one that a system cannot be built as says why.
func TargetsOf(ctx context.Context, systems ...Sketch) subtargets.List {
	list := subtargets.List{Sources: [][]byte{systems[0].doc.Sources[0].Data}}
	for i, t := range Targets() {
		listed := subtargets.Target{Name: t.Name, Description: t.Description, Default: i == 0}
		for _, s := range systems {
			if why := s.refusal(ctx, t); why != "" {
				listed.Description += cannot + why
				break
			}
		}
		list.Targets = append(list.Targets, listed)
	}
	return list
}

// stepKind is the kind of the reasons for the stages of graphs.
const stepKind = "step"

// steps says why a target has the stages that its graph is made of, inputs first.
func (s Sketch) steps(ctx context.Context, t Target) ([]plan.Reason, error) {
	state, err := t.generate(ctx, s.graph, s.plan)
	if err != nil {
		return nil, err
	}
	def, err := state.Marshal(ctx, llb.Platform(s.graph.Target))
	if err != nil {
		return nil, errors.Wrap(err, "generate the graph")
	}
	var all []plan.Reason
	for _, data := range def.Def { // inputs are first
		about := def.Metadata[digest.FromBytes(data)].Description
		place, placed := about[placeKey]
		name, _, _ := strings.Cut(strings.TrimPrefix(about[customName], "["), "]")
		name = name[strings.LastIndex(name, " ")+1:] // without the platform
		if !placed || slices.ContainsFunc(all, func(r plan.Reason) bool { return r.Name == name }) {
			continue
		}
		k := s.plan.Origin.KeyAt(place)
		all = append(all, plan.Reason{Kind: stepKind, Name: name, Place: place, Chain: s.chain(k), Key: k.String(), Why: s.purpose(name)})
	}
	return all, nil
}

// chain is how the spec comes to the place of a key.
func (s Sketch) chain(k key.Key) (all []string) {
	for _, r := range s.doc.Chain(s.plan.Origin.At(k)) {
		all = append(all, r.String())
	}
	return all
}

// Explain says why everything is in a system (plan.Explain), and why the graphs of its targets have the
// stages that they are made of. Each stage is there once, those of the targets that the system cannot
// be built as are not.
func (s Sketch) Explain(ctx context.Context) ([]plan.Reason, error) {
	all, err := plan.Explain(s.plan, s.doc, s.catalog)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, t := range Targets() {
		if s.refusal(ctx, t) != "" {
			continue
		}
		steps, err := s.steps(ctx, t)
		if err != nil {
			return nil, err
		}
		for _, step := range steps {
			if !known[step.Name] {
				known[step.Name] = true
				all = append(all, step)
			}
		}
	}
	return all, nil
}

// purpose is what a stage is for, with the file of the catalog that says what is in it.
func (s Sketch) purpose(name string) string {
	first, rest, _ := strings.Cut(name, "/")
	why, file := stages()[first], first+"s/"+rest
	if why == "" {
		kind, _, _ := strings.Cut(rest, "-")
		why, file = stages()[kind], "distros/"+first
	}
	if _, at := s.catalog.At(file); at.Source != nil {
		why += " (" + at.Source.Name + ")"
	}
	return why
}

// stages are what the stages of graphs are for, by the first part of their names, or by the part behind
// that of a distribution.
func stages() map[string]string {
	return map[string]string{
		"userland":     "installs the packages of the system that are not for its kernel",
		"kernel":       "installs the kernel and what makes its initramfs, and takes kernel, modules and firmware out",
		"initramfs":    "makes the initramfs",
		"directories":  "gives directories that other layers have, too, the modes that the distribution gives them",
		"loader":       "takes shim and GRUB, which are signed, to where the agent and the media look for them",
		"firmware":     "takes what the board starts from out of its packages",
		"component":    "gets a program that is no package of the distribution",
		"layer":        "takes a tree that the spec lays over the system",
		"images":       "gets a container image that the Kubernetes of the machine loads",
		"extension":    "makes an extension of the system",
		"extensions":   "puts all extensions together",
		"repositories": "configures the repositories of the spec",
		"system":       "adds the files and services of Kairos (docs/dev/image-contract.md)",
		"release":      "writes /etc/kairos-release, the only layer with the version",
		"files":        "adds the files and the cloud-config of the spec",
		"source":       "looks at the published image that the system is",
		"rootfs":       "merges the layers, and checks the root filesystem (docs/dev/checks.md)",
		"compat":       "checks that kernel, initramfs and userland fit each other (docs/dev/checks.md)",
		"size":         "checks the sizes that the spec limits",
		"tools":        "installs the programs that make media, disks and extensions",
		"iso":          "makes the live and installer medium",
		"disk":         "makes the disk image",
		"netboot":      "makes the files to boot over HTTP",
		"test":         "boots the system in a VM, and runs the assertions of the spec",
		"packages":     "gathers what would be installed",
	}
}
