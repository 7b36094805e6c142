package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/packages"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// reportPackages writes down what the stages of a system would install.
func reportPackages(ctx context.Context, s *system, ref gwclient.Reference) (map[string][]byte, error) {
	found, err := readPackages(ctx, s, s.plan.Stages(), ref)
	if err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(found, "", "  ")
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		s.plan.File + ".packages.json": append(data, '\n'),
		s.plan.File + ".packages.txt":  []byte(found.String()),
	}, nil
}

// readPackages reads what the stages of a system would install. Missing packages are
// mistakes, reported together.
func readPackages(ctx context.Context, s *system, stages []plan.Stage, ref gwclient.Reference) (packages.System, error) {
	found, absent, err := packages.Read(s.plan, stages, func(name string) ([]byte, error) { return dir{ref}.ReadFile(ctx, name) })
	if err != nil {
		return packages.System{}, err
	}
	var spec, catalog specs.Diagnostics
	for _, a := range absent {
		if d := s.absence(a); s.ofSpec(d) {
			spec = append(spec, d)
		} else {
			catalog = append(catalog, d)
		}
	}
	return found, slices.Concat(spec, catalog).Err()
}

// missing are the mistakes that packages are asked for which there are not, behind an installation
// that failed; nil when there are none, or when the package manager cannot tell.
func (s *system) missing(ctx context.Context, in plan.Install) error {
	stages := slices.DeleteFunc(s.plan.Stages(), func(stage plan.Stage) bool { return !reflect.DeepEqual(stage.Install, in) })
	if len(stages) == 0 {
		return nil
	}
	var mistakes specs.Diagnostics
	if err := s.lookUp(ctx, stages); errors.As(err, &mistakes) {
		return mistakes
	}
	return nil
}

// lookUp reports missing packages of stages.
func (s *system) lookUp(ctx context.Context, stages []plan.Stage) error {
	r := s.sources.request
	state, err := packages.ResolveStages(ctx, s.graph, s.plan, stages)
	if err != nil {
		return err
	}
	def, err := r.marshalState(ctx, s.graph, state)
	if err != nil {
		return err
	}
	ref, err := r.solveDefinition(ctx, def)
	if err != nil {
		return err
	}
	_, err = readPackages(ctx, s, stages, ref)
	return err
}

// ofSpec reports whether a mistake is in a file of the spec.
func (s *system) ofSpec(d specs.Diagnostic) bool {
	return slices.Contains(s.plan.Origin.Sources, d.Range.Source)
}

// absence is the mistake that a package is asked for which there is not, at the line that asks for
// it: of the spec or of the catalog.
func (s *system) absence(a packages.Absence) specs.Diagnostic {
	message := fmt.Sprintf("%s has no package %q for %s", a.Stage.Install.Distro, a.Name, s.plan.Arch)
	hint := ""
	switch near, ok := specs.Nearest(a.Name, a.Names); {
	case len(a.Beside) > 0:
		hint = beside(a)
	case len(a.Versions) > 0:
		message = fmt.Sprintf("%s has no version %q of the package %s for %s", a.Stage.Install.Distro, a.Version, a.Name, s.plan.Arch)
		hint = "it has " + strings.Join(a.Versions, ", ")
	case ok:
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	spec := s.doc.Spec
	switch at, asked := a.Stage.Asked(spec, a.String()); {
	case asked:
		return s.plan.Origin.Diagnose(rules.PackageNotFound, at, hint, "%s", message)
	case a.Stage.Name == "kernel" && a.String() == s.plan.Kernel.Packages[0].String() && (spec.Kernel.Package != "" || spec.Kernel.Version != ""):
		k := key.KernelPackage
		if len(a.Versions) > 0 && spec.Kernel.Version != "" || spec.Kernel.Package == "" {
			k = key.Kernel.Version()
		}
		return s.plan.Origin.Diagnose(rules.PackageNotFound, k, hint, "%s", message)
	}
	for _, asked := range s.catalog.Asked(a.Stage.Install.Distro, s.plan.Arch) {
		if asked.Name == a.Name {
			return specs.Diagnostic{Rule: rules.PackageNotFound, Range: asked.Range, Key: asked.Key, Message: message, Hint: hint}
		}
	}
	return s.plan.Origin.Diagnose(rules.PackageNotFound, a.Stage.At, hint, "%s", message)
}

// beside says how to take a package from a repository that has it.
func beside(a packages.Absence) string {
	for i, r := range a.Stage.Install.Repositories {
		if len(r.Packages) > 0 && (slices.Contains(a.Beside, r.Name) || slices.Contains(a.Beside, strings.TrimSuffix(r.URL, "/"))) {
			return fmt.Sprintf("the repository %s has it, but is limited to other packages: add it to %s", r.Name, key.Repositories.Item(i).Only())
		}
	}
	return fmt.Sprintf("the repository %s has it, but the base image disables it: add it to repositories", strings.Join(a.Beside, ", "))
}

// packages returns what the stages would install, for every requested platform.
func (r *request) packages(ctx context.Context) (*gwclient.Result, error) {
	doc, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	all, err := each(ctx, r.requested(), func(ctx context.Context, platform *ocispecs.Platform) (packages.System, error) {
		return r.packagesOf(ctx, doc, platform)
	})
	if err != nil {
		return nil, err
	}
	return packagesResult(all)
}

// packages returns what the stages of all entries would install.
func (cs Entries) packages(ctx context.Context, in *inputs, maps *sourceMaps) (*gwclient.Result, error) {
	all, err := eachLoaded(ctx, in, maps, cs, func(ctx context.Context, c loaded) (packages.System, error) {
		return c.packagesOf(ctx, c.doc, c.platform())
	})
	if err != nil {
		return nil, err
	}
	return packagesResult(all)
}

func (r *request) packagesOf(ctx context.Context, doc *specs.Document, platform *ocispecs.Platform) (packages.System, error) {
	t, err := TargetByName(packagesTarget)
	if err != nil {
		return packages.System{}, err
	}
	s, err := r.generate(ctx, doc, platform, t)
	if err != nil {
		return packages.System{}, err
	}
	ref, err := r.solveDefinition(ctx, s.definition)
	if err != nil {
		return packages.System{}, s.explain(ctx, err)
	}
	return readPackages(ctx, s, s.plan.Stages(), ref)
}

func packagesResult(all []packages.System) (*gwclient.Result, error) {
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for i, s := range all {
		if i > 0 {
			text.WriteString("\n")
		}
		text.WriteString(s.String())
	}
	return textResult(data, text.Bytes()), nil
}
