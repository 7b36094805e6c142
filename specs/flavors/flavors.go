// Package flavors holds the support matrix: one short spec for each flavor,
// which users name in extends.
package flavors

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
)

//go:embed *.spec
var files embed.FS

const extension = ".spec"

// Names returns the names of all flavors, sorted.
func Names() []string {
	matches, err := fs.Glob(files, "*"+extension)
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for i, m := range matches {
		matches[i] = strings.TrimSuffix(m, extension)
	}
	slices.Sort(matches)
	return matches
}

// Read returns the spec of a flavor.
func Read(name string) ([]byte, bool) {
	data, err := files.ReadFile(name + extension)
	return data, err == nil
}
