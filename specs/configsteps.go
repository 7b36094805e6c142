package specs

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Step is a step of a stage of a cloud-config.
type Step struct {
	// Stage that it is in, such as network.before.
	Stage string `json:"stage"`
	Name  string `json:"name,omitempty"`
	// Conditions that must all hold, such as "only_arch: amd64".
	Conditions []string `json:"conditions,omitempty"`
	// Does are the keys that it acts by, such as commands, with the number of their items.
	Does []string `json:"does,omitempty"`
	// Line of the file in which it begins.
	Line int `json:"line"`
}

// Stages are all stages of a machine, those of every boot first, in the order in which a machine runs
// them.
func Stages() (all []string) {
	for _, s := range stages() {
		all = append(all, s+".before", s, s+".after")
	}
	return all
}

// stepsOf are the steps of a cloud-config, in the order of the file. yip makes steps of the keys of
// cloud-init that it reads: the hostname in the stage initramfs, the others in boot (yip,
// schema/loader_cloudinit.go).
func stepsOf(lines *text, root *yaml.Node) (steps []Step) {
	cloudInit := map[string]*Step{}
	for k, v := range pairs(root) {
		if !isCloudInitKey(k.Value) || !isCloudInit(lines.lines) {
			continue
		}
		stage := "boot"
		if k.Value == "hostname" {
			stage = "initramfs"
		}
		if cloudInit[stage] == nil {
			cloudInit[stage] = &Step{Stage: stage, Name: "keys of cloud-init", Line: k.Line}
		}
		cloudInit[stage].Does = append(cloudInit[stage].Does, counted(k, v))
	}
	for _, stage := range []string{"initramfs", "boot"} {
		if s := cloudInit[stage]; s != nil {
			steps = append(steps, *s)
		}
	}
	stages := find(root, "stages")
	if stages == nil {
		return steps
	}
	for stage, list := range pairs(stages) {
		if list.Kind != yaml.SequenceNode {
			continue
		}
		for _, n := range list.Content {
			s := Step{Stage: stage.Value, Line: n.Line}
			for k, v := range pairs(resolved(n)) {
				switch {
				case k.Value == "name":
					s.Name = v.Value
				case isCondition(k.Value):
					s.Conditions = append(s.Conditions, k.Value+": "+oneLine(v))
				default:
					s.Does = append(s.Does, counted(k, v))
				}
			}
			steps = append(steps, s)
		}
	}
	return steps
}

// isCondition reports whether a key of a step decides whether a machine runs it.
func isCondition(key string) bool {
	return key == "if" || key == "if_files" || key == "node" || strings.HasPrefix(key, "only_")
}

// counted is a key with the number of items in its value, such as "commands (3)".
func counted(k, v *yaml.Node) string {
	switch v = resolved(v); v.Kind {
	case yaml.SequenceNode:
		return fmt.Sprintf("%s (%d)", k.Value, len(v.Content))
	case yaml.MappingNode:
		return fmt.Sprintf("%s (%d)", k.Value, len(v.Content)/2)
	default:
		return k.Value
	}
}

// oneLine is a value in one line.
func oneLine(n *yaml.Node) string {
	n = resolved(n)
	if n.Kind == yaml.ScalarNode {
		return strings.Join(strings.Split(strings.TrimSpace(n.Value), "\n"), "; ")
	}
	var parts []string
	for k, v := range pairs(n) {
		parts = append(parts, k.Value+" "+oneLine(v))
	}
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			parts = append(parts, oneLine(item))
		}
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}
