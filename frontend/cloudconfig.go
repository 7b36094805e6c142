package frontend

import (
	"cmp"
	"context"
	"io/fs"
	"path"
	"strings"
	"time"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
)

// config is a cloud-config of the spec, with its key.
type config struct {
	key     key.Key
	content plan.Content
	// medium is true for one that is not part of the image.
	medium bool
}

// configsOf are the cloud-configs of the spec: those that it names so, and its files where machines
// look for them.
func configsOf(p *plan.Plan) []config {
	configs := []config{
		{key: key.CloudConfig, content: p.CloudConfig},
		{key: key.ISOCloudConfig, content: p.ISO.CloudConfig, medium: true},
		{key: key.DiskCloudConfig, content: p.Disk.CloudConfig, medium: true},
	}
	for i, f := range p.Files {
		if isConfigFile(f.Path) {
			configs = append(configs, config{key: key.Files.Item(i), content: f.Content})
		}
	}
	return configs
}

// cloudConfigs describes the cloud-configs that a spec sets, by key.
type cloudConfigs map[key.Key]specs.CloudConfig

// Check reads the files that a plan takes from contexts, as a build does before its first step. It
// returns the warnings of all targets, of a build at the time now. The plan was made with the catalog
// cat.
func Check(ctx context.Context, p *plan.Plan, cat *catalog.Catalog, contexts Contexts, now time.Time) (warnings specs.Diagnostics, err error) {
	configs, err := checkFiles(ctx, p, contexts)
	if err != nil {
		return nil, err
	}
	return subject{plan: p, configs: configs, catalog: cat, now: now}.allWarnings(), nil
}

// readCloudConfigs reads the cloud-configs of the spec. texts has those in files, by key.
func (c *checker) readCloudConfigs(ctx context.Context, texts map[key.Key]*specs.Source) (cloudConfigs, error) {
	configs := cloudConfigs{}
	given, err := c.givenConfig(ctx)
	if err != nil {
		return nil, err
	}
	for _, own := range configsOf(c.plan) {
		src, read := texts[own.key.From()], specs.ReadCloudConfig
		if own.content.Text != "" {
			src = c.inline(own)
		}
		if own.medium {
			read = specs.ReadMachineConfig
			src = cmp.Or(given, src)
		}
		if src == nil {
			continue
		}
		known, err := read(src)
		var mistakes specs.Diagnostics
		if err != nil && !errors.As(err, &mistakes) {
			return nil, err
		}
		for _, d := range mistakes {
			if len(src.Lines) > 0 { // the spec itself has the text
				d.Key = c.plan.Origin.Written(own.key)
			}
			c.found = append(c.found, d)
		}
		configs[own.key] = known
	}
	return configs, nil
}

// givenConfig returns the cloud-config of the named context, which replaces that of the spec on
// media and disks; nil when there is none.
func (c *checker) givenConfig(ctx context.Context) (*specs.Source, error) {
	dir, ok, err := c.contexts.Open(ctx, artifact.ConfigContext)
	if err != nil || !ok {
		return nil, errors.Wrapf(err, "read the named context %s", artifact.ConfigContext)
	}
	data, err := dir.ReadFile(ctx, artifact.ConfigFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Errorf("the named context %s has no %s", artifact.ConfigContext, artifact.ConfigFile)
	}
	return &specs.Source{Name: path.Join(artifact.ConfigContext, artifact.ConfigFile), Data: data}, err
}

// inline returns a cloud-config that is written in the spec as a file. Messages point at its lines
// where the spec has the same lines, else at the key.
func (c *checker) inline(own config) *specs.Source {
	at, text := c.plan.At(own.key), own.content.Text
	src := &specs.Source{Name: at.Source.Name, Data: []byte(text), Lines: []specs.Range{at}}
	if lines := literal(c.plan.At(own.key.Content()), text); len(lines) > 0 {
		src.Lines = lines
	}
	return src
}

// literal returns the places of the lines of a literal block (|), and nil for any other text.
func literal(at specs.Range, text string) []specs.Range {
	lines := strings.Split(string(at.Source.Data), "\n")
	if head := []rune(lines[at.Start.Line-1]); at.Start.Column > len(head) || head[at.Start.Column-1] != '|' {
		return nil
	}
	var places []specs.Range
	for i := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		line := lines[at.Start.Line+i]
		p := specs.Position{Line: at.Start.Line + i + 1, Column: len(line) - len(strings.TrimLeft(line, " ")) + 1}
		places = append(places, specs.Range{Source: at.Source, Start: p, End: p})
	}
	return places
}

// warn shows warnings with their lines of the spec.
func (m *sourceMaps) warn(ctx context.Context, show func(context.Context, string, gwclient.WarnOpts), warnings specs.Diagnostics) {
	for _, d := range warnings {
		show(ctx, d.Error(), gwclient.WarnOpts{Level: 1, URL: d.Rule.URL(), Detail: [][]byte{[]byte(d.Rule.Description)}, SourceInfo: m.info(d.Range), Range: ranges(d.Range)})
	}
}
