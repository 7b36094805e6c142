package frontend

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// linted returns what docker buildx build --check says about a spec.
func linted(t *testing.T, spec string, texts map[string]string) []string {
	t.Helper()
	own := map[string]string{"kairos.spec": spec}
	for name, text := range texts {
		own[name] = text
	}
	g := newGateway(map[string]string{"filename": "kairos.spec", "requestid": lint.RequestLint}, map[string]files{
		"dockerfile": {texts: own}, "context": {texts: texts},
	})
	res, err := New(Options{Clock: func() time.Time { return time.Date(2025, 6, 15, 0, 0, 0, 0, time.UTC) }}).Build(t.Context(), g)
	require.NoError(t, err)
	var results lint.LintResults
	require.NoError(t, json.Unmarshal(res.Metadata["result.json"], &results))
	require.Nil(t, results.Error)
	var all []string
	for _, w := range results.Warnings {
		all = append(all, w.Detail)
	}
	return all
}

const (
	syntax = "# syntax=x\n"
	bare   = "extends: debian-12\nversion: v1.0.0\n"
)

// TestSpecRules checks the warnings of each rule, and that a spec that is almost the same has none.
func TestSpecRules(t *testing.T) {
	const (
		config  = "cloudConfig:\n  content: |\n    #cloud-config\n"
		hash    = "openssl passwd -6, or use ssh_authorized_keys [ClearPassword]"
		replace = "misses its changes in later releases; use another path, or a setting that changes the file [FileOverCatalog]"
		stages  = "; valid: after-install, after-install-chroot, after-reset, after-reset-chroot, after-upgrade, after-upgrade-chroot, before-install, " +
			"before-reset, before-upgrade, boot, fs, initramfs, kairos-install.after, kairos-install.pre, kairos-uki-install.after, kairos-uki-install.pre, " +
			"kairos-uki-reset.after, kairos-uki-reset.pre, kairos-uki-upgrade.after, kairos-uki-upgrade.pre, kairos-upgrade.after, kairos-upgrade.pre, " +
			"network, reconcile, rootfs [UnknownStage]"
		elsewhere = "; put it elsewhere, such as below /usr/lib or /usr/share"
		needed    = ", which the system needs; the build fails unless another package brings it; keep it [NeededPackage]"
		shell     = " opens a root shell without a password to whoever is at the console; remove it, or add it in the boot menu when you need it [RootShell]"
		k3s       = "v1.36.4+k3s1"
		digest    = "@sha256:0f1b2c3d4e5f60718293a4b5c6d7e8f90123456789abcdef0123456789abcdef"
	)
	for _, c := range []struct {
		name, spec string // after syntax and flavor, so it begins in line 4
		texts      map[string]string
		want       []string
	}{
		{
			name: "ClearPassword", spec: config + "    users:\n    - {name: a, passwd: kairos}\n    stages:\n      initramfs:\n      - users: {b: {passwd: 'x y'}}\n",
			want: []string{
				"kairos.spec:8:5: cloudConfig: the password is not hashed, so whoever gets the file can log in; hash it with " + hash,
				"kairos.spec:11:7: cloudConfig: the password is not hashed, so whoever gets the file can log in; hash it with " + hash,
			},
		},
		{
			name: "ClearPassword in a file", spec: "cloudConfig: a.yaml\n", texts: map[string]string{"a.yaml": "#cloud-config\nusers:\n- passwd: kairos\n"},
			want: []string{"a.yaml:3:11: the password is not hashed, so whoever gets the file can log in; hash it with " + hash},
		},
		{name: "no ClearPassword", spec: config + "    users: [{passwd: $6$a$b}, {passwd: '!'}, {passwd: '*'}, {passwd: ''}, {passwd: '{{ .Password }}'}, {name: passwd}]\n"},

		{
			name: "DuplicatePackage", spec: "packages: {add: [htop, curl]}\n",
			want: []string{"kairos.spec:4:24: packages.add[1]: is in the list of debian-12 already; remove it [DuplicatePackage]"},
		},
		{name: "no DuplicatePackage", spec: "packages: {add: [htop, curl=7.88.1-10]}\n"},

		{
			name: "FileOverCatalog", spec: "files:\n- {path: /system/oem/08_ssh.yaml, content: 'stages: {}'}\n- {path: /usr/bin/kairos-agent, content: x}\n",
			want: []string{
				"kairos.spec:5:10: files[0].path: replaces a file of the catalog, and " + replace,
				"kairos.spec:6:10: files[1].path: replaces a file of kairos-agent, and " + replace,
			},
		},
		{name: "no FileOverCatalog", spec: "files: [{path: /system/oem/08_ssh2.yaml, content: 'stages: {}'}, {path: /etc/motd, content: x}, {path: /etc/kairos/branding/reset_text, content: x}]\n"},

		{
			name: "InsecureChecksums", spec: "components: {kairos-agent: {url: 'https://a/b-{arch}.tar.gz', checksums: 'HTTP://a/sums'}}\n",
			want: []string{"kairos.spec:4:74: components.kairos-agent.checksums: anybody between the builder and the server can replace kairos-agent; use https, or write the checksums into sha256 [InsecureChecksums]"},
		},
		{name: "no InsecureChecksums", spec: "components: {kairos-agent: {url: 'http://a/b-{arch}.tar.gz', checksums: 'https://a/sums'}}\n"},
		{name: "checksums in the spec", spec: "components: {kairos-agent: {url: 'http://a/b.tar.gz', sha256: {amd64: " + strings.Repeat("0", 64) + "}}}\n"},

		{
			name: "NoAssertions", spec: "test: {memory: 3GiB}\n",
			want: []string{"kairos.spec:4:7: test: has no assertions, so it passes as soon as the system boots; add assertions, such as assertions: [{service: ssh}] [NoAssertions]"},
		},
		{name: "no NoAssertions", spec: "test: {assertions: [{service: ssh}]}\n"},

		{
			name: "RepeatedArgument", spec: "cmdline: [quiet, net.ifnames=1, quiet]\n",
			want: []string{
				"kairos.spec:4:18: cmdline[1]: the system has the argument net.ifnames=1 already; remove it [RepeatedArgument]",
				"kairos.spec:4:33: cmdline[2]: the system has the argument quiet already; remove it [RepeatedArgument]",
			},
		},
		// The last console has the prompts, panic is not on media, and the last value counts.
		{name: "no RepeatedArgument", spec: "cmdline: [console=ttyS0, panic=5, net.ifnames=0, net.ifnames=1]\n"},

		{
			name: "UnknownStage", spec: config + "    stages:\n      initramfs: []\n      initrmfs: []\n",
			want: []string{`kairos.spec:9:7: cloudConfig: no machine runs the stage "initrmfs"; did you mean "initramfs"? [UnknownStage]`},
		},
		{
			name: "UnknownStage of another agent", spec: "kairos: v4.3.0\n" + config + "    stages:\n      first-boots: []\n      first-boot: []\n",
			want: []string{
				`kairos.spec:9:7: cloudConfig: no machine runs the stage "first-boots"` + stages,
				`kairos.spec:10:7: cloudConfig: no machine runs the stage "first-boot"` + stages,
			},
		},
		{name: "no UnknownStage of a newer agent", spec: "kairos: v4.4.0\n" + config + "    stages: {first-boot.before: []}\n"},
		{
			name: "UnknownStage like one of a newer agent", spec: "kairos: v4.4.0\n" + config + "    stages:\n      first-boots: []\n",
			want: []string{`kairos.spec:9:7: cloudConfig: no machine runs the stage "first-boots"; did you mean "first-boot"? [UnknownStage]`},
		},
		{name: "no UnknownStage", spec: config + "    stages: {boot.before: [], kairos-install.pre.after: [], provider-kairos.bootstrap.after.master: [], reconcile: []}\n"},

		{
			name: "UnpinnedImage", spec: "distro: {base: 'acme/debian:12'}\nkernel: {image: acme/kernel}\ncomponents: {immucore: {image: 'acme/immucore:1'}}\n",
			want: []string{
				"kairos.spec:4:16: distro.base: the registry can change the image acme/debian:12, and with it the system; add its digest, such as acme/debian:12@sha256:… [UnpinnedImage]",
				"kairos.spec:5:17: kernel.image: the registry can change the image acme/kernel, and with it the system; add its digest, such as acme/kernel@sha256:… [UnpinnedImage]",
				"kairos.spec:6:32: components.immucore.image: the registry can change the image acme/immucore:1, and with it the system; add its digest, such as acme/immucore:1@sha256:… [UnpinnedImage]",
			},
		},
		{
			name: "UnpinnedImage of a layer", spec: "layers: [{name: a, context: a}, {name: b, image: 'acme/b:1'}, {name: c, image: 'acme/c" + digest + "'}]\n",
			want: []string{
				"kairos.spec:4:50: layers[1].image: the registry can change the image acme/b:1, and with it the system; add its digest, such as acme/b:1@sha256:… [UnpinnedImage]",
			},
		},
		{name: "no UnpinnedImage", spec: "distro: {base: 'acme/debian:12" + digest + "'}\nkernel: {image: 'acme/kernel" + digest + "'}\n"},
		{
			name: "HiddenFile", spec: "files: [{path: /usr/local/bin/a, content: x}]\nlayers: [{name: a, context: a, to: /oem/a}]\n",
			want: []string{
				"kairos.spec:4:16: files[0].path: an installed machine mounts a partition over /usr/local, which hides it" + elsewhere + " [HiddenFile]",
				"kairos.spec:5:36: layers[0].to: an installed machine mounts a partition over /oem, which hides it" + elsewhere + " [HiddenFile]",
			},
		},
		{name: "no HiddenFile", spec: "files: [{path: /usr/localhost, content: x}, {path: /usr/bin/a, content: x}]\nlayers: [{name: a, context: a}]\n"},

		{
			name: "InvalidShell", spec: "test: {assertions: [{run: 'true'}, {run: 'if true; then'}]}\n",
			want: []string{"kairos.spec:4:42: test.assertions[1].run: is not a shell script: `then` must be followed by a statement list [InvalidShell]"},
		},

		{
			name: "LongTimeout", spec: "test: {timeout: 90s, assertions: [{service: ssh, timeout: 91s}]}\n",
			want: []string{"kairos.spec:4:59: test.assertions[0].timeout: the whole test ends after 90s; write less than that, or a longer test.timeout [LongTimeout]"},
		},
		{name: "no LongTimeout", spec: "test: {timeout: 2m, assertions: [{service: ssh}, {service: sshd, timeout: 2m}]}\n"},

		{
			name: "LooseMode", spec: "files: [{path: /root/.ssh/id_rsa, content: x, mode: 0640}, {path: /etc/sudoers.d/a, content: x, mode: 0664}, {path: /etc/ppp/chap-secrets, content: x}]\n",
			want: []string{
				"kairos.spec:4:16: files[0].path: a machine copies /root from the image only once, so no upgrade changes it" + elsewhere + ", or write it from a cloud-config [PersistentFile]",
				`kairos.spec:4:53: files[0].mode: /root/.ssh/id_rsa has the mode 0640: ssh ignores such a key; write mode: "0600" [LooseMode]`,
				`kairos.spec:4:103: files[1].mode: /etc/sudoers.d/a has the mode 0664: sudo ignores such a file; write mode: "0644" [LooseMode]`,
				`kairos.spec:4:110: files[2].mode: /etc/ppp/chap-secrets has the mode 0644: it has passwords; write mode: "0640" [LooseMode]`,
			},
		},
		{name: "no LooseMode", spec: "files: [{path: /etc/sudoers.d/a, content: x}, {path: /etc/shadow, from: a}, {path: /etc/ppp/chap-secrets, content: x, mode: 0600}]\n", texts: map[string]string{"a": "x"}},

		{
			name: "NeededPackage", spec: "packages: {remove: [nano, rsync, mount]}\n",
			want: []string{
				"kairos.spec:4:27: packages.remove[1]: leaves out rsync" + needed,
				"kairos.spec:4:34: packages.remove[2]: leaves out losetup, mount, umount" + needed,
			},
		},
		{
			name: "NeededPackage beside what cannot have it",
			spec: "packages: {add: [htop], remove: [rsync]}\nlayers: [{name: a, context: a, to: /usr/share/a}]\nfiles: [{path: /usr/share/rsync, content: x}, {path: /usr/bin/a, content: x}]\n",
			want: []string{"kairos.spec:4:34: packages.remove[0]: leaves out rsync" + needed},
		},
		{
			name: "NeededPackage beside one of the catalog that has other commands", spec: "packages: {add: [util-linux], remove: [mount]}\n",
			want: []string{
				"kairos.spec:4:18: packages.add[0]: is in the list of debian-12 already; remove it [DuplicatePackage]",
				"kairos.spec:4:40: packages.remove[0]: leaves out losetup, mount, umount" + needed,
			},
		},
		{name: "no NeededPackage", spec: "packages: {add: [mawk], remove: [gawk]}\n"},
		{name: "no NeededPackage with another name", spec: "packages: {add: [rsync-ng], remove: [rsync]}\n"},
		{name: "no NeededPackage with one of another distribution", spec: "packages: {add: [systemd-udev], remove: [udev]}\n"},
		{name: "no NeededPackage with a file", spec: "packages: {remove: [rsync]}\nfiles: [{path: /usr/bin/rsync, from: a}]\n", texts: map[string]string{"a": "x"}},
		{name: "no NeededPackage with a layer", spec: "packages: {remove: [rsync]}\nlayers: [{name: a, context: a}]\n"},

		{
			name: "OutdatedComponent", spec: "variant: standard\nkubernetes: {distribution: k3s, version: v1.36.0+k3s1}\ncomponents: {immucore: {version: v0.0.1}}\n",
			want: []string{"kairos.spec:5:42: kubernetes.version: k3s v1.36.0+k3s1 misses the fixes of " + k3s + "; take " + k3s + ", or leave the version out [OutdatedComponent]"},
		},
		{name: "no OutdatedComponent", spec: "variant: standard\nkubernetes: {distribution: k3s, version: v1.35.0+k3s1}\n"},
		{name: "no OutdatedComponent but a newer one", spec: "variant: standard\nkubernetes: {distribution: k3s, version: v1.36.99+k3s1}\n"},

		{
			name: "cloud-configs in files", spec: "files:\n- path: /system/oem/a.yaml\n  content: |\n    #cloud-config\n    stages:\n      boots: []\n" +
				"- {path: /system/oem/b.yml, from: b.yaml}\n- {path: /etc/c.yaml, from: c.yaml}\n- {path: /system/oem, from: oem}\n",
			texts: map[string]string{"b.yaml": "stages:\n  boot:\n  - comands: []\n", "c.yaml": "stages: {boots: []}\n", "oem/d.yaml": "stages: {boots: []}\n"},
			want: []string{
				`b.yaml:3:5: no machine reads the key stages.boot[0].comands; did you mean "commands"? [UnknownConfigKey]`,
				`kairos.spec:9:7: files[0]: no machine runs the stage "boots"; did you mean "boot"? [UnknownStage]`,
			},
		},

		{
			name: "NotExecutable", spec: "files: [{path: /usr/bin/a, content: '#!/bin/sh'}, {path: /etc/cron.daily/a, content: '#!/bin/sh', mode: 0600}]\n",
			want: []string{
				`kairos.spec:4:9: files[0].mode: /usr/bin/a is a script with the mode 0644, which nobody can run; write mode: "0755" [NotExecutable]`,
				`kairos.spec:4:105: files[1].mode: /etc/cron.daily/a is a script with the mode 0600, which nobody can run; write mode: "0755" [NotExecutable]`,
			},
		},
		{name: "no NotExecutable", spec: "files: [{path: /usr/bin/a, content: '#!/bin/sh', mode: 0755}, {path: /usr/share/a, content: '#!/bin/sh'}, {path: /usr/bin/b, content: x}]\n"},

		{
			name: "OlderKernel", spec: "distro: debian-13\nkernel: debian-12\n",
			want: []string{"kairos.spec:5:9: kernel.from: the kernel of Debian 12 (bookworm) is older than Debian 13 (trixie) expects; take the kernel of the userland, or of a newer release [OlderKernel]"},
		},
		{name: "no OlderKernel", spec: "kernel: debian-13\n"},
		{name: "no OlderKernel of another distribution", spec: "distro: ubuntu-24.04\nkernel: debian-12\n"},

		{
			name: "PersistentFile", spec: "files: [{path: /etc/systemd/system/a.service, content: x}]\nlayers: [{name: a, context: a, to: /opt}]\n",
			want: []string{
				"kairos.spec:4:16: files[0].path: a machine copies /etc/systemd from the image only once, so no upgrade changes it" + elsewhere + ", or write it from a cloud-config [PersistentFile]",
				"kairos.spec:5:36: layers[0].to: a machine copies /opt from the image only once, so no upgrade changes it" + elsewhere + ", or write it from a cloud-config [PersistentFile]",
			},
		},

		{
			name: "RootArgument", spec: "cmdline: [quiet, root=/dev/sda]\n",
			want: []string{"kairos.spec:4:18: cmdline[1]: every boot entry has its own root, and a machine with two of them may not boot; remove it [RootArgument]"},
		},
		{name: "no RootArgument", spec: "cmdline: [rootdelay=5, rd.live.ram=1]\n"},

		{
			name: "RootShell", spec: "cmdline: [rd.break, systemd.debug_shell, init=/usr/bin/bash]\n",
			want: []string{
				"kairos.spec:4:11: cmdline[0]: rd.break" + shell,
				"kairos.spec:4:21: cmdline[1]: systemd.debug_shell" + shell,
				"kairos.spec:4:42: cmdline[2]: init=/usr/bin/bash" + shell,
			},
		},
		{name: "no RootShell", spec: "cmdline: [rd.shell=no, systemd.debug_shell=0, init=/sbin/init]\n"},

		{
			name: "UnreadKey", spec: "cloudConfig:\n  content: |\n    #node-config\n    hostname: edge\nartifacts: {iso: {cloudConfig: a.yaml}}\n",
			texts: map[string]string{"a.yaml": "#node-config\nusers: [{name: a, groups: [admin]}]\n"},
			want:  []string{"kairos.spec:7:5: cloudConfig: machines read hostname only below the line #cloud-config; write #cloud-config into the first line [UnreadKey]"},
		},
		{name: "no UnreadKey", spec: config + "    hostname: edge\n"},

		{
			name: "a doubt about a text in the spec", spec: config + "    stages:\n      boot:\n      - comands: []\n",
			want: []string{`kairos.spec:9:7: cloudConfig: no machine reads the key stages.boot[0].comands; did you mean "commands"? [UnknownConfigKey]`},
		},
		{
			name: "a doubt about a file", spec: "artifacts: {iso: {cloudConfig: a.yaml}}\n",
			texts: map[string]string{"a.yaml": "#cloud-config\ninstall: {nousers: true}\nusers: [{name: a, passwd: $1$a}]\n"},
			want:  []string{"a.yaml:3:27: the password is hashed with MD5, and whoever gets the file can guess fast; hash it with openssl passwd -6 [WeakHash]"},
		},

		{
			name: "UnusedArgument", spec: "args:\n  A: a\n  B: {default: a}\nname: ${A}\nfiles: [{path: /usr/share/a, content: '${B}'}]\n",
			want: []string{"kairos.spec:6:6: args.B: no value has it, so it changes nothing; remove it, or write ${B} where its value belongs [UnusedArgument]"},
		},
		{name: "no UnusedArgument", spec: "args: {A: amd64}\nfiles: [{path: /usr/share/a, content: a, when: {arch: '${A}'}}]\n"},

		{
			name: "WrongInit", spec: "init: openrc\n" + config + "    stages:\n      boot:\n      - timesyncd: {NTP: a}\n",
			want: []string{
				"kairos.spec:10:7: cloudConfig: timesyncd is for systemd, and the system has OpenRC; use commands, such as rc-update add NAME default, " +
					"or add only_service_manager: systemd to the step [WrongInit]",
			},
		},
		{name: "no WrongInit", spec: config + "    stages:\n      boot:\n      - timesyncd: {NTP: a}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, linted(t, syntax+bare+c.spec, c.texts))
		})
	}
}

// TestMissingSyntax looks at the spec alone, and only when it is checked.
func TestMissingSyntax(t *testing.T) {
	const missing = "kairos.spec:1:1: docker buildx build takes this file for a Dockerfile; write # syntax=ghcr.io/flavorkit/frontend:1 into the first line [MissingSyntax]"
	base := map[string]string{"base.spec": bare}
	assert.Equal(t, []string{missing}, linted(t, bare, nil))
	assert.Equal(t, []string{missing}, linted(t, "# about it\n"+syntax+bare, nil), "BuildKit reads the first comments alone")
	assert.Equal(t, []string{missing}, linted(t, "extends: ./base.spec\n", base))
	assert.Empty(t, linted(t, syntax+"extends: ./base.spec\n", base))
	p := spectest.MustPlan(t, bare, nil, "amd64")
	assert.Empty(t, subject{plan: p, catalog: spectest.Catalog(t), target: Targets()[0]}.warnings())
}

// TestHasSyntax compares with BuildKit.
func TestHasSyntax(t *testing.T) {
	for text, want := range map[string]bool{
		"":                               false,
		"version: v1.0.0\n":              false,
		"# syntax=a":                     true,
		"#syntax = a\r\n":                true,
		"# Syntax=a\n":                   true,
		" # syntax=a\n":                  false,
		"# syntax=\n":                    false,
		"# syntax a\n":                   false,
		"# about it\n# syntax=a\n":       false,
		"\n# syntax=a\n":                 false,
		"# other=1\n# syntax=a\n":        false,
		"# check=skip=all\n# syntax=a\n": true,
		"# escape=`\n#syntax=a\n":        true,
		"\ufeff# syntax=a\n":             true,
		"#!/usr/bin/env x\n# syntax=a\n": true,
		"#!/usr/bin/env x":               false,
		"# syntax=a\n# syntax=b\n":       true,
	} {
		_, _, _, buildkit := parser.DetectSyntax([]byte(text))
		assert.Equal(t, want, buildkit, "%q", text)
		assert.Equal(t, want, hasSyntax([]byte(text)), "%q", text)
	}
}

func TestSecretInSpec(t *testing.T) {
	key := strings.Repeat("0123456789abcdefABCDEF", 4)
	for line, want := range map[string]string{
		"-----BEGIN OPENSSH PRIVATE KEY-----":                     "1: a private key",
		"-----BEGIN PRIVATE KEY-----":                             "1: a private key",
		"-----BEGIN PGP PRIVATE KEY BLOCK-----":                   "1: a private key",
		"-----BEGIN PUBLIC KEY-----":                              "",
		"# AGE-SECRET-KEY-1" + strings.ToUpper(key):               "3: a key of age",
		"export AWS_ID=AKIAIOSFODNN7EXAMPLE":                      "15: an access key of AWS",
		"AKIA and more":                                           "",
		"login ghp_" + key[:36]:                                   "7: a token of GitHub",
		"ghp_short":                                               "",
		"glpat-" + key[:20]:                                       "1: a token of GitLab",
		"xoxb-1234567890-abc":                                     "1: a token of Slack",
		"AIza" + key[:35]:                                         "1: an API key of Google",
		"tailscale up --auth-key=tskey-auth-" + key[:20]:          "25: a token of Tailscale",
		"K10" + strings.Repeat("0a", 32) + "::server:x":           "1: a token of k3s",
		"curl https://me:secret@example.com/a":                    "6: a password in a URL",
		"curl https://me:$SECRET@example.com/a":                   "",
		"curl https://example.com/a:b@c":                          "",
		"network_token: b3RwOgogIGRodDo":                          "16: a secret",
		"K3S_TOKEN=abc":                                           "11: a secret",
		"ü: {\"password\": \"hunter2\"}":                          "18: a secret",
		"wifi-psk: 'hunter2'":                                     "12: a secret",
		"client_secret: a":                                        "16: a secret",
		"token: $TOKEN":                                           "",
		"token: \"{{ .Token }}\"":                                 "",
		"token: /run/token":                                       "",
		"token: |":                                                "",
		"password: $6$salt$hash":                                  "",
		"PermitEmptyPasswords no":                                 "",
		"PasswordAuthentication: no":                              "",
		"token-file: a":                                           "",
		"token_ttl: 5m":                                           "",
		"# password: see the vault":                               "",
		"ssh_authorized_keys: [github:me]":                        "",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7u me@example.com": "",
	} {
		spec := "x-a: |\n  " + line + "\n" + bare
		var found specs.Diagnostics
		for _, d := range secretInSpec(subject{plan: spectest.MustPlan(t, spec, nil, "amd64")}) {
			d.Message, _, _ = strings.Cut(d.Message, " is in the spec")
			d.Hint = ""
			found = append(found, d)
		}
		if want == "" {
			assert.Empty(t, found, line)
			continue
		}
		column, title, _ := strings.Cut(want, ": ")
		if assert.Len(t, found, 1, line) {
			assert.Equal(t, title, found[0].Message, line)
			assert.Equal(t, 2, found[0].Range.Start.Line)
			assert.Equal(t, column, strconv.Itoa(found[0].Range.Start.Column-2), line)
			assert.GreaterOrEqual(t, found[0].Range.End.Column, found[0].Range.Start.Column)
		}
	}
	const token = "b3RwOgogIGRodDo"
	for _, w := range linted(t, syntax+bare+"x-a: {token: "+token+"}\n", nil) {
		assert.Equal(t, "kairos.spec:4:14: a secret is in the spec, which the provenance of an image publishes; remove it and replace the secret; "+
			"machines can get it from --cloud-config or from user data [SecretInSpec]", w)
	}
	assert.Len(t, linted(t, syntax+"extends: ./base.spec\n", map[string]string{"base.spec": bare + "x-a: {token: " + token + "}\n"}), 1)

	// Of the files, those that are cloud-configs of the image.
	config := "#cloud-config\np2p:\n  network_token: " + token + "\nk3s: {args: [--token=a]}\n"
	texts := map[string]string{"a.yaml": config, "b.yaml": config, "c.yaml": config, "medium.yaml": config}
	const built = " a secret is in the cloud-config of the image, and whoever gets the image can read it; remove it and replace the secret; " +
		"machines can get it from --cloud-config or from user data [SecretInSpec]"
	medium := linted(t, syntax+bare+"artifacts: {iso: {cloudConfig: medium.yaml}}\nfiles: [{path: /etc/c.yaml, from: c.yaml}]\n", texts)
	assert.NotContains(t, strings.Join(medium, "\n"), "[SecretInSpec]")
	assert.Equal(t, []string{"a.yaml:3:18:" + built, "a.yaml:4:22:" + built, "b.yaml:3:18:" + built, "b.yaml:4:22:" + built},
		linted(t, syntax+bare+"cloudConfig: a.yaml\nfiles: [{path: /system/oem/b.yaml, from: b.yaml}]\n", texts))
	texts["a.yaml"] = strings.Replace(config, "\n", "\n# flavorkit: skip=SecretInSpec\n", 1)
	assert.Empty(t, linted(t, syntax+bare+"cloudConfig: a.yaml\n", texts))
}

// TestSkip switches warnings off, and warns about comments that switch none off.
func TestSkip(t *testing.T) {
	const unknown = "kairos.spec:2:19: no rule is called \"NoAssertion\"; did you mean \"NoAssertions\"? [UnknownSkip]"
	assert.Empty(t, linted(t, syntax+"# flavorkit: skip=NoAssertions\n"+bare+"test: {memory: 3GiB}\n", nil))
	assert.Empty(t, linted(t, "extends: debian-12 # flavorkit: skip=MissingSyntax\nversion: v1.0.0\ntest: {memory: 3GiB} # flavorkit: skip=NoAssertions\n", nil))
	got := linted(t, syntax+"# flavorkit: skip=NoAssertion\n"+bare+"test: {memory: 3GiB}\n", nil)
	require.Len(t, got, 2)
	assert.Equal(t, unknown, got[0])
	cloudConfig := map[string]string{"a.yaml": "#cloud-config\n# flavorkit: skip=ClearPassword\nusers:\n- passwd: kairos\n"}
	assert.Empty(t, linted(t, syntax+bare+"cloudConfig: a.yaml\n", cloudConfig))
	assert.Empty(t, linted(t, syntax+bare+"cloudConfig:\n  # flavorkit: skip=ClearPassword\n  content: |\n    #cloud-config\n    users:\n    - passwd: kairos\n", nil))
}

// TestPagesOfRules checks that the bad spec of a page has the warning, and that the good one has
// none at all.
func TestPagesOfRules(t *testing.T) {
	block := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	specs := 0
	for _, r := range rules.All() {
		if r.Severity == rules.Error || slices.Contains([]rules.Rule{rules.NoCloudConfig, rules.OutdatedLock, rules.OlderVersion}, r) { // only builds, or flavorkit check
			continue
		}
		page, err := os.ReadFile(filepath.Join("..", r.Page()))
		require.NoError(t, err)
		_, examples, _ := strings.Cut(string(page), "\n## Bad\n")
		bad, good, _ := strings.Cut(examples, "\n## Good\n")
		if m := block.FindStringSubmatch(bad); m != nil {
			specs++
			assert.Contains(t, strings.Join(linted(t, m[1], nil), "\n"), "["+r.Name+"]")
		}
		if m := block.FindStringSubmatch(good); m != nil {
			specs++
			assert.Empty(t, linted(t, m[1], nil), r.Name)
		}
	}
	assert.Greater(t, specs, 60)
}

// TestSameWarnings checks that --check, flavorkit check and builds of all targets warn about the same,
// except for the rules that apply to one of them alone.
func TestSameWarnings(t *testing.T) {
	const spec = bare + `packages: {add: [curl]}
cmdline: [net.ifnames=1, rd.break]
kernel: {image: acme/kernel}
files: [{path: /usr/local/bin/a, content: x}]
cloudConfig: {content: "hostname: a\nstages: {initrd: [{comands: []}]}\n"}
artifacts: {iso: {cloudConfig: a.yaml}, disk: {cloudConfig: b.yaml}}
test: {memory: 3GiB}
`
	texts := map[string]string{
		"a.yaml": "#cloud-config\npackages: [htop]\nusers: [{name: a, passwd: a}]\n",
		"b.yaml": "#cloud-config\nusers: [{name: a, groups: [admin], ssh_authorized_keys: [a]}]\n",
	}
	now := func() time.Time { return time.Date(2025, 6, 15, 0, 0, 0, 0, time.UTC) }

	p := spectest.MustPlan(t, spec, nil, "amd64")
	found, err := Check(t.Context(), p, spectest.Catalog(t), buildContext{files{texts: texts}}, now())
	require.NoError(t, err)
	var checked []string
	for _, d := range found {
		checked = append(checked, d.Error())
	}
	assert.Greater(t, len(checked), 12)
	assert.Equal(t, linted(t, spec, texts), checked, "flavorkit check")

	built := map[string]bool{}
	for _, target := range Targets() {
		g := newGateway(map[string]string{"filename": "kairos.spec", "target": target.Name}, map[string]files{
			"dockerfile": {texts: map[string]string{"kairos.spec": spec}}, "context": {texts: texts},
		})
		_, _ = New(Options{Clock: now}).Build(t.Context(), g) // warnings come before the first step, which the gateway does not make
		for _, w := range g.warned {
			built[w] = true
		}
	}
	want := slices.DeleteFunc(checked, func(w string) bool { return strings.HasSuffix(w, "["+rules.MissingSyntax.Name+"]") })
	assert.ElementsMatch(t, want, slices.Collect(maps.Keys(built)), "builds")
}

// buildContext is a build context without named ones.
type buildContext struct{ files }

func (d buildContext) Open(_ context.Context, name string) (Dir, bool, error) {
	return dir{d.files}, name == "", nil
}
