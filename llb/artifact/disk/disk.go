// Package disk makes disk images.
package disk

import (
	"context"
	"maps"
	"path"
	"slices"
	"strconv"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
)

// Raw returns the raw disk image, for an OCI image that carries it through a registry (contract
// 4.3). Its path is [File].
func Raw(ctx context.Context, g *graph.Graph, p *plan.Plan, r *rootfs.RootFS) (llb.State, error) {
	d, err := newDisk(ctx, g, p, r)
	if err != nil {
		return llb.State{}, err
	}
	return d.raw, nil
}

// File is the path of the disk image in [Raw].
func File(p *plan.Plan) string { return "/build/" + p.File + ".img" }

// disk has what the steps of a disk image share.
type disk struct {
	g     *graph.Graph
	p     *plan.Plan
	r     *rootfs.RootFS
	s     graph.Stage
	tools llb.State
	// raw has the raw disk image, sparse.
	raw llb.State
}

func newDisk(ctx context.Context, g *graph.Graph, p *plan.Plan, r *rootfs.RootFS) (*disk, error) {
	toolsStage, image, err := artifact.Tools(ctx, g, p, p.Disk.Tools)
	if err != nil {
		return nil, err
	}
	s := g.Stage("disk", p.At(key.Disk)).On(toolsStage.Platform())
	d := &disk{g: g, p: p, r: r, s: s, tools: image}
	d.raw, err = d.assemble(ctx)
	return d, err
}

// assemble makes the disk image from its parts.
func (d *disk) assemble(ctx context.Context) (llb.State, error) {
	static, err := d.tree()
	if err != nil {
		return llb.State{}, err
	}
	script, err := diskScript(d.g.Overlays)
	if err != nil {
		return llb.State{}, err
	}
	sizes := d.r.Derive(d.g, d.s, "sizes", d.sizes)
	image := d.r.Derive(d.g, d.s, "image", d.image)
	mounts := []llb.RunOption{
		llb.AddMount("/in/sizes", sizes, llb.Readonly),
		llb.AddMount("/in/tree", static, llb.SourcePath("/partitions"), llb.Readonly),
		llb.AddMount("/in/root", d.r.State, llb.Readonly),
	}
	contents := d.contents()
	for _, p := range d.p.Disk.Partitions {
		if p.FirstBoot {
			continue
		}
		for _, file := range slices.Sorted(maps.Keys(contents[p.Name].images)) {
			mounts = append(mounts, llb.AddMount(path.Join("/in", p.Name, imageDir, file), image, llb.SourcePath("/system.img"), llb.Readonly))
		}
	}
	if d.p.Disk.Has("efi") {
		esp, err := d.esp(ctx, static)
		if err != nil {
			return llb.State{}, err
		}
		mounts = append(mounts, llb.AddMount("/in/esp.img", esp, llb.SourcePath("/esp.img"), llb.Readonly))
	}
	if d.p.Disk.Has("bios") {
		code, err := d.bios(ctx, static)
		if err != nil {
			return llb.State{}, err
		}
		mounts = append(mounts, llb.AddMount("/in/bios", code, llb.Readonly))
	}
	config, err := artifact.ConfigMount(ctx, d.g, d.s, key.DiskCloudConfig, d.p.Disk.CloudConfig)
	if err != nil {
		return llb.State{}, err
	}
	mounts = append(mounts, config...)
	env := d.g.EpochEnv()
	env["FLAVORKIT_DISK_GUID"] = d.p.Disk.GUID
	if f := d.p.Disk.Firmware; f != nil && f.MBR != "" {
		env["FLAVORKIT_MBR_TYPE"] = f.MBR
	}
	return d.s.Run(d.tools, graph.Command{
		Title:  "assemble the disk",
		Script: script,
		Args:   []string{"/in", "/out" + File(d.p)},
		Env:    env,
		Mounts: mounts,
	}).AddMount("/out", llb.Scratch()), nil
}

// sizes computes the sizes of partitions and images. The build fails here, before it packs
// anything, if the disk is too small for the system.
func (d *disk) sizes(root llb.State) llb.State {
	partitions := d.s.Tree(llb.Scratch(), "list the partitions", []tree.Entry{tree.File("/partitions", d.table())})
	return d.g.Stage("disk", d.p.At(key.DiskSize)).On(d.s.Platform()).Run(d.tools, graph.Command{
		Title:  "measure the root filesystem",
		Script: measureScript(),
		Args:   []string{"/rootfs", "/partitions", "/out"},
		Env:    map[string]string{"FLAVORKIT_DISK_MIB": strconv.Itoa(d.p.Disk.MiB)},
		Mounts: []llb.RunOption{
			llb.AddMount("/rootfs", root, llb.Readonly),
			llb.AddMount("/partitions", partitions, llb.SourcePath("/partitions"), llb.Readonly),
		},
	}).AddMount("/out", llb.Scratch())
}

// image returns the filesystem image of the system.
func (d *disk) image(root llb.State) llb.State {
	env := d.g.EpochEnv()
	env["FLAVORKIT_LABEL"] = "COS_SYSTEM"
	env["FLAVORKIT_UUID"] = d.p.Disk.Image
	return d.s.Run(d.tools, graph.Command{
		Title:  "make a filesystem image of the system",
		Script: imageScript(),
		Args:   []string{"/rootfs", "/size", "/out/system.img"},
		Env:    env,
		Mounts: []llb.RunOption{
			llb.AddMount("/rootfs", root, llb.Readonly),
			// Only this file counts for the cache, so different disks share the image.
			llb.AddMount("/size", d.sizes(root), llb.SourcePath("/image"), llb.Readonly),
		},
	}).AddMount("/out", llb.Scratch())
}

// esp returns the EFI system partition. For a board, it also has the firmware.
func (d *disk) esp(ctx context.Context, static llb.State) (llb.State, error) {
	efi := d.p.Disk.Partitions[slices.IndexFunc(d.p.Disk.Partitions, func(p plan.Partition) bool { return p.Name == "efi" })]
	args := []string{"/loaders", "/chain/grub.cfg", "/out/esp.img"}
	describe := artifact.ESP{Label: efi.Label, ID: "464C4456", Config: d.p.Userland.Loader.Config}
	mounts := append(artifact.LoaderMounts(d.g, d.p, d.s, d.r), llb.AddMount("/chain", static, llb.SourcePath("/chain"), llb.Readonly))
	if f := d.p.Disk.Firmware; f != nil {
		firmware, err := d.firmware(ctx, *f)
		if err != nil {
			return llb.State{}, err
		}
		// Some boards do not start from FAT16: see
		// https://github.com/raspberrypi/rpi-eeprom/pull/369 and
		// https://github.com/raspberrypi/firmware/issues/1738.
		describe.FAT = 32
		args = append(args, "/firmware")
		mounts = append(mounts, llb.AddMount("/firmware", firmware, llb.Readonly))
	}
	env := d.g.EpochEnv()
	env["FLAVORKIT_MIB"] = strconv.Itoa(efi.MiB)
	describe.Set(env)
	return d.s.Run(d.tools, graph.Command{
		Title:  "make the EFI system partition",
		Script: espartScript(),
		Args:   args,
		Env:    env,
		Mounts: mounts,
	}).AddMount("/out", llb.Scratch()), nil
}

// bios returns the boot code for BIOS. It is made with the tools of the ISO, which have the same
// GRUB. These need the target platform, but a disk for UEFI does not.
func (d *disk) bios(ctx context.Context, static llb.State) (llb.State, error) {
	toolsStage, image, err := artifact.Tools(ctx, d.g, d.p, d.p.ISO.Tools)
	if err != nil {
		return llb.State{}, err
	}
	return d.s.On(toolsStage.Platform()).Run(image, graph.Command{
		Title:  "make the boot code",
		Script: biosScript(),
		Args:   []string{"/chain/grub.cfg", "/out"},
		Env:    d.g.EpochEnv(),
		Mounts: []llb.RunOption{llb.AddMount("/chain", static, llb.SourcePath("/chain"), llb.Readonly)},
	}).AddMount("/out", llb.Scratch()), nil
}

// tree returns static files: those of partitions in /partitions, and the GRUB configuration that
// loads the boot menu in /chain.
func (d *disk) tree() (llb.State, error) {
	sets := map[string]string{"disk-chain": "/chain"}
	if !d.p.Disk.Has("state") {
		sets["disk-reset"] = "/partitions"
	}
	entries := []tree.Entry{tree.Dir("/partitions")}
	for set, dir := range sets {
		files, err := d.g.Overlays.Files(set)
		if err != nil {
			return llb.State{}, err
		}
		for _, e := range files {
			e.Path = path.Join(dir, e.Path)
			entries = append(entries, e)
		}
	}
	return d.s.Tree(llb.Scratch(), "add the files of the disk", entries), nil
}

// compress compresses a file of a state and gives it a name.
func (d *disk) compress(state llb.State, file, name string) llb.State {
	c := d.p.Disk
	args := []string{"/in/" + path.Base(file), "/out/" + name, c.Compression}
	if c.Level > 0 {
		args = append(args, strconv.Itoa(c.Level))
	}
	return d.s.Run(d.tools, graph.Command{
		Title:  "write " + name + map[string]string{"zstd": ".zst", "xz": ".xz"}[c.Compression],
		Script: compressScript(),
		Args:   args,
		Env:    d.g.EpochEnv(),
		Mounts: []llb.RunOption{Mount("/in/"+path.Base(file), state, file)},
	}).AddMount("/out", llb.Scratch())
}

// Mount mounts a file without hashing it for the cache: most of its bytes are zeros, and its inputs
// have been hashed.
func Mount(target string, state llb.State, file string) llb.RunOption {
	return llb.AddMount(target, state, llb.SourcePath(file), llb.Readonly, llb.ContentCache(llb.MountContentCacheOff))
}
