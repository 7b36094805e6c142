package frontend

import (
	"context"
	"encoding/json"
	"io/fs"
	"path"
	"slices"
	"strings"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
)

// OldContext is the named context with the spec that DiffRequest compares with.
const OldContext = "old"

// oldReader finds what the spec in OldContext extends: files beside it, and everything else as for any
// spec of the build.
type oldReader struct{ *specReader }

// File reads a file of the context, by its name in messages.
func (o oldReader) File(ctx context.Context, name string) ([]byte, error) {
	file, ok := strings.CutPrefix(name, OldContext+"/")
	if !ok {
		return nil, errors.Wrap(fs.ErrNotExist, name)
	}
	data, ok, err := o.ContextFile(ctx, OldContext, file)
	if err == nil && !ok {
		err = errors.Errorf("there is no named context %q; pass a directory with the spec to compare with: --build-context %s=DIR", OldContext, OldContext)
	}
	return data, err
}

// spec reads the spec with the name of another one, or with the usual name.
func (o oldReader) spec(ctx context.Context, name string) (*specs.Source, error) {
	names := slices.Compact([]string{name, specs.DefaultName})
	if name == nameless {
		names = names[1:]
	}
	for _, file := range names {
		src := &specs.Source{Name: path.Join(OldContext, file)}
		var err error
		if src.Data, err = o.File(ctx, src.Name); !errors.Is(err, fs.ErrNotExist) {
			return src, err
		}
	}
	return nil, errors.Errorf("the named context %s has no %s", OldContext, strings.Join(names, " and no "))
}

// lock reads the lock file beside the spec; nil when there is none.
func (o oldReader) lock(ctx context.Context, spec *specs.Source) (*lock.File, error) {
	src := &specs.Source{Name: lock.Name(spec.Name)}
	var err error
	if src.Data, err = o.File(ctx, src.Name); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, errors.Wrapf(err, "read %s", src.Name)
	}
	return lock.Read(src)
}

// diff compares the system of the spec with that of the spec in OldContext, for the first platform.
func (r *request) diff(ctx context.Context) (*gwclient.Result, error) {
	current, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	cat, err := r.catalog(ctx)
	if err != nil {
		return nil, err
	}
	reader := oldReader{&specReader{cat, r}}
	src, err := reader.spec(ctx, r.spec.Name)
	if err != nil {
		return nil, err
	}
	old, err := specs.LoadWith(ctx, src, specs.Inputs{Site: r.site(), Args: r.ui.BuildArgs}, reader)
	if err != nil {
		return nil, err
	}
	var locks [2]*lock.File
	if locks[0], err = reader.lock(ctx, src); err != nil {
		return nil, err
	}
	if locks[1], err = r.lock(ctx); err != nil {
		return nil, err
	}
	target, _ := r.platforms(r.requested()[0])
	plans, err := each(ctx, []*specs.Document{old, current}, func(_ context.Context, doc *specs.Document) (*plan.Plan, error) {
		return plan.Resolve(doc, cat, target.Architecture)
	})
	if err != nil {
		return nil, err
	}
	return changesResult(lock.DiffSystems([2]*plan.Plan(plans), locks))
}

// changesResult has changes as flavorkit diff prints them.
func changesResult(changes []plan.Change) (*gwclient.Result, error) {
	data, err := json.MarshalIndent(changes, "", "  ")
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	for _, c := range changes {
		text.WriteString(c.String() + "\n")
	}
	if len(changes) == 0 {
		text.WriteString("no differences\n")
	}
	return textResult(data, []byte(text.String())), nil
}
