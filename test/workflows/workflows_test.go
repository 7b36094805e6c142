// Package workflows checks the GitHub workflows, and the configuration of the bot that updates
// dependencies, without GitHub.
package workflows

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/test/pages"
)

const root = "../.."

func workflowFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// actionlint runs the version that is pinned in hack/lint/files.
func actionlint(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"tool", "-modfile=hack/lint/files/go.mod", "actionlint"}, args...)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestActionlint(t *testing.T) {
	for _, file := range workflowFiles(t) {
		name, err := filepath.Rel(root, file)
		require.NoError(t, err)
		found, err := actionlint(t, name)
		assert.NoError(t, err, found)
	}
}

// TestActionlintPages checks the workflows that the documentation shows.
func TestActionlintPages(t *testing.T) {
	found := 0
	for _, page := range pages.All(t, root) {
		for _, b := range pages.Blocks(t, page) {
			if b.Language != "yaml" || !strings.HasPrefix(b.Text, "on:\n") {
				continue
			}
			found++
			file := filepath.Join(t.TempDir(), "workflow.yml")
			require.NoError(t, os.WriteFile(file, []byte(b.Text), 0o644))
			out, err := actionlint(t, file)
			assert.NoError(t, err, "%s:%d: %s", page, b.Line, out)
		}
	}
	assert.NotZero(t, found, "no workflow was found; does the pattern still fit?")
}

// TestActionlintFinds shows that TestActionlint can fail.
func TestActionlintFinds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "wrong.yml")
	require.NoError(t, os.WriteFile(file, []byte("on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    needs: two\n    steps:\n      - run: make\n"), 0o644))
	found, err := actionlint(t, file)
	require.Error(t, err)
	assert.Contains(t, found, `needs job "two" which does not exist`)
}

var (
	makeRun       = regexp.MustCompile(`run: make ([a-z0-9 -]+)`)
	matrixTargets = regexp.MustCompile(`(?m)^ +target: \[(.*)\]$`)
)

// TestMakeTargets checks that the Makefile has every target that a workflow uses.
func TestMakeTargets(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	made := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9-]+):`).FindAllStringSubmatch(string(makefile), -1) {
		made[m[1]] = true
	}
	found := 0
	for _, file := range workflowFiles(t) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var targets []string
		for _, m := range makeRun.FindAllStringSubmatch(string(data), -1) {
			targets = append(targets, strings.Fields(m[1])...)
		}
		if m := matrixTargets.FindStringSubmatch(string(data)); m != nil {
			targets = append(targets, strings.Split(m[1], ", ")...)
		}
		for _, target := range targets {
			found++
			assert.True(t, made[target], "%s makes %s, which the Makefile lacks", file, target)
		}
	}
	assert.NotZero(t, found, "no target was found; does the pattern still fit?")
}

// TestRenovate checks that the managers of renovate.json find the version and the publisher of
// every component.
func TestRenovate(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, ".github", "renovate.json"))
	require.NoError(t, err)
	var config struct {
		CustomManagers []struct {
			ManagerFilePatterns []string
			MatchStrings        []string
		}
	}
	require.NoError(t, json.Unmarshal(data, &config))
	require.NotEmpty(t, config.CustomManagers)
	components, err := filepath.Glob(filepath.Join(root, "specs", "catalog", "components", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, components)
	for _, file := range components {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if regexp.MustCompile(`(?m)^follows: `).Match(text) {
			continue // it has the version of another component
		}
		found := map[string]string{}
		for _, manager := range config.CustomManagers {
			for _, pattern := range manager.ManagerFilePatterns {
				name, err := filepath.Rel(root, file)
				require.NoError(t, err)
				if !regexp.MustCompile(strings.Trim(pattern, "/")).MatchString(filepath.ToSlash(name)) {
					continue
				}
				for _, expr := range manager.MatchStrings {
					re := regexp.MustCompile(expr)
					if m := re.FindStringSubmatch(string(text)); m != nil {
						for i, group := range re.SubexpNames() {
							found[group] = m[i]
						}
					}
				}
			}
		}
		assert.NotEmpty(t, found["currentValue"], "%s: no version", file)
		assert.Regexp(t, `^[^/]+/[^/]+$`, found["depName"], "%s: no publisher", file)
	}
}

// TestRenovateCommands checks that what Renovate runs for a pull request is a make target, and that
// the workflow allows it.
func TestRenovateCommands(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, ".github", "renovate.json"))
	require.NoError(t, err)
	var config struct {
		PackageRules []struct {
			MatchPackageNames []string
			Versioning        string
			PostUpgradeTasks  struct{ Commands []string }
		}
	}
	require.NoError(t, json.Unmarshal(data, &config))
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	workflow, err := os.ReadFile(filepath.Join(root, ".github", "workflows", "update.yml"))
	require.NoError(t, err)
	allowed := regexp.MustCompile(`RENOVATE_ALLOWED_COMMANDS: (\S.*)`).FindStringSubmatch(string(workflow))
	require.NotNil(t, allowed)
	ran := 0
	for _, rule := range config.PackageRules {
		for _, command := range rule.PostUpgradeTasks.Commands {
			ran++
			target, ok := strings.CutPrefix(command, "make ")
			require.True(t, ok, command)
			assert.Contains(t, string(makefile), "\n"+target+":")
			assert.Regexp(t, allowed[1], command)
			assert.NotRegexp(t, allowed[1], command+"; true")
		}
		if pattern, ok := strings.CutPrefix(rule.Versioning, "regex:"); ok {
			for version, valid := range map[string]bool{"v1.36.4+k3s1": true, "v1.36.4+k0s.0": true, "v1.37.0-rc1+k3s1": false, "v1.37.0-rc.0+k0s.0": false, "v1.36.4": false} {
				assert.Equal(t, valid, regexp.MustCompile(pattern).MatchString(version), version)
			}
			ran++
		}
	}
	assert.Equal(t, 2, ran, "a command and a pattern for versions")
}

// TestFrontendLabels checks that the released frontend image has the same labels as the one that is
// built here.
func TestFrontendLabels(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, ".goreleaser.yaml"))
	require.NoError(t, err)
	var config struct {
		Kos []struct{ Labels map[string]string }
	}
	require.NoError(t, yaml.Unmarshal(data, &config))
	require.Len(t, config.Kos, 1)
	released := config.Kos[0].Labels
	assert.NotEmpty(t, released["org.opencontainers.image.version"])
	delete(released, "org.opencontainers.image.version")

	script, err := os.ReadFile(filepath.Join(root, "hack", "frontend.sh"))
	require.NoError(t, err)
	built := map[string]string{}
	for _, m := range regexp.MustCompile(`--label '?([^=\s]+)=([^'\s]+)`).FindAllStringSubmatch(string(script), -1) {
		built[m[1]] = m[2]
	}
	assert.Len(t, built, 4)
	assert.Equal(t, built, released)
}
