package specs

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// CloudConfig is what flavorkit reads from a cloud-config.
type CloudConfig struct {
	// Header is true when the first line is one that the agent accepts; the installer ignores other
	// files (kairos-sdk, collector.HasValidHeader).
	Header bool
	// Admin is true when it makes a user in the group admin, or says that none is wanted. Otherwise
	// the agent refuses to install (kairos-agent, config.CheckConfigForUsers), and nobody can log
	// in.
	Admin bool
}

// cloudConfigHeaders are the first lines that the agent accepts. Messages suggest the first.
var cloudConfigHeaders = []string{"#cloud-config", "#kairos-config", "#node-config"}

// ReadMachineConfig reads a cloud-config for a medium or a disk, which must have a valid header.
func ReadMachineConfig(src *Source) (CloudConfig, error) {
	c, err := ReadCloudConfig(src)
	if err == nil && !c.Header {
		err = Diagnostics{{
			Rule:    rules.InvalidCloudConfig,
			Range:   top(src),
			Message: "is not a cloud-config: a machine ignores a file without its first line",
			Hint:    "write " + cloudConfigHeaders[0] + " into the first line",
		}}
	}
	return c, err
}

// ReadCloudConfig reads a cloud-config. It returns mistakes as Diagnostics. It does not check the
// keys.
func ReadCloudConfig(src *Source) (CloudConfig, error) {
	c := CloudConfig{Header: hasHeader(string(src.Data))}
	lines := newText(src)
	root, found := readMapping(lines, empty{})
	switch {
	case root == nil && len(found) == 1 && found[0].Message == "":
		return c, nil // empty
	case len(found) > 0:
		return c, found
	case root.Kind != yaml.MappingNode:
		return c, Diagnostics{{Rule: rules.InvalidCloudConfig, Range: lines.rangeOf(root), Message: "is not a mapping", Hint: "a cloud-config has keys such as stages and install"}}
	}
	var known struct {
		Install struct {
			NoUsers bool `yaml:"nousers"`
		} `yaml:"install"`
		Users  []user                            `yaml:"users"`
		Stages map[string][]map[string]yaml.Node `yaml:"stages"`
	}
	// Values of unexpected kinds are not mistakes here.
	_ = root.Load(&known)
	c.Admin = known.Install.NoUsers || slices.ContainsFunc(known.Users, user.admin)
	for _, steps := range known.Stages {
		for _, step := range steps {
			var users map[string]user
			if n, ok := step["users"]; ok && n.Load(&users) == nil {
				for _, u := range users {
					c.Admin = c.Admin || u.admin()
				}
			}
		}
	}
	return c, nil
}

// user is a user of a stage, or of the cloud-init key users.
type user struct {
	PrimaryGroup string    `yaml:"primary_group"`
	Groups       yaml.Node `yaml:"groups"`
}

// admin reports whether the user is in the group admin.
func (u user) admin() bool {
	var list []string
	if u.Groups.Load(&list) != nil {
		list = strings.Split(u.Groups.Value, ",")
	}
	return slices.ContainsFunc(append(list, u.PrimaryGroup), func(group string) bool { return strings.TrimSpace(group) == "admin" })
}

// hasHeader checks the same lines as the agent.
func hasHeader(text string) bool {
	return slices.ContainsFunc(strings.SplitN(text, "\n", 10), func(line string) bool {
		return slices.Contains(cloudConfigHeaders, strings.TrimRight(line, " \t\r"))
	})
}
