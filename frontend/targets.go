package frontend

import (
	"context"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/artifact/boottest"
	"github.com/flavorkit/flavorkit/llb/artifact/disk"
	"github.com/flavorkit/flavorkit/llb/artifact/iso"
	"github.com/flavorkit/flavorkit/llb/artifact/netboot"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
)

// Output is the kind of output of a target.
type Output string

// The kinds of output.
const (
	// SystemImage is an OCI image of the system, to run, push and upgrade from.
	SystemImage Output = "system image"
	// DataImage is an OCI image that carries files through a registry.
	DataImage Output = "data image"
	// Files are files with their checksums.
	Files Output = "files"
)

// Target is something that --target can ask for. It is the only record of it: frontend, command
// line, bake files and docs read their facts from here.
type Target struct {
	// Name as --target and BuildKit's option "target" spell it.
	Name string
	// Description says what the target is, in help texts and lists of targets.
	Description string
	// Output is the kind of output.
	Output Output
	// Makes are the names of the files, with a space between them and without checksums. NAME
	// stands for that of the system (plan.Plan.File). Empty for an image.
	Makes string
	// Suffix of the tag of an image that is not the system itself, so that it never takes the place
	// of the system's image.
	Suffix string
	// CloudConfig is the key of the cloud-config that is laid beside the system; zero when the
	// target has none.
	CloudConfig key.Key

	generate generator
}

// generator makes the graph of a target from a root filesystem.
type generator func(context.Context, *graph.Graph, *plan.Plan, *rootfs.RootFS) (llb.State, error)

// Targets are all targets; the first is the default.
func Targets() []Target {
	all := []Target{
		{Name: "image", Description: "OCI image, to push, to upgrade machines from, and to make artifacts of", Output: SystemImage, generate: image},
		{Name: "iso", Description: "bootable live and installer medium, for BIOS and EFI", Output: Files, Makes: "NAME.iso", CloudConfig: key.ISOCloudConfig, generate: iso.Build},
	}
	for _, f := range disk.Formats() {
		all = append(all, Target{Name: f.Name, Description: f.Description, Output: Files, Makes: f.File("NAME"), CloudConfig: key.DiskCloudConfig, generate: f.Build})
	}
	return append(all,
		// The usual suffix of images that carry a disk image (contract 5.3).
		Target{Name: "img-image", Description: "OCI image that carries the disk image, to ship it through a registry", Output: DataImage, Suffix: "-img", CloudConfig: key.DiskCloudConfig, generate: disk.Raw},
		Target{Name: "netboot", Description: "kernel, initramfs, squashfs and iPXE script, to boot over HTTP", Output: Files, Makes: "NAME-kernel NAME-initrd NAME.squashfs NAME.ipxe", generate: netboot.Build},
		Target{Name: "test", Description: "boots the system in an emulated machine, and fails when an assertion of the spec does", Output: Files, Makes: "NAME.test.txt NAME.test.log", generate: boottest.Build},
	)
}

// IsImage reports whether the output is an OCI image, which can be tagged and pushed.
func (t Target) IsImage() bool { return t.Output != Files }

// TargetNames returns the names of the targets that fit, or of all targets when fits is nil.
func TargetNames(fits func(Target) bool) []string {
	var names []string
	for _, t := range Targets() {
		if fits == nil || fits(t) {
			names = append(names, t.Name)
		}
	}
	return names
}

// TargetByName returns a target; the empty name means the default target. An error lists the valid
// names.
func TargetByName(name string) (Target, error) {
	all := Targets()
	if name == "" {
		return all[0], nil
	}
	if i := slices.IndexFunc(all, func(t Target) bool { return t.Name == name }); i >= 0 {
		return all[i], nil
	}
	return Target{}, errors.Errorf("unknown target %q; %s", name, specs.Suggest(name, TargetNames(nil)))
}

func image(_ context.Context, _ *graph.Graph, _ *plan.Plan, r *rootfs.RootFS) (llb.State, error) {
	return r.State, nil
}

// state generates the graph of the target.
func (t Target) state(ctx context.Context, g *graph.Graph, p *plan.Plan) (llb.State, error) {
	fs, err := rootfs.Build(ctx, g, p)
	if err != nil {
		return llb.State{}, err
	}
	return t.generate(ctx, g, p, fs)
}

// Generate returns the graph of a target without a build request.
func Generate(ctx context.Context, g *graph.Graph, p *plan.Plan, name string) (llb.State, error) {
	t, err := TargetByName(name)
	if err != nil {
		return llb.State{}, err
	}
	return t.state(ctx, g, p)
}
