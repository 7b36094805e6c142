package starter

import (
	"regexp"
	"strings"

	"github.com/pkg/errors"
	"golang.org/x/crypto/ssh"
)

// machine is what the cloud-config of a machine says.
type machine struct {
	user, key string
	// install is one of installations.
	install string
}

// forges are names of people on GitHub and GitLab, whose keys the machine fetches (yip, ssh keys).
var forges = regexp.MustCompile(`^(github|gitlab):[A-Za-z0-9_.-]+$`)

// setKey takes the name of a proposed key, the key itself, or a name on a forge.
func (d *Draft) setKey(word string) error {
	line := strings.TrimSpace(word)
	for _, k := range d.starter.Keys {
		if k.Name == line {
			line = k.Line
		}
	}
	switch {
	case line == "":
		return errors.Errorf("the user %s could not log in without a key", d.machine.user)
	case forges.MatchString(line):
		d.machine.key = line
		return nil
	}
	public, comment, _, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil || len(rest) > 0 {
		return errors.Errorf("%q is no public key, and no file with one", word)
	}
	d.machine.key = strings.TrimSpace(strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))) + " " + strings.Map(printable, comment))
	return nil
}

// config is the cloud-config. The agent installs only with a user in the group admin (kairos-agent,
// config.CheckConfigForUsers).
func (m machine) config() string {
	var out strings.Builder
	out.WriteString("#cloud-config\n# What a machine reads: " + pages + "machines.md\n")
	switch m.install {
	case "reboot", "poweroff":
		out.WriteString("\n# The installer takes the largest disk, and asks nothing.\ninstall:\n  auto: true\n  device: auto\n  " + m.install + ": true\n")
	}
	out.WriteString("\n# The group admin may become root.\nusers:\n  - name: " + quoted(m.user) + "\n    groups: [admin]\n    ssh_authorized_keys:\n      - " + quoted(m.key) + "\n")
	return out.String()
}

// quoted writes a text in single quotes, as YAML does.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
