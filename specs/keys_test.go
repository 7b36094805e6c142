package specs_test

import "testing"

// TestMistakesOfShape has keys and types that the language does not know.
func TestMistakesOfShape(t *testing.T) {
	checkMistakes(t, []mistake{
		{
			name: "unknown key",
			spec: `version: v1.0.0
nmae: acme
`,
			want: []string{
				`kairos.spec:2:1: unknown key "nmae"; did you mean "name"?`,
			},
		},
		{
			name: "unknown key like no other",
			spec: `version: v1.0.0
qqqqqqqqqqqqq: x
`,
			want: []string{
				`kairos.spec:2:1: unknown key "qqqqqqqqqqqqq"; valid: args, artifacts, ca, cloudConfig, cmdline, components, distro, extends, extension, extensions, files, images, init, initramfs, kairos, kernel, kubernetes, layers, mesh, mirrors, model, name, packages, repositories, size, source, test, upgrade, variant, version`,
			},
		},
		{
			name: "unknown key below another",
			spec: `version: v1.0.0
artifacts:
  iso:
    compresion: xz
`,
			want: []string{
				`kairos.spec:4:5: artifacts.iso: unknown key "compresion"; did you mean "compression"?`,
			},
		},
		{
			name: "unknown key in a list",
			spec: `version: v1.0.0
files:
  - path: /etc/motd
    text: hello
    content: x
`,
			want: []string{
				`kairos.spec:4:5: files[0]: unknown key "text"; valid: content, from, mode, owner, path, when`,
			},
		},
		{
			name: "wrong types",
			spec: `version: [v1]
name: {a: b}
variant: true
distro: [debian-12]
packages: htop
files: {path: /x}
cloudConfig: [x]
cmdline: a b
components: [immucore]
artifacts: yes
`,
			want: []string{
				`kairos.spec:1:10: version: must be a text, not a list`,
				`kairos.spec:2:7: name: must be a text, not a mapping`,
				`kairos.spec:3:10: variant: must be a text, not true; put it in quotes: "true"`,
				`kairos.spec:4:9: distro: must be a text, or a mapping with the keys name, base, not a list`,
				`kairos.spec:5:11: packages: must be a mapping with the keys add, remove, groups, files, not the text "htop"`,
				`kairos.spec:6:8: files: must be a list, not a mapping; begin each item with -`,
				`kairos.spec:7:14: cloudConfig: must be a text, or a mapping with the keys from, content, not a list`,
				`kairos.spec:8:10: cmdline: must be a list, not the text "a b"; write it as [a, b]`,
				`kairos.spec:9:13: components: must be a mapping of names to mappings, not a list`,
				`kairos.spec:10:12: artifacts: must be a mapping with the keys iso, disk, not the text "yes"`,
			},
		},
		{
			name: "wrong types below",
			spec: `version: v1.0.0
packages:
  add: htop
  remove: [[a]]
  groups: {nfs: no, admin: 1}
artifacts:
  iso: {level: fast, compression: 7}
`,
			want: []string{
				`kairos.spec:3:8: packages.add: must be a list, not the text "htop"; write it as [htop]`,
				`kairos.spec:4:12: packages.remove[0]: must be a text, not a list`,
				`kairos.spec:5:17: packages.groups.nfs: must be true or false, not the text "no"`,
				`kairos.spec:5:28: packages.groups.admin: must be true or false, not the number 1`,
				`kairos.spec:7:16: artifacts.iso.level: must be a whole number, not the text "fast"`,
				`kairos.spec:7:35: artifacts.iso.compression: "7" is not valid; valid: gzip, lz4, xz, zstd`,
			},
		},
		{
			name: "number too large",
			spec: `version: v1.0.0
artifacts: {iso: {level: 99999999999999999999}}
`,
			want: []string{
				`kairos.spec:2:26: artifacts.iso.level: must be a whole number, not the number 99999999999999999999`,
			},
		},
		{
			name: "fraction",
			spec: `version: v1.0.0
artifacts: {iso: {level: 3.5}}
`,
			want: []string{
				`kairos.spec:2:26: artifacts.iso.level: must be a whole number, not the number 3.5`,
			},
		},
		{
			name: "no value",
			spec: `version: v1.0.0
name:
distro: ~
kernel: null
packages:
  add:
    - htop
    -
`,
			want: []string{
				`kairos.spec:2:6: name: has no value; give it a text, or remove it`,
				`kairos.spec:3:9: distro: has no value; give it a text, or a mapping with the keys name, base, or remove it`,
				`kairos.spec:4:9: kernel: has no value; give it a text, or a mapping with the keys from, package, version, image, context, modules, or remove it`,
				`kairos.spec:8:6: packages.add[1]: has no value; give it a text, or remove it`,
			},
		},
		{
			name: "empty text",
			spec: `version: v1.0.0
name: ''
extends: ""
distro: ''
cmdline: [quiet, '']
`,
			want: []string{
				`kairos.spec:2:7: name: is empty; give it a text, or remove it`,
				`kairos.spec:3:10: extends: is empty; give it a text, or remove it`,
				`kairos.spec:4:9: distro.name: is empty; give it a text, or remove it`,
				`kairos.spec:5:18: cmdline[1]: is empty; give it a text, or remove it`,
			},
		},
		{
			name: "items of a list hide no others",
			spec: `version: v1.0.0
cmdline: ["a b", "", "x$y"]
packages: {add: [htop, true, {a: b}, -x, [], htop], remove: [~, jq;]}
files:
- {path: etc/motd, content: x}
- hello
- !!str x
- {path: etc/issue, content: x}
test: {assertions: [{file: x}, [], {service: -x}]}
`,
			want: []string{
				`kairos.spec:2:11: cmdline[0]: "a b" is not one kernel argument; write one argument, without spaces, quotes or $, such as console=ttyS1,115200`,
				`kairos.spec:2:18: cmdline[1]: is empty; give it a text, or remove it`,
				`kairos.spec:2:22: cmdline[2]: "x$y" is not one kernel argument; write one argument, without spaces, quotes or $, such as console=ttyS1,115200`,
				`kairos.spec:3:24: packages.add[1]: must be a text, not true; put it in quotes: "true"`,
				`kairos.spec:3:30: packages.add[2]: must be a text, not a mapping`,
				`kairos.spec:3:38: packages.add[3]: "-x" is not a package name; write the name of one package, such as htop`,
				`kairos.spec:3:42: packages.add[4]: must be a text, not a list`,
				`kairos.spec:3:46: packages.add[5]: duplicate entry "htop", first in line 3`,
				`kairos.spec:3:62: packages.remove[0]: has no value; give it a text, or remove it`,
				`kairos.spec:3:65: packages.remove[1]: "jq;" is not a package name; write the name of one package, such as htop`,
				`kairos.spec:5:10: files[0].path: "etc/motd" is not a path in the root filesystem; write an absolute path without . and .. in it, such as /etc/motd`,
				`kairos.spec:6:3: files[1]: must be a mapping with the keys path, from, content, mode, owner, not the text "hello"`,
				`kairos.spec:7:3: files[2]: the YAML tag !!str is not supported; remove it; to make a text of a value, put it in quotes`,
				`kairos.spec:8:10: files[3].path: "etc/issue" is not a path in the root filesystem; write an absolute path without . and .. in it, such as /etc/motd`,
				`kairos.spec:9:28: test.assertions[0].file: "x" is not a path; write an absolute path without . and .. in it, such as /etc/os-release`,
				`kairos.spec:9:32: test.assertions[1]: must be a mapping with the keys name, run, file, service, extension, matches, timeout, not a list`,
				`kairos.spec:9:46: test.assertions[2].service: "-x" is not valid; write the name of one service, such as ssh`,
			},
		},
		{
			name: "key twice",
			spec: `version: v1.0.0
name: a
packages: {add: [htop], add: [jq]}
name: b
`,
			want: []string{
				`kairos.spec:3:25: packages: duplicate key "add"; the first is in line 3`,
				`kairos.spec:4:1: duplicate key "name"; the first is in line 2`,
			},
		},
		{
			name: "key that is no word",
			spec: `version: v1.0.0
[a, b]: c
? {a: b}
: c
&a 1: x
*a : y
`,
			want: []string{
				`kairos.spec:2:1: a key must be a plain word, not a list`,
				`kairos.spec:3:3: a key must be a plain word, not a mapping`,
				`kairos.spec:5:1: unknown key "1"; valid: args, artifacts, ca, cloudConfig, cmdline, components, distro, extends, extension, extensions, files, images, init, initramfs, kairos, kernel, kubernetes, layers, mesh, mirrors, model, name, packages, repositories, size, source, test, upgrade, variant, version`,
				`kairos.spec:6:1: a key must be a plain word, not an alias`,
			},
		},
		{
			name: "alias",
			spec: `version: v1.0.0
name: &n acme
init: *n
`,
			want: []string{
				`kairos.spec:3:7: init: YAML aliases are not supported here; write the value out, or put the common part in a spec of its own and extend it`,
			},
		},
		{
			name: "merge key",
			spec: `version: v1.0.0
x-base: &base {name: a}
<<: *base
`,
			want: []string{
				`kairos.spec:3:1: YAML merge keys are not supported; put the common part in a spec of its own and extend it`,
			},
		},
		{
			name: "merge key in quotes is just a key",
			spec: `version: v1.0.0
'<<': b
`,
			want: []string{
				`kairos.spec:2:1: unknown key "<<"; valid: args, artifacts, ca, cloudConfig, cmdline, components, distro, extends, extension, extensions, files, images, init, initramfs, kairos, kernel, kubernetes, layers, mesh, mirrors, model, name, packages, repositories, size, source, test, upgrade, variant, version`,
			},
		},
		{
			name: "tag",
			spec: `version: v1.0.0
name: !!binary aGVsbG8=
init: !foo systemd
artifacts: {iso: {level: !!int abc}}
`,
			want: []string{
				`kairos.spec:2:7: name: the YAML tag !!binary is not supported; remove it; to make a text of a value, put it in quotes`,
				`kairos.spec:3:7: init: the YAML tag !foo is not supported; remove it; to make a text of a value, put it in quotes`,
				`kairos.spec:4:26: artifacts.iso.level: the YAML tag !!int is not supported; remove it; to make a text of a value, put it in quotes`,
			},
		},
		{
			name: "x- is no prefix of components",
			spec: `version: v1.0.0
components: {immucore: {x-note: mine, verison: v1}}
`,
			want: []string{
				`kairos.spec:2:39: components.immucore: unknown key "verison"; did you mean "version"?`,
			},
		},
		{
			name: "all at once, in the order of the file",
			spec: `verison: v1
name: A b
variant: Core
packages:
  add: [htop, -x, htop]
files:
- {path: etc/motd, content: x}
- {path: /x, contnet: x}
init: upstart
`,
			want: []string{
				`kairos.spec:1:1: unknown key "verison"; did you mean "version"?`,
				`kairos.spec:2:7: name: "A b" is not valid; use lower case letters and digits, with . _ or - between them`,
				`kairos.spec:3:10: variant: "Core" is not valid; did you mean "core"?`,
				`kairos.spec:5:15: packages.add[1]: "-x" is not a package name; write the name of one package, such as htop`,
				`kairos.spec:5:19: packages.add[2]: duplicate entry "htop", first in line 5`,
				`kairos.spec:7:10: files[0].path: "etc/motd" is not a path in the root filesystem; write an absolute path without . and .. in it, such as /etc/motd`,
				`kairos.spec:8:14: files[1]: unknown key "contnet"; did you mean "content"?`,
				`kairos.spec:9:7: init: "upstart" is not valid; valid: openrc, systemd`,
			},
		},
	})
}
