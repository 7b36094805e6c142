// Package component fetches the programs that the distribution does not have. Each
// is a layer of its own, which depends only on its source.
package component

import (
	"context"
	_ "embed"
	"net/url"
	"path"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/opencontainers/go-digest"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

//go:embed unpack.sh
var unpackScript []byte

// Build makes the layer of a component: the program at its place, with its other
// names and its files. A named context with the component's name wins over any
// source in the plan.
func Build(ctx context.Context, g *graph.Graph, p *plan.Plan, c plan.Component) (llb.State, error) {
	s := g.Stage("component/"+c.Name, p.At(c.Key()))
	program, err := fetch(ctx, g, s, p, c)
	if err != nil {
		return llb.State{}, err
	}
	var entries []tree.Entry
	for path, text := range c.Files {
		entry := tree.File(p.Userland.Real(path), []byte(text))
		if strings.HasPrefix(text, "#!") {
			entry.Mode = 0o755
		}
		entries = append(entries, entry)
	}
	for _, link := range c.Links {
		entries = append(entries, tree.Link(p.Userland.Real(link.Path), link.Target))
	}
	if len(entries) == 0 {
		return program, nil
	}
	return s.Tree(program, "add the files of "+c.Name, entries), nil
}

// fetch returns a layer with only the program.
func fetch(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, c plan.Component) (llb.State, error) {
	name := c.Name
	if c.Context != "" {
		name = c.Context
	}
	from, ok, err := g.Sources.Context(ctx, name, g.Target)
	switch {
	case err != nil:
		return llb.State{}, errors.Wrapf(err, "read the named context %s", name)
	case ok:
		return copyProgram(g, s, c, from, "from the named context "+name), nil
	case c.Context != "":
		return llb.State{}, p.Diagnose(rules.ContextNotFound, key.Components.Entry(c.Name).Context(), "pass it with --build-context "+name+"=…", "there is no named context %q", name)
	case c.Image != "":
		from, err := s.Image(ctx, c.Image)
		if err != nil {
			return llb.State{}, err
		}
		return copyProgram(g, s, c, from, "from "+c.Image), nil
	default:
		return download(ctx, g, s, p, c)
	}
}

func copyProgram(g *graph.Graph, s graph.Stage, c plan.Component, from llb.State, whence string) llb.State {
	return s.File(llb.Scratch(), "copy "+c.Name+" "+whence, llb.Copy(from, "/"+c.Path, c.Install, &llb.CopyInfo{
		CreateDestPath: true,
		FollowSymlinks: true,
		Mode:           &llb.ChmodOpt{Mode: 0o755},
		ChownOpt:       &llb.ChownOpt{User: &llb.UserOpt{}, Group: &llb.UserOpt{}},
		CreatedTime:    &g.Epoch,
	}))
}

// download fetches the publisher's file and verifies it: by BuildKit, when the
// checksum is known, else in the graph against the publisher's list.
func download(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, c plan.Component) (llb.State, error) {
	file, err := fileName(c.Download.URL)
	if err != nil {
		return llb.State{}, err
	}
	opts := []llb.HTTPOption{llb.Filename(file)}
	if sum := c.Download.SHA256; sum != "" {
		opts = append(opts, llb.Checksum(digest.NewDigestFromEncoded(digest.SHA256, sum)))
	}
	archive := s.Fetch("download "+c.Download.URL, c.Download.URL, opts...)
	unpack := s.On(g.Build)
	tools, err := unpack.Image(ctx, p.ScriptImage)
	if err != nil {
		return llb.State{}, err
	}
	const in = graph.ScriptDir + "/in/"
	args := []string{"/out", c.Install, c.Path, in + file}
	mounts := []llb.RunOption{llb.AddMount(in+file, archive, llb.SourcePath("/"+file), llb.Readonly)}
	if address := c.Download.Checksums; address != "" {
		const list = "checksums.txt"
		sums := s.Fetch("download "+address, address, llb.Filename(list))
		mounts = append(mounts, llb.AddMount(in+list, sums, llb.SourcePath("/"+list), llb.Readonly))
		args = append(args, in+list)
	}
	return unpack.Run(tools, graph.Command{
		Title:  "verify and unpack " + file,
		Script: graph.Script{Name: "unpack.sh", Text: unpackScript},
		Args:   args,
		Env:    g.EpochEnv(),
		Mounts: mounts,
	}).AddMount("/out", llb.Scratch()), nil
}

// fileName is the last part of a URL's path: the name in the publisher's checksum
// list, and what distinguishes an archive from a program.
func fileName(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.Wrap(err, "read the url")
	}
	return path.Base(u.EscapedPath()), nil
}
