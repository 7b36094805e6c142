package frontend

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/llb/rootfs"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
)

// MachineStep is a step that a machine runs, of the cloud-config in a file of the machine.
type MachineStep struct {
	specs.Step
	// File on the machine, such as /oem/90_custom.yaml.
	File string `json:"file"`
	// Origin is what has the cloud-config: an overlay of the catalog, or a key of the spec.
	Origin string `json:"origin"`
	// Never is true for a step of a stage that no machine runs.
	Never bool `json:"never,omitempty"`
}

// configDirs are the directories in which a machine looks for cloud-configs, in this order
// (contract 1.12).
func configDirs() []string { return []string{"/system/oem", "/oem", "/usr/local/cloud-config"} }

// installedConfig is where the agent writes the cloud-config of a medium when it installs a machine,
// and where a disk has its own.
const installedConfig = "/oem/90_custom.yaml"

// MachineSteps are the steps of all cloud-configs of a system.
type MachineSteps struct {
	// Steps in the order in which a machine runs them: by stage, then by directory, then by the name
	// of the file. Those of stages that only the installer or an upgrade runs come after those of
	// every boot.
	Steps []MachineStep `json:"steps"`
	// Unread are keys of the spec that may bring more cloud-configs, in a directory or a layer.
	Unread []string `json:"unread,omitempty"`
}

// ReadMachineSteps reads the cloud-configs of a plan.
func ReadMachineSteps(ctx context.Context, p *plan.Plan, cat *catalog.Catalog, contexts Contexts) (MachineSteps, error) {
	own, err := checkFiles(ctx, p, contexts)
	if err != nil {
		return MachineSteps{}, err
	}
	all := MachineSteps{Steps: []MachineStep{}}
	add := func(file, origin string, c specs.CloudConfig) {
		for _, s := range c.Steps {
			runs, _ := specs.RunsStage(s.Stage, p.RunsStages()...)
			all.Steps = append(all.Steps, MachineStep{s, file, origin, !runs})
		}
	}
	entries, err := cat.Overlays().Files(p.System.Overlays...)
	if err != nil {
		return all, err
	}
	replaced := map[string]bool{}
	for i, f := range p.Files {
		k := key.Files.Item(i)
		if holds(f.Path, configDirs()) {
			all.Unread = append(all.Unread, k.String())
		}
		if c, ok := own[k]; ok {
			replaced[f.Path] = true
			add(f.Path, k.String(), c)
		}
	}
	for _, e := range entries {
		if !isConfigFile(e.Path) || replaced[e.Path] {
			continue
		}
		c, err := specs.ReadCloudConfig(&specs.Source{Name: e.Path, Data: e.Data})
		if err != nil {
			return all, err
		}
		add(e.Path, "catalog", c)
	}
	for k, file := range map[key.Key]string{
		key.CloudConfig: rootfs.CloudConfigPath, key.ISOCloudConfig: installedConfig, key.DiskCloudConfig: installedConfig,
	} {
		add(file, k.String(), own[k])
	}
	for i, l := range p.Layers {
		if holds(l.To, configDirs()) {
			all.Unread = append(all.Unread, key.Layers.Item(i).String())
		}
	}
	slices.SortStableFunc(all.Steps, order)
	return all, nil
}

// isConfigFile reports whether a machine reads a file as a cloud-config.
func isConfigFile(file string) bool {
	ext := path.Ext(file)
	return slices.Contains(configDirs(), path.Dir(file)) && (ext == ".yaml" || ext == ".yml")
}

// holds reports whether a directory is or has one of others.
func holds(dir string, others []string) bool {
	return slices.ContainsFunc(others, func(other string) bool {
		return dir == other || strings.HasPrefix(other, strings.TrimSuffix(dir, "/")+"/")
	})
}

// order compares steps by the time at which a machine runs them. Steps of a file keep their order.
func order(a, b MachineStep) int {
	rank := func(names []string, name string) int {
		if i := slices.Index(names, name); i >= 0 {
			return i
		}
		return len(names)
	}
	stages, dirs := specs.Stages(), configDirs()
	if d := rank(stages, a.Stage) - rank(stages, b.Stage); d != 0 {
		return d
	}
	if d := strings.Compare(a.Stage, b.Stage); d != 0 {
		return d
	}
	if d := rank(dirs, path.Dir(a.File)) - rank(dirs, path.Dir(b.File)); d != 0 {
		return d
	}
	if d := strings.Compare(a.File, b.File); d != 0 {
		return d
	}
	return strings.Compare(a.Origin, b.Origin)
}
