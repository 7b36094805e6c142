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
				`kairos.spec:1:1: the file must be a mapping with keys such as extends, not a list; write one key in a line, a colon and a space after it, and its value`,
			},
		},
		{
			name: "text",
			spec: `hello
`,
			want: []string{
				`kairos.spec:1:1: the file must be a mapping with keys such as extends, not the text "hello"; write one key in a line, a colon and a space after it, and its value`,
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
				`kairos.spec:3:5: is not YAML: a colon is in the wrong place; put a text with a colon in quotes; after a key, write a colon and a space, also in the lines above`,
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
				`kairos.spec:3:8: is not YAML: a colon is in the wrong place; put a text with a colon in quotes; after a key, write a colon and a space, also in the lines above`,
			},
		},
		{
			name: "list without end",
			spec: `version: v1.0.0
packages: {add: [a, b
name: x
`,
			want: []string{
				`kairos.spec:2:17: is not YAML: the list that begins here has no comma or ] before 3:5; close it with ]`,
			},
		},
		{
			name: "quote without end",
			spec: `version: v1.0.0
name: 'a
`,
			want: []string{
				`kairos.spec:2:7: is not YAML: the text in quotes that begins here has no end; close it with the same quote`,
			},
		},
		{
			name: "list without end, last line without end",
			spec: "version: v1.0.0\ncmdline: [a",
			want: []string{
				`kairos.spec:2:10: is not YAML: the list that begins here has no comma or ] before 2:12; close it with ]`,
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
				`kairos.spec:4:3: is not YAML: this is not a key of the mapping that begins at 1:1; begin all its keys in the same column, and put a value with quotes or brackets inside in quotes as a whole`,
			},
		},
		{
			name: "tab",
			spec: "version: v1.0.0\npackages:\n\tadd: [a]\n",
			want: []string{
				`kairos.spec:3:1: is not YAML: the line begins with a tab; indent with spaces, YAML takes no tabs`,
			},
		},
		{
			name: "unknown anchor",
			spec: `version: v1.0.0
init: *n
`,
			want: []string{
				`kairos.spec:2:7: is not YAML: unknown anchor 'n' referenced; put a text that begins with * in quotes`,
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
				`kairos.spec:3:20: packages: unknown key "nope"; valid: add, files, groups, remove, when`,
			},
		},
	})
}
