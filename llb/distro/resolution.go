package distro

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
)

// Question is what Resolve is asked about packages.
type Question struct {
	// Purpose of the stage, as of Install and Take.
	Purpose string
	// Extract is the architecture of packages that files would be taken out of (Take), and empty for
	// an installation.
	Extract string
	// Lock is true for a lock, which needs the addresses and checksums of archives. Where the package
	// manager does not tell them, the archives are downloaded and verified for it.
	Lock bool
}

// Resolve asks a package manager, in the image that packages would be installed in, what it would
// install. The state holds what it says, for Read.
func Resolve(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, in plan.Install, q Question) (llb.State, error) {
	resolve, err := script(in.Manager + "-resolve")
	if err != nil {
		return llb.State{}, err
	}
	base, err := s.Image(ctx, in.Base)
	if err != nil {
		return llb.State{}, err
	}
	env, arch := environment(in), s.Platform().Architecture
	if q.Extract != "" {
		env["FLAVORKIT_EXTRACT"], arch = q.Extract, q.Extract
	}
	if q.Lock {
		env["FLAVORKIT_LOCK"] = "1"
	}
	access, mounts, err := reach(ctx, g, p, in)
	if err != nil {
		return llb.State{}, err
	}
	maps.Copy(env, access)
	return s.Run(prepare(s, base, in), graph.Command{
		Title:   "look up " + summary(in.Packages),
		Script:  resolve,
		Args:    append([]string{"/out"}, arguments(in, false)...),
		Env:     env,
		Network: true,
		Fresh:   true,
		Mounts:  append([]llb.RunOption{downloads(s, in, arch, q.Purpose)}, mounts...),
		Explain: func(code uint32) error { return explain(p, in, code) },
	}).AddMount("/out", llb.Scratch()), nil
}

// Answer is the file that every script writes.
const Answer = "resolved"

// Package is one that would be installed.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Arch as the package manager names it.
	Arch string `json:"arch"`
	// Size of the archive in bytes; -1 when the package manager does not tell.
	Size int64 `json:"size"`
	// Repository as the package manager names it.
	Repository string `json:"repository"`
	// URL and SHA256 of the archive; both are empty when the package manager does not tell.
	URL    string `json:"url,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

// Missing is a package that there is not.
type Missing struct {
	plan.Package
	// Versions are those that there are instead of the one that is asked for.
	Versions []string
	// Beside are repositories that have the package, but that it is not taken from: a limited one, or
	// one that the image has disabled. They are as the package manager names them, or urls.
	Beside []string
}

// Resolution is the answer of a package manager.
type Resolution struct {
	Packages []Package
	// Size of all archives in bytes; -1 when the package manager does not tell.
	Size    int64
	Missing []Missing
	// Names are all that the repositories have. Known only when something is missing.
	Names []string
}

// Read reads the answer for an installation. open returns a file that the script has written, and
// nothing for one that it has not.
func Read(in plan.Install, open func(name string) ([]byte, error)) (*Resolution, error) {
	m, ok := managers()[in.Manager]
	if !ok {
		return nil, errors.Errorf("nothing reads the answers of %q", in.Manager)
	}
	files := map[string]string{}
	for _, name := range m.resolve.files {
		data, err := open(name)
		if err != nil {
			return nil, errors.Wrapf(err, "read what %s says about packages", in.Manager)
		}
		files[name] = string(data)
	}
	r, err := m.resolve.read(files, in.Packages)
	if err != nil {
		return nil, errors.Wrapf(err, "read what %s says about packages", in.Manager)
	}
	if r.Size == 0 {
		r.Size = total(r.Packages)
	}
	slices.SortFunc(r.Packages, func(a, b Package) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Arch, b.Arch), strings.Compare(a.Version, b.Version))
	})
	slices.Sort(r.Names)
	r.Names = slices.Compact(r.Names)
	return r, nil
}

// total is the size of packages; -1 when that of one is unknown.
func total(packages []Package) int64 {
	var sum int64
	for _, p := range packages {
		if p.Size < 0 {
			return -1
		}
		sum += p.Size
	}
	return sum
}

// reader reads the answers of a package manager, which its script has written to files.
type reader struct {
	files []string
	read  func(files map[string]string, asked []plan.Package) (*Resolution, error)
}

// missing are the packages that are asked for and not in the list, in their order. Versions are
// those that there are of each name; a name that has some lacks only the version. Beside are the
// other repositories that have a name.
func missing(asked []plan.Package, absent func(plan.Package) bool, versions, beside map[string][]string) []Missing {
	var all []Missing
	for _, p := range asked {
		if absent(p) {
			m := Missing{Package: p}
			if p.Version != "" {
				m.Versions = versions[p.Name]
			}
			if len(m.Versions) == 0 {
				m.Beside = slices.Compact(slices.Sorted(slices.Values(beside[p.Name])))
			}
			all = append(all, m)
		}
	}
	return all
}
