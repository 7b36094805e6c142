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

//go:embed matrix.yaml
var matrix []byte

// Matrix is the matrix file of all flavors.
func Matrix() []byte { return matrix }

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
