// Package extension makes images of system extensions and configuration extensions: what packages
// and files add to the root filesystem.
package extension

import (
	"cmp"
	"context"
	_ "embed"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/llb/component"
	"github.com/flavorkit/flavorkit/llb/distro"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/llb/look"
	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
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

// Build makes the images of the extensions of the kind, each with its checksum.
func (k Kind) Build(ctx context.Context, g *graph.Graph, p *plan.Plan, r *rootfs.RootFS) (llb.State, error) {
	wanted, err := k.wanted(p)
	if err != nil {
		return llb.State{}, err
	}
	var all *llb.FileAction
	for _, e := range wanted {
		image, err := k.Image(ctx, g, p, r, e)
		if err != nil || len(wanted) == 1 {
			return image, err
		}
		all = all.Copy(image, "/", "/", &llb.CopyInfo{CopyDirContentsOnly: true})
	}
	return g.Stage("extensions", p.At(key.Extensions)).On(g.Build).File(llb.Scratch(), "gather the extensions", all), nil
}

// wanted are the extensions that the kind makes: a single one in any case, and of several those that
// no kind before it has a place for.
func (k Kind) wanted(p *plan.Plan) (wanted []plan.Extension, err error) {
	if len(p.Extensions) == 0 {
		return nil, p.Diagnose(rules.MissingValue, key.Extension, `say what it has, such as "extension: {name: caddy, packages: [caddy]}"`, "there is no extension to make")
	}
	for _, e := range p.Extensions {
		refused := k.checkFiles(p, e)
		first := slices.IndexFunc(Kinds(), func(other Kind) bool { return other.checkFiles(p, e) == nil })
		switch {
		case len(p.Extensions) > 1 && first >= 0 && Kinds()[first].Name != k.Name:
			err = cmp.Or(err, refused)
		case refused != nil:
			return nil, refused
		default:
			wanted = append(wanted, e)
		}
	}
	if len(wanted) == 0 {
		return nil, cmp.Or(err, p.Diagnose(rules.MissingValue, key.Extensions, "give one of them only files in "+strings.Join(k.hierarchies, " or "), "there is no %s to make", k.Name))
	}
	return wanted, nil
}

// Image makes the image of an extension, with its checksum.
func (k Kind) Image(ctx context.Context, g *graph.Graph, p *plan.Plan, r *rootfs.RootFS, e plan.Extension) (llb.State, error) {
	if !g.Caps.Diff {
		return llb.State{}, errors.New("the daemon cannot compare states, which an extension needs: use flavorkit build, or a builder of docker buildx create")
	}
	if err := k.checkFiles(p, e); err != nil {
		return llb.State{}, err
	}
	s := g.Stage("extension/"+e.Name, p.At(e.Key()))
	made, err := k.install(ctx, g, s, p, e, r.State)
	if err != nil {
		return llb.State{}, err
	}
	content, err := k.changes(ctx, g, s, p, e, r.State, made)
	if err != nil {
		return llb.State{}, err
	}
	return k.image(ctx, g, p, e, content)
}

// checkFiles refuses files that the kind has no place for, before the long steps.
func (k Kind) checkFiles(p *plan.Plan, e plan.Extension) error {
	for i, f := range e.Files {
		in := func(dir string) bool { return strings.HasPrefix(f.Path, dir+"/") }
		if !slices.ContainsFunc(k.hierarchies, in) {
			return p.Diagnose(rules.InvalidPath, e.Key().Files().Item(i).Entry("path"), "put it into "+strings.Join(k.hierarchies, " or "), "a %s has no %s", k.Name, f.Path)
		}
	}
	return nil
}

// install adds the packages and files to the system.
func (k Kind) install(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, e plan.Extension, base llb.State) (llb.State, error) {
	made, err := distro.InstallOn(ctx, g, s, p, e.Install, base, "extension")
	if err != nil {
		return llb.State{}, err
	}
	if made, err = addComponents(ctx, g, s, p, e, made); err != nil {
		return llb.State{}, err
	}
	var action *llb.FileAction
	for i, f := range e.Files {
		if action, err = rootfs.AddFile(ctx, g, action, e.Key().Files().Item(i), f); err != nil {
			return llb.State{}, err
		}
	}
	if action == nil {
		return made, nil
	}
	return s.File(made, "add the files of the extension", action), nil
}

// addComponents adds the components and the files of the catalog to the system.
func addComponents(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, e plan.Extension, made llb.State) (llb.State, error) {
	layers := []llb.State{made}
	for _, c := range e.Components {
		layer, err := component.Build(ctx, g, p, c)
		if err != nil {
			return llb.State{}, err
		}
		layers = append(layers, layer)
	}
	if len(e.Overlays) > 0 {
		entries, err := g.Overlays.Files(e.Overlays...)
		if err != nil {
			return llb.State{}, err
		}
		for i := range entries {
			entries[i].Path = p.Userland.Real(entries[i].Path)
		}
		layers = append(layers, s.Tree(llb.Scratch(), "add the files of the catalog", entries))
	}
	if len(layers) == 1 {
		return made, nil
	}
	return g.Merge(s, "merge the programs into the system", layers...), nil
}

// starts is the drop-in that starts the services. The links that enable them are in /etc, which no
// system extension has, so the target upholds them (systemd.unit(5), Upholds=).
func (k Kind) starts(e plan.Extension) tree.Entry {
	file := path.Join(k.units, "multi-user.target.d", "10-"+e.Name+".conf")
	return tree.File(file, []byte("[Unit]\nUpholds="+strings.Join(e.Services, " ")+"\n"))
}

// release are the lines of the release file, without those that name the distribution (os-release(5)).
func release(e plan.Extension) string {
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
func (k Kind) changes(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, e plan.Extension, base, made llb.State) (llb.State, error) {
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
		Explain: func(code uint32) error { return k.refused(p, e, code) },
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
func (k Kind) refused(p *plan.Plan, e plan.Extension, code uint32) error {
	report := func(at key.Key, message, hint string) error {
		return p.Diagnose(rules.ExtensionRefused, at, hint, "the extension %s %s; the log of the step has the path", e.Name, message)
	}
	switch code {
	case exitEmpty:
		return p.Diagnose(rules.ExtensionRefused, e.Key(), "leave out what the system has", "the extension %s has nothing that the system lacks", e.Name)
	case exitDeletes:
		return report(e.Key(), "deletes files of the system", "an extension only adds and replaces: make the change in the system")
	case exitOutside:
		return report(e.Key(), "changes files where machines merge no "+k.Name, "add the packages to the system, or choose others")
	case exitKernel:
		return report(e.Key(), "has modules of another kernel than that of the system", "choose packages for the kernel of the system")
	case exitNoUnit:
		return report(e.Key().Services(), "starts a unit that neither it nor the system has", "check its name")
	case exitNoRelease:
		return p.Diagnose(rules.ExtensionRefused, e.Key(), "set anyDistro: true", "the system does not say in os-release what it is")
	default:
		return nil
	}
}

// image packs the content into partitions: the filesystem, its verity data, and their signature.
func (k Kind) image(ctx context.Context, g *graph.Graph, p *plan.Plan, e plan.Extension, content llb.State) (llb.State, error) {
	toolsStage, tools, err := artifact.Tools(ctx, g, p, e.Tools)
	if err != nil {
		return llb.State{}, err
	}
	s := g.Stage("extension/"+e.Name, p.At(e.Key())).On(toolsStage.Platform())
	args := []string{"/content", "/out/" + k.File(e.File), k.Name, e.Architecture, e.Seed}
	mounts := []llb.RunOption{llb.AddMount("/content", content, llb.Readonly)}
	if !e.Certificate.IsZero() {
		const certificate, private = graph.ScriptDir + "/certificate.pem", graph.ScriptDir + "/key.pem"
		from, file, err := artifact.Content(ctx, g, s, e.Key().Certificate(), e.Certificate)
		if err != nil {
			return llb.State{}, err
		}
		mounts = append(mounts, llb.AddMount(certificate, from, llb.SourcePath(file), llb.Readonly), llb.AddSecret(private, llb.SecretID(specs.SigningSecret)))
		args = append(args, certificate, private)
	}
	return s.Run(tools, graph.Command{
		Title:   "write " + k.File(e.File),
		Script:  imageScript(),
		Args:    args,
		Env:     g.EpochEnv(),
		Mounts:  mounts,
		Explain: func(code uint32) error { return unsigned(p, e, code) },
	}).AddMount("/out", llb.Scratch()), nil
}

// unsigned explains an exit code of image.sh.
func unsigned(p *plan.Plan, e plan.Extension, code uint32) error {
	at := e.Key().Certificate()
	switch code {
	case exitNoCertificate:
		return p.Diagnose(rules.InvalidCertificate, at, "name a file with -----BEGIN CERTIFICATE-----", "the file has no certificate in PEM")
	case exitNoKey:
		return p.Diagnose(rules.InvalidCertificate, at, "give it the private key in PEM, without a passphrase", "the secret %s has no private key", specs.SigningSecret)
	case exitOtherKey:
		return p.Diagnose(rules.InvalidCertificate, at, "give the secret the key that the certificate was made for", "the certificate is not for the key of the secret %s", specs.SigningSecret)
	default:
		return nil
	}
}
