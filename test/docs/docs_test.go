// Package docs checks the documentation: specs in it resolve, and its links work.
package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/matrix"
	"github.com/flavorkit/flavorkit/test/pages"
	"github.com/flavorkit/flavorkit/test/spectest"
)

const root = "../.."

// block is a piece of YAML in a page. One with a title is a file that others on the page extend; a
// title with a directory is the spec of a named context.
type block struct{ pages.Block }

// blocks returns the YAML of a page.
func blocks(t *testing.T, page string) []block {
	t.Helper()
	var all []block
	for _, b := range pages.Blocks(t, page) {
		if b.Language == "yaml" {
			all = append(all, block{b})
		}
	}
	return all
}

// whole reports whether the block is a whole spec.
func (b block) whole() bool {
	return b.Title == "" && (strings.HasPrefix(b.Text, "extends:") || strings.HasPrefix(b.Text, "# syntax="))
}

// matrix reports whether the block is a matrix file.
func (b block) matrix() bool { return strings.HasPrefix(b.Text, "entries:") }

// TestSpecs resolves every whole spec and every matrix of the documentation.
func TestSpecs(t *testing.T) {
	found := 0
	for _, page := range pages.All(t, root) {
		all := blocks(t, page)
		dir := t.TempDir()
		contexts := map[string]string{}
		for _, b := range all {
			if b.Title == "" {
				continue
			}
			file := filepath.Join(dir, b.Title)
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, []byte(b.Text), 0o644))
			if name := filepath.Dir(b.Title); name != "." {
				contexts[name] = filepath.Join(dir, name)
			}
		}
		for _, b := range all {
			if b.matrix() {
				checkMatrix(t, b, page, dir)
			}
			if !b.whole() {
				continue
			}
			found++
			file := filepath.Join(dir, "kairos.spec")
			require.NoError(t, os.WriteFile(file, []byte(b.Text), 0o644))
			resolved := 0
			for _, arch := range catalog.Names(spectest.Catalog(t).Archs) {
				_, err := local.Plan(t.Context(), local.Options{File: file, Arch: arch, Contexts: contexts})
				if err != nil && strings.Contains(err.Error(), " has no "+arch+"; it has ") {
					continue // a board has one architecture
				}
				assert.NoError(t, err, "%s:%d for %s", page, b.Line, arch)
				resolved++
			}
			assert.NotZero(t, resolved, "%s:%d is for no architecture", page, b.Line)
		}
	}
	assert.NotZero(t, found, "no spec was found; does the pattern still fit?")
}

// checkMatrix resolves every entry of a matrix.
func checkMatrix(t *testing.T, b block, page, dir string) {
	t.Helper()
	entries, err := matrix.Read(&specs.Source{Name: "edge.yaml", Data: []byte(b.Text)}, matrix.Options{FlavorVersion: matrix.DefaultVersion, Flavors: spectest.Catalog(t).FlavorNames(), Archs: catalog.Names(spectest.Catalog(t).Archs)})
	require.NoError(t, err, "%s:%d", page, b.Line)
	for _, c := range entries {
		_, err := local.PlanSource(t.Context(), c.Spec, local.Options{File: filepath.Join(dir, c.Spec.Name), Arch: c.Arch})
		assert.NoError(t, err, "%s:%d: %s", page, b.Line, c.Name)
	}
}

// TestCloudConfigs reads every whole cloud-config of the documentation, as a build reads that of a
// medium.
func TestCloudConfigs(t *testing.T) {
	found := 0
	for _, page := range pages.All(t, root) {
		for _, b := range blocks(t, page) {
			if !strings.HasPrefix(b.Text, "#cloud-config\n") {
				continue
			}
			found++
			_, err := specs.ReadMachineConfig(&specs.Source{Name: filepath.Base(page), Data: []byte(b.Text)})
			assert.NoError(t, err, "%s:%d", page, b.Line)
		}
	}
	assert.NotZero(t, found, "no cloud-config was found; does the pattern still fit?")
}

// TestUpstream checks that the page about upstream lists every component of the catalog, with its
// version.
func TestUpstream(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "upstream.md"))
	require.NoError(t, err)
	components := spectest.Catalog(t).Components
	require.NotEmpty(t, components)
	for name, c := range components {
		version := c.Version
		if c.Follows != "" {
			version = "that of " + c.Follows
		}
		assert.Contains(t, string(page), "| `"+name+"` | "+version+" |")
	}
}

// TestModuleClasses checks that the page about size lists every class of kernel modules that can be
// switched, with its default.
func TestModuleClasses(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "size.md"))
	require.NoError(t, err)
	cat := spectest.Catalog(t)
	word := map[bool]string{true: "on", false: "off"}
	var rows []string
	for _, name := range cat.SwitchedModules() {
		class := cat.Modules[name]
		var models []string
		for _, model := range catalog.Names(class.Root.Models) {
			assert.NotEqual(t, class.Root.Default, class.Root.Models[model], "%s: %s differs from nothing", name, model)
			models = append(models, "`"+model+"`")
		}
		row := word[class.Root.Default]
		if len(models) > 0 {
			row += "; " + word[!class.Root.Default] + " for " + strings.Join(models, ", ")
		}
		rows = append(rows, "`"+name+"` | "+class.Title+" | "+row)
	}
	var listed []string
	for _, m := range classRow.FindAllStringSubmatch(string(page), -1) {
		listed = append(listed, m[1]+" | "+m[2])
	}
	assert.Equal(t, rows, listed)
}

// classRow is a class of kernel modules, with its title and its default.
var classRow = regexp.MustCompile(`(?m)^\| (` + "`[a-z-]+`" + ` \| [^|]*) \| [0-9]+ \| [0-9.]+ \| (.*) \|$`)

// TestDemo checks that the README shows the spec that make demo builds.
func TestDemo(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	demo, err := os.ReadFile(filepath.Join(root, "testdata", "demo", "kairos.spec"))
	require.NoError(t, err)
	assert.Contains(t, string(readme), "```yaml\n"+string(demo)+"```\n")
}

var link = regexp.MustCompile(`\]\(([^)#:\s]*)(#[^)\s]*)?\)`)

// TestLinks checks the links between pages, and from pages to the code.
func TestLinks(t *testing.T) {
	for _, page := range pages.All(t, root) {
		data, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(data), -1) {
			target := page
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(page), m[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			if m[2] != "" {
				text, err := os.ReadFile(target)
				require.NoError(t, err)
				assert.Contains(t, anchors(string(text)), m[2], "%s links to %s%s", page, m[1], m[2])
			}
		}
	}
}

var heading = regexp.MustCompile(`(?m)^#+ (.*)$`)

// anchors returns the anchors that GitHub gives the headings of a page.
func anchors(page string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case strings.ContainsRune("`.,:;()[]/'\"?!=#&*", r):
				return -1
			default:
				return r
			}
		}, strings.ToLower(m[1]))
		all = append(all, "#"+name)
	}
	return all
}

var (
	contract = regexp.MustCompile(`contract \(?([0-9]+(?:\.[0-9]+)?)`)
	section  = regexp.MustCompile(`(?m)^##+ ([0-9]+(?:\.[0-9]+)?) `)
)

// TestContract checks that the page about the image contract has every section that a comment
// refers to, as in "contract 1.12".
func TestContract(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "dev", "image-contract.md"))
	require.NoError(t, err)
	sections := map[string]bool{}
	for _, m := range section.FindAllStringSubmatch(string(page), -1) {
		sections[m[1]] = true
	}
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "cmd", "client", "frontend", "internal", "llb", "plan", "specs")
	cmd.Dir = root
	files, err := cmd.Output()
	require.NoError(t, err)
	found := 0
	for _, name := range strings.Fields(string(files)) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // removed, and not yet committed
		}
		require.NoError(t, err)
		for _, m := range contract.FindAllStringSubmatch(string(text), -1) {
			found++
			assert.True(t, sections[m[1]], "%s refers to contract %s, which docs/dev/image-contract.md lacks", name, m[1])
		}
	}
	assert.Greater(t, found, 50, "no reference was found; does the pattern still fit?")
}
