// Package floors checks which package imports which.
package floors

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/flavorkit/flavorkit"

// order lists the top-level directories with product code, from the top down. A package may import
// packages of its directory and of those below.
var order = []string{"cmd", "client", "frontend", "llb", "plan", "specs", "internal"}

// unstable are BuildKit's packages without a stable API, including subpackages. The packages
// solver/pb and solver/errdefs are part of its API.
var unstable = []string{"cache", "control", "executor", "solver", "worker", "cmd/buildkitd", "snapshot", "source", "frontend/dockerfile"}

var stable = []string{"solver/pb", "solver/errdefs"}

// dockerfile are the packages that read a Dockerfile, which only the starter does.
var dockerfile = []string{"frontend/dockerfile/instructions", "frontend/dockerfile/parser", "frontend/dockerfile/shell"}

type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// room is the top-level directory of a package of this module, or "".
func room(importPath string) string {
	rest, ok := strings.CutPrefix(importPath, module+"/")
	if !ok {
		return ""
	}
	top, _, _ := strings.Cut(rest, "/")
	return top
}

func list(t *testing.T) []pkg {
	t.Helper()
	args := []string{"list", "-json=ImportPath,Imports,Deps"}
	for _, dir := range order {
		args = append(args, "../../"+dir+"/...")
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("go list: %s", exit.Stderr)
	}
	require.NoError(t, err)
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
	require.NotEmpty(t, all)
	return all
}

func TestImportsGoDown(t *testing.T) {
	floor := map[string]int{}
	for i, name := range order {
		floor[name] = len(order) - i
	}
	for _, p := range list(t) {
		for _, imported := range p.Imports {
			to := room(imported)
			if to == "" || to == room(p.ImportPath) {
				continue
			}
			if floor[to] == 0 {
				t.Errorf("%s imports %s: product code does not import %s/", p.ImportPath, imported, to)
			} else if floor[to] > floor[room(p.ImportPath)] {
				t.Errorf("%s imports %s: the order is %s", p.ImportPath, imported, strings.Join(order, ", "))
			}
		}
	}
}

func TestLanguageAndPlanDoNotKnowBuildKit(t *testing.T) {
	for _, p := range list(t) {
		if r := room(p.ImportPath); r != "specs" && r != "plan" {
			continue
		}
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, "github.com/moby/buildkit") {
				t.Errorf("%s depends on %s", p.ImportPath, dep)
			}
		}
	}
}

func TestOnlyTheEngineImportsUnstableBuildKit(t *testing.T) {
	engine, starter := path.Join(module, "client/engine"), path.Join(module, "client/starter")
	found := 0
	for _, p := range list(t) {
		for _, imported := range p.Imports {
			rest, ok := strings.CutPrefix(imported, "github.com/moby/buildkit/")
			if !ok || below(rest, stable) || !below(rest, unstable) {
				continue
			}
			if p.ImportPath == starter && below(rest, dockerfile) {
				continue
			}
			found++
			if p.ImportPath != engine {
				t.Errorf("%s imports %s, which has no stable API", p.ImportPath, imported)
			}
		}
	}
	require.NotZero(t, found, "the engine imports none: is the list of packages still right?")
}

func below(name string, parents []string) bool {
	for _, parent := range parents {
		if name == parent || strings.HasPrefix(name, parent+"/") {
			return true
		}
	}
	return false
}
