package frontend

import (
	"context"

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
)

// target is something that --target can ask for.
type target struct {
	name, description string
	// carrier tells that the image is one of files, not of a system.
	carrier bool
	// config is the key of the cloud-config that is laid beside the system, if
	// the target has one.
	config   string
	generate func(context.Context, *graph.Graph, *plan.Plan, *rootfs.RootFS) (llb.State, error)
	// failure tells what an exit code of the last step says about the spec; nil
	// when it says nothing. A target that has it is one to fail: it is built
	// before it is handed out.
	failure func(p *plan.Plan, code uint32) error
}

// targets are all that can be asked for; the first is the default.
func targets() []target {
	return []target{
		{name: "image", description: "OCI image, to push, to upgrade machines from, and to make artifacts of", generate: image},
		{name: "iso", description: "bootable live and installer medium, for BIOS and EFI", config: isoConfigKey, generate: iso.Build},
		{name: "img", description: "raw disk image, compressed, for EFI", config: diskConfigKey, generate: disk.Build},
		{name: "img-image", description: "OCI image that carries the disk image, to ship it through a registry", carrier: true, config: diskConfigKey, generate: disk.Raw},
		{name: "qcow2", description: "disk image for QEMU and clouds, compressed", config: diskConfigKey, generate: disk.QCOW2},
		{name: "vhd", description: "disk image for Azure and Hyper-V, of a fixed size, compressed", config: diskConfigKey, generate: disk.VHD},
		{name: "netboot", description: "kernel, initramfs, squashfs and iPXE script, to boot over HTTP", generate: netboot.Build},
		{name: "test", description: "boots the system in an emulated machine, and fails when an assertion of the spec does", generate: boottest.Build, failure: boottest.Failure},
	}
}

// Targets are the names of all that can be asked for; the first is the default.
func Targets() []string {
	var names []string
	for _, t := range targets() {
		names = append(names, t.name)
	}
	return names
}

// ConfigTargets are the names of those that a cloud-config is laid beside.
func ConfigTargets() []string {
	var names []string
	for _, t := range targets() {
		if t.config != "" {
			names = append(names, t.name)
		}
	}
	return names
}

func image(_ context.Context, _ *graph.Graph, _ *plan.Plan, r *rootfs.RootFS) (llb.State, error) {
	return r.State, nil
}

func targetByName(name string) (target, error) {
	all := targets()
	if name == "" {
		return all[0], nil
	}
	for _, t := range all {
		if t.name == name {
			return t, nil
		}
	}
	return target{}, errors.Errorf("unknown target %q; %s", name, specs.Suggest(name, Targets()))
}

// state generates the graph of the target.
func (t target) state(ctx context.Context, g *graph.Graph, p *plan.Plan) (llb.State, error) {
	fs, err := rootfs.Build(ctx, g, p)
	if err != nil {
		return llb.State{}, err
	}
	return t.generate(ctx, g, p, fs)
}

// Generate makes the graph of a target, by name, without a build request.
func Generate(ctx context.Context, g *graph.Graph, p *plan.Plan, name string) (llb.State, error) {
	t, err := targetByName(name)
	if err != nil {
		return llb.State{}, err
	}
	return t.state(ctx, g, p)
}
