package plan

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Change is a difference between two plans or two lock files.
type Change struct {
	// What has changed, such as package curl (userland).
	What string `json:"what"`
	// Old and New values; empty for what was not there, or is not there any more.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
}

// String is a line for people.
func (c Change) String() string {
	switch {
	case c.Old == "":
		return "+ " + c.What + " " + c.New
	case c.New == "":
		return "- " + c.What + " " + c.Old
	default:
		return "~ " + c.What + " " + c.Old + " → " + c.New
	}
}

// Changes compares values by name, and returns the changes by name.
func Changes(old, current map[string]string) []Change {
	names := slices.Collect(maps.Keys(old))
	names = slices.AppendSeq(names, maps.Keys(current))
	slices.Sort(names)
	var all []Change
	for _, name := range slices.Compact(names) {
		if old[name] != current[name] {
			all = append(all, Change{name, old[name], current[name]})
		}
	}
	return all
}

// Diff compares two plans: what is in the systems, and not how they are built.
func Diff(old, current *Plan) []Change { return Changes(old.values(), current.values()) }

// values are everything that users see of a system, by name.
func (p *Plan) values() map[string]string {
	all := map[string]string{
		"version": p.Version, "variant": p.Variant, "architecture": p.Arch, "model": p.Model, "name of the image": p.Image,
		"distribution": p.Userland.Distro, "base image": p.Userland.Base, "kernel of": p.Kernel.Distro, "init": p.System.Init,
	}
	if own := p.Kernel.Own; own != nil {
		all["kernel of"] = strings.TrimSpace(own.Image + " " + own.Context)
	}
	for _, s := range p.Stages() {
		for _, pkg := range s.Install.Packages {
			version := pkg.Version
			if version == "" {
				version = "newest"
			}
			all["package "+pkg.Name+" ("+s.Name+")"] = version
		}
	}
	for _, c := range p.Components {
		all["component "+c.Name] = c.Version
	}
	for _, e := range p.Extensions {
		for _, c := range e.Components {
			all["component "+c.Name+" (extension "+e.Name+")"] = c.Version
		}
	}
	for service, where := range p.System.Enable {
		all["service "+service] = "in " + strings.Join(where, ", ")
	}
	for _, service := range p.System.Mask {
		all["service "+service] = "masked"
	}
	for _, name := range p.System.Overlays {
		all["files of the catalog: "+name] = "there"
	}
	for _, f := range p.Files {
		all["file "+f.Path] = strings.TrimSpace(f.String() + " " + f.Mode + " " + f.Owner)
	}
	if !p.CloudConfig.IsZero() {
		all["cloud-config"] = p.CloudConfig.String()
	}
	for way, args := range map[string][]string{"installed": p.CommandLine.Installed, "live": p.CommandLine.Live, "network": p.CommandLine.Network} {
		for _, arg := range args {
			all["kernel argument "+arg+" ("+way+")"] = "there"
		}
	}
	return all
}

// String says where content comes from, or the checksum of a text.
func (c Content) String() string {
	switch {
	case c.Context != "":
		return "from " + c.From + " of " + c.Context
	case c.From != "":
		return "from " + c.From
	default:
		return fmt.Sprintf("text %.4x", sha256.Sum256([]byte(c.Text)))
	}
}
