package plan

import (
	"slices"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// CommandLine are the arguments of the kernel, in order, for each way a system is started. What
// loads the kernel renders them (llb/cmdline), and adds what only it knows: the root, and what one
// entry of a menu is for.
type CommandLine struct {
	// Installed are for a system on a disk.
	Installed []string `json:"installed" yaml:"installed"`
	// Live are for the live and installer medium.
	Live []string `json:"live" yaml:"live"`
	// Network are for a system that is loaded over the network, and installs itself.
	Network []string `json:"network" yaml:"network"`
}

// commandLine has the arguments of the distribution, the init system, the model and the spec last, because of some
// the last counts.
func (r *resolver) commandLine(d *catalog.Distro, init catalog.Init, model *catalog.Model) CommandLine {
	serial := r.arch.Consoles
	if len(model.Console) > 0 {
		serial = model.Console
	}
	// Prompts are on the last console. One that the machine lacks is ignored.
	var consoles []string
	for _, name := range slices.Concat(serial, []string{"tty1"}) {
		consoles = append(consoles, "console="+name)
	}
	// What dracut and the init script of mkinitfs find the squashfs by.
	live := []string{"rd.live.dir=/", "rd.live.overlay.overlayfs"}
	names := []string{"net.ifnames=1"}
	of := slices.Concat(d.Cmdline, init.Cmdline)
	last := slices.Concat(model.Cmdline, r.spec.Cmdline)
	return CommandLine{
		Installed: slices.Concat(consoles, names, []string{
			"rd.cos.oemlabel=COS_OEM", "rd.cos.oemtimeout=10",
			// Nobody is there to mend it: the next boot tries the fallback.
			"panic=5", "rd.emergency=reboot", "rd.shell=0", "systemd.crash_reboot=yes",
		}, of, last),
		Live: slices.Concat([]string{"cdroot", "rd.live.squashimg=rootfs.squashfs"}, live, names, consoles, r.arch.Video, of, last),
		Network: slices.Concat([]string{"ip=dhcp", "rd.neednet=1", "netboot", "rd.cos.disable"}, live, names, consoles,
			of, []string{"install-mode"}, last),
	}
}
