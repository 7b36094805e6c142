package frontend

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// buildKitArgs begin the names of the build arguments that BuildKit and docker buildx read.
const buildKitArgs = "BUILDKIT_"

// UndeclaredArgs are mistakes about build arguments that no spec declares, and that are not for
// every build, such as SOURCE_DATE_EPOCH and HTTP_PROXY. declared are the names that specs declare.
func UndeclaredArgs(given map[string]string, declared []string) specs.Diagnostics {
	known := slices.Clone(declared)
	for _, a := range buildArgs() {
		known = append(known, a.name)
	}
	var found specs.Diagnostics
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if slices.Contains(known, name) || isProxy(name) || strings.HasPrefix(name, buildKitArgs) {
			continue
		}
		hint := specs.Suggest(name, known)
		if _, near := specs.Nearest(name, known); !near && len(declared) == 0 {
			hint = "declare it in args"
		}
		found = append(found, specs.Diagnostic{
			Rule: rules.UnknownArgument, Range: specs.Range{Source: &specs.Source{Name: "--build-arg"}},
			Message: fmt.Sprintf("no spec declares the build argument %q", name), Hint: hint,
		})
	}
	return found
}

// CheckArgs returns the mistakes of a spec together with those in the build arguments, if there are
// any of these.
func CheckArgs(given map[string]string, doc *specs.Document) error {
	if !knowsArgs(doc) {
		return nil
	}
	if found := UndeclaredArgs(given, slices.Collect(maps.Keys(doc.Spec.Args))); len(found) > 0 {
		return doc.With(found)
	}
	return nil
}

// knowsArgs reports whether a spec declares no more build arguments than could be read.
func knowsArgs(doc *specs.Document) bool { return doc.Whole() && !doc.Unsure("args") }
