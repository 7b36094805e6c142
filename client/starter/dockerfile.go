package starter

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// kairosInit is upstream's program, and the last part of the name of its image.
const kairosInit = "kairos-init"

// FromDockerfile translates a Dockerfile that makes a system with kairos-init. name is its name in
// messages.
func (s Starter) FromDockerfile(ctx context.Context, name string, data []byte) (*Draft, error) {
	parsed, err := parser.Parse(bytes.NewReader(data))
	if err != nil {
		return nil, errors.Wrapf(err, "read %s", name)
	}
	stages, args, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, errors.Wrapf(err, "read %s", name)
	}
	if len(stages) == 0 {
		return nil, errors.Errorf("%s has no FROM", name)
	}
	d := &dockerfile{
		translation: translation{Draft: s.draft(), ctx: ctx}, stages: stages, lex: shell.NewLex(parsed.EscapeToken), env: map[string]string{}, dir: "/",
		meta: map[string]string{},
	}
	d.From = name
	for _, a := range args {
		d.args(a.Args, d.meta)
	}
	if err := d.system(len(stages) - 1); err != nil {
		return nil, errors.Wrapf(err, "translate %s", name)
	}
	return d.Draft, d.finish()
}

// dockerfile is a translation of a Dockerfile.
type dockerfile struct {
	translation
	stages []instructions.Stage
	lex    *shell.Lex
	// meta are the build arguments before the first stage, and env those and the environment of the
	// stages that the system is made of.
	meta, env map[string]string
	// dir is the working directory.
	dir string
	// What kairos-init was told.
	variant, provider, providerVersion string
}

// variables implements shell.EnvGetter.
type variables map[string]string

// Get implements shell.EnvGetter.
func (v variables) Get(name string) (string, bool) {
	value, ok := v[name]
	return value, ok
}

// Keys implements shell.EnvGetter.
func (v variables) Keys() []string { return catalog.Names(v) }

// args sets build arguments. A value without a default is that of the caller, or empty.
func (d *dockerfile) args(args []instructions.KeyValuePairOptional, into map[string]string) {
	for _, a := range args {
		value, given := d.starter.BuildArgs[a.Key]
		switch {
		case given:
		case a.Value != nil:
			value = d.expand(*a.Value, into)
		default:
			value = d.meta[a.Key]
		}
		into[a.Key] = value
	}
}

// expand replaces the variables of a word. A word that cannot be expanded stays.
func (d *dockerfile) expand(word string, env map[string]string) string {
	text, _, err := d.lex.ProcessWord(word, variables(env))
	if err != nil {
		return word
	}
	return text
}

// stage returns the index of an earlier stage by its name or number, or -1.
func (d *dockerfile) stage(name string, before int) int {
	return slices.IndexFunc(d.stages[:before], func(s instructions.Stage) bool { return s.Name != "" && strings.EqualFold(s.Name, name) })
}

// system translates a stage and those that it continues.
func (d *dockerfile) system(at int) error {
	stage := d.stages[at]
	line := lineOf(stage.Location)
	base := d.expand(stage.BaseName, d.meta)
	if from := d.stage(base, at); from >= 0 {
		if err := d.system(from); err != nil {
			return err
		}
	} else if err := d.base(line, base); err != nil {
		return err
	}
	for _, c := range stage.Commands {
		d.command(c)
	}
	return nil
}

// base translates the image that the system starts from.
func (d *dockerfile) base(line int, image string) error {
	if u, ok := d.starter.readImage(image); ok && (d.setPublished(line, "FROM "+image, image, u) || d.setUpstream(line, u)) {
		return nil
	}
	distro, exact := d.starter.byBase(image)
	if distro == nil {
		var bases []string
		for _, name := range catalog.Names(d.starter.Catalog.Distros) {
			bases = append(bases, path.Base(d.starter.Catalog.Distros[name].Base))
		}
		return errors.Errorf("line %d: no distribution of the catalog has the base image %q; %s", line, image, specs.Suggest(image, bases))
	}
	d.setDistro(distro)
	if !exact {
		d.note(line, "FROM %s names no release of the catalog; %s is used", image, distro.Title)
	}
	if strings.Contains(image, "@") {
		d.keep(line, "FROM "+image, func(s *specs.Spec) { s.Distro.Base = image })
	}
	return nil
}

// command translates one instruction of the system.
func (d *dockerfile) command(c instructions.Command) {
	line := lineOf(c.Location())
	switch c := c.(type) {
	case *instructions.ArgCommand:
		d.args(c.Args, d.env)
	case *instructions.EnvCommand:
		for _, pair := range c.Env {
			d.env[pair.Key] = d.expand(pair.Value, d.env)
			if !buildVariable.MatchString(pair.Key) {
				d.note(line, "ENV %s: a machine has no environment of an image; write /etc/environment with files", pair.Key)
			}
		}
	case *instructions.WorkdirCommand:
		d.dir = below(d.dir, d.expand(c.Path, d.env))
	case *instructions.CopyCommand:
		d.copy(line, c)
	case *instructions.AddCommand:
		d.add(line, c)
	case *instructions.RunCommand:
		d.run(line, c)
	default:
		d.note(line, "%s: only containers have it, not machines", strings.ToUpper(c.Name()))
	}
}

// buildVariable are variables that only the build reads.
var buildVariable = regexp.MustCompile(`^(DEBIAN_FRONTEND|SHELL|PATH|KAIROS_INIT_.*|L4T_VERSION)$`)

// copy translates COPY into files, and those from other stages and images into layers.
func (d *dockerfile) copy(line int, c *instructions.CopyCommand) {
	if c.From == "" {
		d.files(line, "COPY", c.SourcesAndDest, c.Chown, c.Chmod)
	} else {
		d.layers(line, c)
	}
	if len(c.ExcludePatterns) > 0 || c.Parents {
		d.note(line, "COPY: --exclude and --parents have no counterpart; use .dockerignore, or a directory of the right form")
	}
}

func (d *dockerfile) add(line int, c *instructions.AddCommand) {
	for _, source := range c.SourcePaths {
		if source = d.expand(source, d.env); strings.Contains(source, "://") || strings.HasPrefix(source, "git@") {
			d.note(line, "ADD %s: a spec downloads nothing into the system; take it as a layer: %slayers.md", source, pages)
			return
		}
	}
	d.files(line, "ADD", c.SourcesAndDest, c.Chown, c.Chmod)
}

// files translates sources of the build context.
func (d *dockerfile) files(line int, what string, c instructions.SourcesAndDest, chown, chmod string) {
	to := d.expand(c.DestPath, d.env)
	many := strings.HasSuffix(to, "/") || to == "." || len(c.SourcePaths)+len(c.SourceContents) > 1
	owner := d.expand(chown, d.env)
	if owner != "" && !strings.Contains(owner, ":") {
		owner += ":" + owner
	}
	put := func(name string, f specs.File) {
		f.Path, f.Mode, f.Owner = below(d.dir, to), d.expand(chmod, d.env), owner
		if many && name != "" {
			f.Path = path.Join(f.Path, name)
		}
		d.keep(line, fmt.Sprintf("%s to %s", what, f.Path), func(s *specs.Spec) { s.Files = append(slices.Clip(s.Files), f) })
	}
	for _, source := range c.SourcePaths {
		for _, from := range d.glob(d.expand(source, d.env)) {
			name := path.Base(from)
			if d.isDir(from) {
				name = "" // COPY takes what is in it
			}
			put(name, specs.File{From: from})
		}
	}
	for _, source := range c.SourceContents {
		text := source.Data
		if source.Expand {
			text = d.expand(text, d.env)
		}
		put(source.Path, specs.File{Content: specs.Text(text)})
	}
}

// glob returns the files of the build context that a pattern is for, or the pattern itself.
func (d *dockerfile) glob(source string) []string {
	source = strings.TrimPrefix(path.Clean("/"+source), "/")
	if source == "" {
		source = "."
	}
	if d.starter.Context != nil && strings.ContainsAny(source, "*?[") {
		if found, err := fs.Glob(d.starter.Context, source); err == nil && len(found) > 0 {
			return found
		}
	}
	return []string{source}
}

func (d *dockerfile) isDir(name string) bool {
	if d.starter.Context == nil {
		return name == "."
	}
	info, err := fs.Stat(d.starter.Context, name)
	return err == nil && info.IsDir()
}

// layers translates sources of other stages and of images.
func (d *dockerfile) layers(line int, c *instructions.CopyCommand) {
	from, to := d.expand(c.From, d.env), d.expand(c.DestPath, d.env)
	stage := d.stage(from, len(d.stages))
	image := from
	if stage >= 0 {
		image = d.expand(d.stages[stage].BaseName, d.meta)
	}
	if isKairosInit(image) {
		return // flavorkit does its work
	}
	for _, source := range c.SourcePaths {
		source = path.Join("/", d.expand(source, d.env))
		l := specs.Layer{Name: d.layerName(from), Path: source, To: below(d.dir, to)}
		if strings.HasSuffix(to, "/") && !strings.HasSuffix(source, "/") && path.Ext(source) != "" || len(c.SourcePaths) > 1 {
			l.To = path.Join(l.To, path.Base(source))
		}
		l.Context = strings.ToLower(from)
		if stage < 0 {
			l.Context, l.Image = "", from
		}
		what := fmt.Sprintf("COPY --from=%s %s", from, source)
		if d.keep(line, what, func(s *specs.Spec) { s.Layers = append(slices.Clip(s.Layers), l) }) && stage >= 0 {
			d.note(line, "%s: build the stage as a target of bake, or pass its files with --build-context %s=DIRECTORY: %slayers.md", what, l.Context, pages)
		}
	}
}

// layerName is a name that no other layer has.
func (d *dockerfile) layerName(from string) string {
	base := notInName.ReplaceAllString(strings.ToLower(path.Base(from)), "-")
	name := base
	for n := 2; slices.ContainsFunc(d.Spec.Layers, func(l specs.Layer) bool { return l.Name == name }); n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// isKairosInit reports whether an image is that of kairos-init.
func isKairosInit(image string) bool {
	name, _, _ := strings.Cut(path.Base(image), "@")
	name, _, _ = strings.Cut(name, ":")
	return name == kairosInit
}

func lineOf(ranges []parser.Range) int {
	if len(ranges) == 0 {
		return 1
	}
	return ranges[0].Start.Line
}
