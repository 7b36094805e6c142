package specs

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// CloudConfig is what can be known of a cloud-config before there is a machine
// that runs it.
type CloudConfig struct {
	// Header tells that it begins as the agent wants it to: others are left out
	// when a machine is installed (kairos-sdk, collector.HasValidHeader).
	Header bool
	// Admin tells that it makes a user of the group admin, or says that none is
	// wanted. Without one the agent does not install (kairos-agent,
	// config.CheckConfigForUsers), and nobody can log in.
	Admin bool
}

// cloudConfigHeaders are the first lines that the agent takes, the first for
// users to write.
var cloudConfigHeaders = []string{"#cloud-config", "#kairos-config", "#node-config"}

// ReadMachineConfig reads a cloud-config for a medium or a disk, which has to
// begin as one.
func ReadMachineConfig(src *Source) (CloudConfig, error) {
	c, err := ReadCloudConfig(src)
	if err == nil && !c.Header {
		err = Diagnostics{{
			Rule:    rules.InvalidCloudConfig,
			Range:   top(src),
			Message: "is not a cloud-config: a machine ignores a file that does not begin as one",
			Hint:    "write " + cloudConfigHeaders[0] + " into the first line",
		}}
	}
	return c, err
}

// ReadCloudConfig reads a cloud-config. Mistakes come back as Diagnostics; what
// the keys mean is the business of the machine.
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
		return c, Diagnostics{{Rule: rules.InvalidCloudConfig, Range: lines.rangeOf(root), Message: "is no mapping", Hint: "a cloud-config has keys such as stages and install"}}
	}
	var known struct {
		Install struct {
			NoUsers bool `yaml:"nousers"`
		} `yaml:"install"`
		Users  []user                            `yaml:"users"`
		Stages map[string][]map[string]yaml.Node `yaml:"stages"`
	}
	// What is of another kind than expected is looked for by others.
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

// user is one of a stage, or of a cloud-config in the way of cloud-init.
type user struct {
	PrimaryGroup string    `yaml:"primary_group"`
	Groups       yaml.Node `yaml:"groups"`
}

// admin tells whether the user may become root.
func (u user) admin() bool {
	var list []string
	if u.Groups.Load(&list) != nil {
		list = strings.Split(u.Groups.Value, ",")
	}
	return slices.ContainsFunc(append(list, u.PrimaryGroup), func(group string) bool { return strings.TrimSpace(group) == "admin" })
}

// hasHeader looks where the agent does: at the first lines.
func hasHeader(text string) bool {
	return slices.ContainsFunc(strings.SplitN(text, "\n", 10), func(line string) bool {
		return slices.Contains(cloudConfigHeaders, strings.TrimRight(line, " \t\r"))
	})
}
