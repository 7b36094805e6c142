package specs

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// configShape has the keys at the top of a cloud-config that yip reads, which runs cloud-configs for
// kairos-agent and immucore. These types have the keys and the kinds of values of yip's
// schema.YipConfig and cloudinit.CloudConfig (yip v1.25.1, pkg/schema).
type configShape struct {
	Stages            map[string][]configStep `yaml:"stages"`
	SSHAuthorizedKeys []string                `yaml:"ssh_authorized_keys"`
	WriteFiles        []struct {
		Encoding    string    `yaml:"encoding"`
		Content     string    `yaml:"content"`
		Owner       string    `yaml:"owner"`
		Path        string    `yaml:"path"`
		Permissions octalText `yaml:"permissions"`
	} `yaml:"write_files"`
	Hostname string       `yaml:"hostname"`
	Users    []configUser `yaml:"users"`
	RunCmd   []string     `yaml:"runcmd"`
	GrowPart struct {
		Mode    string   `yaml:"mode"`
		Devices []string `yaml:"devices"`
	} `yaml:"growpart"`
}

// configStep is a step of a stage.
type configStep struct {
	Name      string                `yaml:"name"`
	Commands  []string              `yaml:"commands"`
	Files     []configFile          `yaml:"files"`
	Downloads []configDownload      `yaml:"downloads"`
	Dirs      []configDirectory     `yaml:"directories"`
	Ensure    []configEntity        `yaml:"ensure_entities"`
	Delete    []configEntity        `yaml:"delete_entities"`
	Hostname  string                `yaml:"hostname"`
	Sysctl    map[string]string     `yaml:"sysctl"`
	SSHKeys   map[string][]string   `yaml:"authorized_keys"`
	Users     map[string]configUser `yaml:"users"`
	Modules   []string              `yaml:"modules"`
	DNS       struct {
		Nameservers []string `yaml:"nameservers"`
		Search      []string `yaml:"search"`
		Options     []string `yaml:"options"`
		Path        string   `yaml:"path"`
	} `yaml:"dns"`
	Systemctl struct {
		Enable    []string `yaml:"enable"`
		Disable   []string `yaml:"disable"`
		Start     []string `yaml:"start"`
		Mask      []string `yaml:"mask"`
		Overrides []struct {
			Service string `yaml:"service"`
			Content string `yaml:"content"`
			Name    string `yaml:"name"`
		} `yaml:"overrides"`
	} `yaml:"systemctl"`
	Environment     map[string]string `yaml:"environment"`
	EnvironmentFile string            `yaml:"environment_file"`
	PackagePins     map[string]string `yaml:"package_pins"`
	Packages        struct {
		Install []string `yaml:"install"`
		Remove  []string `yaml:"remove"`
		Refresh bool     `yaml:"refresh"`
		Upgrade bool     `yaml:"upgrade"`
	} `yaml:"packages"`
	UnpackImages []struct {
		Source   string `yaml:"source"`
		Target   string `yaml:"target"`
		Platform string `yaml:"platform"`
	} `yaml:"unpack_images"`
	After []struct {
		Name string `yaml:"name"`
	} `yaml:"after"`
	DataSource struct {
		Providers    []string `yaml:"providers"`
		Path         string   `yaml:"path"`
		UserdataName string   `yaml:"userdata_name"`
	} `yaml:"datasource"`
	Layout struct {
		Device struct {
			InitDisk bool   `yaml:"init_disk"`
			DiskName string `yaml:"disk_name"`
			Label    string `yaml:"label"`
			Path     string `yaml:"path"`
		} `yaml:"device"`
		Expand struct {
			Size uint64 `yaml:"size"`
		} `yaml:"expand_partition"`
		Parts []struct {
			FSLabel    string `yaml:"fsLabel"`
			Size       uint64 `yaml:"size"`
			PLabel     string `yaml:"pLabel"`
			FileSystem string `yaml:"filesystem"`
			Bootable   bool   `yaml:"bootable"`
		} `yaml:"add_partitions"`
	} `yaml:"layout"`
	SystemdFirstBoot map[string]string `yaml:"systemd_firstboot"`
	TimeSyncd        map[string]string `yaml:"timesyncd"`
	Git              struct {
		Auth struct {
			Username   string `yaml:"username"`
			Password   string `yaml:"password"`
			PrivateKey string `yaml:"private_key"`
			Insecure   bool   `yaml:"insecure"`
			PublicKey  string `yaml:"public_key"`
		} `yaml:"auth"`
		URL        string `yaml:"url"`
		Path       string `yaml:"path"`
		Branch     string `yaml:"branch"`
		BranchOnly bool   `yaml:"branch_only"`
	} `yaml:"git"`
	If                 string              `yaml:"if"`
	Node               string              `yaml:"node"`
	OnlyOS             string              `yaml:"only_os"`
	OnlyOSVersion      string              `yaml:"only_os_version"`
	OnlyArch           string              `yaml:"only_arch"`
	OnlyServiceManager string              `yaml:"only_service_manager"`
	IfFiles            map[string][]string `yaml:"if_files"`
}

type configFile struct {
	Path        string     `yaml:"path"`
	Permissions numberMode `yaml:"permissions"`
	Owner       int        `yaml:"owner"`
	Group       int        `yaml:"group"`
	Content     string     `yaml:"content"`
	Encoding    string     `yaml:"encoding"`
	OwnerString string     `yaml:"ownerstring"`
}

type configDownload struct {
	Path        string     `yaml:"path"`
	URL         string     `yaml:"url"`
	Permissions numberMode `yaml:"permissions"`
	Owner       int        `yaml:"owner"`
	Group       int        `yaml:"group"`
	Timeout     int        `yaml:"timeout"`
	OwnerString string     `yaml:"ownerstring"`
}

type configDirectory struct {
	Path        string     `yaml:"path"`
	Permissions numberMode `yaml:"permissions"`
	Owner       int        `yaml:"owner"`
	Group       int        `yaml:"group"`
}

type configEntity struct {
	Path   string `yaml:"path"`
	Entity string `yaml:"entity"`
}

// configUser is a user of a step, or of the key users of cloud-init.
type configUser struct {
	Name              string   `yaml:"name"`
	PasswordHash      string   `yaml:"passwd"`
	SSHAuthorizedKeys []string `yaml:"ssh_authorized_keys"`
	GECOS             string   `yaml:"gecos"`
	Homedir           string   `yaml:"homedir"`
	NoCreateHome      bool     `yaml:"no_create_home"`
	PrimaryGroup      string   `yaml:"primary_group"`
	Groups            []string `yaml:"groups"`
	NoUserGroup       bool     `yaml:"no_user_group"`
	System            bool     `yaml:"system"`
	NoLogInit         bool     `yaml:"no_log_init"`
	Shell             string   `yaml:"shell"`
	LockPasswd        bool     `yaml:"lock_passwd"`
	UID               string   `yaml:"uid"`
}

type (
	// octalText is a mode that yip reads as octal digits.
	octalText string
	// numberMode is a mode that YAML reads as a number: octal only with a leading 0.
	numberMode uint32
)

// shapeChecker compares a cloud-config with the types above.
type shapeChecker struct {
	lines *text
	// cloudInit is true for a file that yip reads as one for cloud-init, too.
	cloudInit bool
	found     Diagnostics
}

func (c *shapeChecker) report(rule rules.Rule, n *yaml.Node, hint, format string, args ...any) {
	c.found = append(c.found, Diagnostic{Rule: rule, Range: c.lines.rangeOf(n), Message: fmt.Sprintf(format, args...), Hint: hint})
}

// unreadable reports a value that yip's YAML library cannot decode, for which yip gives up the file.
func (c *shapeChecker) unreadable(n *yaml.Node, hint, format string, args ...any) {
	c.report(rules.UnreadableConfig, n, hint, format+", so the machine cannot read the file", args...)
}

// top checks the keys that yip reads; the others may be for the agent or for a provider.
func (c *shapeChecker) top(root *yaml.Node) {
	fields, _ := fieldsOf(reflect.TypeFor[configShape]())
	for k, v := range pairs(root) {
		if t, ok := fields[k.Value]; ok && (c.cloudInit || !isCloudInitKey(k.Value)) {
			c.check(v, t, k.Value)
		}
	}
}

// isCloudInitKey reports whether yip reads a key only in a file for cloud-init.
func isCloudInitKey(key string) bool {
	fields, _ := fieldsOf(reflect.TypeFor[configShape]())
	_, read := fields[key]
	return read && key != "stages"
}

// check compares the node at the path key with type t.
func (c *shapeChecker) check(n *yaml.Node, t reflect.Type, key string) {
	n = resolved(n)
	if n.Tag == "!!null" {
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		if !c.isKind(n, yaml.MappingNode, key, "a mapping", "") {
			return
		}
		fields, names := fieldsOf(t)
		for k, v := range pairs(n) {
			ft, ok := fields[k.Value]
			switch {
			case ok:
				c.check(v, ft, joinKey(key, k.Value))
			case k.Tag != "!!merge":
				c.report(rules.UnknownConfigKey, k, Suggest(k.Value, names), "no machine reads the key %s", joinKey(key, k.Value))
			}
		}
	case reflect.Map:
		if !c.isKind(n, yaml.MappingNode, key, "a mapping", "") {
			return
		}
		for k, v := range pairs(n) {
			c.check(v, t.Elem(), joinKey(key, k.Value))
		}
	case reflect.Slice:
		if !c.isKind(n, yaml.SequenceNode, key, "a list", listHint(n)) {
			return
		}
		for i, item := range n.Content {
			c.check(item, t.Elem(), itemKey(key, i))
		}
	default:
		c.scalar(n, t, key)
	}
}

func (c *shapeChecker) isKind(n *yaml.Node, kind yaml.Kind, key, what, hint string) bool {
	if n.Kind != kind {
		c.unreadable(n, hint, "%s must be %s, not %s", key, what, kindOf(n))
	}
	return n.Kind == kind
}

// scalar checks what is more than a text: a text may be any scalar.
func (c *shapeChecker) scalar(n *yaml.Node, t reflect.Type, key string) {
	if !c.isKind(n, yaml.ScalarNode, key, describe(t), "") {
		return
	}
	switch {
	case t == reflect.TypeFor[numberMode]():
		c.mode(n, key)
	case t == reflect.TypeFor[octalText]() && n.Value != "" && strings.Trim(n.Value, "01234567") != "":
		c.unreadable(n, `write it in octal, such as "0644"`, "%s must be a mode, not %s", key, kindOf(n))
	case t.Kind() == reflect.Bool && n.Tag != "!!bool" && !slices.Contains([]string{"y", "yes", "on", "n", "no", "off"}, strings.ToLower(n.Value)):
		c.unreadable(n, "", "%s must be true or false, not %s", key, kindOf(n))
	case (t.Kind() == reflect.Int || t.Kind() == reflect.Uint64) && n.Tag != "!!int" && n.Tag != "!!float":
		c.unreadable(n, "", "%s must be a number, not %s", key, kindOf(n))
	}
}

// mode checks a mode that YAML reads: 0644 and 0o644 are octal, and 644 is 01204.
func (c *shapeChecker) mode(n *yaml.Node, key string) {
	var mode uint32
	switch {
	case n.Tag != "!!int" || n.Load(&mode) != nil:
		c.unreadable(n, "write it without quotes, such as 0644", "%s must be a mode, not %s", key, kindOf(n))
	case n.Value[0] != '0' && modePattern.MatchString(n.Value) && !usual(mode):
		c.report(rules.DecimalMode, n, "write 0"+n.Value, "%s is %s in decimal, which is the mode %#o", key, n.Value, mode)
	}
}

// usual reports whether somebody may want a mode: nobody has more rights than those named before,
// and everybody who can write or execute can read.
func usual(mode uint32) bool {
	owner, group, others := mode>>6&7, mode>>3&7, mode&7
	readable := func(bits uint32) bool { return bits == 0 || bits&4 != 0 }
	return mode <= 0o777 && group&^owner == 0 && others&^group == 0 && readable(owner) && readable(group) && readable(others)
}

// duplicates reports duplicate keys, which yip's YAML library refuses.
func (c *shapeChecker) duplicates(n *yaml.Node) {
	first := map[string]*yaml.Node{}
	for k := range pairs(n) {
		if before, ok := first[k.Value]; ok && k.Kind == yaml.ScalarNode {
			c.unreadable(k, "keep one of them", "duplicate key %s, first in line %d", quote(k.Value), c.lines.rangeOf(before).Start.Line)
		}
		first[k.Value] = k
	}
	for _, item := range n.Content {
		c.duplicates(item)
	}
}

// resolved follows an alias.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// pairs are the keys and values of a mapping; none of any other node.
func pairs(n *yaml.Node) func(yield func(k, v *yaml.Node) bool) {
	return func(yield func(k, v *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}
