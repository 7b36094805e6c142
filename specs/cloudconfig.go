package specs

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// CloudConfig is what flavorkit reads from a cloud-config.
type CloudConfig struct {
	// Source is its text.
	Source *Source
	// Header is true when the first line is one that the agent accepts; the installer ignores other
	// files (kairos-sdk, collector.HasValidHeader).
	Header bool
	// Admin is true when it makes a user in the group admin, or says that none is wanted. Otherwise
	// the agent refuses to install (kairos-agent, config.CheckConfigForUsers), and nobody can log
	// in.
	Admin bool
	// Passwords are those of its users that are not hashed.
	Passwords []Word
	// Stages are the names of its stages.
	Stages []Word
	// Steps of its stages, in the order of the file.
	Steps []Step
	// Systemd are the keys of its steps that only systemd heeds, without those of steps that have a
	// condition.
	Systemd []Word
	// Unread are its keys that a machine reads only below the first line #cloud-config, when the file
	// has another one or none. The installer writes that line.
	Unread []Word
	// Doubts are warnings about it, whatever the system.
	Doubts Diagnostics
}

// Word is a word of a file.
type Word struct {
	Text  string
	Range Range
}

// cloudConfigHeaders are the first lines that the agent accepts. Messages suggest the first.
func cloudConfigHeaders() []string {
	return []string{"#cloud-config", "#kairos-config", "#node-config"}
}

// ReadMachineConfig reads a cloud-config for a medium or a disk, which must have a valid header.
func ReadMachineConfig(src *Source) (CloudConfig, error) {
	c, err := ReadCloudConfig(src)
	hint := "write " + cloudConfigHeaders()[0] + " into the first line"
	if bytes.HasPrefix(src.Data, []byte(byteOrderMark)) {
		hint = "save the file without a byte order mark, which is before its first line"
	}
	if err == nil && !c.Header {
		err = Diagnostics{{
			Rule:    rules.InvalidCloudConfig,
			Range:   top(src),
			Message: "is not a cloud-config: a machine ignores a file without its first line",
			Hint:    hint,
		}}
	}
	return c, err
}

// ReadCloudConfig reads a cloud-config. It returns mistakes as Diagnostics. What is wrong with its
// keys and values are doubts.
func ReadCloudConfig(src *Source) (CloudConfig, error) {
	c := CloudConfig{Source: src, Header: hasHeader(string(src.Data))}
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
	c.words(lines, root)
	c.Steps = stepsOf(lines, root)
	c.Doubts = doubts(lines, root)
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

// words finds the words of a cloud-config. The keys users and stages are those of cloud-init and of
// yip.
func (c *CloudConfig) words(lines *text, root *yaml.Node) {
	word := func(n *yaml.Node) Word { return Word{n.Value, lines.rangeOf(n)} }
	for _, u := range configUsers(root) {
		if password := find(u, "passwd"); password != nil && password.Kind == yaml.ScalarNode && !hashed(password.Value) {
			c.Passwords = append(c.Passwords, word(password))
		}
	}
	if stages := find(root, "stages"); stages != nil {
		for name := range pairs(stages) {
			c.Stages = append(c.Stages, word(name))
		}
	}
	for _, step := range configSteps(root) {
		for k := range pairs(step) {
			if slices.Contains(systemdKeys(), k.Value) && find(step, "if") == nil && find(step, "only_service_manager") == nil {
				c.Systemd = append(c.Systemd, word(k))
			}
		}
	}
	for k := range pairs(root) {
		if isCloudInitKey(k.Value) && !isCloudInit(lines.lines) {
			c.Unread = append(c.Unread, word(k))
		}
	}
}

// systemdKeys are the keys of a step that yip hands to systemd.
func systemdKeys() []string { return []string{"systemctl", "systemd_firstboot", "timesyncd"} }

// configSteps are the steps of all stages.
func configSteps(root *yaml.Node) (steps []*yaml.Node) {
	if stages := find(root, "stages"); stages != nil {
		for _, stage := range pairs(stages) {
			if stage.Kind == yaml.SequenceNode {
				steps = append(steps, stage.Content...)
			}
		}
	}
	return steps
}

// configUsers are the users of cloud-init, and those of all steps, which have them by name.
func configUsers(root *yaml.Node) (users []*yaml.Node) {
	if all := find(root, "users"); all != nil && all.Kind == yaml.SequenceNode {
		users = append(users, all.Content...)
	}
	for _, step := range configSteps(root) {
		if named := find(step, "users"); named != nil {
			for _, u := range pairs(named) {
				users = append(users, u)
			}
		}
	}
	return users
}

// isCloudInit reports whether yip reads a file as one for cloud-init: the line comes before
// everything but comments (cloudinit.IsCloudConfig).
func isCloudInit(lines []string) bool {
	for _, line := range lines[:min(len(lines), 9)] {
		switch line = strings.TrimRight(line, " \t\r"); {
		case line == cloudConfigHeaders()[0]:
			return true
		case line != "" && !strings.HasPrefix(line, "#"):
			return false
		}
	}
	return false
}

// hashed reports whether a password is one that crypt(5) made, is locked, or comes from a template.
func hashed(password string) bool {
	return password == "" || strings.ContainsAny(password[:1], "$!*") || strings.HasPrefix(password, "{{")
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
		return slices.Contains(cloudConfigHeaders(), strings.TrimRight(line, " \t\r"))
	})
}
