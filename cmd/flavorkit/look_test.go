package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/trace"
)

// TestCheckLooksAtFiles checks a correct spec with correct, doubtful and wrong files.
func TestCheckLooksAtFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "edge/kairos.spec", good+"artifacts: {iso: {cloudConfig: user.yaml}}\n")
	for _, c := range []struct {
		name, config   string
		args           []string
		code           int
		stdout, stderr string // what they begin with
	}{
		{"right", "#cloud-config\ninstall: {nousers: true}\n", []string{"edge"}, 0, "edge/kairos.spec is right: ", ""},
		{"doubtful", "#cloud-config\n", []string{"edge"}, 0, "edge/kairos.spec is right: ", "flavorkit: warning: kairos.spec:4:32: artifacts.iso.cloudConfig: no user in it is in the group admin: "},
		{"wrong", "a: b\n", []string{"edge"}, exitFailed, "", "user.yaml:1\n"},
		{"elsewhere", "#cloud-config\n", []string{"-f", "edge/kairos.spec"}, exitFailed, "", "kairos.spec:4\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, "edge/user.yaml", c.config)
			code, stdout, stderr := flavorkit(t.Context(), append([]string{"check"}, c.args...)...)
			assert.Equal(t, c.code, code, stderr)
			assert.Regexp(t, "^"+c.stdout, stdout)
			assert.Regexp(t, "^"+c.stderr, stderr)
			if c.stderr == "" {
				assert.Empty(t, stderr)
			}
		})
	}
}

// TestCheckFormats prints the same findings for people and for programs.
func TestCheckFormats(t *testing.T) {
	t.Chdir(t.TempDir())
	const top = "# syntax=x\nextends: debian-12\nversion: v1.0.0\n"
	write(t, "right/kairos.spec", top)
	write(t, "my edge/kairos.spec", top+"test: {memory: 3GiB}\nartifacts: {iso: {cloudConfig: user.yaml}}\n")
	write(t, "my edge/user.yaml", "#cloud-config\ninstall: {nousers: true}\nusers: [{passwd: x}]\n")
	write(t, "wrong/kairos.spec", top+"naem: <x>\n")
	const (
		asserts = `{"rule":"NoAssertions","severity":"warning","key":"test","message":"has no assertions, so it passes as soon as the system boots",` +
			`"hint":"add assertions, such as assertions: [{service: ssh}]","file":"my edge/kairos.spec","line":4,"column":7,"endLine":4,"endColumn":7,` +
			`"url":"https://github.com/flavorkit/flavorkit/blob/main/docs/rules/NoAssertions.md"}`
		password = `{"rule":"ClearPassword","severity":"warning","message":"the password is not hashed, so whoever gets the file can log in",` +
			`"hint":"hash it with openssl passwd -6, or use ssh_authorized_keys","file":"my edge/user.yaml","line":3,"column":18,"endLine":3,"endColumn":18,` +
			`"url":"https://github.com/flavorkit/flavorkit/blob/main/docs/rules/ClearPassword.md"}`
		unknown = `{"rule":"UnknownKey","severity":"error","message":"unknown key \"naem\"","hint":"did you mean \"name\"?",` +
			`"file":"wrong/kairos.spec","line":4,"column":1,"endLine":4,"endColumn":4,` +
			`"url":"https://github.com/flavorkit/flavorkit/blob/main/docs/rules/mistakes.md#unknownkey"}`
	)
	for _, c := range []struct {
		args     []string
		code     int
		findings string
		stderr   string
	}{
		{[]string{"--severity", "warning", "right"}, 0, "", ""},
		{[]string{"my edge"}, 0, "", ""},
		{[]string{"--severity", "warning", "my edge"}, exitFailed, "", "flavorkit: 2 warnings\n"},
		{[]string{"--format", "json", "right"}, 0, "", ""},
		{[]string{"--format", "json", "my edge"}, 0, asserts + "," + password, ""},
		{[]string{"--format", "json", "--severity", "warning", "my edge"}, exitFailed, asserts + "," + password, "flavorkit: 2 warnings\n"},
		{[]string{"--format", "json", "wrong"}, exitFailed, unknown, "flavorkit: 1 mistake\n"},
		{[]string{"--format", "xml", "right"}, exitUsage, "", ""},
		{[]string{"--severity", "info", "right"}, exitUsage, "", ""},
		{[]string{"--format", "json", "nowhere"}, exitFailed, "", "flavorkit: no spec nowhere/kairos.spec; "},
	} {
		code, stdout, stderr := flavorkit(t.Context(), append([]string{"check"}, c.args...)...)
		assert.Equal(t, c.code, code, "%s: %s", c.args, stderr)
		assert.Contains(t, stderr, c.stderr)
		switch {
		case c.findings != "" || c.code == 0 && slices.Contains(c.args, "json"):
			assert.JSONEq(t, `{"findings":[`+c.findings+"]}", stdout, c.args)
		case c.code == 0:
			assert.Contains(t, stdout, "kairos.spec is right: ")
		default:
			assert.Empty(t, stdout)
		}
	}
}

// TestCheckSARIF prints a log with rules, and places that end after their last character.
func TestCheckSARIF(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "my edge/kairos.spec", "# syntax=x\nextends: debian-12\nversion: v1.0.0\ncmdline: [net.ifnames=1]\ntest: {memory: 3GiB}\n")
	code, stdout, stderr := flavorkit(t.Context(), "check", "--format", "sarif", "my edge")
	require.Zero(t, code, stderr)
	var log map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &log))
	run := log["runs"].([]any)[0].(map[string]any)
	run["tool"].(map[string]any)["driver"].(map[string]any)["version"] = "v"
	const page = "https://github.com/flavorkit/flavorkit/blob/main/docs/rules/"
	got, err := json.Marshal(log)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
		"runs": [{
			"tool": {"driver": {"name": "flavorkit", "version": "v", "informationUri": "https://github.com/flavorkit/flavorkit", "rules": [
				{"id": "RepeatedArgument", "shortDescription": {"text": "The spec adds a kernel argument that the system has already."},
					"helpUri": "`+page+`RepeatedArgument.md", "defaultConfiguration": {"level": "warning"}},
				{"id": "NoAssertions", "shortDescription": {"text": "The spec has a boot test without assertions."},
					"helpUri": "`+page+`NoAssertions.md", "defaultConfiguration": {"level": "warning"}}
			]}},
			"columnKind": "unicodeCodePoints",
			"results": [
				{"ruleId": "RepeatedArgument", "ruleIndex": 0, "level": "warning",
					"message": {"text": "cmdline[0]: the system has the argument net.ifnames=1 already; remove it"},
					"locations": [{"physicalLocation": {"artifactLocation": {"uri": "my%20edge/kairos.spec"},
						"region": {"startLine": 4, "startColumn": 11, "endLine": 4, "endColumn": 24}}}]},
				{"ruleId": "NoAssertions", "ruleIndex": 1, "level": "warning",
					"message": {"text": "test: has no assertions, so it passes as soon as the system boots; add assertions, such as assertions: [{service: ssh}]"},
					"locations": [{"physicalLocation": {"artifactLocation": {"uri": "my%20edge/kairos.spec"},
						"region": {"startLine": 5, "startColumn": 7, "endLine": 5, "endColumn": 8}}}]}
			]
		}]
	}`, string(got))

	write(t, "my edge/kairos.spec", "# syntax=x\nextends: debian-12\nversion: v1.0.0\n")
	_, stdout, _ = flavorkit(t.Context(), "check", "--format", "sarif", "my edge")
	assert.Contains(t, stdout, `"results": []`, "SARIF has no null there")
}

func TestExplainNames(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/kairos.spec", "extends: debian-12\nversion: v1.0.0\npackages: {add: [htop]}\n")
	code, stdout, stderr := flavorkit(t.Context(), "plan", dir, "--explain", "htop", "--explain", "ssh.service")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "package htop (userland)\n  from     kairos.spec:3:18  packages.add[0]\n")
	assert.Contains(t, stdout, "\nservice ssh.service\n  from     specs/catalog/distros/debian-12.yaml:")
	code, stdout, _ = flavorkit(t.Context(), "plan", dir, "--explain", "htop", "--format", "json")
	assert.Zero(t, code)
	assert.Contains(t, stdout, `"place": "kairos.spec:3:18"`)
	code, _, stderr = flavorkit(t.Context(), "plan", dir, "--explain", "htopp")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, `neither the spec nor the catalog asks for "htopp"; did you mean "htop"?`)
	code, _, stderr = flavorkit(t.Context(), "plan", dir, "--format", "xml")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, `unknown format "xml"`)
	code, stdout, _ = flavorkit(t.Context(), "plan", dir, "--format", "json")
	assert.Zero(t, code)
	assert.Contains(t, stdout, `"userland": {`)
}

func TestGraphFormats(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/kairos.spec", "extends: debian-12\nversion: v1.0.0\n")
	for format, want := range map[string]string{
		"text": "#1 [base] docker.io/library/debian:12-slim\n", "tree": "[rootfs] checked root filesystem\n├─ ",
		"dot": "digraph build {\n", "mermaid": "flowchart BT\n", "svg": "<svg ", "json": "[\n  {\n    \"name\": ",
	} {
		code, stdout, stderr := flavorkit(t.Context(), "graph", dir, "--format", format)
		assert.Zero(t, code, stderr)
		assert.Contains(t, stdout, want)
	}
	code, _, stderr := flavorkit(t.Context(), "graph", dir, "--format", "png")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, `unknown format "png"; valid: dot, json, mermaid, svg, text, tree`)
}

// TestGraphTrace shows what became of the steps in a build.
func TestGraphTrace(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "kairos.spec", good)
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	step := func(name string, took int, bytes int64, cached bool) trace.Step {
		return trace.Step{Digest: digest.FromString(name), Name: name, Runs: []trace.Run{{Start: at(0), End: at(took)}}, Bytes: bytes, Cached: cached}
	}
	record := func(file string, write func(trace.Record) ([]byte, error), steps ...trace.Step) {
		data, err := write(trace.Record{Name: "edge", Began: at(0), Ended: at(9), Steps: steps})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, data, 0o600))
	}
	base, check := step("[base] docker.io/library/debian:12-slim", 9, 3<<20, false), step("[rootfs] check the root filesystem", 0, 0, true)
	record("trace.json", trace.Record.Chrome, base, check)
	record("trace.jsonl", trace.Record.OTLP, base, check)
	record("other.json", trace.Record.Chrome, step("another build", 1, 0, false))
	for _, file := range []string{"trace.json", "trace.jsonl"} {
		for format, want := range map[string][]string{
			"text":    {"[base] docker.io/library/debian:12-slim\n  9.0s, 3MiB\n", "[rootfs] check the root filesystem\n  cached\n"},
			"tree":    {"[base] docker.io/library/debian:12-slim (9.0s, 3MiB)\n", "[rootfs] check the root filesystem (cached)"},
			"dot":     {`[label="[base] docker.io/library/debian:12-slim\n9.0s, 3MiB"]`, `check the root filesystem\ncached"]`, `\nnot needed"]`},
			"mermaid": {`["[base] docker.io/library/debian:12-slim<br>9.0s, 3MiB"]`, `check the root filesystem<br>cached"]`},
			"svg":     {"9.0s, 3MiB", "cached", "not needed"},
			"json":    {`"state": "ran",`, `"seconds": 9,`, `"bytes": 3145728`, `"state": "cached"`, `"state": "not needed"`},
		} {
			code, stdout, stderr := flavorkit(t.Context(), "graph", "--arch", "amd64", "--trace", file, "--format", format)
			require.Zero(t, code, stderr)
			for _, text := range want {
				assert.Contains(t, stdout, text, format)
			}
		}
	}
	for file, want := range map[string]string{
		"none.json": "read the trace: open none.json: no such file or directory", "kairos.spec": "read kairos.spec: it is no trace of a build",
		"other.json": "other.json has no step of this graph; give the spec, the target and the architecture of its build",
	} {
		code, stdout, stderr := flavorkit(t.Context(), "graph", "--trace", file)
		assert.Equal(t, exitFailed, code)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, "flavorkit: "+want)
	}
}

func TestDiff(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a.spec", "extends: debian-12\nversion: v1.0.0\npackages: {add: [htop]}\nfiles: [{path: /etc/motd, content: a}]\n")
	write(t, dir+"/b/kairos.spec", "extends: debian-12\nversion: v1.1.0\npackages: {add: [tree=2], remove: [nano]}\nkernel: debian-13\ncmdline: [quiet]\nfiles: [{path: /etc/motd, content: b}]\n")
	code, stdout, stderr := flavorkit(t.Context(), "diff", dir+"/a.spec", dir+"/b")
	require.Zero(t, code, stderr)
	for _, line := range []string{
		"~ version v1.0.0 → v1.1.0\n", "~ kernel of debian-12 → debian-13\n", "- package htop (userland) newest\n", "+ package tree (userland) 2\n",
		"- package nano (userland) newest\n", "+ kernel argument quiet (installed) there\n", "~ file /etc/motd text ca978112 → text 3e23e816\n",
	} {
		assert.Contains(t, stdout, line)
	}
	code, stdout, stderr = flavorkit(t.Context(), "diff", dir+"/a.spec", dir+"/a.spec")
	assert.Zero(t, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "no differences")
	code, stdout, _ = flavorkit(t.Context(), "diff", dir+"/a.spec", dir+"/a.spec", "--format", "json")
	assert.Zero(t, code)
	assert.Equal(t, "[]\n", stdout)
	code, _, stderr = flavorkit(t.Context(), "diff", dir+"/a.spec", dir+"/none")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "no spec "+dir+"/none/kairos.spec")
	code, _, stderr = flavorkit(t.Context(), "diff", dir)
	assert.Equal(t, exitUsage, code, stderr)

	old, err := os.ReadFile("../../testdata/targets/debian-12-amd64.lock")
	require.NoError(t, err)
	write(t, dir+"/a.lock", string(old))
	write(t, dir+"/b/kairos.lock", strings.ReplaceAll(string(old), "3.2.2-2", "3.2.2-3"))
	code, stdout, stderr = flavorkit(t.Context(), "diff", dir+"/a.spec", dir+"/b")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "~ package htop (debian-12, amd64) 3.2.2-2 (01234567) → 3.2.2-3 (01234567)\n")
}

func TestBuilt(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a/etc/kairos-release", "KAIROS_VERSION=\"v1.0.0\"\n")
	write(t, dir+"/a/usr/bin/app", "app")
	write(t, dir+"/b/etc/kairos-release", "KAIROS_VERSION=\"v1.1.0\"\n")
	write(t, dir+"/other/etc/os-release", "PRETTY_NAME=Other\n")
	write(t, dir+"/kairos.spec", good)

	code, stdout, stderr := flavorkit(t.Context(), "inspect", dir+"/a")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "  version       v1.0.0\n")
	code, stdout, stderr = flavorkit(t.Context(), "inspect", dir+"/a", "--format", "json")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, `"KAIROS_VERSION": "v1.0.0"`)
	code, _, stderr = flavorkit(t.Context(), "inspect", dir+"/other")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "is not a Kairos system: it has no /etc/kairos-release; found Other, 1 file of ")
	code, _, stderr = flavorkit(t.Context(), "inspect")
	assert.Equal(t, exitUsage, code, stderr)

	code, stdout, stderr = flavorkit(t.Context(), "diff", dir+"/a", dir+"/b")
	require.Zero(t, code, stderr)
	assert.Equal(t, "~ KAIROS_VERSION v1.0.0 → v1.1.0\n~ files in /etc 1 changed, +0B\n~ files in /usr/bin 1 removed, -3B\n", stdout)
	code, stdout, stderr = flavorkit(t.Context(), "diff", "--files", dir+"/a", dir+"/b")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "\n- file /usr/bin/app 3B\n")
	code, stdout, _ = flavorkit(t.Context(), "diff", "--format", "json", dir+"/a", dir+"/a")
	assert.Zero(t, code)
	assert.JSONEq(t, `{"changes": [], "files": []}`, stdout)
	code, _, stderr = flavorkit(t.Context(), "diff", dir+"/a", dir)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "is a spec and the other is built; compare two of a kind")
	code, _, stderr = flavorkit(t.Context(), "diff", "--files", dir, dir)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "--files is for built systems")
}

// TestTargetsAndOutline prints what the subrequests of the frontend answer.
func TestTargetsAndOutline(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/kairos.spec", "extends: debian-12\nversion: v1.0.0\nargs: {CHANNEL: {description: for whom}}\n")
	code, stdout, stderr := flavorkit(t.Context(), "outline", dir, "--target", "iso")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "\nCHANNEL ")
	assert.NotContains(t, stdout, "\nSTAGE ", "an argument is missing")
	code, stdout, stderr = flavorkit(t.Context(), "outline", dir, "--target", "iso", "--build-arg", "CHANNEL=edge")
	require.Zero(t, code, stderr)
	assert.Regexp(t, `(?m)^iso +kairos.spec:1:10 +makes the live and installer medium$`, stdout)
	code, _, stderr = flavorkit(t.Context(), "outline", dir, "--build-arg", "CHANNEL=edge", "--build-arg", "CHANEL=edge")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, `no spec declares the build argument "CHANEL"`)

	code, stdout, stderr = flavorkit(t.Context(), "targets", dir, "--build-arg", "CHANNEL=edge", "--json")
	require.Zero(t, code, stderr)
	var list struct {
		Targets []struct{ Name, Description string }
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &list))
	assert.Equal(t, "image", list.Targets[0].Name)
	code, stdout, stderr = flavorkit(t.Context(), "targets", dir, "--build-arg", "CHANNEL=edge")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "; cannot be built: extension: there is no extension to make; ")
}

// TestExplainSteps finds stages of the build by their names.
func TestExplainSteps(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/kairos.spec", "extends: debian-12\nversion: v1.0.0\npackages: {add: [htop]}\n")
	code, stdout, stderr := flavorkit(t.Context(), "plan", dir, "--arch", "amd64", "--explain", "debian-12/userland", "--explain", "rootfs", "--explain", "component/immucore")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "step debian-12/userland\n  from     kairos.spec:3:11  packages\n  why      installs the packages of the system that are not for its kernel (specs/catalog/distros/debian-12.yaml)\n")
	assert.Contains(t, stdout, "step rootfs\n  from     kairos.spec:1:10  extends\n")
	assert.Contains(t, stdout, "(specs/catalog/components/immucore.yaml)\n")
}
