package rootfs

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/plan"
)

// Origin is a stage with packages that have files in the root filesystem.
type Origin struct {
	// Name of the stage, as in plan.Plan.Stages, and its distribution.
	Name, Distro string
	State        llb.State
	// Owns picks its packages by the paths of their files, which have no leading slash. Nil means
	// all packages.
	Owns func(path string) bool
}

// Origins are the stages that the packages of a system come from. The first is the root filesystem
// itself: its database does not know packages that only give files to it.
func (r *RootFS) Origins(p *plan.Plan) []Origin {
	if p.Source != nil {
		return []Origin{{Name: "source", State: r.State}}
	}
	all := []Origin{{Name: "userland", Distro: p.Userland.Distro, State: r.State}}
	if p.Kernel.Own == nil {
		all = append(all, Origin{Name: "kernel", Distro: p.Kernel.Distro, State: r.Kernel.Donor, Owns: ownsKernel})
	}
	if from := p.Userland.Loader.From; from != nil {
		all = append(all, Origin{Name: "loader", Distro: from.Distro, State: r.lender, Owns: ownsLoader(p.Userland.Loader)})
	}
	return all
}

// ownsKernel picks the kernel, its modules and the firmware (kernel/export.sh).
func ownsKernel(file string) bool {
	file = strings.TrimPrefix(file, "usr/")
	for _, dir := range []string{"lib/modules/", "lib/firmware/", "boot/vmlinu", "boot/Image"} {
		if strings.HasPrefix(file, dir) {
			return true
		}
	}
	return false
}

// ownsLoader picks the packages of EFI programs.
func ownsLoader(l plan.Loader) func(string) bool {
	programs := []string{l.Shim, l.Grub, l.DiskGrub}
	for i, program := range programs {
		if from, copied := l.Copies[program]; copied {
			programs[i] = from
		}
	}
	return func(file string) bool {
		return slices.ContainsFunc(programs, func(pattern string) bool {
			ok, err := path.Match(pattern, "/"+file)
			return err == nil && ok
		})
	}
}
