// Package bake writes a matrix as a file for docker buildx bake: one target per entry, and groups
// of targets. No target refers to another, because bake would send a shared target once for each
// path to it (docker/buildx#4005). BuildKit merges equal steps by itself.
package bake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/frontend"
)

// Version is a placeholder for the version in the specs and images of entries.
const Version = "v0.0.0-bake.version"

// Options of a bake file.
type Options struct {
	// Frontend is the image of the frontend.
	Frontend string
	// Context is the build context, and the directory of the specs that entries extend, relative to
	// the working directory of bake.
	Context string
	// Registry, Version and Target are the defaults of the variables of bake.
	Registry, Version, Target string
	// Targets are the valid values of Target.
	Targets []frontend.Target
	// Contexts are the named contexts of all targets.
	Contexts map[string]string
	// CacheFrom and CacheTo apply to all targets, with OwnName replaced by the name of the target.
	// They can use the variables of bake.
	CacheFrom, CacheTo []string
}

// OwnName is a placeholder for the name of the target in CacheFrom and CacheTo.
const OwnName = "{entry}"

// Entry is an entry of the matrix, which becomes a target.
type Entry struct {
	Name, Spec, Image, Arch string
	// Args are the build arguments of the target.
	Args map[string]string
	// Groups of the target, in addition to the group of all targets.
	Groups []string
}

// comment marks files that the next run may overwrite. Bake skips the key "//", as in the JSON
// syntax of HCL.
const comment = "written by flavorkit bake; the next run overwrites it"

type file struct {
	Comment  string              `json:"//"`
	Variable map[string]variable `json:"variable"`
	Group    map[string]group    `json:"group"`
	Target   map[string]target   `json:"target"`
}

type variable struct {
	Default     string `json:"default"`
	Description string `json:"description"`
}

type group struct {
	Targets []string `json:"targets"`
}

type target struct {
	Context          string            `json:"context"`
	Contexts         map[string]string `json:"contexts,omitempty"`
	DockerfileInline string            `json:"dockerfile-inline"`
	Args             map[string]string `json:"args,omitempty"`
	Target           string            `json:"target"`
	Platforms        []string          `json:"platforms"`
	Tags             []string          `json:"tags"`
	CacheFrom        []string          `json:"cache-from,omitempty"`
	CacheTo          []string          `json:"cache-to,omitempty"`
}

// Ours reports whether a text was written by File.
func Ours(text []byte) bool {
	var f file
	return json.Unmarshal(text, &f) == nil && f.Comment == comment
}

// all is the group of all targets, which bake builds by default.
const all = "default"

// File returns the bake file of entries.
func File(entries []Entry, o Options) ([]byte, error) {
	f := file{
		Comment: comment,
		Variable: map[string]variable{
			"REGISTRY": {o.Registry, "where images are pushed to"},
			"VERSION":  {o.Version, "version of what is built"},
			"TARGET":   {o.Target, "what is built: " + strings.Join(names(o.Targets), ", ")},
		},
		Group:  map[string]group{},
		Target: map[string]target{},
	}
	// Targets get their names first, so that they are closest to the names of entries.
	taken := identifiers{all: true}
	ids := make([]string, len(entries))
	for i, c := range entries {
		ids[i] = taken.of(c.Name)
		f.Target[ids[i]] = target{
			Context:          o.Context,
			Contexts:         o.Contexts,
			DockerfileInline: fill("# syntax="+o.Frontend+"\n"+c.Spec, "${VERSION}"),
			Args:             args(c.Args),
			Target:           "${TARGET}",
			Platforms:        []string{"linux/" + c.Arch},
			Tags:             tags(o.Targets, c.Image),
			CacheFrom:        named(o.CacheFrom, ids[i]),
			CacheTo:          named(o.CacheTo, ids[i]),
		}
	}
	f.Group[all] = group{ids}
	groups := map[string]string{} // identifiers by name
	for i, c := range entries {
		for _, name := range slices.Compact(slices.Sorted(slices.Values(c.Groups))) {
			if groups[name] == "" {
				groups[name] = taken.of(name)
			}
			id := groups[name]
			f.Group[id] = group{append(f.Group[id].Targets, ids[i])}
		}
	}
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(f)
	return []byte(text.String()), err
}

func names(targets []frontend.Target) []string {
	var all []string
	for _, t := range targets {
		all = append(all, t.Name)
	}
	return all
}

// tags returns one expression for each target that is an image. The expression for TARGET is the
// tag; the others are empty, and bake drops them. So a data image never gets the tag of the system
// image, and files get no tag.
func tags(targets []frontend.Target, image string) []string {
	var all []string
	for _, t := range targets {
		if t.IsImage() {
			tag := "${REGISTRY}/" + fill(image+t.Suffix, `${replace(VERSION, "+", "-")}`)
			all = append(all, fmt.Sprintf(`${TARGET == "%s" ? "%s" : ""}`, t.Name, tag))
		}
	}
	return all
}

// args are build arguments whose values bake takes as they are.
func args(given map[string]string) map[string]string {
	escaped := map[string]string{}
	for name, value := range given {
		escaped[name] = escape(value)
	}
	return escaped
}

// named replaces OwnName with a name.
func named(caches []string, name string) []string {
	var out []string
	for _, c := range caches {
		out = append(out, strings.ReplaceAll(c, OwnName, name))
	}
	return out
}

// fill converts a text to a template of bake, with the given expression for the version.
func fill(text, version string) string {
	return strings.ReplaceAll(escape(text), Version, version)
}

// escape keeps bake from reading a text as a template.
func escape(text string) string { return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(text) }
