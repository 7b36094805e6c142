// Package component downloads the programs that are not packages of the distribution. Each is a
// layer that depends only on its source.
package component

import (
	"cmp"
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

// Build makes the layer of a component: the program, links to it, and its files. A named context
// with the component's name overrides the source in the plan.
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
	if c.Context != "" {
		from, err := g.Context(ctx, p, key.Components.Entry(c.Name).Context(), c.Context)
		if err != nil {
			return llb.State{}, err
		}
		return copyProgram(g, s, c, from, "from the named context "+c.Context), nil
	}
	from, ok, err := g.Sources.Context(ctx, c.Name, g.Target)
	switch {
	case err != nil:
		return llb.State{}, errors.Wrapf(err, "read the named context %s", c.Name)
	case ok:
		return copyProgram(g, s, c, from, "from the named context "+c.Name), nil
	case c.Image != "":
		from, err := s.Image(ctx, c.Image)
		if err != nil {
			return llb.State{}, err
		}
		return copyProgram(g, s, c, from, "from "+c.Image), nil
	case c.Download == nil:
		return llb.State{}, p.Diagnose(rules.UnsupportedArchitecture, c.Key(), "pass it with --build-context "+c.Name+"=…, or name its source in components", "%s is not published for %s", c.Name, p.Arch)
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

// download downloads the publisher's file. BuildKit verifies it if the checksum is known;
// otherwise, a step checks it against the publisher's list.
func download(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, c plan.Component) (llb.State, error) {
	file, err := fileName(c.Download.URL)
	if err != nil {
		return llb.State{}, err
	}
	locked := Locked(g, p, c)
	archive := fetchMirrored(s, p, c, c.Download.URL, file, sumOf(cmp.Or(c.Download.SHA256, locked)))
	unpack := s.On(g.Build)
	tools, err := unpack.Image(ctx, p.ScriptImage)
	if err != nil {
		return llb.State{}, err
	}
	const in = graph.ScriptDir + "/in/"
	args := []string{"/out", c.Install, c.Path, in + file}
	mounts := []llb.RunOption{llb.AddMount(in+file, archive, llb.SourcePath("/"+file), llb.Readonly)}
	if address := c.Download.Checksums; address != "" && locked == "" {
		sums := fetchMirrored(s, p, c, address, ChecksumList, "")
		mounts = append(mounts, llb.AddMount(in+ChecksumList, sums, llb.SourcePath("/"+ChecksumList), llb.Readonly))
		args = append(args, in+ChecksumList)
	}
	return unpack.Run(tools, graph.Command{
		Title:  "verify and unpack " + file,
		Script: graph.Script{Name: "unpack.sh", Text: unpackScript},
		Args:   args,
		Env:    g.EpochEnv(),
		Mounts: mounts,
	}).AddMount("/out", llb.Scratch()), nil
}

// fetchMirrored downloads a file of a component from its mirror, or from its own server with the
// secret. A mirror is another server, which the secret is not for.
func fetchMirrored(s graph.Stage, p *plan.Plan, c plan.Component, url, file string, sum digest.Digest) llb.State {
	d := graph.Download{URL: p.MirroredDownload(url), File: file, Sum: sum}
	d.Title = "download " + d.URL
	if d.URL == url {
		d.Secret = c.Download.Secret
	}
	d.Explain = func(cause error) error {
		return p.Diagnose(rules.DownloadRefused, c.Key(), "", "%s cannot be downloaded: %v", c.Name, cause)
	}
	return s.Fetch(d)
}

// sumOf is the digest of a checksum; empty for none.
func sumOf(sha256 string) digest.Digest {
	if sha256 == "" {
		return ""
	}
	return digest.NewDigestFromEncoded(digest.SHA256, sha256)
}

// Download is a file that the system needs.
type Download struct {
	Component plan.Component
	// Sum is empty for a file that neither spec nor lock has a checksum of.
	Sum digest.Digest
}

// Downloads are those of a plan. A component that a named context replaces has none.
func Downloads(ctx context.Context, g *graph.Graph, p *plan.Plan) ([]Download, error) {
	var all []Download
	for _, c := range p.AllComponents() {
		if c.Download == nil {
			continue
		}
		_, replaced, err := g.Sources.Context(ctx, c.Name, g.Target)
		if err != nil {
			return nil, errors.Wrapf(err, "read the named context %s", c.Name)
		}
		if !replaced {
			all = append(all, Download{c, sumOf(cmp.Or(c.Download.SHA256, Locked(g, p, c)))})
		}
	}
	return all, nil
}

// Fetch downloads the file under a name.
func (d Download) Fetch(g *graph.Graph, p *plan.Plan, file string) llb.State {
	return fetchMirrored(g.Stage("component/"+d.Component.Name, p.At(d.Component.Key())), p, d.Component, d.Component.Download.URL, file, d.Sum)
}

// Locked is the checksum that the lock has for the download of a component; empty for none. Older
// locks have it by the url of the mirror.
func Locked(g *graph.Graph, p *plan.Plan, c plan.Component) string {
	return cmp.Or(g.Lock.Download(c.Download.URL), g.Lock.Download(p.MirroredDownload(c.Download.URL)))
}

// Lists are the publishers' lists of checksums for the downloads of a plan, by the URL of the
// download. A component that a named context replaces has none.
func Lists(ctx context.Context, g *graph.Graph, p *plan.Plan) (map[string]llb.State, error) {
	downloads, err := Downloads(ctx, g, p)
	if err != nil {
		return nil, err
	}
	lists := map[string]llb.State{}
	for _, d := range downloads {
		if c := d.Component; c.Download.SHA256 == "" {
			s := g.Stage("component/"+c.Name, p.At(c.Key()))
			lists[c.Download.URL] = fetchMirrored(s, p, c, c.Download.Checksums, ChecksumList, "")
		}
	}
	return lists, nil
}

// ChecksumList is the name that publishers' lists get.
const ChecksumList = "checksums.txt"

// Checksum finds the checksum of a download in the publisher's list, which is in the format of
// sha256sum(1).
func Checksum(list []byte, address string) (string, error) {
	name, err := fileName(address)
	if err != nil {
		return "", err
	}
	other := ""
	for line := range strings.Lines(string(list)) {
		words := strings.Fields(line)
		if len(words) != 2 {
			continue
		}
		switch listed := strings.TrimPrefix(strings.TrimPrefix(words[1], "*"), "./"); {
		case listed == name:
			return strings.ToLower(words[0]), nil
		case strings.EqualFold(listed, name):
			other = listed
		}
	}
	if other != "" {
		return "", errors.Errorf("the publisher's checksum list has %s in another case, as %s", name, other)
	}
	return "", errors.Errorf("the publisher's checksum list does not name %s", name)
}

// fileName returns the last part of a URL's path: the name in the publisher's checksum list, which
// also tells an archive from a program.
func fileName(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.Wrap(err, "read the url")
	}
	return path.Base(u.EscapedPath()), nil
}
