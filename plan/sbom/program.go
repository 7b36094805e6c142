package sbom

import (
	"cmp"
	"debug/buildinfo"
	"io"
	"slices"
	"strings"
)

// ReadModules reads the Go modules that a program is linked with, from what the linker writes into
// it. ok is false for a program that is not of Go, or is packed.
func ReadModules(r io.ReaderAt) (main Module, modules []Module, ok bool) {
	info, err := buildinfo.Read(r)
	if err != nil {
		return Module{}, nil, false
	}
	main = Module{Path: info.Main.Path, Version: release(info.Main.Version)}
	for _, m := range info.Deps {
		if m.Replace != nil && m.Replace.Version != "" {
			m = m.Replace
		}
		modules = append(modules, Module{m.Path, release(m.Version)})
	}
	// The standard library has no module; its version is that of Go, such as go1.26.8.
	version, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " ")
	modules = append(modules, Module{"stdlib", version})
	slices.SortFunc(modules, func(a, b Module) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Version, b.Version)) })
	return main, modules, true
}

// release is a version, or empty for that of a working copy.
func release(version string) string {
	if version == "(devel)" {
		return ""
	}
	return version
}
