package specs_test

import "testing"

// TestMistakesOfSyntax has files that are not one YAML mapping.
func TestMistakesOfSyntax(t *testing.T) {
	checkMistakes(t, []mistake{
		{
			name: "nothing",
			spec: "",
			want: []string{
				`kairos.spec:1:1: the spec is empty; the shortest one has two lines: "extends: debian-12" and "version: v1.0.0"`,
			},
		},
		{
			name: "blank lines",
			spec: ` 

`,
			want: []string{
				`kairos.spec:1:1: the spec is empty; the shortest one has two lines: "extends: debian-12" and "version: v1.0.0"`,
			},
		},
		{
			name: "comments only",
			spec: `# syntax=ghcr.io/flavorkit/frontend:1
# yaml-language-server: $schema=x
`,
			want: []string{
				`kairos.spec:1:1: the spec is empty; the shortest one has two lines: "extends: debian-12" and "version: v1.0.0"`,
			},
		},
		{
			name: "empty document",
			spec: `---
`,
			want: []string{
				`kairos.spec:1:1: the spec is empty; the shortest one has two lines: "extends: debian-12" and "version: v1.0.0"`,
			},
		},
		{
			name: "null",
			spec: `~
`,
			want: []string{
				`kairos.spec:1:1: the spec is empty; the shortest one has two lines: "extends: debian-12" and "version: v1.0.0"`,
			},
		},
		{
			name: "list",
			spec: `- a
`,
			want: []string{
				`kairos.spec:1:1: must be a mapping with the keys extends, args, name, version, variant, model, distro, init, kernel, initramfs, size, kubernetes, mesh, packages, repositories, mirrors, ca, files, layers, cloudConfig, cmdline, kairos, components, extension, artifacts, test, not a list`,
			},
		},
		{
			name: "text",
			spec: `hello
`,
			want: []string{
				`kairos.spec:1:1: must be a mapping with the keys extends, args, name, version, variant, model, distro, init, kernel, initramfs, size, kubernetes, mesh, packages, repositories, mirrors, ca, files, layers, cloudConfig, cmdline, kairos, components, extension, artifacts, test, not the text "hello"`,
			},
		},
		{
			name: "two documents",
			spec: `version: v1.0.0
---
name: b
`,
			want: []string{
				`kairos.spec:2:1: a second YAML document begins; keep one document in a file, and put the other in one of its own`,
			},
		},
		{
			name: "second document is empty",
			spec: `version: v1.0.0
---
`,
			want: []string{
				`kairos.spec:2:1: a second YAML document begins; keep one document in a file, and put the other in one of its own`,
			},
		},
		{
			name: "second document is broken",
			spec: `version: v1.0.0
---
a: b: c
`,
			want: []string{
				`kairos.spec:3:5: is not YAML: mapping values are not allowed in this context`,
			},
		},
		{
			name: "first document has mistakes too",
			spec: `name: B
---
name: b
`,
			want: []string{
				`kairos.spec:1:7: name: "B" is not valid; use lower case letters and digits, with . _ or - between them`,
				`kairos.spec:2:1: a second YAML document begins; keep one document in a file, and put the other in one of its own`,
			},
		},
		{
			name: "colon in a value",
			spec: `# syntax=x
version: v1.0.0
name: a: b
`,
			want: []string{
				`kairos.spec:3:8: is not YAML: mapping values are not allowed in this context`,
			},
		},
		{
			name: "list without end",
			spec: `version: v1.0.0
packages: {add: [a, b
name: x
`,
			want: []string{
				`kairos.spec:3:5: is not YAML: did not find expected ',' or ']' (while parsing a flow sequence that begins at 2:17)`,
			},
		},
		{
			name: "quote without end",
			spec: `version: v1.0.0
name: 'a
`,
			want: []string{
				`kairos.spec:3:1: is not YAML: found unexpected end of stream (while scanning a quoted scalar that begins at 2:7)`,
			},
		},
		{
			name: "list without end, last line without end",
			spec: "version: v1.0.0\ncmdline: [a",
			want: []string{
				`kairos.spec:2:12: is not YAML: did not find expected ',' or ']' (while parsing a flow sequence that begins at 2:10)`,
			},
		},
		{
			name: "wrong indentation",
			spec: `version: v1.0.0
packages:
   add: [a]
  remove: [b]
`,
			want: []string{
				`kairos.spec:4:3: is not YAML: did not find expected key (while parsing a block mapping that begins at 1:1)`,
			},
		},
		{
			name: "tab",
			spec: "version: v1.0.0\npackages:\n\tadd: [a]\n",
			want: []string{
				`kairos.spec:3:1: is not YAML: found character that cannot start any token; indent with spaces, YAML takes no tabs`,
			},
		},
		{
			name: "unknown anchor",
			spec: `version: v1.0.0
init: *n
`,
			want: []string{
				`kairos.spec:2:7: is not YAML: unknown anchor 'n' referenced`,
			},
		},
		{
			name: "windows line ends",
			spec: "version: v1.0.0\r\nname: A\r\n",
			want: []string{
				`kairos.spec:2:7: name: "A" is not valid; use lower case letters and digits, with . _ or - between them`,
			},
		},
		{
			name: "byte order mark",
			spec: "\ufeffverson: v1.0.0\nname: A\n",
			want: []string{
				`kairos.spec:1:1: unknown key "verson"; did you mean "version"?`,
				`kairos.spec:2:7: name: "A" is not valid; use lower case letters and digits, with . _ or - between them`,
			},
		},
		{
			name: "latin 1",
			spec: "version: v1.0.0\nname: caf\xe9\n",
			want: []string{
				`kairos.spec:2:10: is not UTF-8; save the file as UTF-8`,
			},
		},
		{
			name: "utf-16",
			spec: "\xff\xfev\x00",
			want: []string{
				`kairos.spec:1:1: is not UTF-8; save the file as UTF-8`,
			},
		},
		{
			name: "zero byte",
			spec: "version: v1.0.0\nname: a\x00b\n",
			want: []string{
				`kairos.spec:2:8: holds the control character U+0000; remove it, or write it inside double quotes as an escape`,
			},
		},
		{
			name: "old mac line ends",
			spec: "version: v1.0.0\rname: a\n",
			want: []string{
				`kairos.spec:1:16: holds the control character U+000D; remove it, or write it inside double quotes as an escape`,
			},
		},
		{
			name: "line separator",
			spec: "version: v1.0.0\nname: a\u2028b\n",
			want: []string{
				`kairos.spec:2:8: holds the control character U+2028; remove it, or write it inside double quotes as an escape`,
			},
		},
		{
			name: "column counts characters, not bytes",
			spec: `version: v1.0.0
x-é: ü
packages: {x-ü: é, nope: a}
`,
			want: []string{
				`kairos.spec:3:20: packages: unknown key "nope"; valid: add, files, groups, remove`,
			},
		},
	})
}
