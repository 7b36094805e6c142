package distro

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// reads finds the variables that the head of a script describes.
var reads = regexp.MustCompile(`(?m)^# (FLAVORKIT_[A-Z_]+)`)

// TestManagers has a script for every package manager, and none for another. Its
// head says the same of what it can do as the record.
func TestManagers(t *testing.T) {
	files := []string{"common.sh"}
	for _, m := range catalog.Managers() {
		t.Run(m.Name, func(t *testing.T) {
			files = append(files, m.Name+".sh")
			if m.Extract {
				files = append(files, m.Name+"-take.sh")
			}
			s, err := script(m.Name)
			require.NoError(t, err)
			want := []string{"FLAVORKIT_CACHE"}
			for name, can := range map[string]bool{
				"FLAVORKIT_AREAS":             m.Areas,
				"FLAVORKIT_EXCLUDE":           m.Exclude != catalog.NoPaths,
				"FLAVORKIT_SKIP_REPOSITORIES": m.SkipRepositories,
				"FLAVORKIT_REMOVE_USERS":      m.RemoveUsers,
			} {
				if can {
					want = append(want, name)
				}
			}
			var described []string
			for _, found := range reads.FindAllStringSubmatch(string(s.Text), -1) {
				described = append(described, found[1])
			}
			assert.ElementsMatch(t, want, described)
			assert.Equal(t, "htop", m.Package("htop", ""))
			assert.NotEqual(t, "htop", m.Package("htop", "3.2"))
		})
	}
	have, err := fs.Glob(scripts, "*.sh")
	require.NoError(t, err)
	assert.ElementsMatch(t, files, have)
	assert.True(t, slices.IsSorted(catalog.ManagerNames()))
	_, err = script("pacman")
	assert.ErrorContains(t, err, `no package manager is called "pacman"`)
}

// TestPins has each package manager asked for a version in its own words.
func TestPins(t *testing.T) {
	for manager, want := range map[string]string{"apk": "b=2:1.0-3", "apt": "b=2:1.0-3", "dnf": "b-2:1.0-3", "zypper": "b=2:1.0-3"} {
		in := plan.Install{Manager: manager, Packages: []plan.Package{{Name: "a"}, {Name: "b", Version: "2:1.0-3"}}}
		assert.Equal(t, "a "+want, strings.Join(arguments(in), " "), manager)
	}
}
