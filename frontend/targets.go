package frontend

import (
	"context"
	"slices"

	"github.com/moby/buildkit/client/llb"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/artifact/boottest"
	"github.com/flavorkit/flavorkit/llb/artifact/disk"
	"github.com/flavorkit/flavorkit/llb/artifact/extension"
	"github.com/flavorkit/flavorkit/llb/artifact/iso"
	"github.com/flavorkit/flavorkit/llb/artifact/netboot"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/packages"
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
	// Report is files about the system, which the frontend writes itself.
	Report Output = "report"
)

// Target is a value of --target. This is its only record: frontend, CLI, bake files and docs read
// it.
type Target struct {
	// Name as --target and BuildKit's option "target" spell it.
	Name string
	// Description says what the target is, in help texts and lists of targets.
	Description string
	// Output is the kind of output.
	Output Output
	// Makes are the names of the files, with a space between them and without checksums. NAME
	// stands for that of the system (plan.Plan.File), EXTENSION for name and version of the extension.
	// Empty for an image.
	Makes string
	// Suffix of the tag of an image that is not the system itself, so that it never overwrites the
	// system's image.
	Suffix string
	// CloudConfig is the key of the cloud-config that is added next to the system; zero if the
	// target has none.
	CloudConfig key.Key

	generate generator
	// report makes the files of a report from what the graph of the target finds out; nil for all
	// other outputs.
	report reporter
}

// generator makes the graph of a target.
type generator func(context.Context, *graph.Graph, *plan.Plan) (llb.State, error)

// reporter makes files, by name, from the result of the graph of a target.
type reporter func(context.Context, *system, gwclient.Reference) (map[string][]byte, error)

// ofRoot generates from a root filesystem.
func ofRoot(generate func(context.Context, *graph.Graph, *plan.Plan, *rootfs.RootFS) (llb.State, error)) generator {
	return func(ctx context.Context, g *graph.Graph, p *plan.Plan) (llb.State, error) {
		fs, err := rootfs.Build(ctx, g, p)
		if err != nil {
			return llb.State{}, err
		}
		return generate(ctx, g, p, fs)
	}
}

// packagesTarget is the name of the target that the subrequest for packages uses.
const packagesTarget = "packages"

// SBOMTarget is the name of the target that flavorkit sbom reads.
const SBOMTarget = "sbom"

// Targets are all targets; the first is the default.
func Targets() []Target {
	all := []Target{
		{Name: "image", Description: "OCI image to push and to upgrade machines from", Output: SystemImage, generate: ofRoot(image)},
		{Name: "iso", Description: "bootable live and installer medium, for BIOS and UEFI", Output: Files, Makes: "NAME.iso", CloudConfig: key.ISOCloudConfig, generate: ofRoot(iso.Build)},
	}
	for _, f := range disk.Formats() {
		all = append(all, Target{Name: f.Name, Description: f.Description, Output: Files, Makes: f.File("NAME"), CloudConfig: key.DiskCloudConfig, generate: ofRoot(f.Build)})
	}
	all = append(all,
		// The usual suffix of images that carry a disk image (contract 5.3).
		Target{Name: "img-image", Description: "OCI image that carries the disk image through a registry", Output: DataImage, Suffix: "-img", CloudConfig: key.DiskCloudConfig, generate: ofRoot(disk.Raw)},
		Target{Name: "netboot", Description: "kernel, initramfs, squashfs and iPXE script to boot over HTTP", Output: Files, Makes: "NAME-kernel NAME-initrd NAME.squashfs NAME.ipxe", generate: ofRoot(netboot.Build)},
	)
	for _, k := range extension.Kinds() {
		all = append(all, Target{Name: k.Name, Description: k.Description, Output: Files, Makes: k.File("EXTENSION"), generate: ofRoot(k.Build)})
	}
	return append(all,
		Target{Name: "test", Description: "boots the system in a VM and fails if an assertion of the spec fails", Output: Files, Makes: "NAME.test.txt NAME.test.log", generate: ofRoot(boottest.Build)},
		Target{Name: packagesTarget, Description: "what every stage would install, with versions, sizes and repositories; nothing is installed", Output: Report, Makes: "NAME.packages.json NAME.packages.txt", generate: packages.Resolve, report: reportPackages},
		Target{Name: SBOMTarget, Description: "bill of materials: what the system is made of, as SPDX, CycloneDX and a table", Output: Report, Makes: "NAME.spdx.json NAME.cdx.json NAME.sbom.txt", generate: ofRoot(image), report: reportSBOM},
	)
}

// IsImage reports whether the output is an OCI image, which can be tagged and pushed.
func (t Target) IsImage() bool { return t.Output != Files && t.Output != Report }

// HasRoot reports whether the output is made of a root filesystem.
func (t Target) HasRoot() bool { return t.Name != packagesTarget }

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

// Generate returns the graph of a target without a build request.
func Generate(ctx context.Context, g *graph.Graph, p *plan.Plan, name string) (llb.State, error) {
	t, err := TargetByName(name)
	if err != nil {
		return llb.State{}, err
	}
	return t.generate(ctx, g, p)
}
