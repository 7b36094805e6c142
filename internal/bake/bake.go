// Package bake writes the cells of a matrix as a file for docker buildx bake: a
// target a cell, and groups of them. The targets are flat. None refers to
// another, for bake would write what is shared once for each path to it
// (docker/buildx#4005); BuildKit finds out by itself what the cells share.
package bake

import (
	"encoding/json"
	"slices"
	"strings"
)

// Version stands in the specs and images of cells for the version that bake is
// asked for.
const Version = "v0.0.0-bake.version"

// Options of a bake file.
type Options struct {
	// Frontend is the image of the frontend.
	Frontend string
	// Context is the build context, and the folder of the specs that cells
	// extend, as seen from where bake runs.
	Context string
	// Registry, Version and Target are the defaults of the variables of bake.
	Registry, Version, Target string
	// Contexts are the named contexts of all targets.
	Contexts map[string]string
	// CacheFrom and CacheTo are given to all targets.
	CacheFrom, CacheTo []string
}

// Cell is what becomes a target.
type Cell struct {
	Name, Spec, Image, Arch string
	// Groups that the target is in, beside that of all.
	Groups []string
}

type file struct {
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
	Target           string            `json:"target"`
	Platforms        []string          `json:"platforms"`
	Tags             []string          `json:"tags"`
	CacheFrom        []string          `json:"cache-from,omitempty"`
	CacheTo          []string          `json:"cache-to,omitempty"`
}

// File writes the bake file of cells.
func File(cells []Cell, o Options) ([]byte, error) {
	f := file{
		Variable: map[string]variable{
			"REGISTRY": {o.Registry, "where images are pushed to"},
			"VERSION":  {o.Version, "version of what is built"},
			"TARGET":   {o.Target, "what is built: image or iso"},
		},
		Group:  map[string]group{},
		Target: map[string]target{},
	}
	for _, c := range cells {
		name := identifier(c.Name)
		f.Target[name] = target{
			Context:          o.Context,
			Contexts:         o.Contexts,
			DockerfileInline: fill("# syntax="+o.Frontend+"\n"+c.Spec, "${VERSION}"),
			Target:           "${TARGET}",
			Platforms:        []string{"linux/" + c.Arch},
			Tags:             []string{"${REGISTRY}/" + fill(c.Image, `${replace(VERSION, "+", "-")}`)},
			CacheFrom:        o.CacheFrom,
			CacheTo:          o.CacheTo,
		}
		for _, g := range slices.Compact(append([]string{"default"}, c.Groups...)) {
			g = identifier(g)
			f.Group[g] = group{append(f.Group[g].Targets, name)}
		}
	}
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(f)
	return []byte(text.String()), err
}

// fill writes a text as a template of bake, with its own expression for the
// version.
func fill(text, version string) string {
	text = strings.NewReplacer("${", "$${", "%{", "%%{").Replace(text)
	return strings.ReplaceAll(text, Version, version)
}

// identifier is a name that bake takes.
func identifier(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		default:
			return '-'
		}
	}, name)
}
