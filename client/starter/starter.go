// Package starter writes first specs: from the answers to questions, from a Dockerfile that runs
// kairos-init, and from a configuration of AuroraBoot. What can be answered comes from the catalog.
// The package makes files in memory; it asks nobody and writes nothing.
package starter

import (
	"context"
	"io/fs"
	"slices"
	"time"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
)

const (
	// firstVersion is the version of a first spec.
	firstVersion = "v0.1.0"
	// firstFlavor is the flavor that is proposed.
	firstFlavor = "debian-12"
	// ConfigName is the name of the cloud-config beside the spec.
	ConfigName = "cloud-config.yaml"
)

// Starter has what all first specs depend on.
type Starter struct {
	Catalog *catalog.Catalog
	// Arch is the architecture to prefer: that of this machine.
	Arch string
	// Now is the day on which a proposed distribution must still get updates.
	Now time.Time
	// Keys are SSH keys to propose; the first is the default.
	Keys []SSHKey
	// Context has the files that a Dockerfile copies; nil when they are not at hand.
	Context fs.FS
	// BuildArgs are values of the build arguments of a Dockerfile.
	BuildArgs map[string]string
}

// SSHKey is a public key.
type SSHKey struct {
	// Name of its file.
	Name string
	// Line is the key as in authorized_keys (sshd(8)).
	Line string
}

// Draft is a spec that is not written yet.
type Draft struct {
	// Spec has the keys to write.
	Spec specs.Spec
	// Config is the cloud-config beside the spec; empty for none.
	Config string
	// Arch and Target are what to build first.
	Arch   string
	Target frontend.Target
	// Notes say what has no counterpart in the spec. From is the file that they are about.
	Notes []Note
	From  string

	starter Starter
	machine machine
}

// Note is about a part of a file that has no counterpart in a spec.
type Note struct {
	// Line of the file, counted from 1.
	Line int
	// Text says what the part is, and what to do instead.
	Text string
}

// File is a file to write.
type File struct {
	Name string
	Data []byte
}

func (s Starter) draft() *Draft {
	return &Draft{Spec: specs.Spec{Version: firstVersion}, starter: s}
}

// configured reports whether a target has the cloud-config of a key.
func configured(k key.Key) func(frontend.Target) bool {
	return func(t frontend.Target) bool { return t.CloudConfig == k }
}

// choose sets the first target that fits.
func (d *Draft) choose(fits func(frontend.Target) bool) {
	all := frontend.Targets()
	if at := slices.IndexFunc(all, fits); at >= 0 {
		d.Target = all[at]
	}
}

// setConfig adds a cloud-config for the target.
func (d *Draft) setConfig(text string) {
	d.Config = text
	content := specs.Content{From: ConfigName}
	switch d.Target.CloudConfig {
	case key.ISOCloudConfig:
		d.Spec.Artifacts.ISO.CloudConfig = content
	case key.DiskCloudConfig:
		d.Spec.Artifacts.Disk.CloudConfig = content
	}
}

// Files are the spec and what belongs to it. The spec comes first. It is an error when a build would
// refuse it.
func (d *Draft) Files(ctx context.Context) ([]File, error) {
	text, err := d.text()
	if err != nil {
		return nil, err
	}
	if _, err := d.starter.planText(ctx, text, d.Arch); err != nil {
		return nil, err
	}
	files := []File{{specs.DefaultName, text}}
	if d.Config != "" {
		files = append(files, File{ConfigName, []byte(d.Config)})
	}
	return files, nil
}

// planText resolves a spec.
func (s Starter) planText(ctx context.Context, text []byte, arch string) (*plan.Plan, error) {
	src := &specs.Source{Name: specs.DefaultName, Data: text}
	return local.PlanSource(ctx, src, local.Options{File: specs.DefaultName, Arch: arch, Catalog: s.Catalog})
}

// plan resolves the spec for an architecture.
func (d *Draft) plan(ctx context.Context, arch string) (*plan.Plan, error) {
	text, err := encode(d.Spec)
	if err != nil {
		return nil, err
	}
	return d.starter.planText(ctx, text, arch)
}

// any resolves the spec for the architecture of the draft, or while it has none for any. The error
// is the mistake in the spec.
func (d *Draft) any(ctx context.Context) (*plan.Plan, error) {
	archs := []string{d.Arch}
	if d.Arch == "" {
		archs = preferred(d.starter.Arch, catalog.Names(d.starter.Catalog.Archs))
	}
	var first error
	for _, arch := range archs {
		p, err := d.plan(ctx, arch)
		if err == nil {
			return p, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// preferred puts a name in front of the others, if it is among them.
func preferred(name string, names []string) []string {
	if at := slices.Index(names, name); at >= 0 {
		names = slices.Concat([]string{name}, slices.Delete(slices.Clone(names), at, at+1))
	}
	return names
}

// mistake is what a message says about a mistake in the spec, without its place: nobody has seen the
// spec yet.
func mistake(err error) string {
	var found specs.Diagnostics
	if !errors.As(err, &found) {
		return err.Error()
	}
	text := found[0].Message
	if found[0].Hint != "" {
		text += "; " + found[0].Hint
	}
	return text
}

// with returns the draft with a change of the spec.
func (d *Draft) with(change func(*specs.Spec)) *Draft {
	changed := *d
	change(&changed.Spec)
	return &changed
}

// published reports whether everything from outside the distributions is published for the
// architecture of a plan.
func published(p *plan.Plan) bool {
	return !slices.ContainsFunc(p.Components, func(c plan.Component) bool {
		return c.Download == nil && c.Image == "" && c.Context == ""
	})
}

// maintained reports whether everything in a plan still gets updates.
func (s Starter) maintained(p *plan.Plan) bool {
	today := s.Now.UTC().Format(time.DateOnly)
	days := []string{p.Userland.EOL, p.Kernel.EOL}
	for _, c := range p.Components {
		days = append(days, c.EOL)
	}
	return !slices.ContainsFunc(days, func(day string) bool { return day != "" && day < today })
}
