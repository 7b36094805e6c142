package distro

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// caFile is where a step finds the certificates of an authority.
const caFile = graph.ScriptDir + "/ca.pem"

// reach is how a step gets at packages: third-party repositories, mirrors of archives, and the
// certificates of an authority. A mirror is part of what a step is cached by, because it may have
// other packages than the archive. Certificates in a secret are not.
func reach(ctx context.Context, g *graph.Graph, p *plan.Plan, in plan.Install) (map[string]string, []llb.RunOption, error) {
	env, mounts, err := repositories(ctx, g, p, in)
	if err != nil {
		return nil, nil, err
	}
	env = maps.Clone(env)
	if env == nil {
		env = map[string]string{}
	}
	if env["FLAVORKIT_PRIVATE"] == "" && (len(in.Mirrors) > 0 || p.CA != nil) {
		env["FLAVORKIT_PRIVATE"] = privateDir
		mounts = append(mounts, llb.AddMount(privateDir, llb.Scratch(), llb.Tmpfs()))
	}
	mirrors(in, env)
	if p.CA == nil {
		return env, mounts, nil
	}
	env["FLAVORKIT_CA"] = caFile
	if a := in.Authorities; a != nil {
		env["FLAVORKIT_CA_BUNDLE"] = a.Bundle
		if m, _ := catalog.ManagerByName(in.Manager); m.TrustsImage {
			env["FLAVORKIT_CA_DIRECTORY"], env["FLAVORKIT_CA_UPDATE"] = a.Directory, strings.Join(a.Update, " ")
		}
	}
	mount, err := certificates(ctx, g, p)
	return env, append(mounts, mount), err
}

// mirrors adds those of archives to the environment of a step.
func mirrors(in plan.Install, env map[string]string) {
	var lines []string
	for _, m := range in.Mirrors {
		lines = append(lines, fmt.Sprintf("%s %s %d", m.From, m.To, exitOfMirror(in, m)))
	}
	list(env, "FLAVORKIT_MIRRORS", lines)
	if in.KeepMirrors {
		env["FLAVORKIT_KEEP_MIRRORS"] = "1"
	}
}

// certificates are those of the authority, mounted as caFile.
func certificates(ctx context.Context, g *graph.Graph, p *plan.Plan) (llb.RunOption, error) {
	if p.CA.Secret != "" {
		return llb.AddSecret(caFile, llb.SecretID(p.CA.Secret)), nil
	}
	from, err := g.Sources.Files(ctx, p.CA.Context)
	return llb.AddMount(caFile, from, llb.SourcePath(path.Join("/", p.CA.From)), llb.Readonly), errors.Wrap(err, key.CA.String())
}

// Trust makes the system that packages were installed into trust the authority, if the spec asks
// for it.
func Trust(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, in plan.Install, on llb.State) (llb.State, error) {
	a := in.Authorities
	if p.CA == nil || !p.CA.Image || a == nil {
		return on, nil
	}
	text, err := scripts.ReadFile("trust.sh")
	if err != nil {
		return llb.State{}, err
	}
	mount, err := certificates(ctx, g, p)
	if err != nil {
		return llb.State{}, err
	}
	return s.Run(on, graph.Command{
		Title:  "trust the authority of the spec",
		Script: graph.Script{Name: "trust.sh", Text: text},
		Args:   append([]string{caFile, a.Directory, a.List}, a.Update...),
		Env:    g.EpochEnv(),
		Mounts: []llb.RunOption{mount},
		Explain: func(code uint32) error {
			if code != exitNoTool {
				return nil
			}
			return p.Diagnose(rules.CheckFailed, key.CAImage, "add the package that has it", "the system has no %s", a.Update[0])
		},
	}).Root(), nil
}

// The exit codes of a package manager's script that say what it cannot read: a mirror, or an archive
// that the image has. Codes below are of signals.
const (
	exitMirror  = 193
	exitArchive = 198
	// exitMirrors is for all mirrors that have no code of their own.
	exitMirrors = exitArchive - 1
)

// archivesOf are the names of the archives that have mirrors. Hosts of the same archive have the same
// mirror.
func archivesOf(in plan.Install) []string {
	var names []string
	for _, m := range in.Mirrors {
		if !slices.Contains(names, m.Archive) {
			names = append(names, m.Archive)
		}
	}
	return names
}

// exitOfMirror is the exit code for a mirror that cannot be read.
func exitOfMirror(in plan.Install, m plan.Mirror) int {
	return min(exitMirror+slices.Index(archivesOf(in), m.Archive), exitMirrors)
}

// unread is the mistake that a mirror or an archive cannot be read.
func unread(p *plan.Plan, in plan.Install, code int) error {
	says := "the log of the step has what " + in.Manager + " says"
	if code == exitArchive {
		return p.Diagnose(rules.UnreadArchive, at(p, in), says+"; for networks with mirrors or a proxy, see docs/mirrors.md", "%s cannot read an archive of %s", in.Manager, in.Distro)
	}
	var at []plan.Mirror
	for _, m := range in.Mirrors {
		if exitOfMirror(in, m) == code && (len(at) == 0 || at[0].Archive != m.Archive) {
			at = append(at, m)
		}
	}
	switch len(at) {
	case 0:
		return nil
	case 1:
		return p.Diagnose(rules.UnreadArchive, key.MirrorArchives.Entry(at[0].Archive), says, "%s cannot read the mirror %s", in.Manager, at[0].To)
	default:
		return p.Diagnose(rules.UnreadArchive, key.MirrorArchives, says, "%s cannot read one of the mirrors", in.Manager)
	}
}

// at is what chooses a distribution.
func at(p *plan.Plan, in plan.Install) key.Key {
	if in.Distro == p.Kernel.Distro && in.Distro != p.Userland.Distro {
		return p.Origin.Decided(key.KernelFrom, key.Kernel)
	}
	return p.Origin.Decided()
}

// exitNoTool is the exit code of trust.sh for a system without the tool.
const exitNoTool = 200

// exitNoCertificate is the exit code of a package manager's script for an authority without a
// certificate, as common.sh has it.
const exitNoCertificate = 199

// noCertificate is the mistake behind it. That of a file is found before the build.
func noCertificate(p *plan.Plan) error {
	return p.Diagnose(rules.InvalidCertificate, key.CASecret, "give the secret a file with -----BEGIN CERTIFICATE-----", "the secret has no certificate in PEM")
}
