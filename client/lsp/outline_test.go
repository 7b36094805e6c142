package lsp

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestOutline reads texts, most of which are no YAML as they are while somebody types.
func TestOutline(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"mappings", "extends: debian-12 # comment\npackages:\n  add: x\nname: 'my edge'\n", []string{
			"key extends", "value extends=debian-12", "key packages", "key packages.add", "value packages.add=x", "key name", "value name=my edge",
		}},
		{"lists", "packages:\n  add:\n    - a\n    - b\n  remove:\n  - c\nfiles:\n- path: /a\n  mode: 0644\n- path: /b\n", []string{
			"key packages", "key packages.add", "open packages.add[0]=a", "open packages.add[1]=b",
			"key packages.remove", "open packages.remove[0]=c",
			"key files", "key files[0].path", "value files[0].path=/a", "key files[0].mode", "value files[0].mode=0644",
			"key files[1].path", "value files[1].path=/b",
		}},
		{"brackets", "packages: {add: [a, \"b,c\"], groups: {nfs: false}}\nfiles: [{path: /a},\n  {path: /b}]\nname: x\n", []string{
			"key packages", "key packages.add", "value packages.add[0]=a", "value packages.add[1]=b,c",
			"key packages.groups", "key packages.groups.nfs", "value packages.groups.nfs=false",
			"key files", "key files[0].path", "value files[0].path=/a", "key files[1].path", "value files[1].path=/b",
			"key name", "value name=x",
		}},
		{"text", "files:\n  - path: /a\n    content: |\n      key: value\n\n      - x\n    mode: 0644\ncloudConfig:\n  content: >-\n    a: b\nname: x\n", []string{
			"key files", "key files[0].path", "value files[0].path=/a", "key files[0].content", "key files[0].mode", "value files[0].mode=0644",
			"key cloudConfig", "key cloudConfig.content", "key name", "value name=x",
		}},
		{"a key begun", "packages:\n  ad\nna\n", []string{"key packages", "open packages=ad", "open =na"}},
		{"a key begun in an item", "files:\n  - pa\n", []string{"key files", "open files[0]=pa"}},
		{"a key begun in brackets", "packages: {add: [x], gr", []string{"key packages", "key packages.add", "value packages.add[0]=x", "key packages.gr"}},
		{"a bracket missing", "packages: {add: [a,\nversion: v1\n", []string{"key packages", "key packages.add", "value packages.add[0]=a", "key version", "value version=v1"}},
		{"a bracket too many", "a: [b]]\nc: d\n", []string{"key a", "value a[0]=b", "key c", "value c=d"}},
		{"a quote missing", "name: \"x\nversion: \"v1\"\n", []string{"key name", "value name=\"x", "key version", "value version=v1"}},
		{"further out than the first line", "  a: b\nc: d\n", []string{"key a", "value a=b", "key c", "value c=d"}},
		{"a value below its key", "kernel:\n  debian-12\n", []string{"key kernel", "open kernel=debian-12"}},
		{"colons in values", "url: https://a.example/x\ncmdline: [a:b, c]\n", []string{
			"key url", "value url=https://a.example/x", "key cmdline", "value cmdline[0]=a:b", "value cmdline[1]=c",
		}},
		{"a document marker", "---\na: b\n", []string{"key a", "value a=b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, w := range outline(newText([]byte(c.text))) {
				text := map[wordKind]string{keyWord: "key ", valueWord: "value ", openWord: "open "}[w.kind] + w.path
				if w.kind != keyWord {
					text += "=" + w.text
				}
				got = append(got, text)
			}
			assert.Equal(t, c.want, got)
		})
	}
}

// FuzzOutline reads any text, and every word that it finds is there.
func FuzzOutline(f *testing.F) {
	for _, text := range []string{"a: [b, {c: d}]\n- x: |\n  y\n", "{[}]: ,'\n\"", "- - a:\n -b\n]", "é: 😀 #\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data string) {
		text := newText([]byte(data))
		for _, w := range outline(text) {
			line := text.line(w.line)
			if w.start < 0 || w.start > w.end || w.end > len(line) {
				t.Fatalf("%+v is not in %q", w, line)
			}
			if !strings.Contains(line[w.start:w.end], w.text) {
				t.Fatalf("%+v is not %q", w, line[w.start:w.end])
			}
		}
	})
}
