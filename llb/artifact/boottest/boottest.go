// Package boottest boots an artifact in a step, where the system tries the
// assertions of the spec.
package boottest

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strconv"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/llb/artifact/disk"
	"github.com/flavorkit/flavorkit/llb/artifact/iso"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

var (
	//go:embed boottest.sh
	boottestText []byte
	//go:embed guest.sh
	guestText []byte
)

func boottestScript() graph.Script { return graph.Script{Name: "boottest.sh", Text: boottestText} }

// The exit codes that say how the test went. Those below are of programs that the
// script runs, and of signals.
const (
	exitUntried = 199
	// exitFailed and the number of the first assertion that failed.
	exitFailed = 200
	// exitLast is for all whose number has no code of its own.
	exitLast = 255
)

// Build boots an artifact and has the system try the assertions of the spec. The
// result is a report and the log of the serial console; an assertion that fails
// fails the step, whose exit code failure reads.
func Build(ctx context.Context, g *graph.Graph, p *plan.Plan, r *rootfs.RootFS) (llb.State, error) {
	if p.Test == nil || len(p.Test.Assertions) == 0 {
		return llb.State{}, p.Diagnose(rules.MissingValue, key.TestAssertions, `write some, such as "test: {assertions: [{service: ssh}]}"`, "there are none, so there is nothing to test")
	}
	toolsStage, image, err := artifact.Tools(ctx, g, p, p.Test.Tools)
	if err != nil {
		return llb.State{}, err
	}
	s := g.Stage("test", p.At(key.Test)).On(toolsStage.Platform())
	medium, err := testMedium(g, p, s)
	if err != nil {
		return llb.State{}, err
	}
	name, mount, err := tested(ctx, g, p, r)
	if err != nil {
		return llb.State{}, err
	}
	t := p.Test
	return s.Run(image, graph.Command{
		Title:  fmt.Sprintf("boot %s and try the assertions", name),
		Script: boottestScript(),
		Args:   slices.Concat([]string{"/in/medium", "/out/" + p.File, strconv.Itoa(t.Seconds), t.Emulator.Variables}, emulator(t)),
		Env: map[string]string{
			"FLAVORKIT_EXIT_UNTRIED": strconv.Itoa(exitUntried),
			"FLAVORKIT_EXIT_FAILED":  strconv.Itoa(exitFailed),
			"FLAVORKIT_EXIT_LAST":    strconv.Itoa(exitLast),
		},
		Mounts:  []llb.RunOption{llb.AddMount("/in/medium", medium, llb.Readonly), mount},
		Explain: func(code uint32) error { return failure(p, code) },
	}).AddMount("/out", llb.Scratch()), nil
}

// testedFile is where the artifact is in the step that boots it.
const testedFile = "/in/artifact"

// tested is the artifact that is booted, by its name.
func tested(ctx context.Context, g *graph.Graph, p *plan.Plan, r *rootfs.RootFS) (string, llb.RunOption, error) {
	if p.Test.Artifact == "iso" {
		name := p.File + ".iso"
		medium, err := iso.Build(ctx, g, p, r)
		return name, llb.AddMount(testedFile, medium, llb.SourcePath("/"+name), llb.Readonly), err
	}
	raw, err := disk.Raw(ctx, g, p, r)
	return p.File + ".img", disk.Mount(testedFile, raw, disk.File(p)), err
}

// testMedium are the files that the system gets: a cloud-config, which starts the
// script, and a directory for each assertion.
func testMedium(g *graph.Graph, p *plan.Plan, s graph.Stage) (llb.State, error) {
	entries, err := g.Overlays.Files("test")
	if err != nil {
		return llb.State{}, err
	}
	entries = append(entries, tree.File("/guest.sh", guestText))
	// Scripts go through the folders by name.
	digits := max(2, len(strconv.Itoa(len(p.Test.Assertions))))
	for i, a := range p.Test.Assertions {
		for name, text := range map[string]string{
			"title": a.Title(), "run": a.Run, "file": a.File, "service": a.Service, "matches": a.Matches, "seconds": strconv.Itoa(a.Seconds),
		} {
			if text != "" {
				entries = append(entries, tree.File(fmt.Sprintf("/assertions/%0*d/%s", digits, i, name), []byte(text+"\n")))
			}
		}
	}
	return s.Tree(llb.Scratch(), "write down the assertions", entries), nil
}

// emulator is the command line of QEMU (qemu(1)), for boottest.sh. No step gets
// /dev/kvm, so the processor is emulated. There is one: several would wait for
// each other on a builder with other work to do. The network leads nowhere, for
// the step has none, but gives an address and a route, for services that wait for
// them.
func emulator(t *plan.Test) []string {
	e := t.Emulator
	args := slices.Concat([]string{e.Program, "-nodefaults", "-no-user-config", "-display", "none", "-pidfile", "pid"}, e.Arguments, []string{
		"-accel", "tcg", "-smp", "1", "-m", strconv.Itoa(e.MiB), "-device", "virtio-rng-pci", "-serial", "file:serial",
		"-netdev", "user,id=network", "-device", "virtio-net-pci,netdev=network,romfile=",
	})
	if e.Code != "" {
		args = append(args,
			"-drive", "if=pflash,unit=0,readonly=on,format=raw,file="+e.Code,
			"-drive", "if=pflash,unit=1,format=raw,file=variables")
	}
	if !t.Installs {
		args = append(args, "-no-reboot")
	}
	if t.Artifact == "iso" {
		args = append(args,
			"-drive", "if=none,id=artifact,media=cdrom,readonly=on,format=raw,file="+testedFile,
			"-device", e.CDROM+",drive=artifact,bootindex=0")
	} else {
		args = append(args,
			"-drive", "if=none,id=artifact,snapshot=on,format=raw,file="+testedFile,
			"-device", "virtio-blk-pci,drive=artifact,bootindex=0")
	}
	return append(args,
		"-drive", "if=none,id=medium,readonly=on,format=raw,file=medium.iso",
		"-device", "virtio-blk-pci,drive=medium",
		"-drive", "if=none,id=report,format=raw,file=report",
		"-device", "virtio-blk-pci,drive=report,serial=flavorkit-report")
}

// failure tells what an exit code of the step says about the spec; nil when it
// says nothing.
func failure(p *plan.Plan, code uint32) error {
	const hint = "the log of the step says what there was to see, and has the last lines of the serial console"
	at := int(code) - exitFailed
	switch {
	case code == exitUntried:
		return p.Diagnose(rules.TestFailed, key.Test, hint, "the machine did not try all assertions within %ds", p.Test.Seconds)
	case code == exitLast:
		return p.Diagnose(rules.TestFailed, key.TestAssertions, hint, "the first that failed is after number %d", exitLast-exitFailed)
	case at >= 0 && at < len(p.Test.Assertions):
		return p.Diagnose(rules.TestFailed, key.TestAssertions.Item(at), hint, "%s", p.Test.Assertions[at].Failure())
	default:
		return nil
	}
}
