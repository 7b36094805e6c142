package disk

import (
	"context"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/plan"
)

// Format is an output format of the disk image. Every format must be a pure function of the raw
// image: the same disk gives the same bytes.
type Format struct {
	// Name is the name of the target.
	Name string
	// Description says in a few words what the format is for.
	Description string
	// extension of the file, without that of the compression.
	extension string
	// script converts the raw image: SCRIPT DISK FILE [GUID]. Without a script, the raw image is
	// the result.
	script graph.Script
	// title of the step that runs the script; the default names the file.
	title string
	// guid passes the identifier of the disk, for formats that contain one.
	guid bool
	// qemu runs the script with the tools that have qemu-img.
	qemu bool
	// compress the file as in the spec. Not needed for formats that compress themselves.
	compress bool
}

// Formats returns all output formats of the disk image (contract 4.1), each with a checksum file.
// VHDX is not among them, because qemu-img puts random identifiers, and checksums over them, into
// it.
func Formats() []Format {
	return []Format{
		{
			Name: "img", Description: "raw disk image, compressed",
			extension: ".img", compress: true,
		},
		{
			Name: "qcow2", Description: "compressed disk image for QEMU and clouds",
			extension: ".qcow2", script: qcowScript(), qemu: true,
		},
		{
			Name: "vhd", Description: "fixed-size disk image for Azure and Hyper-V, compressed",
			extension: ".vhd", script: vhdScript(), title: "make a fixed VHD", guid: true, compress: true,
		},
		{
			Name: "vmdk", Description: "stream-optimized disk image for VMware and VirtualBox",
			extension: ".vmdk", script: vmdkScript(), guid: true, qemu: true,
		},
		{
			Name: "gce", Description: "disk image for Google Compute Engine, a tar archive with disk.raw",
			extension: ".gce.tar.gz", script: gceScript(),
		},
	}
}

// File returns the name of the file for a system, with the default compression.
func (f Format) File(system string) string {
	if f.compress {
		return system + f.extension + ".zst"
	}
	return system + f.extension
}

// Build makes the disk image in the format.
func (f Format) Build(ctx context.Context, g *graph.Graph, p *plan.Plan, r *rootfs.RootFS) (llb.State, error) {
	d, err := newDisk(ctx, g, p, r)
	if err != nil {
		return llb.State{}, err
	}
	state, file, name := d.raw, File(p), p.File+f.extension
	if f.script.Name != "" {
		if state, err = d.convert(ctx, f, name); err != nil {
			return llb.State{}, err
		}
		file = "/" + name
	}
	if f.compress {
		state = d.compress(state, file, name)
	}
	return state, nil
}

// convert runs the script of a format.
func (d *disk) convert(ctx context.Context, f Format, name string) (llb.State, error) {
	image := d.tools
	if f.qemu {
		var err error
		if _, image, err = artifact.Tools(ctx, d.g, d.p, d.p.Disk.Convert); err != nil {
			return llb.State{}, err
		}
	}
	title := f.title
	if title == "" {
		title = "write " + name
	}
	args := []string{"/disk.img", "/out/" + name}
	if f.guid {
		args = append(args, d.p.Disk.GUID)
	}
	return d.s.Run(image, graph.Command{
		Title:  title,
		Script: f.script,
		Args:   args,
		Env:    d.g.EpochEnv(),
		Mounts: []llb.RunOption{Mount("/disk.img", d.raw, File(d.p))},
	}).AddMount("/out", llb.Scratch()), nil
}
