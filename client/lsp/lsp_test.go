package lsp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/client/lsp"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/golden"
)

const spec = `# syntax=x
extends: ./base.spec
version: v1.0.0
init: systemd
packages: {add: [strace], groups: {nfs: false}}
test: {memory: 3GiB}
cloudConfig: user.yaml
cmdline:
  - quiet
`

const base = `extends: debian-12
init: systemd
kernel: debian-12
packages:
  add: [ltrace]
`

// TestSession is an editor that opens a spec, looks around and types.
func TestSession(t *testing.T) {
	c := start(t, map[string]string{"kairos.spec": spec, "base.spec": base, "user.yaml": "#cloud-config\n"})
	var transcript bytes.Buffer
	show := func(title string, m message) {
		value := m.Result
		if m.Method != "" {
			value = m.Params
		}
		var pretty bytes.Buffer
		require.Nil(t, m.Error)
		require.NoError(t, json.Indent(&pretty, value, "", "  "))
		short := aPosition.ReplaceAllString(strings.ReplaceAll(pretty.String(), c.uri(""), "file:///work/"), `{"line": $1, "character": $2}`)
		fmt.Fprintf(&transcript, "== %s\n%s\n", title, short)
	}
	version := 1
	about := func(method, marked string) {
		version++
		show(method+" "+lineAround(marked), c.about(method, version, marked))
	}
	mark := func(old, replacement string) string {
		require.Contains(t, spec, old)
		return strings.Replace(spec, old, replacement, 1)
	}

	show("initialize", c.initialize())
	c.open("kairos.spec", spec)
	show("didOpen", c.next())
	version++
	c.change("kairos.spec", version, spec+"naem: edge\n")
	show("didChange", c.next())

	about("hover", mark("extends", "ex|tends"))
	about("hover", mark("init", "in|it"))
	about("hover", mark("strace", "s|trace"))
	about("hover", mark("nfs", "n|fs"))
	about("hover", mark("quiet", "qui|et"))
	about("hover", mark("# syntax", "# syn|tax"))
	about("hover", "extends: debian-12-open|rc\nversion: v1.0.0\n")

	about("definition", mark("./base", "./b|ase"))
	about("definition", mark("init", "in|it"))
	about("definition", mark("user.yaml", "us|er.yaml"))
	about("definition", mark("version", "ver|sion"))

	about("completion", mark("init: systemd", "init: |"))
	about("completion", mark("user.yaml", "us|"))
	about("completion", "extends: debian-12\nsize:\n  ro|\n")
	c.end()
	golden.Check(t, "testdata/session.txt", transcript.String())
}

// aPosition is one of the protocol, in several lines.
var aPosition = regexp.MustCompile(`\{\s+"line": (\d+),\s+"character": (\d+)\s+\}`)

// TestCompletion completes keys, and names that the catalog has, also in texts that are no YAML.
func TestCompletion(t *testing.T) {
	c := start(t, map[string]string{"base.spec": base, "config/a.yaml": "", "config/b/c.yaml": ""})
	c.initialize()
	c.open("kairos.spec", "")
	c.next()
	cat, err := local.Catalog(t.Context(), local.Options{})
	require.NoError(t, err)
	const debian = "extends: debian-12\n"
	var keys struct{ Properties map[string]any }
	require.NoError(t, json.Unmarshal(specs.Schema(), &keys))
	delete(keys.Properties, "extends")
	for i, text := range []struct {
		marked string
		want   []string
	}{
		{debian + "|\n", slices.Sorted(maps.Keys(keys.Properties))},
		{"extends: |\n", append([]string{"./base.spec"}, cat.FlavorNames()...)},
		{"extends: deb|\n", append([]string{"./base.spec"}, cat.FlavorNames()...)},
		{debian + "kernel: {from: '|'}\n", catalog.Names(cat.Distros)},
		{debian + "kernel: |\n", catalog.Names(cat.Distros)},
		{debian + "model:|\n", nil},
		{debian + "model: |\n", catalog.Names(cat.Models)},
		{debian + "variant: standard\nmesh: |\n", append(cat.OfKind("mesh"), "none")},
		{debian + "kairos: |\n", []string{"latest", "separate"}},
		{debian + "initramfs: {network: |}\n", []string{"false", "true"}},
		{debian + "initramfs:\n  |\n", []string{"network", "when"}},
		{debian + "packages: {groups: {|", []string{"admin", "iscsi", "nfs"}},
		{debian + "packages:\n  groups:\n    nfs: true\n    |\n", []string{"admin", "iscsi"}},
		{debian + "packages:\n  files:\n    |\n", []string{"hwdb"}},
		{debian + "kernel: {modules: {|}}\n", cat.SwitchedModules()},
		{debian + "components: {|}\n", catalog.Names(cat.Components)},
		{debian + "components: {k3s: {sha256: {|}}}\n", catalog.Names(cat.Archs)},
		{debian + "mirrors: {archives: {|}}\n", cat.ArchiveNames()},
		{debian + "ca: {|}\n", []string{"from", "image", "secret", "when"}},
		{debian + "cloudConfig: config/|\n", []string{"config/a.yaml", "config/b/"}},
		{debian + "cloudConfig: ../|\n", nil},
		{debian + "cloudConfig: none/|\n", nil},
		{debian + "layers:\n- name: a\n  |\n", []string{"context", "image", "owner", "path", "to", "when"}},
		{debian + "files: [{path: /a, |", []string{"content", "from", "mode", "owner", "when"}},
		{debian + "name: |\n", nil},
		{debian + "nothing: {|}\n", nil},
		{debian + "cloudConfig: {content: |", nil},
		{debian + "# |\n", nil},
	} {
		m := c.about("completion", i+2, text.marked)
		assert.ElementsMatch(t, text.want, labels(t, m), text.marked)
	}
	m := c.about("completion", 100, debian+"packages: {remove: [open|\n")
	assert.Contains(t, labels(t, m), "openssh-server")
	m = c.about("completion", 102, debian+"packages: {add: [nfs|\n")
	assert.Contains(t, labels(t, m), "nfs-common")
	assert.NotContains(t, labels(t, m), "libc6", "nothing is locked")
	c.write("kairos.lock", `version: 1
stages:
- {stage: userland, distro: debian-12, arch: amd64, base: debian:12-slim, packages: [curl], archives: [curl/7.88.1-10/amd64, libc6/2.36-9/amd64]}
- {stage: userland, distro: debian-13, arch: amd64, base: debian:13-slim, packages: [curl], archives: [dash/1/amd64]}
archives:
  debian-12:
    curl/7.88.1-10/amd64: {url: http://deb.example/curl.deb, sha256: `+strings.Repeat("a", 64)+`}
    libc6/2.36-9/amd64: {url: http://deb.example/libc6.deb, sha256: `+strings.Repeat("b", 64)+`}
  debian-13:
    dash/1/amd64: {url: http://deb.example/dash.deb, sha256: `+strings.Repeat("c", 64)+`}
`)
	m = c.about("completion", 103, debian+"packages:\n  add:\n  - |\n")
	locked := labels(t, m)
	assert.Contains(t, locked, "libc6")
	assert.NotContains(t, locked, "dash", "of another distribution")
	slices.Sort(locked)
	assert.Equal(t, slices.Compact(slices.Clone(locked)), locked, "each once")
	m = c.about("completion", 101, debian+"# flavorkit: skip=NoAdminUser,|\n")
	assert.Contains(t, labels(t, m), "NoAssertions")
	assert.NotContains(t, labels(t, m), "UnknownKey", "which is a mistake")
	c.end()
}

func labels(t *testing.T, m message) (all []string) {
	t.Helper()
	var list struct{ Items []struct{ Label string } }
	require.NoError(t, json.Unmarshal(m.Result, &list))
	for _, item := range list.Items {
		all = append(all, item.Label)
	}
	return all
}

// TestOverridden says in a file which value counts.
func TestOverridden(t *testing.T) {
	c := start(t, nil)
	c.initialize()
	c.open("kairos.spec", "# syntax=x\nextends: ./base.spec\nversion: v1.0.0\nkernel: debian-13\n")
	c.next()
	c.open("base.spec", base)
	c.found("base.spec", "kairos.spec")
	m := c.call("textDocument/hover", c.at("base.spec", strings.Replace(base, "kernel", "ker|nel", 1)))
	assert.Contains(t, string(m.Result), "The value of `kairos.spec:4:9` counts.")
	m = c.call("textDocument/hover", c.at("base.spec", strings.Replace(base, "init", "in|it", 1)))
	assert.NotContains(t, string(m.Result), "counts")
	assert.Contains(t, string(m.Result), "`flavor debian-12:")
	c.end()
}

// lineAround is the line with the cursor.
func lineAround(marked string) string {
	before, after, _ := strings.Cut(marked, "|")
	line, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(before[strings.LastIndex(before, "\n")+1:] + "|" + line)
}

// TestUnsaved extends a file that the editor has not saved, and finds the mistakes in it.
func TestUnsaved(t *testing.T) {
	c := start(t, map[string]string{"base.spec": base, "user.yaml": "#cloud-config\ninstall: {nousers: true}\n"})
	c.initialize()
	c.open("kairos.spec", "# syntax=x\nextends: ./base.spec\nversion: v1.0.0\n") // on no disk
	assert.Equal(t, map[string]string{"kairos.spec": ""}, c.found("kairos.spec"))

	c.open("base.spec", "extends: debian-12\nkernal: x\n")
	assert.Equal(t, map[string]string{
		"base.spec": `1:0-1:6 UnknownKey unknown key "kernal"; did you mean "kernel"?`, "kairos.spec": "",
	}, c.found("base.spec", "kairos.spec"), "and not that it has no version")

	c.change("base.spec", 2, "extends: debian-12\nname: é😀\n")
	found := c.found("base.spec", "kairos.spec")
	assert.Regexp(t, `^1:6-1:9 InvalidValue name: `, found["base.spec"], "UTF-16")

	c.change("base.spec", 3, "extends: [\n")
	assert.Contains(t, c.found("base.spec", "kairos.spec")["base.spec"], "InvalidYAML is not YAML")

	// Nobody extends it any more.
	c.change("kairos.spec", 2, "# syntax=x\nextends: debian-12\nversion: v1.0.0\n")
	c.found("base.spec", "kairos.spec")
	c.change("base.spec", 4, "extends: debian-12\n")
	assert.Contains(t, c.found("base.spec", "kairos.spec")["base.spec"], "MissingValue version: is missing")

	c.notify("textDocument/didClose", c.position("base.spec", 0, 0))
	assert.Equal(t, map[string]string{"base.spec": "", "kairos.spec": ""}, c.found("base.spec", "kairos.spec"))

	// Mistakes of files that no editor has open, and of those that it has.
	config := "# syntax=x\nextends: debian-12\nversion: v1.0.0\ncloudConfig: user.yaml\n"
	c.write("user.yaml", "#cloud-config\na: [\n")
	c.change("kairos.spec", 3, config)
	assert.Contains(t, c.found("kairos.spec", "user.yaml")["user.yaml"], "InvalidYAML")
	c.open("user.yaml", "#cloud-config\nstages: {}\n")
	assert.Equal(t, map[string]string{"user.yaml": "", "kairos.spec": ""}, c.found("kairos.spec", "user.yaml"))
	c.end()
}

// TestContexts edits the files of a named context, which extend each other.
func TestContexts(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	cat, err := local.Catalog(t.Context(), local.Options{})
	require.NoError(t, err)
	c := serve(t, dir, lsp.Options{
		Local: local.Options{Arch: "amd64", Catalog: cat, Contexts: map[string]string{"acme": filepath.Join(dir, "acme")}}, Version: "v1.2.3",
		Now: func() (time.Time, error) { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), nil },
	})
	const edge = "extends: ./base.spec\n"
	c.write("acme/kairos.spec", edge)
	c.write("acme/edge.spec", "extends: debian-12\n")
	c.write("acme/base.spec", base)
	c.initialize()
	c.open("kairos.spec", "# syntax=x\nextends: acme\nversion: v1.0.0\n")
	assert.Equal(t, map[string]string{"kairos.spec": ""}, c.found("kairos.spec"))
	m := c.about("completion", 2, "extends: |\n")
	assert.Subset(t, labels(t, m), []string{"acme", "acme/edge.spec", "acme/base.spec"})
	c.change("kairos.spec", 3, "# syntax=x\nextends: acme\nversion: v1.0.0\n")
	c.found("kairos.spec")

	c.open("acme/base.spec", "extends: debian-12\nkernal: x\n")
	assert.Equal(t, map[string]string{
		"acme/base.spec": `1:0-1:6 UnknownKey unknown key "kernal"; did you mean "kernel"?`, "kairos.spec": "",
	}, c.found("acme/base.spec", "kairos.spec"), "and not that it has no version")
	c.open("acme/kairos.spec", edge)
	c.found("acme/base.spec", "acme/kairos.spec", "kairos.spec")
	m = c.call("textDocument/definition", c.at("acme/kairos.spec", strings.Replace(edge, "base", "ba|se", 1)))
	assert.Contains(t, string(m.Result), c.uri("acme/base.spec"))
	c.end()
}

// TestSaved checks again when files change on disk.
func TestSaved(t *testing.T) {
	c := start(t, map[string]string{"base.spec": "extends: debian-12\n"})
	c.initialize()
	c.open("kairos.spec", "# syntax=x\nextends: ./base.spec\nversion: v1.0.0\n")
	assert.Equal(t, map[string]string{"kairos.spec": ""}, c.found("kairos.spec"))
	c.write("base.spec", "extends: debain-12\n")
	c.notify("textDocument/didSave", c.position("kairos.spec", 0, 0))
	assert.Contains(t, c.found("base.spec", "kairos.spec")["base.spec"], `UnknownBase extends: no flavor and no named context is called "debain-12"`)
	require.NoError(t, os.Remove(filepath.Join(c.dir, "base.spec")))
	c.notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{}})
	assert.Equal(t, map[string]string{"base.spec": "", "kairos.spec": `1:9-1:20 UnknownBase extends: there is no file "./base.spec" beside the spec`}, c.found("base.spec", "kairos.spec"))
	c.end()
}

// TestFlavorOpens opens a built-in flavor, looks around in it, and leaves nothing behind.
func TestFlavorOpens(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	c := start(t, nil)
	c.initialize()
	text := "extends: debian-12-op|enrc\nversion: v1.0.0\n"
	c.open("kairos.spec", strings.Replace(text, "|", "", 1))
	c.found("kairos.spec")
	var at []struct{ URI string }
	require.NoError(t, json.Unmarshal(c.call("textDocument/definition", c.at("kairos.spec", text)).Result, &at))
	require.Len(t, at, 1)
	file := strings.TrimPrefix(at[0].URI, "file://")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(data), "init: openrc")
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o444), info.Mode().Perm())

	c.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": at[0].URI, "version": 1, "text": string(data)}})
	for range 2 {
		assert.Contains(t, string(c.next().Params), "[", "no finding is about a flavor")
	}
	line := strings.Count(string(data[:strings.Index(string(data), "init:")]), "\n")
	m := c.call("textDocument/hover", map[string]any{"textDocument": map[string]any{"uri": at[0].URI}, "position": map[string]any{"line": line, "character": 1}})
	assert.Contains(t, string(m.Result), "The init system of the userland")
	c.end()
	assert.NoFileExists(t, file)
}

// TestLife starts and ends as the protocol says.
func TestLife(t *testing.T) {
	c := start(t, nil)
	code := func(m message) int {
		require.NotNil(t, m.Error)
		return m.Error.Code
	}
	assert.Equal(t, -32002, code(c.call("textDocument/hover", c.position("kairos.spec", 0, 0))), "not initialized")
	c.open("kairos.spec", "naem: x\n") // is ignored
	assert.Nil(t, c.initialize().Error)
	assert.Equal(t, -32600, code(c.initialize()), "initialized already")
	assert.Equal(t, -32601, code(c.call("textDocument/rename", map[string]any{})), "unknown")
	assert.Equal(t, -32602, code(c.call("textDocument/hover", nil)), "no parameters")
	assert.Equal(t, -32602, code(c.call("textDocument/hover", map[string]any{"position": "x"})), "wrong parameters")
	c.notify("$/unknown", map[string]any{})
	c.notify("textDocument/didOpen", map[string]any{"textDocument": 1})
	c.notify("textDocument/didChange", map[string]any{"contentChanges": []any{}})
	c.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": "untitled:1", "text": "a"}})
	for _, method := range []string{"hover", "completion", "definition"} {
		m := c.call("textDocument/"+method, c.position("kairos.spec", 7, 3))
		assert.Nil(t, m.Error)
		assert.Equal(t, "null", string(m.Result), "no such document")
	}
	assert.Nil(t, c.call("shutdown", nil).Error)
	assert.Equal(t, -32600, code(c.call("textDocument/hover", c.position("kairos.spec", 0, 0))), "shut down")
	c.notify("exit", nil)
	assert.NoError(t, c.wait())
	assert.Empty(t, c.log.String())
}

// TestNoShutdown ends without the request, which is an error.
func TestNoShutdown(t *testing.T) {
	for name, leave := range map[string]func(*client){
		"exit":   func(c *client) { c.notify("exit", nil) },
		"closed": func(c *client) { require.NoError(t, c.in.Close()) },
		"noise": func(c *client) {
			_, err := io.WriteString(c.in, "Content-Length: 5\r\n\r\nhello")
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, nil)
			c.initialize()
			leave(c)
			assert.ErrorIs(t, c.wait(), lsp.ErrNoShutdown)
		})
	}
}

// TestCancel cancels a request that takes forever: the spec extends a pipe that nobody writes to.
func TestCancel(t *testing.T) {
	c := start(t, nil)
	pipe := filepath.Join(c.dir, "base.spec")
	require.NoError(t, syscall.Mkfifo(pipe, 0o644))
	c.initialize()
	c.open("kairos.spec", "extends: ./base.spec\nversion: v1.0.0\n")
	slow := c.ask("textDocument/hover", c.position("kairos.spec", 1, 1))
	assert.Equal(t, -32601, c.call("unknown", map[string]any{}).Error.Code, "others do not wait")
	c.notify("$/cancelRequest", map[string]any{"id": slow})
	assert.Equal(t, -32800, c.answer(slow).Error.Code)
	c.notify("$/cancelRequest", map[string]any{"id": slow}) // again
	c.end()
	release, err := os.OpenFile(pipe, os.O_RDWR, 0)
	require.NoError(t, err)
	release.Close()
}

// TestLarge answers about a spec of some MiB, in a long line and in many lines.
func TestLarge(t *testing.T) {
	c := start(t, nil)
	c.initialize()
	var text strings.Builder
	text.WriteString("# syntax=x\nextends: debian-12\nversion: v1.0.0\nx-long: " + strings.Repeat("é", 1<<20) + "\ncmdline:\n")
	lines := 20000
	for i := range lines {
		fmt.Fprintf(&text, "  - acme.argument%d=%s\n", i, strings.Repeat("x", 40))
	}
	text.WriteString("ini: x\n")
	c.open("kairos.spec", text.String())
	assert.Contains(t, c.found("kairos.spec")["kairos.spec"], `UnknownKey unknown key "ini"`)
	m := c.call("textDocument/hover", c.position("kairos.spec", lines+3, 8))
	assert.Contains(t, string(m.Result), "Additional kernel arguments")
	m = c.call("textDocument/completion", c.position("kairos.spec", lines+5, 3))
	assert.Contains(t, string(m.Result), `"label":"init"`)
	c.end()
}
