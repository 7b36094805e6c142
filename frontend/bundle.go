package frontend

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/component"
	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/bundle"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// download is a file that the builds of a system need, with the digest that is known before.
type download struct {
	bundle.Download
	// fetch downloads it under a name.
	fetch func(file string) llb.State
	// missing is the mistake that it cannot be had.
	missing func(rule rules.Rule, hint, format string, args ...any) specs.Diagnostic
}

// downloads are those of all artifacts of a system, by the lock file and by the spec.
func (s *system) downloads(ctx context.Context) ([]download, error) {
	var all []download
	at := func(k key.Key) func(rules.Rule, string, string, ...any) specs.Diagnostic {
		return func(rule rules.Rule, hint, format string, args ...any) specs.Diagnostic {
			return s.plan.Origin.Diagnose(rule, k, hint, format, args...)
		}
	}
	l := s.graph.Lock
	for _, stage := range s.plan.Stages() {
		locked, _ := l.Find(s.request(stage))
		for _, id := range locked.Archives {
			a := l.Archives[locked.Distro][id]
			g := s.graph.Stage(stage.Name, s.plan.At(stage.At))
			all = append(all, download{
				bundle.Download{URL: a.URL, Digest: digest.NewDigestFromEncoded(digest.SHA256, a.SHA256)},
				func(file string) llb.State { return distro.FetchArchive(s.graph, g, stage.Install, id, a, file) },
				func(rule rules.Rule, hint, format string, args ...any) specs.Diagnostic {
					return l.Diagnose(rule, "archives."+locked.Distro+"."+id, hint, format, args...)
				},
			})
		}
	}
	components, err := component.Downloads(ctx, s.graph, s.plan)
	if err != nil {
		return nil, err
	}
	for _, d := range components {
		all = append(all, download{
			bundle.Download{URL: d.Component.Download.URL, Digest: d.Sum},
			func(file string) llb.State { return d.Fetch(s.graph, s.plan, file) },
			at(d.Component.Key()),
		})
	}
	for i, r := range s.plan.Userland.Repositories {
		d, k := r.Key.Download, key.Repositories.Item(i).SigningKey()
		if d == nil {
			continue
		}
		sum, from := digest.NewDigestFromEncoded(digest.SHA256, d.SHA256), s.plan.MirroredDownload(d.URL)
		all = append(all, download{
			bundle.Download{URL: d.URL, Digest: sum},
			func(file string) llb.State {
				return s.graph.Stage("repositories", s.plan.At(k)).Fetch(graph.Download{Title: "download " + from, URL: from, File: file, Sum: sum})
			},
			at(k),
		})
	}
	return all, nil
}

// writeBundle answers with what builds of a locked spec need for all artifacts: its result.json is a
// bundle.Contents, its files are named by their checksums.
func (r *request) writeBundle(ctx context.Context) (*gwclient.Result, error) {
	if err := r.readsBlobs("bundles"); err != nil {
		return nil, err
	}
	t, err := TargetByName(packagesTarget)
	if err != nil {
		return nil, err
	}
	doc, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	systems, err := each(ctx, r.requested(), func(ctx context.Context, platform *ocispecs.Platform) (*system, error) {
		return r.prepare(ctx, doc, platform, t)
	})
	if err != nil {
		return nil, err
	}
	w := &bundleWriter{inputs: r.inputs, files: map[digest.Digest]llb.State{}}
	for _, s := range systems {
		if err := w.add(ctx, s); err != nil {
			return nil, err
		}
	}
	return w.result(ctx, systems[0])
}

// writeBundle answers with what builds of all entries need. What several of them need is there once.
func (cs Entries) writeBundle(ctx context.Context, in *inputs, sources *sourceMaps) (*gwclient.Result, error) {
	if err := in.readsBlobs("bundles"); err != nil {
		return nil, err
	}
	t, err := TargetByName(packagesTarget)
	if err != nil {
		return nil, err
	}
	systems, err := eachLoaded(ctx, in, sources, cs, func(ctx context.Context, c loaded) (*system, error) {
		return c.prepare(ctx, c.doc, c.platform(), t)
	})
	if err != nil {
		return nil, err
	}
	w := &bundleWriter{inputs: in, files: map[digest.Digest]llb.State{}}
	for i, s := range systems {
		if err := w.add(ctx, s); err != nil {
			return nil, nameEntry(cs[i], err)
		}
		w.Entries = append(w.Entries, cs[i].Name)
	}
	return w.result(ctx, systems[0])
}

// bundleWriter collects what is in a bundle.
type bundleWriter struct {
	*inputs
	bundle.Contents
	files map[digest.Digest]llb.State
}

// add adds what a system needs.
func (w *bundleWriter) add(ctx context.Context, s *system) error {
	w.Platforms = append(w.Platforms, platforms.Format(s.graph.Target))
	w.Spec = append(w.Spec, s.sources.request.opened()...)
	w.Files = append(w.Files, s.sources.files[""]...)
	downloads, err := s.downloads(ctx)
	if err != nil {
		return err
	}
	if err := w.addDownloads(ctx, s, downloads); err != nil {
		return err
	}
	images := s.plan.Images()
	known := map[string]bool{bundle.ContextName: true}
	for _, img := range images {
		known[ContextKey(img.Name)] = true
		if err := w.addImage(ctx, s, img.Name, s.platform(img.Native), true); err != nil {
			return s.plan.Diagnose(rules.CannotBundle, img.At, "is its registry reachable?", "%s", err)
		}
	}
	for _, name := range s.sources.Names() {
		if known[name] {
			continue
		}
		for _, platform := range []ocispecs.Platform{s.graph.Target, s.graph.Build} {
			if err := w.addImage(ctx, s, name, platform, false); err != nil && !errors.Is(err, errNoPlatform) {
				return errors.Wrapf(err, "bundle the named context %s", name)
			}
		}
	}
	return nil
}

// addDownloads downloads what no other system has needed. A failed download has its explanation in the
// graph of its system.
func (w *bundleWriter) addDownloads(ctx context.Context, s *system, all []download) error {
	var added []download
	for _, d := range all {
		if _, ok := w.files[d.Digest]; !ok {
			w.files[d.Digest] = llb.State{} // until it is known where it comes from
			w.Downloads = append(w.Downloads, d.Download)
			added = append(added, d)
		}
	}
	if len(added) == 0 {
		return nil
	}
	stage := s.graph.Stage("bundle", s.plan.At(key.Extends)).On(s.graph.Build)
	collect := func(context.Context, *graph.Graph, *plan.Plan) (llb.State, error) {
		states := make([]llb.State, len(added))
		for i, d := range added {
			states[i] = d.fetch(d.Digest.Encoded())
			w.files[d.Digest] = states[i]
		}
		return s.graph.Merge(stage, "collect the downloads", states...), nil
	}
	if err := w.define(ctx, s, collect); err != nil {
		return err
	}
	if _, err := w.solveSystem(ctx, s, collect); err != nil {
		return s.explain(ctx, err)
	}
	return nil
}

// addImage adds an image for a platform. A named context that is no image is left to the client, unless
// it must be one.
func (w *bundleWriter) addImage(ctx context.Context, s *system, name string, platform ocispecs.Platform, must bool) error {
	id := ContextKey(name) + "::" + platforms.FormatAll(platforms.Normalize(platform))
	if slices.ContainsFunc(w.Images, func(img bundle.Image) bool { return img.Name == id }) {
		return nil
	}
	from, ok, err := s.sources.blobsOf(ctx, name, platform)
	switch {
	case err != nil:
		return err
	case !ok && must:
		return errors.Errorf("a directory replaces the image %s; pass an image", name)
	case !ok:
		return nil
	}
	stage := s.graph.Stage("bundle", s.plan.At(key.Extends)).On(s.graph.Build)
	image := bundle.Image{Name: id}
	add := func(d digest.Digest) llb.State {
		if _, ok := w.files[d]; !ok {
			w.files[d] = stage.Blob(from.state, "download the image "+name, d)
		}
		return w.files[d]
	}
	if image.Root, err = from.walk(ctx, w.inputs, name, platform, add); err == nil {
		w.Images = append(w.Images, image)
	}
	return err
}

// result downloads what is missing, and answers.
func (w *bundleWriter) result(ctx context.Context, s *system) (*gwclient.Result, error) {
	for _, list := range []*[]string{&w.Platforms, &w.Spec, &w.Files} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	slices.SortFunc(w.Images, func(a, b bundle.Image) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(w.Downloads, func(a, b bundle.Download) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
	digests := make([]digest.Digest, 0, len(w.files))
	for d := range w.files {
		digests = append(digests, d)
	}
	slices.Sort(digests)
	var states []llb.State
	for _, d := range digests {
		states = append(states, w.files[d])
	}
	stage := s.graph.Stage("bundle", s.plan.At(key.Extends)).On(s.graph.Build)
	def, err := w.marshalState(ctx, s.graph, s.graph.Merge(stage, "collect the bundle", states...))
	if err != nil {
		return nil, err
	}
	ref, err := w.solveDefinition(ctx, def)
	if err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(w.Contents, "", "  ")
	if err != nil {
		return nil, err
	}
	res := textResult(data, data)
	res.SetRef(ref)
	return res, nil
}

// ContextKey is the name by which BuildKit looks up a context: that of an image without
// docker.io/library and :latest, and with the platform of a context for one alone.
func ContextKey(name string) string {
	image, platform, hasPlatform := strings.Cut(name, "::")
	if named, err := reference.ParseNormalizedNamed(image); err == nil {
		image = strings.TrimSuffix(reference.FamiliarString(named), ":latest")
	}
	if hasPlatform {
		return image + "::" + platform
	}
	return image
}
