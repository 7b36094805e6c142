// Package lock has the lock file: the images, packages and downloads of builds, to the byte. A
// build that finds all of its inputs in the lock takes the same bytes on every day.
package lock

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// Name of the lock file of a spec, which is beside it.
func Name(spec string) string {
	base := path.Base(spec)
	if path.Ext(base) == "" { // standard input, or the text of a bake file
		base = specs.DefaultName
	}
	return path.Join(path.Dir(spec), strings.TrimSuffix(base, path.Ext(base))+".lock")
}

// Version of the format.
const Version = 1

// Predicate is the type of in-toto statements that have a lock file in JSON, of exactly what they are
// about.
const Predicate = "https://github.com/flavorkit/flavorkit/lock/v1"

// File is a lock file. It is for one spec and several architectures.
type File struct {
	// Version of the format.
	Version int `yaml:"version" json:"version"`
	// Images by name and architecture.
	Images []Image `yaml:"images,omitempty" json:"images,omitempty"`
	// Downloads are files that the publisher has a list of checksums for.
	Downloads []Download `yaml:"downloads,omitempty" json:"downloads,omitempty"`
	// Stages install packages.
	Stages []Stage `yaml:"stages,omitempty" json:"stages,omitempty"`
	// Archives of packages by distribution and ID.
	Archives map[string]map[string]Archive `yaml:"archives,omitempty" json:"archives,omitempty"`

	// at tells where a value is in the file that was read.
	at func(key string) specs.Range
}

// Image is a container image.
type Image struct {
	Name string `yaml:"name" json:"name"`
	// Arch as Go names it.
	Arch string `yaml:"arch" json:"arch"`
	// Digest of the image in its registry: that of the index, if it has several architectures.
	// Empty for an image that is only in a named context.
	Digest string `yaml:"digest,omitempty" json:"digest,omitempty"`
	// Layers is the chain ID of the unpacked layers (OCI image-spec, config.md). It also identifies
	// an image of a named context.
	Layers string `yaml:"layers" json:"layers"`
}

// Download is a file.
type Download struct {
	// Arch of the system that needs it.
	Arch   string `yaml:"arch" json:"arch"`
	URL    string `yaml:"url" json:"url"`
	SHA256 string `yaml:"sha256" json:"sha256"`
}

// Request is what a package manager was asked for. The answer is of no use to another request.
type Request struct {
	Distro string `yaml:"distro" json:"distro"`
	// Arch as Go names it.
	Arch string `yaml:"arch" json:"arch"`
	// Base is the image that the packages are installed into.
	Base string `yaml:"base" json:"base"`
	// Extract is true when files are taken out of the packages instead.
	Extract bool `yaml:"extract,omitempty" json:"extract,omitempty"`
	// Areas of the archive that are enabled in addition to those of the base image.
	Areas []string `yaml:"areas,omitempty" json:"areas,omitempty"`
	// Repositories are the URLs of third-party repositories.
	Repositories []string `yaml:"repositories,omitempty" json:"repositories,omitempty"`
	// Packages as in a spec, with "=" before a version.
	Packages []string `yaml:"packages" json:"packages"`
}

// Stage is a request and its answer.
type Stage struct {
	// Stage is its name, for people.
	Stage   string `yaml:"stage" json:"stage"`
	Request `yaml:",inline" json:",inline"`
	// Archives are IDs.
	Archives []string `yaml:"archives" json:"archives"`
}

// Move is the stage with the named packages of a newer answer to its request. All others are as they
// were; those that only the newer answer has are taken for new dependencies.
func (s Stage) Move(newer Stage, named func(name string) bool) Stage {
	had := map[string]bool{}
	moved := s
	moved.Archives = nil
	for _, id := range s.Archives {
		name, _, arch := SplitID(id)
		had[name+"/"+arch] = true
		if !named(name) {
			moved.Archives = append(moved.Archives, id)
		}
	}
	for _, id := range newer.Archives {
		if name, _, arch := SplitID(id); named(name) || !had[name+"/"+arch] {
			moved.Archives = append(moved.Archives, id)
		}
	}
	return moved
}

// Archive is the file of a package.
type Archive struct {
	URL    string `yaml:"url" json:"url"`
	SHA256 string `yaml:"sha256" json:"sha256"`
	// Seen is a day on which the repository had it, such as 2026-11-27, if there are snapshots of the
	// repository.
	Seen string `yaml:"seen,omitempty" json:"seen,omitempty"`
}

// ID of an archive among those of a distribution, such as libc6/2.36-9/amd64.
func ID(name, version, arch string) string { return name + "/" + version + "/" + arch }

// SplitID returns what an ID is made of.
func SplitID(id string) (name, version, arch string) {
	name, rest, _ := strings.Cut(id, "/")
	version, arch, _ = strings.Cut(rest, "/")
	return name, version, arch
}

// RequestOf is what a stage asks for. arch is the architecture of the packages.
func RequestOf(in plan.Install, arch string, extract bool) Request {
	r := Request{Distro: in.Distro, Arch: arch, Base: in.Base, Extract: extract, Areas: in.Areas}
	for _, repository := range in.Repositories {
		r.Repositories = append(r.Repositories, repository.URL)
	}
	for _, p := range in.Packages {
		r.Packages = append(r.Packages, p.String())
	}
	return r
}

func (r Request) equal(other Request) bool {
	return r.similar(other) && slices.Equal(r.Packages, other.Packages)
}

// similar reports whether the requests differ in their packages at most.
func (r Request) similar(other Request) bool {
	return r.Distro == other.Distro && r.Arch == other.Arch && r.Base == other.Base && r.Extract == other.Extract &&
		slices.Equal(r.Areas, other.Areas) && slices.Equal(r.Repositories, other.Repositories)
}

// Diagnose returns a mistake that points at a value of the file, such as archives.debian-12.curl.
func (f *File) Diagnose(rule rules.Rule, key, hint, format string, args ...any) specs.Diagnostic {
	return specs.Diagnostic{Rule: rule, Range: f.at(key), Key: key, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// OtherImage is the mistake that an image is not the one of the lock.
func (f *File) OtherImage(img Image) error {
	i := slices.Index(f.Images, img)
	return specs.Diagnostics{f.Diagnose(rules.LockMismatch, fmt.Sprintf("images[%d]", i), "pass the one that was locked, or write the lock again with flavorkit lock --update",
		"%s for %s is another image than the one that was locked", img.Name, img.Arch)}
}

// Image finds an image.
func (f *File) Image(name, arch string) (Image, bool) {
	if f == nil {
		return Image{}, false
	}
	i := slices.IndexFunc(f.Images, func(img Image) bool { return img.Name == name && img.Arch == arch })
	if i < 0 {
		return Image{}, false
	}
	return f.Images[i], true
}

// Download finds the checksum of a file; empty when the lock does not have it.
func (f *File) Download(url string) string {
	if f == nil {
		return ""
	}
	for _, d := range f.Downloads {
		if d.URL == url {
			return d.SHA256
		}
	}
	return ""
}

// Has reports whether a stage has a package.
func (f *File) Has(name string) bool {
	if f == nil {
		return false
	}
	for _, s := range f.Stages {
		for _, id := range s.Archives {
			if n, _, _ := SplitID(id); n == name {
				return true
			}
		}
	}
	return false
}

// Names are the packages that the stages of a distribution have, sorted.
func (f *File) Names(distro string) (names []string) {
	if f == nil {
		return nil
	}
	for _, s := range f.Stages {
		for _, id := range s.Archives {
			if name, _, _ := SplitID(id); s.Distro == distro {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Find finds the answer to a request.
func (f *File) Find(r Request) (Stage, bool) {
	if f == nil {
		return Stage{}, false
	}
	i := slices.IndexFunc(f.Stages, func(s Stage) bool { return s.Request.equal(r) })
	if i < 0 {
		return Stage{}, false
	}
	return f.Stages[i], true
}

// Changed tells how a request differs from the most similar one of the lock: packages that the lock
// does not have, and those that nothing asks for anymore. ok is false when there is no similar one.
func (f *File) Changed(r Request) (added, removed []string, ok bool) {
	for _, s := range f.Stages {
		if !s.Request.similar(r) {
			continue
		}
		a, b := without(r.Packages, s.Packages), without(s.Packages, r.Packages)
		if !ok || len(a)+len(b) < len(added)+len(removed) {
			added, removed, ok = a, b, true
		}
	}
	return added, removed, ok
}

func without(list, others []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(others, s) })
}

// Keep adds what an older lock of the same spec has for other architectures.
func (f *File) Keep(old *File, archs []string) {
	if old == nil {
		return
	}
	others := &File{Archives: old.Archives}
	for _, img := range old.Images {
		if !slices.Contains(archs, img.Arch) {
			others.Images = append(others.Images, img)
		}
	}
	for _, d := range old.Downloads {
		if !slices.Contains(archs, d.Arch) {
			others.Downloads = append(others.Downloads, d)
		}
	}
	for _, s := range old.Stages {
		if !slices.Contains(archs, s.Arch) {
			others.Stages = append(others.Stages, s)
		}
	}
	f.Merge(others)
}

// Merge adds what another lock has. Both are for the same spec.
func (f *File) Merge(other *File) {
	for _, img := range other.Images {
		if _, ok := f.Image(img.Name, img.Arch); !ok {
			f.Images = append(f.Images, img)
		}
	}
	for _, d := range other.Downloads {
		if f.Download(d.URL) == "" {
			f.Downloads = append(f.Downloads, d)
		}
	}
	for _, s := range other.Stages {
		if _, ok := f.Find(s.Request); !ok {
			f.Add(s, other.Archives[s.Distro])
		}
	}
}

// Add adds a stage with its archives, of which there may be more.
func (f *File) Add(s Stage, archives map[string]Archive) {
	f.Stages = append(f.Stages, s)
	if f.Archives == nil {
		f.Archives = map[string]map[string]Archive{}
	}
	if f.Archives[s.Distro] == nil {
		f.Archives[s.Distro] = map[string]Archive{}
	}
	for _, id := range s.Archives {
		f.Archives[s.Distro][id] = archives[id]
	}
}

// Archive is an archive by its ID; empty if the file does not have it. A nil file has none.
func (f *File) Archive(distro, id string) Archive {
	if f == nil {
		return Archive{}
	}
	return f.Archives[distro][id]
}

// Sort brings everything in an order that does not depend on how the lock was made.
func (f *File) Sort() {
	slices.SortFunc(f.Images, func(a, b Image) int { return strings.Compare(a.Name+" "+a.Arch, b.Name+" "+b.Arch) })
	slices.SortFunc(f.Downloads, func(a, b Download) int { return strings.Compare(a.URL, b.URL) })
	id := func(s Stage) string {
		return strings.Join([]string{s.Distro, s.Arch, s.Stage, s.Base, strings.Join(s.Packages, " ")}, "\n")
	}
	slices.SortFunc(f.Stages, func(a, b Stage) int { return strings.Compare(id(a), id(b)) })
	for i := range f.Stages {
		slices.Sort(f.Stages[i].Archives)
	}
}

// Summary counts what the lock has.
func (f *File) Summary() string {
	archives := 0
	for _, a := range f.Archives {
		archives += len(a)
	}
	return fmt.Sprintf("%d packages, %d images, %d downloads", archives, len(f.Images), len(f.Downloads))
}

const header = `# The images, packages and downloads of a spec, to the byte. Written by flavorkit lock.
# Commit it, and do not edit it.
`

// Text is the file as it is written.
func (f *File) Text() ([]byte, error) {
	f.Sort()
	text, err := yaml.Dump(f)
	return append([]byte(header), text...), err
}
