package specs

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"go.yaml.in/yaml/v4"
	"golang.org/x/crypto/ssh"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// doubts returns the warnings about a cloud-config that depend on nothing else.
func doubts(lines *text, root *yaml.Node) Diagnostics {
	c := &shapeChecker{lines: lines, cloudInit: isCloudInit(lines.lines)}
	c.duplicates(root)
	c.top(root)
	c.agent(root)
	c.foreign(root)
	c.users(root)
	for _, step := range configSteps(root) {
		c.conditions(step)
		c.scripts(step)
		if keys := find(step, "authorized_keys"); keys != nil {
			for _, list := range pairs(keys) {
				c.sshKeys(list)
			}
		}
	}
	if commands := find(root, "runcmd"); commands != nil && c.cloudInit {
		c.shells(commands, "runcmd")
	}
	if keys := find(root, "ssh_authorized_keys"); keys != nil {
		c.sshKeys(keys)
	}
	return c.found.Sorted()
}

// misspelled reports keys that are almost one of a list, and no more than that: everybody may have
// keys of their own.
func (c *shapeChecker) misspelled(n *yaml.Node, around string, known []string) {
	for k := range pairs(n) {
		if slices.Contains(known, k.Value) {
			continue
		}
		for _, valid := range known {
			if almost(k.Value, valid) {
				c.report(rules.UnknownConfigKey, k, "did you mean "+quote(valid)+"?", "no machine reads the key %s", joinKey(around, k.Value))
				break
			}
		}
	}
}

// almost reports whether two different words differ only in case, in - and _, or, if they are not
// short, in one letter.
func almost(word, valid string) bool {
	plain := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }
	return plain(word) == plain(valid) || len(valid) > 4 && levenshtein.Distance(word, valid, nil) == 1
}

// cloudInitKeys are the keys of cloud-init that users try, and what does the same on a Kairos
// system. No program of Kairos reads them.
func cloudInitKeys() map[string]string {
	const packages, commands = "use packages.add of the spec", "use commands in a step of stages"
	return map[string]string{
		"apt":               "use repositories of the spec",
		"bootcmd":           commands,
		"ca_certs":          "use ca of the spec",
		"chpasswd":          "use passwd of a user",
		"disk_setup":        "use install.partitions, or layout in a step of stages",
		"fqdn":              "use hostname",
		"fs_setup":          "use install.extra-partitions, or layout in a step of stages",
		"locale":            "use environment in a step of stages",
		"mounts":            "use install.bind_mounts, or commands in a step of stages",
		"ntp":               "use timesyncd in a step of stages",
		"package_update":    packages,
		"package_upgrade":   "build and upgrade to a new image",
		"packages":          packages,
		"power_state":       "use install.reboot or install.poweroff",
		"snap":              packages,
		"ssh_import_id":     "use ssh_authorized_keys of a user, such as github:name",
		"ssh_pwauth":        "use files in a step of stages, in /etc/ssh/sshd_config.d",
		"swap":              commands,
		"timezone":          commands,
		"yum_repos":         "use repositories of the spec",
		"zypper":            "use repositories of the spec",
		"manage_etc_hosts":  commands,
		"preserve_hostname": "remove it",
	}
}

// foreign reports keys of cloud-init.
func (c *shapeChecker) foreign(root *yaml.Node) {
	known := cloudInitKeys()
	for k := range pairs(root) {
		if hint, ok := known[k.Value]; ok {
			c.report(rules.CloudInitKey, k, hint, "%s is a key of cloud-init, and no machine reads it", k.Value)
		}
	}
}

// users checks the users of cloud-init and of the steps.
func (c *shapeChecker) users(root *yaml.Node) {
	for _, u := range configUsers(root) {
		if password := find(u, "passwd"); password != nil && strings.HasPrefix(password.Value, "$1$") {
			c.report(rules.WeakHash, password, "hash it with openssl passwd -6", "the password is hashed with MD5, and whoever gets the file can guess fast")
		}
		if keys := find(u, "ssh_authorized_keys"); keys != nil {
			c.sshKeys(keys)
		}
	}
	all := find(root, "users")
	if all == nil || all.Kind != yaml.SequenceNode {
		return
	}
	first := map[string]*yaml.Node{}
	for _, u := range all.Content {
		name := find(u, "name")
		if name == nil || isTemplate(name.Value) {
			continue
		}
		if before, ok := first[name.Value]; ok {
			c.report(rules.DuplicateUser, name, "keep one of them", "the user %s is in line %d, too, and only the last one counts", quote(name.Value), c.lines.rangeOf(before).Start.Line)
		}
		first[name.Value] = name
	}
}

// isTemplate reports whether yip or the agent changes a text before it uses it.
func isTemplate(text string) bool { return strings.Contains(text, "{{") }

// conditions checks those that yip reads itself. One that it cannot read skips the step.
func (c *shapeChecker) conditions(step *yaml.Node) {
	for k, v := range pairs(step) {
		switch k.Value {
		case "node", "only_os", "only_os_version", "only_arch":
			if _, err := regexp.Compile(v.Value); err != nil {
				c.report(rules.InvalidCondition, v, "write a regular expression of Go", "no machine runs the step: %s is not a regular expression: %s",
					k.Value, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
			}
		case "only_service_manager":
			valid := []string{"openrc", "systemd"}
			if !slices.Contains(valid, strings.ToLower(v.Value)) {
				c.report(rules.InvalidCondition, v, Suggest(v.Value, valid), "no machine runs the step: %s is not a service manager", quote(v.Value))
			}
		case "if_files":
			valid := []string{"all", "any", "none"}
			for check := range pairs(v) {
				if !slices.Contains(valid, check.Value) {
					c.report(rules.InvalidCondition, check, Suggest(check.Value, valid), "no machine runs the step: if_files has no %s", quote(check.Value))
				}
			}
		}
	}
}

// scripts checks what a step gives to the shell.
func (c *shapeChecker) scripts(step *yaml.Node) {
	if n := find(step, "if"); n != nil {
		c.shell(n, "if")
	}
	if n := find(step, "commands"); n != nil {
		c.shells(n, "commands")
	}
}

func (c *shapeChecker) shells(list *yaml.Node, key string) {
	if list.Kind == yaml.SequenceNode {
		for _, n := range list.Content {
			c.shell(n, key)
		}
	}
}

func (c *shapeChecker) shell(n *yaml.Node, key string) {
	if n.Kind != yaml.ScalarNode || isTemplate(n.Value) {
		return
	}
	if mistake := ShellMistake(n.Value); mistake != "" {
		c.report(rules.InvalidShell, n, "", "%s is not a shell script: %s", key, mistake)
	}
}

func (c *shapeChecker) sshKeys(list *yaml.Node) {
	if list.Kind != yaml.SequenceNode {
		return
	}
	for _, n := range list.Content {
		if n.Kind == yaml.ScalarNode && !isTemplate(n.Value) {
			if message, hint := sshKeyMistake(n.Value); message != "" {
				c.report(rules.InvalidSSHKey, n, hint, "%s", message)
			}
		}
	}
}

// sshKeyMistake says what is wrong with a key that yip writes into authorized_keys, or with the
// place that it downloads keys from. The message is empty for nothing.
func sshKeyMistake(text string) (message, hint string) {
	const example = "write a line of a .pub file, such as ssh-ed25519 AAAA…, or github:NAME"
	if u, err := url.Parse(text); err == nil && u.Scheme != "" {
		providers := []string{"github", "gitlab"}
		switch {
		case u.Scheme == "http", u.Scheme == "https":
			return "", ""
		case !slices.Contains(providers, u.Scheme):
			return "keys cannot come from " + quote(u.Scheme), Suggest(u.Scheme, append(providers, "https"))
		case u.Opaque == "":
			return quote(text) + " names no user", "write " + u.Scheme + ":NAME"
		}
		return "", ""
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line)); err != nil {
			return "is not a public key of SSH", example
		}
	}
	return "", ""
}
