package specs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// doubtsOf returns the warnings about a cloud-config.
func doubtsOf(t *testing.T, name, text string) (all []string) {
	t.Helper()
	c, err := specs.ReadCloudConfig(&specs.Source{Name: name, Data: []byte(text)})
	require.NoError(t, err, name)
	for _, d := range c.Doubts {
		all = append(all, d.Error())
	}
	return all
}

// TestDoubts has the warnings of each rule, and configs that are almost the same and have none.
func TestDoubts(t *testing.T) {
	const (
		key     = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7uFlSPxEOJhzZCQKkQXt1nOqcZpJLrzyrYYzZKWxMZ me@example.com"
		unread  = ", so the machine cannot read the file"
		step    = "stages:\n  boot:\n  - "
		example = "; write a line of a .pub file, such as ssh-ed25519 AAAA…, or github:NAME [InvalidSSHKey]"
	)
	for _, c := range []struct {
		name, text string // after the line #cloud-config
		want       []string
	}{
		{name: "CloudInitKey", text: "packages: [htop]\nssh_pwauth: true\n", want: []string{
			"a:2:1: packages is a key of cloud-init, and no machine reads it; use packages.add of the spec [CloudInitKey]",
			"a:3:1: ssh_pwauth is a key of cloud-init, and no machine reads it; use files in a step of stages, in /etc/ssh/sshd_config.d [CloudInitKey]",
		}},
		{name: "no CloudInitKey", text: step + "packages: {install: [htop]}\nacme: {packages: x}\nhostname: x\nwrite_files: []\n"},

		{name: "UnknownConfigKey", text: "stage: {}\ninstall: {Auto: true, no_user: x, reboott: true}\n" + step + "comands: [ls]\n    users: {a: {sudo: ALL}}\n", want: []string{
			`a:2:1: no machine reads the key stage; did you mean "stages"? [UnknownConfigKey]`,
			`a:3:11: no machine reads the key install.Auto; did you mean "auto"? [UnknownConfigKey]`,
			`a:3:35: no machine reads the key install.reboott; did you mean "reboot"? [UnknownConfigKey]`,
			`a:6:5: no machine reads the key stages.boot[0].comands; did you mean "commands"? [UnknownConfigKey]`,
			"a:7:17: no machine reads the key stages.boot[0].users.a.sudo; valid: gecos, groups, homedir, lock_passwd, name, no_create_home, " +
				"no_log_init, no_user_group, passwd, primary_group, shell, ssh_authorized_keys, system, uid [UnknownConfigKey]",
		}},
		{name: "UnknownConfigKey of other programs", text: "p2p: {dnns: true, auto: {enabl: true}, auto.enable: true}\nk3s: {arg: [a]}\nk0s: {embedded_registry: true}\n" +
			"kcrypt: {challenger: {srver: a}}\nupgrade: {recovry: true}\nreset: {poweroof: true, system.sourc: a}\nbundles: [{targetz: [a]}]\n" +
			"install: {partitions: {oem: {sizze: 1}}, partitions.state.fss: a, extra-partitions: [{nam: a}], bundle: []}\n", want: []string{
			`a:2:7: no machine reads the key p2p.dnns; did you mean "dns"? [UnknownConfigKey]`,
			`a:2:26: no machine reads the key p2p.auto.enabl; did you mean "enable"? [UnknownConfigKey]`,
			`a:2:40: no machine reads the key p2p.auto.enable; valid: auto, disable_dht, dns, dynamic_roles, loglevel, minimum_nodes, network_id, network_token, role, vpn [UnknownConfigKey]`,
			`a:3:7: no machine reads the key k3s.arg; did you mean "args"? [UnknownConfigKey]`,
			"a:4:7: no machine reads the key k0s.embedded_registry; valid: args, enabled, env, replace_args, replace_env [UnknownConfigKey]",
			"a:5:23: no machine reads the key kcrypt.challenger.srver; valid: c_index, certificate, challenger_server, mdns, nv_index, tpm_device [UnknownConfigKey]",
			`a:6:11: no machine reads the key upgrade.recovry; did you mean "recovery"? [UnknownConfigKey]`,
			`a:7:9: no machine reads the key reset.poweroof; did you mean "poweroff"? [UnknownConfigKey]`,
			`a:7:25: no machine reads the key reset.system.sourc; did you mean "source"? [UnknownConfigKey]`,
			`a:8:12: no machine reads the key bundles[0].targetz; did you mean "targets"? [UnknownConfigKey]`,
			`a:9:30: no machine reads the key install.partitions.oem.sizze; did you mean "size"? [UnknownConfigKey]`,
			`a:9:42: no machine reads the key install.partitions.state.fss; did you mean "fs"? [UnknownConfigKey]`,
			`a:9:87: no machine reads the key install.extra-partitions[0].nam; did you mean "name"? [UnknownConfigKey]`,
			`a:9:97: no machine reads the key install.bundle; did you mean "bundles"? [UnknownConfigKey]`,
		}},
		{name: "no UnknownConfigKey of other programs", text: "p2p: {vpn: {env: {A: b}}, auto: {ha: {master_nodes: 2}}}\nk3s: &k {enabled: true, env: {A: b}, args: [a]}\nk3s-agent: {<<: *k}\n" +
			"kubevip: {config: {vipCidr: 32}}\nkcrypt: {challenger: {mdns: true}, nv_index: a}\nphonehome: {labels: {a: b}}\ngrub_options: {a: b}\n" +
			"install: {partitions.OEM.size: 1, system: {Size: 1}, grub_options: {a: b}, grub_options.b: c, acme: {size: 1}, extra-partitions: [{name: a}]}\n" +
			"reset: {Reset-OEM: true}\nupgrade: {recovery-system.uri: a, recovery: true}\nreset.b: c\n"},
		{name: "no UnknownConfigKey", text: "x-a: 1\nnode: y\nacme: {stage: x}\nk0s: {enabled: true}\ninstall: {acme: x}\n" + step + "systemctl: {enable: [a]}\n"},

		{name: "UnreadableConfig, kinds", text: "runcmd: [[ls, -l]]\nusers: [default, {name: a, groups: admin}]\nhostname: {a: b}\n" + step + "commands: ls -l\n  fs: {commands: [ls]}\n", want: []string{
			"a:2:10: runcmd[0] must be a text, not a list" + unread + " [UnreadableConfig]",
			`a:3:9: users[0] must be a mapping, not the text "default"` + unread + " [UnreadableConfig]",
			`a:3:36: users[1].groups must be a list, not the text "admin"` + unread + "; write it as [admin] [UnreadableConfig]",
			"a:4:11: hostname must be a text, not a mapping" + unread + " [UnreadableConfig]",
			`a:7:15: stages.boot[0].commands must be a list, not the text "ls -l"` + unread + `; write it as ["ls -l"] [UnreadableConfig]`,
			"a:8:7: stages.fs must be a list, not a mapping" + unread + "; begin each item with - [UnreadableConfig]",
		}},
		{name: "UnreadableConfig, scalars", text: "write_files: [{path: /a, permissions: rw}]\n" + step + "files: [{path: /a, permissions: '0644', owner: root}]\n    users: {a: {system: 1}}\n", want: []string{
			`a:2:39: write_files[0].permissions must be a mode, not the text "rw"` + unread + `; write it in octal, such as "0644" [UnreadableConfig]`,
			`a:5:37: stages.boot[0].files[0].permissions must be a mode, not the text "0644"` + unread + "; write it without quotes, such as 0644 [UnreadableConfig]",
			`a:5:52: stages.boot[0].files[0].owner must be a number, not the text "root"` + unread + " [UnreadableConfig]",
			"a:6:25: stages.boot[0].users.a.system must be true or false, not the number 1" + unread + " [UnreadableConfig]",
		}},
		{name: "UnreadableConfig, keys", text: "hostname: a\nacme: {b: 1, b: 2}\nhostname: b\n", want: []string{
			`a:3:14: duplicate key "b", first in line 3` + unread + "; keep one of them [UnreadableConfig]",
			`a:4:1: duplicate key "hostname", first in line 2` + unread + "; keep one of them [UnreadableConfig]",
		}},
		{name: "no UnreadableConfig", text: "hostname: 1\nusers: ~\nwrite_files: [{path: /a, permissions: 0644}]\nruncmd: [ls, 1, true]\n" + step +
			"users: {a: {system: yes, uid: 1000, passwd: 12}}\n    sysctl: {a: 1}\n    commands:\n    layout: {add_partitions: [{size: 1}]}\n"},
		{name: "aliases", text: "x: &a [ls]\ny: &b {hostname: a}\nstages:\n  boot:\n  - {commands: *a, <<: *b}\n"},

		{name: "DecimalMode", text: step + "files: [{path: /a, permissions: 644}]\n    directories: [{path: /a, permissions: 755}]\n", want: []string{
			"a:4:37: stages.boot[0].files[0].permissions is 644 in decimal, which is the mode 01204; write 0644 [DecimalMode]",
			"a:5:43: stages.boot[0].directories[0].permissions is 755 in decimal, which is the mode 01363; write 0755 [DecimalMode]",
		}},
		{name: "no DecimalMode", text: step + "files: [{path: /a, permissions: 0644}, {path: /b, permissions: 0o600}, {path: /c, permissions: 420}, {path: /d, permissions: 384}]\n"},

		{name: "DuplicateUser", text: "users:\n- name: a\n- name: b\n- name: a\n", want: []string{
			`a:5:9: the user "a" is in line 3, too, and only the last one counts; keep one of them [DuplicateUser]`,
		}},
		{name: "no DuplicateUser", text: "users: [{name: a}, {name: '{{ .a }}'}, {name: '{{ .a }}'}]\n" + step + "users: {a: {groups: [x]}}\n  - users: {a: {groups: [y]}}\n"},

		{name: "InvalidCondition", text: step + "only_os: '*debian'\n  - only_service_manager: sysvinit\n  - if_files: {every: [/a]}\n", want: []string{
			"a:4:14: no machine runs the step: only_os is not a regular expression: missing argument to repetition operator: `*`; write a regular expression of Go [InvalidCondition]",
			`a:5:27: no machine runs the step: "sysvinit" is not a service manager; valid: openrc, systemd [InvalidCondition]`,
			`a:6:16: no machine runs the step: if_files has no "every"; valid: all, any, none [InvalidCondition]`,
		}},
		{name: "no InvalidCondition", text: step + "only_os: 'debian.*'\n    only_arch: amd64\n    node: ^edge\n    only_service_manager: Systemd\n    if_files: {any: [/a], none: [/b]}\n"},

		{name: "InvalidShell", text: "runcmd: [\"echo 'a\"]\n" + step + "if: '[ -e /a'\n    commands:\n    - if true; then echo a\n    - |\n      echo a\n      done\n", want: []string{
			"a:2:10: runcmd is not a shell script: reached EOF without closing quote `'` [InvalidShell]",
			"a:7:7: commands is not a shell script: `if` statement must end with `fi` [InvalidShell]",
			"a:8:7: commands is not a shell script: `done` can only be used to end a loop, in line 2 of it [InvalidShell]",
		}},
		{name: "no InvalidShell", text: step + "if: '[[ -e /a && 1 -lt 2 ]]'\n    commands: ['cat <<< a', '{{ if }', 'f() { local a=(1 2); }; f', \"echo 'a' | {\\n cat; }\"]\n"},

		{name: "InvalidSSHKey", text: "ssh_authorized_keys: [AAAA]\nusers: [{name: a, ssh_authorized_keys: ['gihub:me', 'github://me', ssh-ed25519 AAAA… me]}]\n" + step +
			"users: {a: {ssh_authorized_keys: [ftp://a/b]}}\n    authorized_keys: {a: [-----BEGIN OPENSSH PRIVATE KEY-----]}\n", want: []string{
			"a:2:23: is not a public key of SSH" + example,
			`a:3:41: keys cannot come from "gihub"; did you mean "github"? [InvalidSSHKey]`,
			`a:3:53: "github://me" names no user; write github:NAME [InvalidSSHKey]`,
			"a:3:68: is not a public key of SSH" + example,
			`a:6:39: keys cannot come from "ftp"; valid: github, gitlab, https [InvalidSSHKey]`,
			"a:7:27: is not a public key of SSH" + example,
		}},
		{name: "no InvalidSSHKey", text: "ssh_authorized_keys: ['" + key + "', 'github:me', 'https://a/b', 'from=\"10.0.0.0/8\" " + key + "', '{{ .Key }}']\n" +
			step + "authorized_keys:\n      a:\n      - |\n        # mine\n        " + key + "\n\n        " + key + "\n"},

		{name: "WeakHash", text: "users: [{name: a, passwd: $1$salt$hash}]\n", want: []string{
			"a:2:27: the password is hashed with MD5, and whoever gets the file can guess fast; hash it with openssl passwd -6 [WeakHash]",
		}},
		{name: "no WeakHash", text: "users: [{name: a, passwd: $6$salt$hash}, {name: b, passwd: $y$j9T$a$b}]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, doubtsOf(t, "a", "#cloud-config\n"+c.text))
		})
	}
	assert.Empty(t, doubtsOf(t, "a", "users: [default]\nruncmd: [[ls]]\n"), "yip reads these keys only in a file for cloud-init")
}

// TestNoDoubts reads the cloud-configs that run on machines: those of the catalog, of the examples
// and of the documentation. Only their stand-ins for keys are doubtful.
func TestNoDoubts(t *testing.T) {
	count := 0
	check := func(name, text string) {
		count++
		for _, doubt := range doubtsOf(t, name, text) {
			assert.Contains(t, doubt, "[InvalidSSHKey]")
			assert.Contains(t, text, "AAAA…", name)
		}
	}
	for set, files := range spectest.Catalog(t).Overlays() {
		for path, f := range files {
			if strings.Contains(path, "oem/") && filepath.Ext(path) == ".yaml" {
				check(set+path, string(f.Data))
			}
		}
	}
	for _, dir := range []string{"../examples", "../docs"} {
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Base(filepath.Dir(path)) == "rules" {
				return err
			}
			data, err := os.ReadFile(path)
			for _, text := range configTexts(string(data)) {
				check(path, text)
			}
			return err
		}))
	}
	assert.Greater(t, count, 35)
}

// configTexts are the cloud-configs in a file: the file itself, or blocks that begin with the line
// #cloud-config and are indented as it is.
func configTexts(file string) (all []string) {
	for _, m := range regexp.MustCompile(`(?m)^( *)#cloud-config\n`).FindAllStringSubmatchIndex(file, -1) {
		indent := file[m[2]:m[3]]
		var text strings.Builder
		for line := range strings.Lines(file[m[0]:]) {
			if strings.HasPrefix(line, "```") || strings.TrimSpace(line) != "" && !strings.HasPrefix(line, indent) {
				break
			}
			text.WriteString(strings.TrimPrefix(line, indent))
		}
		all = append(all, text.String())
	}
	return all
}
