// Package extension makes images of system extensions and configuration extensions: what packages
// and files add to the root filesystem.
package extension

import (
	"context"
	_ "embed"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/look"
	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

var (
	//go:embed changes.sh
	changesText []byte
	//go:embed image.sh
	imageText []byte
)

func changesScript() graph.Script {
	return graph.Script{Name: "changes.sh", Text: changesText, Beside: []graph.Script{look.Script()}}
}

func imageScript() graph.Script {
	return graph.Script{Name: "image.sh", Text: imageText, Beside: []graph.Script{artifact.ChecksumLibrary()}}
}

// The exit codes of changes.sh, which say what it found first.
const (
	exitEmpty = 64 + iota
	exitDeletes
	exitOutside
	exitKernel
	exitNoUnit
	exitNoRelease
)

// The exit codes of image.sh that say what is wrong with the signature.
const (
	exitNoCertificate = 200 + iota
	exitNoKey
	exitOtherKey
)

// KeySecret is the id of the build secret with the private key of the certificate.
const KeySecret = "sysext.key"

// build makes the image of an extension, with its checksum.
func build(ctx context.Context, g *graph.Graph, p *plan.Plan, r *rootfs.RootFS, k Kind) (llb.State, error) {
	e := p.Extension
	if e == nil {
		return llb.State{}, p.Diagnose(rules.MissingValue, key.Extension, `say what it has, such as "extension: {name: caddy, packages: [caddy]}"`, "there is no extension to make")
	}
	if !g.Caps.Diff {
		return llb.State{}, errors.New("the daemon cannot compare states, which an extension needs: use flavorkit build, or a builder of docker buildx create")
	}
	if err := k.checkFiles(p); err != nil {
		return llb.State{}, err
	}
	s := g.Stage("extension/"+e.Name, p.At(key.Extension))
	made, err := k.install(ctx, g, s, p, r.State)
	if err != nil {
		return llb.State{}, err
	}
	content, err := k.changes(ctx, g, s, p, r.State, made)
	if err != nil {
		return llb.State{}, err
	}
	return k.image(ctx, g, p, content)
}

// checkFiles refuses files that the kind has no place for, before the long steps.
func (k Kind) checkFiles(p *plan.Plan) error {
	for i, f := range p.Extension.Files {
		in := func(dir string) bool { return strings.HasPrefix(f.Path, dir+"/") }
		if !slices.ContainsFunc(k.hierarchies, in) {
			return p.Diagnose(rules.InvalidPath, key.ExtensionFiles.Item(i).Entry("path"), "put it into "+strings.Join(k.hierarchies, " or "), "a %s has no %s", k.Name, f.Path)
		}
	}
	return nil
}

// install adds the packages and files to the system.
func (k Kind) install(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, base llb.State) (llb.State, error) {
	e := p.Extension
	made, err := distro.InstallOn(ctx, g, s, p, e.Install, base, "extension")
	if err != nil {
		return llb.State{}, err
	}
	var action *llb.FileAction
	for i, f := range e.Files {
		if action, err = rootfs.AddFile(ctx, g, action, key.ExtensionFiles.Item(i), f); err != nil {
			return llb.State{}, err
		}
	}
	if action == nil {
		return made, nil
	}
	return s.File(made, "add the files of the extension", action), nil
}

// starts is the drop-in that starts the services. The links that enable them are in /etc, which no
// system extension has, so the target upholds them (systemd.unit(5), Upholds=).
func (k Kind) starts(e *plan.Extension) tree.Entry {
	file := path.Join(k.units, "multi-user.target.d", "10-"+e.Name+".conf")
	return tree.File(file, []byte("[Unit]\nUpholds="+strings.Join(e.Services, " ")+"\n"))
}

// release are the lines of the release file, without those that name the distribution (os-release(5)).
func release(e *plan.Extension) string {
	text := "ARCHITECTURE=" + e.Architecture + "\n"
	if e.AnyDistro {
		text = "ID=_any\n" + text
	}
	if e.Reload {
		text += "EXTENSION_RELOAD_MANAGER=1\n"
	}
	return text
}

// Inputs of changes.sh.
const inputs = graph.ScriptDir + "/in"

// changes are what the extension has: the files that differ from the system, and its release file.
// Building it fails for what no extension can change.
func (k Kind) changes(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, base, made llb.State) (llb.State, error) {
	e := p.Extension
	check := s.On(g.Build)
	tools, err := check.Image(ctx, p.ScriptImage)
	if err != nil {
		return llb.State{}, err
	}
	entries := []tree.Entry{tree.File("/release", []byte(release(e)))}
	if len(e.Services) > 0 {
		starts := k.starts(e)
		starts.Path = path.Join("/files", starts.Path)
		entries = append(entries, starts)
	}
	lists := map[string][]string{"hierarchies": k.hierarchies, "ignored": ignored(), "services": e.Services}
	for name, lines := range lists {
		text := ""
		for _, line := range lines {
			text += line + "\n"
		}
		entries = append(entries, tree.File("/"+name, []byte(text)))
	}
	env := g.EpochEnv()
	env["FLAVORKIT_VARIABLE"] = k.variable
	return check.Run(tools, graph.Command{
		Title:  "take what the extension changes",
		Script: changesScript(),
		Args:   []string{"/base", "/made", "/changes", inputs, "/out", path.Join(k.root, "extension-release.d", "extension-release."+e.File)},
		Env:    env,
		Mounts: []llb.RunOption{
			llb.AddMount("/base", base, llb.Readonly),
			llb.AddMount("/made", made, llb.Readonly),
			llb.AddMount("/changes", g.Diff(s, "compare with the system", base, made), llb.Readonly),
			llb.AddMount(inputs, check.Tree(llb.Scratch(), "list what an extension can have", entries), llb.Readonly),
		},
		Explain: func(code uint32) error { return k.refused(p, code) },
	}).AddMount("/out", llb.Scratch()), nil
}

// ignored are paths, with wildcards of the shell, that packages change beside their files, and that
// a machine does not need from an extension: what a package manager remembers, what is made again,
// and links that enable services.
func ignored() []string {
	paths := []string{
		"/dev", "/proc", "/run", "/sys", "/tmp", "/var/tmp",
		"/etc/ld.so.cache", "/var/cache", "/var/log",
		"/etc/systemd/system/*.wants", "/var/lib/systemd/deb-systemd-helper-enabled",
	}
	for _, m := range catalog.Managers() {
		paths = slices.Concat(paths, m.Databases, m.State)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// refused explains an exit code of changes.sh.
func (k Kind) refused(p *plan.Plan, code uint32) error {
	report := func(at key.Key, message, hint string) error {
		return p.Diagnose(rules.ExtensionRefused, at, hint, "the extension %s %s; the log of the step has the path", p.Extension.Name, message)
	}
	switch code {
	case exitEmpty:
		return p.Diagnose(rules.ExtensionRefused, key.Extension, "leave out what the system has", "the extension %s has nothing that the system lacks", p.Extension.Name)
	case exitDeletes:
		return report(key.Extension, "deletes files of the system", "an extension only adds and replaces: make the change in the system")
	case exitOutside:
		return report(key.Extension, "changes files where machines merge no "+k.Name, "add the packages to the system, or choose others")
	case exitKernel:
		return report(key.Extension, "has modules of another kernel than that of the system", "choose packages for the kernel of the system")
	case exitNoUnit:
		return report(key.ExtensionServices, "starts a unit that neither it nor the system has", "check its name")
	case exitNoRelease:
		return p.Diagnose(rules.ExtensionRefused, key.Extension, "set anyDistro: true", "the system does not say in os-release what it is")
	default:
		return nil
	}
}

// image packs the content into partitions: the filesystem, its verity data, and their signature.
func (k Kind) image(ctx context.Context, g *graph.Graph, p *plan.Plan, content llb.State) (llb.State, error) {
	e := p.Extension
	toolsStage, tools, err := artifact.Tools(ctx, g, p, e.Tools)
	if err != nil {
		return llb.State{}, err
	}
	s := g.Stage("extension/"+e.Name, p.At(key.Extension)).On(toolsStage.Platform())
	args := []string{"/content", "/out/" + k.File(e.File), k.Name, e.Architecture, e.Seed}
	mounts := []llb.RunOption{llb.AddMount("/content", content, llb.Readonly)}
	if !e.Certificate.IsZero() {
		const certificate, private = graph.ScriptDir + "/certificate.pem", graph.ScriptDir + "/key.pem"
		from, file, err := artifact.Content(ctx, g, s, key.ExtensionCertificate, e.Certificate)
		if err != nil {
			return llb.State{}, err
		}
		mounts = append(mounts, llb.AddMount(certificate, from, llb.SourcePath(file), llb.Readonly), llb.AddSecret(private, llb.SecretID(KeySecret)))
		args = append(args, certificate, private)
	}
	return s.Run(tools, graph.Command{
		Title:   "write " + k.File(e.File),
		Script:  imageScript(),
		Args:    args,
		Env:     g.EpochEnv(),
		Mounts:  mounts,
		Explain: func(code uint32) error { return unsigned(p, code) },
	}).AddMount("/out", llb.Scratch()), nil
}

// unsigned explains an exit code of image.sh.
func unsigned(p *plan.Plan, code uint32) error {
	at := key.ExtensionCertificate
	switch code {
	case exitNoCertificate:
		return p.Diagnose(rules.InvalidCertificate, at, "name a file with -----BEGIN CERTIFICATE-----", "the file has no certificate in PEM")
	case exitNoKey:
		return p.Diagnose(rules.InvalidCertificate, at, "give it the private key in PEM, without a passphrase", "the secret %s has no private key", KeySecret)
	case exitOtherKey:
		return p.Diagnose(rules.InvalidCertificate, at, "give the secret the key that the certificate was made for", "the certificate is not for the key of the secret %s", KeySecret)
	default:
		return nil
	}
}

// MissingSecret is the mistake behind a build that failed for want of the key; nil for any other
// secret.
func MissingSecret(p *plan.Plan, id string) error {
	if p.Extension == nil || p.Extension.Certificate.IsZero() || id != KeySecret {
		return nil
	}
	return p.Diagnose(rules.InvalidCertificate, key.ExtensionCertificate, "pass the private key with --secret id="+id+",src=FILE", "the build has no secret %q to sign with", id)
}
