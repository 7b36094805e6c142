// Package boottest boots an artifact in a step, and runs the assertions of the spec in the VM.
package boottest

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/flavorkit/flavorkit/internal/qemu"
	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/llb/artifact/disk"
	"github.com/flavorkit/flavorkit/llb/artifact/extension"
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

// The exit codes for the results of the test. Lower codes come from programs that the script runs,
// and from signals.
const (
	exitUntried = 199
	// exitFailed plus the number of the first failed assertion.
	exitFailed = 200
	// exitLast is for all assertions with a higher number.
	exitLast = 255
)

// Build boots an artifact and runs the assertions of the spec. The result is a report and the log
// of the serial console. If an assertion fails, the step fails with an exit code that failure
// explains.
func Build(ctx context.Context, g *graph.Graph, p *plan.Plan, r *rootfs.RootFS) (llb.State, error) {
	if p.Test == nil || len(p.Test.Assertions) == 0 {
		return llb.State{}, p.Diagnose(rules.MissingValue, key.TestAssertions, `write some, such as "test: {assertions: [{service: ssh}]}"`, "there are no assertions to test")
	}
	toolsStage, image, err := artifact.Tools(ctx, g, p, p.Test.Tools)
	if err != nil {
		return llb.State{}, err
	}
	s := g.Stage("test", p.At(key.Test)).On(toolsStage.Platform())
	medium, err := testMedium(ctx, g, p, s, r)
	if err != nil {
		return llb.State{}, err
	}
	name, mount, err := tested(ctx, g, p, r)
	if err != nil {
		return llb.State{}, err
	}
	t := p.Test
	return s.Run(image, graph.Command{
		Title:  fmt.Sprintf("boot %s and run the assertions", name),
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

// testedFile is the path of the artifact in the step that boots it.
const testedFile = "/in/artifact"

// tested returns the artifact to boot, with its name.
func tested(ctx context.Context, g *graph.Graph, p *plan.Plan, r *rootfs.RootFS) (string, llb.RunOption, error) {
	if p.Test.Artifact == "iso" {
		name := p.File + ".iso"
		medium, err := iso.Build(ctx, g, p, r)
		return name, llb.AddMount(testedFile, medium, llb.SourcePath("/"+name), llb.Readonly), err
	}
	raw, err := disk.Raw(ctx, g, p, r)
	return p.File + ".img", disk.Mount(testedFile, raw, disk.File(p)), err
}

// testMedium returns the files for the system: a cloud-config, which starts the script, a directory
// for each assertion, and the extensions that there are assertions about.
func testMedium(ctx context.Context, g *graph.Graph, p *plan.Plan, s graph.Stage, r *rootfs.RootFS) (llb.State, error) {
	entries, err := g.Overlays.Files("test")
	if err != nil {
		return llb.State{}, err
	}
	entries = append(entries, tree.File("/guest.sh", guestText))
	// The script runs the directories in order of their names.
	var extended []plan.Extension
	digits := max(2, len(strconv.Itoa(len(p.Test.Assertions))))
	for i, a := range p.Test.Assertions {
		files := map[string]string{
			"title": a.Title(), "run": a.Run, "file": a.File, "service": a.Service, "matches": a.Matches, "seconds": strconv.Itoa(a.Seconds),
		}
		if e, ok := p.Extension(a.Extension); ok {
			if !slices.ContainsFunc(extended, func(other plan.Extension) bool { return other.Name == e.Name }) {
				extended = append(extended, e)
			}
			files["extension"], files["services"] = e.File, strings.Join(e.Services, "\n")
		}
		for name, text := range files {
			if text != "" {
				entries = append(entries, tree.File(fmt.Sprintf("/assertions/%0*d/%s", digits, i, name), []byte(text+"\n")))
			}
		}
	}
	medium := s.Tree(llb.Scratch(), "write the assertions", entries)
	kind := extension.System()
	for _, e := range extended {
		made, err := kind.Image(ctx, g, p, r, e)
		if err != nil {
			return llb.State{}, err
		}
		file := kind.File(e.File)
		medium = s.File(medium, "add "+file, llb.Copy(made, "/"+file, "/extensions/"+file, &llb.CopyInfo{CreateDestPath: true}))
	}
	return medium, nil
}

// emulator returns the command line of QEMU, for boottest.sh. There is only one CPU, because
// several would wait for each other on a busy builder. The network has an address and a route, for
// services that wait for them, but no access to anything, because the step has no network.
func emulator(t *plan.Test) []string {
	const raw = "raw"
	e := t.Emulator
	o := qemu.Options{MemoryMiB: e.MiB, CPUs: 1, Network: true, NoReboot: !t.Installs, ExtraArgs: []string{"-pidfile", "pid"}}
	if t.Artifact == "iso" {
		o.ISO = testedFile
	} else {
		o.Disks = append(o.Disks, qemu.Disk{Path: testedFile, Format: raw, Scratch: true})
	}
	o.Disks = append(o.Disks,
		qemu.Disk{Path: "medium.iso", Format: raw, ReadOnly: true},
		qemu.Disk{Path: "report", Format: raw, Serial: "flavorkit-report"})
	step := qemu.Step{Board: e.Arguments, CDROM: e.CDROM, Code: e.Code, Variables: "variables", Console: "serial"}
	return append([]string{e.Program}, step.Arguments(o)...)
}

// failure explains an exit code of the step as an error in the spec; nil if it is not about the
// spec.
func failure(p *plan.Plan, code uint32) error {
	const hint = "the log of the step says what there was to see, and has the last lines of the serial console"
	at := int(code) - exitFailed
	switch {
	case code == exitUntried:
		return p.Diagnose(rules.TestFailed, key.Test, hint, "the system did not finish all assertions within %ds", p.Test.Seconds)
	case code == exitLast:
		return p.Diagnose(rules.TestFailed, key.TestAssertions, hint, "the first failed assertion is after number %d", exitLast-exitFailed)
	case at >= 0 && at < len(p.Test.Assertions):
		return p.Diagnose(rules.TestFailed, key.TestAssertions.Item(at), hint, "%s", p.Test.Assertions[at].Failure())
	default:
		return nil
	}
}
