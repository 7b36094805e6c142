package frontend

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/component"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/packages"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// LockedArg is the build argument that refuses a build of anything that the lock file does not
// have: 1, true, 0 or false.
const LockedArg = "FLAVORKIT_LOCKED"

// locked reports whether a build must find all of its inputs in the lock file.
func (in *inputs) locked() (bool, error) {
	if in.bundle != nil || in.client.BuildOpts().Opts["requestid"] == BundleRequest {
		return true, nil
	}
	return in.flag(LockedArg)
}

// flag reads a build argument that is true or false.
func (in *inputs) flag(name string) (bool, error) {
	value := in.ui.BuildArgs[name]
	if value == "" {
		return false, nil
	}
	set, err := strconv.ParseBool(value)
	return set, errors.Wrapf(err, "build argument %s=%q is neither true nor false", name, value)
}

// lock reads the lock file beside the spec; nil when there is none.
func (r *request) lock(ctx context.Context) (*lock.File, error) {
	name := r.lockName
	if name == "" {
		return nil, nil
	}
	return r.locks.Do(ctx, name, func(ctx context.Context) (*lock.File, error) {
		data, err := (&specReader{request: r}).File(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, errors.Wrapf(err, "read %s", name)
		}
		return lock.Read(&specs.Source{Name: name, Data: data})
	})
}

// renews reports whether the lock file is written anew.
func (in *inputs) renews() bool {
	return in.client.BuildOpts().Opts["requestid"] == LockRequest && in.ui.IsNoCache("")
}

// moves reports whether a package is chosen anew, although the lock file stays.
func (in *inputs) moves(name string) bool {
	return in.client.BuildOpts().Opts["requestid"] == LockRequest && in.ui.IsNoCache(name)
}

// movesAny reports whether one of the packages of a stage is chosen anew.
func (in *inputs) movesAny(s lock.Stage) bool {
	return slices.ContainsFunc(s.Archives, func(id string) bool {
		name, _, _ := lock.SplitID(id)
		return in.moves(name)
	})
}

// inUse is the lock file that a request takes its inputs from; nil for none, and for writing it anew.
func (r *request) inUse(ctx context.Context) (*lock.File, error) {
	if r.renews() {
		return nil, nil
	}
	return r.lock(ctx)
}

// arch returns the architecture of what is for the builder or for the system.
func (s *system) arch(native bool) string {
	if native {
		return s.graph.Build.Architecture
	}
	return s.graph.Target.Architecture
}

// request is what a stage asks its package manager for.
func (s *system) request(stage plan.Stage) lock.Request {
	return lock.RequestOf(stage.Install, s.arch(stage.Native && !stage.Extract), stage.Extract)
}

// platform of what is for the builder or for the system.
func (s *system) platform(native bool) ocispecs.Platform {
	if native {
		return s.graph.Build
	}
	return s.graph.Target
}

// checkLock returns what the build needs and the lock file does not have: as warnings, or as
// mistakes when the build must be locked.
func (r *request) checkLock(ctx context.Context, s *system) (specs.Diagnostics, error) {
	must, err := r.locked()
	if err != nil {
		return nil, err
	}
	l := s.graph.Lock
	switch {
	case r.renews():
		return nil, nil
	case l == nil && must:
		return nil, specs.Diagnostics{s.plan.Origin.Diagnose(rules.LockMismatch, key.Extends, "write it with flavorkit lock", "there is no %s beside the spec", r.lockName)}
	case l == nil:
		return nil, nil
	}
	rule := rules.OutdatedLock
	if must {
		rule = rules.LockMismatch
	}
	found, err := s.notLocked(ctx, rule, r.lockName)
	if err != nil {
		return nil, err
	}
	if must {
		missing, err := s.notBundled(ctx)
		return nil, cmp.Or(err, append(found, missing...).Err())
	}
	return found.Unskipped(s.plan.Origin.Sources), nil
}

// notLocked are the inputs that the lock file does not have.
func (s *system) notLocked(ctx context.Context, rule rules.Rule, name string) (specs.Diagnostics, error) {
	var found specs.Diagnostics
	report := func(k key.Key, format string, args ...any) {
		found = append(found, s.plan.Origin.Diagnose(rule, k, "bring it up to date with flavorkit lock", name+" "+format, args...))
	}
	l := s.graph.Lock
	for _, img := range s.plan.Images() {
		if _, ok := l.Image(img.Name, s.arch(img.Native)); ok {
			continue
		}
		// A directory that replaces an image cannot be locked.
		if replaced, ok, err := s.sources.context(ctx, img.Name, s.platform(img.Native)); err != nil {
			return nil, err
		} else if !ok || replaced.config != nil {
			report(img.At, "does not have the image %s for %s", img.Name, s.arch(img.Native))
		}
	}
	for _, stage := range s.plan.Stages() {
		request := s.request(stage)
		if _, ok := l.Find(request); ok {
			continue
		}
		added, removed, similar := l.Changed(request)
		switch {
		case !similar:
			report(stage.At, "does not have the packages of %s, %s, for %s", stage.Install.Distro, stage.Name, request.Arch)
		case len(added) > 0:
			report(s.addedAt(stage, added[0]), "does not have %s of %s, %s", strings.Join(added, ", "), stage.Install.Distro, stage.Name)
		case len(removed) > 0:
			report(stage.At, "has %s, which %s, %s, does not need", strings.Join(removed, ", "), stage.Install.Distro, stage.Name)
		default:
			report(stage.At, "has the packages of %s, %s, in another order", stage.Install.Distro, stage.Name)
		}
	}
	lists, err := component.Lists(ctx, s.graph, s.plan)
	if err != nil {
		return nil, err
	}
	for _, c := range s.plan.AllComponents() {
		if c.Download == nil || component.Locked(s.graph, s.plan, c) != "" {
			continue
		}
		if _, needed := lists[c.Download.URL]; needed {
			report(c.Key(), "does not have the download of %s %s", c.Name, c.Version)
		}
	}
	return found, nil
}

// addedAt is where the spec adds a package, or the stage that needs it.
func (s *system) addedAt(stage plan.Stage, name string) key.Key {
	if k, ok := stage.Asked(s.doc.Spec, name); ok {
		return k
	}
	return stage.At
}

// writeLock answers with the lock file of a spec. What the lock file beside the spec has stays as it
// is, unless the request is without a cache.
func (r *request) writeLock(ctx context.Context) (*gwclient.Result, error) {
	doc, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	old, err := r.older(ctx)
	if err != nil {
		return nil, err
	}
	all, err := each(ctx, r.requested(), func(ctx context.Context, platform *ocispecs.Platform) (*lock.File, error) {
		return r.lockFor(ctx, doc, platform)
	})
	if err != nil {
		return nil, err
	}
	_, builder := r.platforms(nil)
	archs := []string{builder.Architecture}
	for _, platform := range r.ui.TargetPlatforms {
		archs = append(archs, platform.Architecture)
	}
	return lockResult(all, old, archs)
}

// writeLock answers with the lock file of all entries.
func (cs Entries) writeLock(ctx context.Context, in *inputs, sources *sourceMaps) (*gwclient.Result, error) {
	all, err := eachLoaded(ctx, in, sources, cs, func(ctx context.Context, c loaded) (*lock.File, error) {
		return c.lockFor(ctx, c.doc, c.platform())
	})
	if err != nil {
		return nil, err
	}
	return lockResult(all, nil, nil)
}

// older is the lock file that is there; nil for none, and for one that cannot be read and is written
// anew.
func (r *request) older(ctx context.Context) (*lock.File, error) {
	old, err := r.lock(ctx)
	var mistakes specs.Diagnostics
	if errors.As(err, &mistakes) && r.renews() {
		return nil, nil
	}
	return old, err
}

func lockResult(all []*lock.File, old *lock.File, archs []string) (*gwclient.Result, error) {
	merged := &lock.File{Version: lock.Version}
	for _, f := range all {
		merged.Merge(f)
	}
	merged.Keep(old, archs)
	text, err := merged.Text()
	if err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(merged, "", "  ")
	if err != nil {
		return nil, err
	}
	return textResult(data, text), nil
}

// lockFor locks everything that the artifacts of a spec need on a platform.
func (r *request) lockFor(ctx context.Context, doc *specs.Document, platform *ocispecs.Platform) (*lock.File, error) {
	t, err := TargetByName(packagesTarget)
	if err != nil {
		return nil, err
	}
	s, err := r.prepare(ctx, doc, platform, t)
	if err != nil {
		return nil, err
	}
	if err := s.cannotLock().Err(); err != nil {
		return nil, err
	}
	f := &lock.File{Version: lock.Version}
	for _, img := range s.plan.Images() {
		at := s.graph.Stage("lock", s.plan.At(img.At)).On(s.platform(img.Native))
		if _, err := at.Image(ctx, img.Name); err != nil { // reported at its place in the spec
			return nil, err
		}
		found, err := s.sources.image(ctx, img.Name, s.platform(img.Native))
		if err != nil {
			return nil, err
		}
		if found.config != nil {
			f.Images = append(f.Images, lock.Image{Name: img.Name, Arch: s.arch(img.Native), Digest: found.digest.String(), Layers: found.layers()})
		}
	}
	if err := r.lockPackages(ctx, s, f); err != nil {
		return nil, err
	}
	return f, r.lockDownloads(ctx, s, f)
}

// cannotLock are the parts of a system that cannot be locked.
func (s *system) cannotLock() specs.Diagnostics {
	var found specs.Diagnostics
	for i, repository := range s.plan.Userland.Repositories {
		if repository.Secret != "" || repository.Certificate != "" {
			found = append(found, s.plan.Origin.Diagnose(rules.CannotLock, key.Repositories.Item(i), "mirror it without credentials for the builder",
				"the repository %s cannot be locked: its packages cannot be downloaded without credentials", repository.Name))
		}
	}
	return found
}

// lockPackages adds the packages of all stages.
func (r *request) lockPackages(ctx context.Context, s *system, f *lock.File) error {
	var open []plan.Stage
	for _, stage := range s.plan.Stages() {
		if locked, ok := s.graph.Lock.Find(s.request(stage)); ok && !r.movesAny(locked) {
			f.Add(locked, canonical(stage.Install, s.graph.Lock.Archives[locked.Distro]))
		} else {
			open = append(open, stage)
		}
	}
	if len(open) == 0 {
		return nil
	}
	if err := r.define(ctx, s, func(ctx context.Context, g *graph.Graph, p *plan.Plan) (llb.State, error) {
		return packages.Lock(ctx, g, p, open)
	}); err != nil {
		return err
	}
	ref, err := r.solveDefinition(ctx, s.definition)
	if err != nil {
		return s.explain(ctx, err)
	}
	found, err := readPackages(ctx, s, open, ref)
	if err != nil {
		return err
	}
	older, err := r.older(ctx)
	if err != nil {
		return err
	}
	for i, stage := range found.Stages {
		locked := lock.Stage{Stage: stage.Stage, Request: s.request(open[i])}
		archives := map[string]lock.Archive{}
		for _, p := range stage.Packages {
			if p.SHA256 == "" {
				return s.plan.Diagnose(rules.CannotLock, open[i].At, "use a repository over http or https", "%s tells no checksum and address of %s %s", open[i].Install.Manager, p.Name, p.Version)
			}
			id := lock.ID(p.Name, p.Version, p.Arch)
			locked.Archives = append(locked.Archives, id)
			archives[id] = r.dated(s, open[i].Install, lock.Archive{URL: p.URL, SHA256: p.SHA256}, older.Archive(locked.Distro, id))
		}
		if old, ok := s.graph.Lock.Find(locked.Request); ok {
			maps.Copy(archives, s.graph.Lock.Archives[old.Distro])
			if locked, err = r.moved(ctx, s, open[i], old, locked, archives); err != nil {
				return err
			}
		}
		f.Add(locked, canonical(open[i].Install, archives))
	}
	return nil
}

// dated is an archive with a day on which its repository had it, if there are snapshots: the day that it
// was locked first, so that writing a lock anew changes nothing in it.
func (r *request) dated(s *system, in plan.Install, a, older lock.Archive) lock.Archive {
	today := r.clock().UTC().Format(time.DateOnly)
	places := func(day string) int { return len(s.graph.Snapshots(in.Distro, in.Canonical(a.URL), day)) }
	switch {
	case older.SHA256 == a.SHA256 && older.Seen != "":
		a.Seen = older.Seen
	case places(today) > places(""):
		a.Seen = today
	}
	return a
}

// moved is a stage of the lock with newer packages: those that are chosen anew, or all of them when
// the others do not go with these.
func (r *request) moved(ctx context.Context, s *system, stage plan.Stage, old, newer lock.Stage, archives map[string]lock.Archive) (lock.Stage, error) {
	moved := old.Move(newer, r.moves)
	if stage.Extract {
		return moved, nil
	}
	fits := func(ctx context.Context, g *graph.Graph, p *plan.Plan) (llb.State, error) {
		return packages.Fits(ctx, g, p, stage, moved, archives)
	}
	if err := r.define(ctx, s, fits); err != nil {
		return lock.Stage{}, err
	}
	var exit *gwpb.ExitError
	switch _, err := r.solveSystem(ctx, s, fits); {
	case err == nil:
		return moved, nil
	case errors.As(err, &exit):
		return newer, nil
	default:
		return lock.Stage{}, s.explain(ctx, err)
	}
}

// canonical are archives with the addresses of the distribution, also of those that came from a
// mirror: a lock is for all networks.
func canonical(in plan.Install, archives map[string]lock.Archive) map[string]lock.Archive {
	all := map[string]lock.Archive{}
	for id, a := range archives {
		a.URL = in.Canonical(a.URL)
		all[id] = a
	}
	return all
}

// lockDownloads adds the downloads of components that the spec has no checksum of.
func (r *request) lockDownloads(ctx context.Context, s *system, f *lock.File) error {
	lists, err := component.Lists(ctx, s.graph, s.plan)
	if err != nil {
		return err
	}
	for _, c := range s.plan.AllComponents() {
		if c.Download == nil {
			continue
		}
		list, ok := lists[c.Download.URL]
		if !ok {
			continue
		}
		sum := component.Locked(s.graph, s.plan, c)
		if sum == "" {
			if err := r.define(ctx, s, func(context.Context, *graph.Graph, *plan.Plan) (llb.State, error) { return list, nil }); err != nil {
				return err
			}
			ref, err := r.solveDefinition(ctx, s.definition)
			if err != nil {
				return errors.Wrapf(s.explain(ctx, err), "read the checksums of %s", c.Name)
			}
			data, err := dir{ref}.ReadFile(ctx, component.ChecksumList)
			if err != nil {
				return errors.Wrapf(err, "read the checksums of %s", c.Name)
			}
			if sum, err = component.Checksum(data, c.Download.URL); err != nil {
				return s.plan.Diagnose(rules.CannotLock, c.Key(), "is its version right?", "%s", fmt.Sprint(err))
			}
		}
		f.Downloads = append(f.Downloads, lock.Download{Arch: s.plan.Arch, URL: c.Download.URL, SHA256: sum})
	}
	return nil
}
