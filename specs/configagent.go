package specs

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// agentShape has the keys of a cloud-config that programs other than yip read: kairos-agent v2.31.4
// (internal/agent, internal/phonehome, pkg/implementations/spec), kairos-sdk (types, kcrypt),
// kcrypt-challenger (cmd/discovery/client) and provider-kairos v2.16 (internal/provider/config). What
// has the type any, or is a map, is open: users choose its keys.
type agentShape struct {
	Arch              string        `yaml:"arch"`
	BindPCRs          []string      `yaml:"bind-pcrs"`
	BindPublicPCRs    []string      `yaml:"bind-public-pcrs"`
	Branding          any           `yaml:"branding"`
	Bundles           []agentBundle `yaml:"bundles"`
	CloudInitPaths    []string      `yaml:"cloud-init-paths"`
	ConfigURL         string        `yaml:"config_url"`
	Cosign            bool          `yaml:"cosign"`
	CosignKey         string        `yaml:"cosign-key"`
	Debug             bool          `yaml:"debug"`
	EjectCD           bool          `yaml:"eject-cd"`
	Env               []string      `yaml:"env"`
	FailOnBundles     bool          `yaml:"fail_on_bundles_errors"`
	Fast              bool          `yaml:"fast"`
	FullCloudConfig   string        `yaml:"fullcloudconfig"`
	GrubOptions       any           `yaml:"grub_options"`
	Install           agentInstall  `yaml:"install"`
	K0s               agentK0s      `yaml:"k0s"`
	K0sWorker         agentK0s      `yaml:"k0s-worker"`
	K3s               agentK3s      `yaml:"k3s"`
	K3sAgent          agentK3s      `yaml:"k3s-agent"`
	Kcrypt            agentKcrypt   `yaml:"kcrypt"`
	KubeVIP           agentKubeVIP  `yaml:"kubevip"`
	Logs              agentLogs     `yaml:"logs"`
	Name              string        `yaml:"name"`
	Options           any           `yaml:"options"`
	P2P               agentP2P      `yaml:"p2p"`
	PhoneHome         agentPhone    `yaml:"phonehome"`
	Platform          any           `yaml:"platform"`
	Providers         any           `yaml:"providers"`
	Reset             agentReset    `yaml:"reset"`
	SquashCompression []string      `yaml:"squash-compression"`
	SquashNone        bool          `yaml:"squash-no-compression"`
	Strict            bool          `yaml:"strict"`
	UKIMaxEntries     int           `yaml:"uki-max-entries"`
	Upgrade           agentUpgrade  `yaml:"upgrade"`
	Verify            bool          `yaml:"verify"`
	VPN               any           `yaml:"vpn"`
	WebUI             any           `yaml:"webui"`
}

// agentInstall has the keys of install. Providers may have others.
type agentInstall struct {
	AllowInsecure   bool             `yaml:"allow-insecure-registries"`
	Auto            bool             `yaml:"auto"`
	BindMounts      []string         `yaml:"bind_mounts"`
	Bundles         []agentBundle    `yaml:"bundles"`
	CloudInit       []string         `yaml:"cloud-init"`
	Device          string           `yaml:"device"`
	Encrypted       []string         `yaml:"encrypted_partitions"`
	Env             []string         `yaml:"env"`
	EphemeralMounts []string         `yaml:"ephemeral_mounts"`
	ExtraDirs       []string         `yaml:"extra-dirs-rootfs"`
	ExtraPartitions []agentPartition `yaml:"extra-partitions"`
	Firmware        string           `yaml:"firmware"`
	Force           bool             `yaml:"force"`
	GrubEntry       string           `yaml:"grub-entry-name"`
	GrubOptions     any              `yaml:"grub_options"`
	Image           string           `yaml:"image"`
	ISO             string           `yaml:"iso"`
	NoFormat        bool             `yaml:"no-format"`
	NoFormatOld     bool             `yaml:"no_format"`
	NoUsers         bool             `yaml:"nousers"`
	PartTable       string           `yaml:"part-table"`
	Partitions      agentPartitions  `yaml:"partitions"`
	Passive         agentImage       `yaml:"passive"`
	PowerOff        bool             `yaml:"poweroff"`
	Reboot          bool             `yaml:"reboot"`
	Recovery        agentImage       `yaml:"recovery-system"`
	SkipCopyPlugin  bool             `yaml:"skip_copy_kcrypt_plugin"`
	SkipEntries     []string         `yaml:"skip-entries"`
	Source          string           `yaml:"source"`
	SSHHardening    bool             `yaml:"ssh_hardening"`
	System          agentImage       `yaml:"system"`
	TTY             string           `yaml:"tty"`
}

type agentReset struct {
	ExtraDirs       []string        `yaml:"extra-dirs-rootfs"`
	GrubEntry       string          `yaml:"grub-entry-name"`
	Partitions      agentPartitions `yaml:"partitions"`
	Passive         agentImage      `yaml:"passive"`
	PowerOff        bool            `yaml:"poweroff"`
	Reboot          bool            `yaml:"reboot"`
	ResetOEM        bool            `yaml:"reset-oem"`
	ResetPersistent bool            `yaml:"reset-persistent"`
	System          agentImage      `yaml:"system"`
	TTY             string          `yaml:"tty"`
}

type agentUpgrade struct {
	AllowInsecure  bool            `yaml:"allow-insecure-registries"`
	EFIPartition   agentPartition  `yaml:"efi-partition"`
	Entry          string          `yaml:"entry"`
	ExcludedPaths  []string        `yaml:"excluded-paths"`
	ExtraDirs      []string        `yaml:"extra-dirs-rootfs"`
	GrubEntry      string          `yaml:"grub-entry-name"`
	Partitions     agentPartitions `yaml:"partitions"`
	Passive        agentImage      `yaml:"passive"`
	PowerOff       bool            `yaml:"poweroff"`
	Reboot         bool            `yaml:"reboot"`
	Recovery       bool            `yaml:"recovery"`
	RecoverySystem agentImage      `yaml:"recovery-system"`
	System         agentImage      `yaml:"system"`
}

type agentBundle struct {
	DB         string   `yaml:"db_path"`
	LocalFile  bool     `yaml:"local_file"`
	Repository string   `yaml:"repository"`
	Rootfs     string   `yaml:"rootfs_path"`
	Targets    []string `yaml:"targets"`
}

type agentImage struct {
	FS     string `yaml:"fs"`
	Label  string `yaml:"label"`
	Size   uint   `yaml:"size"`
	Source string `yaml:"source"`
	URI    string `yaml:"uri"`
}

type agentPartition struct {
	Flags          []string `yaml:"flags"`
	FS             string   `yaml:"fs"`
	Label          string   `yaml:"label"`
	Name           string   `yaml:"name"`
	PartitionLabel string   `yaml:"partition_label"`
	Size           uint     `yaml:"size"`
	UUID           string   `yaml:"uuid"`
}

type agentPartitions struct {
	EFI        agentPartition `yaml:"efi"`
	OEM        agentPartition `yaml:"oem"`
	Persistent agentPartition `yaml:"persistent"`
	Recovery   agentPartition `yaml:"recovery"`
	State      agentPartition `yaml:"state"`
}

type agentLogs struct {
	Files   []string `yaml:"files"`
	Journal []string `yaml:"journal"`
}

type agentPhone struct {
	AllowedCommands   []string          `yaml:"allowed_commands"`
	DownloadInterval  string            `yaml:"artifact_download_retry_interval"`
	DownloadRetries   int               `yaml:"artifact_download_retries"`
	Group             string            `yaml:"group"`
	HeartbeatInterval string            `yaml:"heartbeat_interval"`
	Labels            map[string]string `yaml:"labels"`
	ReconnectBackoff  string            `yaml:"reconnect_backoff"`
	RegistrationToken string            `yaml:"registration_token"`
	URL               string            `yaml:"url"`
}

type agentKcrypt struct {
	Challenger struct {
		Certificate string `yaml:"certificate"`
		CIndex      string `yaml:"c_index"`
		MDNS        bool   `yaml:"mdns"`
		NVIndex     string `yaml:"nv_index"`
		Server      string `yaml:"challenger_server"`
		TPMDevice   string `yaml:"tpm_device"`
	} `yaml:"challenger"`
	CIndex    string `yaml:"c_index"`
	NVIndex   string `yaml:"nv_index"`
	TPMDevice string `yaml:"tpm_device"`
}

type agentK0s struct {
	Args        []string          `yaml:"args"`
	Enabled     bool              `yaml:"enabled"`
	Env         map[string]string `yaml:"env"`
	ReplaceArgs bool              `yaml:"replace_args"`
	ReplaceEnv  bool              `yaml:"replace_env"`
}

type agentK3s struct {
	agentK0s
	EmbeddedRegistry bool `yaml:"embedded_registry"`
}

// agentKubeVIP has the settings of kube-vip itself in config.
type agentKubeVIP struct {
	Config      any    `yaml:"config"`
	EIP         string `yaml:"eip"`
	Enable      bool   `yaml:"enable"`
	Image       string `yaml:"image"`
	Interface   string `yaml:"interface"`
	ManifestURL string `yaml:"manifest_url"`
	StaticPod   bool   `yaml:"static_pod"`
	Version     string `yaml:"version"`
}

type agentP2P struct {
	Auto struct {
		Enable bool `yaml:"enable"`
		HA     struct {
			Enable      bool   `yaml:"enable"`
			ExternalDB  string `yaml:"external_db"`
			MasterNodes int    `yaml:"master_nodes"`
		} `yaml:"ha"`
	} `yaml:"auto"`
	DisableDHT   bool   `yaml:"disable_dht"`
	DNS          bool   `yaml:"dns"`
	DynamicRoles bool   `yaml:"dynamic_roles"`
	LogLevel     string `yaml:"loglevel"`
	MinimumNodes int    `yaml:"minimum_nodes"`
	NetworkID    string `yaml:"network_id"`
	NetworkToken string `yaml:"network_token"`
	Role         string `yaml:"role"`
	VPN          struct {
		Create bool              `yaml:"create"`
		Env    map[string]string `yaml:"env"`
		Use    bool              `yaml:"use"`
	} `yaml:"vpn"`
}

// agent checks the keys at the top that yip does not read, and those in their values. At the top and
// in install, everybody may have keys of their own.
func (c *shapeChecker) agent(root *yaml.Node) {
	fields, names := fieldsOf(reflect.TypeFor[agentShape]())
	_, own := fieldsOf(reflect.TypeFor[configShape]())
	c.misspelled(root, "", slices.Concat(names, own))
	for k, v := range pairs(root) {
		t, ok := fields[k.Value]
		section := agentSection{c, slices.Contains([]string{"install", "reset", "upgrade"}, k.Value)}
		switch v = resolved(v); {
		case !ok:
		case k.Value == "install":
			_, names := fieldsOf(t)
			c.misspelled(v, k.Value, names)
			for k, v := range pairs(v) {
				if words := section.words(k); slices.Contains(names, words[0]) {
					section.key(k, v, words, t, "install")
				}
			}
		default:
			section.value(v, t, k.Value)
		}
	}
}

// agentSection is the value of a key at the top.
type agentSection struct {
	*shapeChecker
	// viper is true for what the agent reads with that library, which ignores case, and takes a key with
	// dots for keys in each other.
	viper bool
}

func (s agentSection) words(k *yaml.Node) []string {
	if !s.viper {
		return []string{k.Value}
	}
	return strings.Split(strings.ToLower(k.Value), ".")
}

// value reports the keys in the value at a path that its type does not have.
func (s agentSection) value(n *yaml.Node, t reflect.Type, path string) {
	switch n = resolved(n); t.Kind() {
	case reflect.Struct:
		for k, v := range pairs(n) {
			if k.Tag != "!!merge" {
				s.key(k, v, s.words(k), t, path)
			}
		}
	case reflect.Slice:
		if n.Kind == yaml.SequenceNode {
			for i, item := range n.Content {
				s.value(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
			}
		}
	}
}

// key checks a key, which has the words, of a mapping of type t, and its value.
func (s agentSection) key(k, v *yaml.Node, words []string, t reflect.Type, path string) {
	if len(words) == 0 || t.Kind() != reflect.Struct {
		s.value(v, t, path)
		return
	}
	fields, names := fieldsOf(t)
	path = joinKey(path, words[0])
	inner, ok := fields[words[0]]
	if !ok {
		s.report(rules.UnknownConfigKey, k, Suggest(words[0], names), "no machine reads the key %s", path)
		return
	}
	s.key(k, v, words[1:], inner, path)
}
