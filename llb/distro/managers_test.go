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

// reads finds the variables in the comment at the top of a script.
var reads = regexp.MustCompile(`(?m)^# (FLAVORKIT_[A-Z_]+)`)

// TestManagers checks that every package manager has a script, with the same features in its
// comment as in the record.
func TestManagers(t *testing.T) {
	files := []string{"common.sh", "installed.sh", "key.sh", "trust.sh"}
	for _, m := range catalog.Managers() {
		t.Run(m.Name, func(t *testing.T) {
			files = append(files, m.Name+".sh", m.Name+"-index.sh", m.Name+"-resolve.sh")
			if m.Extract {
				files = append(files, m.Name+"-take.sh")
			}
			s, err := script(m.Name)
			require.NoError(t, err)
			want := []string{"FLAVORKIT_CACHE", "FLAVORKIT_ARCHIVES", "FLAVORKIT_REPOSITORIES", "FLAVORKIT_SECRETS", "FLAVORKIT_PRIVATE",
				"FLAVORKIT_MIRRORS", "FLAVORKIT_KEEP_MIRRORS", "FLAVORKIT_CA", "FLAVORKIT_CA_BUNDLE"}
			for name, can := range map[string]bool{
				"FLAVORKIT_AREAS":             m.Areas,
				"FLAVORKIT_EXCLUDE":           m.Exclude != catalog.NoPaths,
				"FLAVORKIT_SKIP_REPOSITORIES": m.SkipRepositories,
				"FLAVORKIT_REMOVE_USERS":      m.RemoveUsers,
				"FLAVORKIT_CA_DIRECTORY":      m.TrustsImage,
				"FLAVORKIT_CA_UPDATE":         m.TrustsImage,
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
			assert.NotNil(t, managers()[m.Name].repositories.files)
		})
	}
	have, err := fs.Glob(scripts, "*.sh")
	require.NoError(t, err)
	assert.ElementsMatch(t, files, have)
	assert.True(t, slices.IsSorted(catalog.ManagerNames()))
	_, err = script("pacman")
	assert.ErrorContains(t, err, `no package manager is called "pacman"`)
}

// TestPins checks how each package manager gets a version.
func TestPins(t *testing.T) {
	for manager, want := range map[string]string{"apk": "b=2:1.0-3", "apt": "b=2:1.0-3", "dnf": "b-2:1.0-3", "zypper": "b=2:1.0-3"} {
		in := plan.Install{Manager: manager, Packages: []plan.Package{{Name: "a"}, {Name: "b", Version: "2:1.0-3"}}}
		assert.Equal(t, "a "+want, strings.Join(arguments(in, false), " "), manager)
	}
}

// TestTags has apk asked for the packages of a limited repository by its tag.
func TestTags(t *testing.T) {
	in := plan.Install{Manager: "apk", Packages: []plan.Package{{Name: "a"}, {Name: "b"}, {Name: "c", Version: "1-r0"}}, Repositories: []plan.Repository{
		{Name: "all"}, {Name: "some", Packages: []string{"b", "c"}},
	}}
	assert.Equal(t, []string{"a", "b@some", "c@some=1-r0"}, arguments(in, false))
	assert.Equal(t, []string{"a", "b", "c=1-r0"}, arguments(in, true), "nothing of the repository is left")
	in.Repositories[1].Keep = true
	assert.Equal(t, []string{"a", "b@some", "c@some=1-r0"}, arguments(in, true))
	in.Manager = "apt"
	assert.Equal(t, []string{"a", "b", "c=1-r0"}, arguments(in, false))
}
