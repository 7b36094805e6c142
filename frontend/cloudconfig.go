package frontend

import (
	"context"
	"path"

	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/plan"
	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/specs"
)

// Keys of the cloud-configs of a spec.
const (
	imageConfigKey = "cloudConfig"
	isoConfigKey   = "artifacts.iso.cloudConfig"
	diskConfigKey  = "artifacts.disk.cloudConfig"
)

// cloudConfigs are what is known of the cloud-configs of a spec, by key. One that
// is not given is not in it.
type cloudConfigs map[string]specs.CloudConfig

// readCloudConfigs reads the cloud-configs of the spec before any long work
// begins: no machine is there to say that it could not.
func (s *sources) readCloudConfigs(ctx context.Context, p *plan.Plan) error {
	s.configs = cloudConfigs{}
	own, replaced, err := s.givenConfig(ctx)
	if err != nil {
		return err
	}
	var found specs.Diagnostics
	for key, c := range map[string]specs.Content{imageConfigKey: p.CloudConfig, isoConfigKey: p.ISO.CloudConfig, diskConfigKey: p.Disk.CloudConfig} {
		src := own
		if !replaced || key == imageConfigKey {
			if c.IsZero() {
				continue
			}
			if src, err = s.config(ctx, p, key, c); err != nil {
				return err
			}
		}
		read := specs.ReadMachineConfig
		if key == imageConfigKey {
			read = specs.ReadCloudConfig
		}
		config, err := read(src)
		var mistakes specs.Diagnostics
		switch {
		case errors.As(err, &mistakes):
			for _, d := range mistakes {
				if len(src.Lines) > 0 { // the spec itself has the text
					d.Key = key
				}
				found = append(found, d)
			}
		case err != nil:
			return err
		}
		s.configs[key] = config
	}
	return found.Err()
}

// givenConfig is the cloud-config that is handed in as a named context, for
// media and disks, in the place of what the spec has.
func (s *sources) givenConfig(ctx context.Context) (src *specs.Source, ok bool, err error) {
	_, builder := s.request.platforms(nil)
	st, ok, err := s.Context(ctx, artifact.ConfigContext, builder)
	if err != nil || !ok {
		return nil, false, err
	}
	ref, err := s.request.solve(ctx, st)
	if err != nil {
		return nil, false, errors.Wrapf(err, "read the named context %s", artifact.ConfigContext)
	}
	data, err := dockerui.ReadFile(ctx, ref, artifact.ConfigFile)
	if err != nil && isNotExist(err) {
		return nil, false, errors.Errorf("the named context %s holds no %s", artifact.ConfigContext, artifact.ConfigFile)
	}
	return &specs.Source{Name: path.Join(artifact.ConfigContext, artifact.ConfigFile), Data: data}, true, err
}

// config is a cloud-config of the spec as a file. Of one that is written in the
// spec itself, messages point at the key.
func (s *sources) config(ctx context.Context, p *plan.Plan, key string, c specs.Content) (*specs.Source, error) {
	if c.From == "" {
		at := p.Range(key)
		return &specs.Source{Name: at.Source.Name, Data: []byte(c.Content), Lines: []specs.Range{at}}, nil
	}
	st, err := s.Files(ctx, p.Written(key+".from"))
	if err != nil {
		return nil, err
	}
	ref, err := s.request.solve(ctx, st)
	if err != nil {
		return nil, errors.Wrap(err, "read the build context")
	}
	data, err := dockerui.ReadFile(ctx, ref, path.Clean(c.From))
	return &specs.Source{Name: c.From, Data: data}, errors.Wrapf(err, "read %s", c.From)
}

// warnings are what a target can be built with, and its user would hardly want.
func (c cloudConfigs) warnings(p *plan.Plan, t target) specs.Diagnostics {
	own, given := c[t.config]
	if t.config == "" || own.Admin {
		return nil
	}
	d := specs.Diagnostic{Range: p.Range(t.config), Key: t.config}
	switch {
	case given:
		d.Message, d.Hint = "no user in it is in the group admin: ", "add one, or install: {nousers: true} if that is meant"
	case t.config == diskConfigKey:
		d.Message, d.Hint = "is missing, and with it a user in the group admin: ", "name a cloud-config with a user"
	default:
		return nil // the installer asks
	}
	// The agent reads those of the medium and of the machine, not that of the
	// image (kairos-agent, constants.GetUserConfigDirs).
	d.Message += "kairos-agent will refuse to install, to upgrade and to reset"
	if c[imageConfigKey].Admin {
		d.Message += " (it takes no notice of the user in " + imageConfigKey + ")"
	} else {
		d.Message += ", and nobody can log in"
	}
	return specs.Diagnostics{d}
}

// warn shows warnings with the lines that they are about.
func (m *sourceMaps) warn(ctx context.Context, show func(context.Context, string, gwclient.WarnOpts), warnings specs.Diagnostics) {
	for _, d := range warnings {
		show(ctx, d.Error(), gwclient.WarnOpts{Level: 1, SourceInfo: m.info(d.Range.Source), Range: ranges(d.Range)})
	}
}
