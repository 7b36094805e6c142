// Package records checks that there is one record for each thing: the name of a target, rule,
// component and so on is in one file, so that adding another one means touching one file.
// CONTRIBUTING.md promises it in the table "Change X, touch Y".
package records

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/llb/artifact/disk"
	"github.com/flavorkit/flavorkit/llb/artifact/extension"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/rules"
)

const root = "../.."

// product is where product code is.
var product = []string{"cmd", "client", "frontend", "llb", "plan", "specs", "internal"}

func TestNamesStandInOneRecord(t *testing.T) {
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	var targets, formats, extensions, ruleNames, categories []string
	for _, f := range disk.Formats() {
		formats = append(formats, f.Name)
	}
	for _, k := range extension.Kinds() {
		extensions = append(extensions, k.Name)
	}
	for _, target := range frontend.TargetNames(nil) {
		if !slices.Contains(formats, target) && !slices.Contains(extensions, target) {
			targets = append(targets, target)
		}
	}
	for _, r := range rules.All() {
		ruleNames = append(ruleNames, r.Name)
	}
	for _, c := range catalog.Categories() {
		if name := string(c); strings.Contains(name, "-") { // the others are everyday words
			categories = append(categories, name)
		}
	}

	// What each package manager does in its own way: how repositories are written and answers read.
	managers := map[string][]string{}
	for _, name := range catalog.ManagerNames() {
		managers[name] = []string{"llb/distro/managers.go"}
	}
	managers["dnf"] = append(managers["dnf"], "llb/distro/resolve.go") // how dnf writes a version
	for _, name := range []string{"apt", "zypper"} {                   // keys of cloud-init, too
		managers[name] = append(managers[name], "specs/configdoubts.go")
	}

	found := literals(t)
	for _, tc := range []struct {
		what  string
		names []string
		// record is the file that has the names; empty for what is YAML only.
		record string
		// also are other meanings of a name, with their files.
		also map[string][]string
	}{
		{what: "target", names: targets, record: "frontend/targets.go", also: map[string][]string{
			// key of a spec, option of BuildKit
			"image": {"cmd/flavorkit/bake.go", "cmd/flavorkit/matrix.go", "llb/artifact/disk/disk.go", "plan/disk.go", "plan/plan.go", "plan/stages.go", "specs/merge.go", "specs/matrix/matrix.go", "frontend/lintspec.go", "llb/rootfs/source.go", "specs/spec.go"},
			// value of test.artifact, stage, set of overlay files
			"iso": {"plan/boottest.go", "llb/artifact/boottest/boottest.go", "llb/artifact/iso/iso.go", "frontend/sketch.go"},
			// stage, kernel argument
			"netboot": {"llb/rootfs/rootfs.go", "llb/rootfs/source.go", "llb/artifact/netboot/netboot.go", "plan/cmdline.go", "frontend/sketch.go"},
			// key of a spec, stage, toolbox
			"test": {"specs/key/key.go", "specs/sourceimage.go", "plan/boottest.go", "plan/explain.go", "llb/artifact/boottest/boottest.go", "frontend/sketch.go"},
			// flag
			"sbom": {"cmd/flavorkit/build.go"},
			// keys of a spec, of the catalog and of cloud-init, stage
			"packages": {"specs/configdoubts.go", "specs/key/key.go", "specs/sourceimage.go", "specs/catalog/asked.go", "specs/catalog/validate.go", "plan/explain.go", "plan/repositories.go", "plan/removal.go", "llb/packages/packages.go", "frontend/sketch.go"},
		}},
		{what: "format of a disk", names: formats, record: "llb/artifact/disk/format.go", also: map[string][]string{
			"qcow2": {"internal/qemu/options.go"}, // what QEMU boots
		}},
		{what: "kind of extension", names: extensions, record: "llb/artifact/extension/kind.go"},
		{what: "rule", names: ruleNames, record: "specs/rules/rules.go"},
		{what: "subrequest", names: []string{frontend.PlanRequest, frontend.SchemaRequest, frontend.PackagesRequest, frontend.ExplainRequest, frontend.LockRequest}, record: "frontend/subrequests.go"},
		{what: "kind of component", names: specs.KindNames(), record: "specs/kinds.go", also: map[string][]string{
			"kubernetes": {"specs/matrix/matrix.go"},       // list of a matrix
			"cache":      {"specs/catalog/managers.go"},    // command of apk
			"provider":   {"client/starter/kairosinit.go"}, // option of kairos-init
		}},
		{what: "package manager", names: catalog.ManagerNames(), record: "specs/catalog/managers.go", also: managers},
		{what: "category of needs", names: categories, record: "specs/catalog/requirements.go"},
		{what: "architecture", names: catalog.Names(cat.Archs), also: map[string][]string{
			"amd64": {"client/local/local.go"}, // the build platform of a graph that no daemon runs
		}},
		{what: "distribution", names: catalog.Names(cat.Distros), also: map[string][]string{
			"debian-12": {"client/starter/starter.go"}, // what flavorkit init proposes
		}},
		{what: "model", names: catalog.Names(cat.Models), also: map[string][]string{
			catalog.Names(cat.Models)[0]: {"plan/resolve.go"}, // the default
		}},
		{what: "component", names: catalog.Names(cat.Components), also: map[string][]string{
			"kairos": {"plan/resolve.go", "specs/key/key.go"}, // the product, key of a spec
		}},
	} {
		require.NotEmpty(t, tc.names, tc.what)
		for _, name := range tc.names {
			files := found[name]
			if tc.record != "" {
				assert.Contains(t, files, tc.record, "%s %s", tc.what, name)
			}
			for _, file := range files {
				if file != tc.record && !slices.Contains(tc.also[name], file) {
					t.Errorf("the %s %q is in %s too", tc.what, name, file)
				}
			}
		}
	}
}

// literals are the strings of product code, with the files that have them.
func literals(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, dir := range product {
		require.NoError(t, fs.WalkDir(os.DirFS(root), dir, func(name string, _ fs.DirEntry, err error) error {
			if err != nil || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path.Join(root, name), nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				lit, ok := n.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					return true
				}
				if text, err := strconv.Unquote(lit.Value); err == nil && !slices.Contains(found[text], name) {
					found[text] = append(found[text], name)
				}
				return true
			})
			return nil
		}))
	}
	require.NotEmpty(t, found)
	return found
}
