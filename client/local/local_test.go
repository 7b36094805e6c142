package local_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/local"
)

const debian = "extends: debian-12 # flavorkit: skip=MissingSyntax\nversion: v1.0.0\n"

// write writes files into the current directory.
func write(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
}

// TestCheck checks specs that resolve, with files that a build would reject or warn about.
func TestCheck(t *testing.T) {
	const (
		user   = "#cloud-config\nusers: [{name: me, groups: [admin]}]\n"
		nobody = "#cloud-config\nhostname: edge\n"
		hint   = "; paths start at the top of the context; a .dockerignore file may exclude it"
		locked = "no user in it is in the group admin: kairos-agent will refuse to install, to upgrade and to reset, and nobody can log in; add one, or install: {nousers: true} if that is meant [NoAdminUser]"
	)
	for _, c := range []struct {
		name, spec string
		// files beside the spec; those of named contexts are below contexts/.
		files         map[string]string
		err, warnings []string
	}{
		{name: "no files"},
		{
			name: "all is there",
			spec: "files: [{path: /etc/motd, from: ./motd}, {path: /usr/lib/acme, from: acme}]\ncloudConfig: oem.yaml\nartifacts: {iso: {cloudConfig: user.yaml}, disk: {cloudConfig: user.yaml}}\n",
			files: map[string]string{
				"motd": "hello", "acme/bin/run": "", "oem.yaml": nobody, "user.yaml": user,
			},
		},
		{
			name:  "all mistakes at once",
			spec:  "files: [{path: /etc/motd, from: motd}, {path: /x, from: acme/x}, {path: /y, from: acme, mode: 0644}]\ncloudConfig: .\nartifacts: {iso: {cloudConfig: user.yaml}, disk: {cloudConfig: none.yaml}}\n",
			files: map[string]string{"acme/y": "", "user.yaml": "#cloud-config\nstages:\n\tboot:\n"},
			err: []string{
				`kairos.spec:3:33: files[0].from: there is no file "motd" in the build context` + hint,
				`kairos.spec:3:57: files[1].from: there is no file "acme/x" in the build context` + hint,
				`kairos.spec:3:95: files[2].mode: "acme" is a directory, and only a file can have a mode; remove it; files in the directory keep their own modes`,
				`kairos.spec:4:14: cloudConfig.from: "." is a directory; name a file`,
				`kairos.spec:5:64: artifacts.disk.cloudConfig.from: there is no file "none.yaml" in the build context` + hint,
				`user.yaml:3:1: is not YAML: the line begins with a tab; indent with spaces, YAML takes no tabs`,
			},
		},
		{
			name: "several cloud-configs, each in its order",
			spec: "cloudConfig: c.yaml\nartifacts: {iso: {cloudConfig: b.yaml}, disk: {cloudConfig: a.yaml}}\n",
			files: map[string]string{
				"a.yaml": "install: {auto: true}\n", "b.yaml": "hostname: x\n", "c.yaml": "#!/bin/sh\necho hello\n",
			},
			err: []string{
				`c.yaml:2:1: is not a mapping; a cloud-config has keys such as stages and install`,
				`b.yaml:1:1: is not a cloud-config: a machine ignores a file without its first line; write #cloud-config into the first line`,
				`a.yaml:1:1: is not a cloud-config: a machine ignores a file without its first line; write #cloud-config into the first line`,
			},
		},
		{
			name:  "a mistake that two artifacts have in common",
			spec:  "artifacts: {iso: {cloudConfig: a.yaml}, disk: {cloudConfig: ./a.yaml}}\n",
			files: map[string]string{"a.yaml": "install: {auto: true}\n"},
			err:   []string{`a.yaml:1:1: is not a cloud-config: a machine ignores a file without its first line; write #cloud-config into the first line`},
		},
		{
			name: "a cloud-config in the spec, line by line",
			spec: "artifacts:\n  iso:\n    cloudConfig:\n      content: |\n        #cloud-config\n        stages:\n          boot: [\n        hostname: a: b\n",
			err:  []string{`kairos.spec:9:11: artifacts.iso.cloudConfig: is not YAML: the list that begins here has no comma or ] before 10:9; close it with ]`},
		},
		{
			name: "a cloud-config in the spec, its end missing",
			spec: "artifacts: {disk: {cloudConfig: {content: '#cloud-config'}}, iso: {cloudConfig: {content: \"#cloud-config\\na: [\\n\"}}}\n",
			err:  []string{`kairos.spec:3:81: artifacts.iso.cloudConfig: is not YAML: a value is missing, or the list or mapping around it has no end`},
		},
		{
			name:     "no user",
			spec:     "artifacts: {iso: {cloudConfig: nobody.yaml}, disk: {cloudConfig: nobody.yaml}}\n",
			files:    map[string]string{"nobody.yaml": nobody},
			warnings: []string{"kairos.spec:3:32: artifacts.iso.cloudConfig: " + locked, "kairos.spec:3:66: artifacts.disk.cloudConfig: " + locked},
		},
		{
			name:  "left out by .dockerignore",
			spec:  "files: [{path: /a, from: a}, {path: /b, from: b/c}, {path: /d, from: d}, {path: /e, from: e/f}]\n",
			files: map[string]string{"a": "", "b/c": "", "d/x": "", "e/f": "", ".dockerignore": "# all but a few\na\nb\nd\n!d/x\n"},
			err: []string{
				`kairos.spec:3:26: files[0].from: there is no file "a" in the build context` + hint,
				`kairos.spec:3:47: files[1].from: there is no file "b/c" in the build context` + hint,
			},
		},
		{
			name:  "left out by an ignore file of the spec's own",
			spec:  "files: [{path: /a, from: a}, {path: /b, from: b}]\n",
			files: map[string]string{"a": "", "b": "", ".dockerignore": "a\n", "kairos.spec.dockerignore": "b\n"},
			err:   []string{`kairos.spec:3:47: files[1].from: there is no file "b" in the build context` + hint},
		},
		{
			name: "files of a named context",
			spec: "extends: acme\nversion: v1.0.0\nfiles: [{path: /b, from: b}]\n",
			files: map[string]string{
				"b":                         "",
				"contexts/acme/kairos.spec": "extends: debian-12\nfiles: [{path: /a, from: a}, {path: /b, from: b}]\ncloudConfig: c.yaml\n",
				"contexts/acme/a":           "", "contexts/acme/c.yaml": "a: [\n",
			},
			err: []string{
				`acme/c.yaml:2:1: is not YAML: a value is missing, or the list or mapping around it has no end`,
				`acme/kairos.spec:2:47: files[1].from: there is no file "b" in the named context "acme"` + hint,
			},
		},
		{
			name: "files of what a spec of a named context extends",
			spec: "extends: acme\nversion: v1.0.0\n",
			files: map[string]string{
				"base.spec": "name: other\n", "a": "",
				"contexts/acme/kairos.spec": "extends: ./base.spec\n",
				"contexts/acme/base.spec":   "extends: debian-12\nfiles: [{path: /a, from: a}]\n",
			},
			err: []string{`acme/base.spec:2:26: files[0].from: there is no file "a" in the named context "acme"` + hint},
		},
		{
			name:  "a cloud-config as a named context",
			spec:  "artifacts: {iso: {cloudConfig: nobody.yaml}}\n",
			files: map[string]string{"nobody.yaml": nobody, "contexts/cloud-config/config.yaml": user},
		},
		{
			name:  "nothing in the place of a cloud-config",
			files: map[string]string{"contexts/cloud-config/user.yaml": user},
			err:   []string{"the named context cloud-config has no config.yaml"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			spec := c.spec
			if !strings.HasPrefix(spec, "extends:") {
				spec = debian + spec
			}
			write(t, map[string]string{"kairos.spec": spec})
			write(t, c.files)
			o := local.Options{File: "kairos.spec", Context: ".", Arch: "amd64", Contexts: map[string]string{"kairos-agent": "docker-image://acme/agent"}}
			for _, name := range []string{"acme", "cloud-config"} {
				if info, err := os.Stat("contexts/" + name); err == nil && info.IsDir() {
					o.Contexts[name] = "contexts/" + name
				}
			}
			p, err := local.Plan(t.Context(), o)
			require.NoError(t, err)
			warnings, err := local.Check(t.Context(), p, o)
			if len(c.err) > 0 {
				require.Error(t, err)
				assert.Equal(t, c.err, strings.Split(err.Error(), "\n"))
				return
			}
			require.NoError(t, err)
			var got []string
			for _, w := range warnings {
				got = append(got, w.Error())
			}
			assert.Equal(t, c.warnings, got)
		})
	}
}

// TestCheckElsewhere has the spec in one directory and the files in another, whose links must not
// lead out of it.
func TestCheckElsewhere(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, map[string]string{
		"specs/kairos.spec": debian + "files: [{path: /a, from: a}, {path: /b, from: b}]\n",
		"specs/b":           "", "files/a": "", "secret": "",
	})
	require.NoError(t, os.Symlink("a", "files/b"))
	o := local.Options{File: "specs/kairos.spec", Context: "files", Arch: "amd64"}
	p, err := local.Plan(t.Context(), o)
	require.NoError(t, err)
	_, err = local.Check(t.Context(), p, o)
	require.NoError(t, err)

	require.NoError(t, os.Remove("files/b"))
	require.NoError(t, os.Symlink("../secret", "files/b"))
	_, err = local.Check(t.Context(), p, o)
	require.ErrorContains(t, err, "look for b in the build context: ")

	o.Context = "nowhere"
	_, err = local.Check(t.Context(), p, o)
	require.EqualError(t, err, "look for a in the build context: there is no directory nowhere")
}

// TestFetch gets what is no directory where a spec needs it, and nothing else.
func TestFetch(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, map[string]string{
		"kairos.spec":         "extends: acme\nversion: v1.0.0\n",
		"fetched/kairos.spec": "extends: debian-12\n",
		"empty/file":          "",
	})
	const url = "https://acme.example/systems.git"
	o := local.Options{File: "kairos.spec", Arch: "amd64", Contexts: map[string]string{"acme": url, "debian:12-slim": "docker-image://acme/base"}}
	for dir, want := range map[string]string{
		"fetched": "",
		"empty":   "kairos.spec:1:10: extends: the named context acme has no kairos.spec; extend another spec of it by its path, such as acme/base.spec",
		"":        "kairos.spec:1:10: read the spec that extends names: get the named context acme: no route to host",
	} {
		o.Fetch = func(_ context.Context, name, source string) (string, error) {
			assert.Equal(t, []string{"acme", url}, []string{name, source})
			if dir == "" {
				return "", errors.New("no route to host")
			}
			return dir, nil
		}
		_, err := local.Plan(t.Context(), o)
		if want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, want)
		}
	}
}

// TestNamedContexts extends named contexts.
func TestNamedContexts(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, map[string]string{
		"kairos.spec":      "extends: acme\nversion: v1.0.0\n",
		"acme/kairos.spec": "extends: debian-12\n",
		"empty/file":       "",
	})
	const at = "kairos.spec:1:10: read the spec that extends names: "
	for context, want := range map[string]string{
		"acme":                     "",
		"empty":                    "kairos.spec:1:10: extends: the named context acme has no kairos.spec; extend another spec of it by its path, such as acme/base.spec",
		"nodir":                    at + "there is no directory nodir for the named context acme",
		"empty/file":               at + "there is no directory empty/file for the named context acme",
		"docker-image://acme/base": at + "the named context acme is docker-image://acme/base: it is not a directory",
		"https://acme.example/x":   at + "the named context acme is https://acme.example/x: it is not a directory",
		"oci-layout://acme:v1":     at + "the named context acme is oci-layout://acme:v1: it is not a directory",
		"git@acme.example:x.git":   at + "the named context acme is git@acme.example:x.git: it is not a directory",
	} {
		t.Run(context, func(t *testing.T) {
			_, err := local.Plan(t.Context(), local.Options{File: "kairos.spec", Arch: "amd64", Contexts: map[string]string{"acme": context}})
			if want == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, want)
			}
		})
	}
}

// TestFilesOfContext extends files in a named context, which stay in it.
func TestFilesOfContext(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, map[string]string{
		"kairos.spec": "extends: acme/edge.spec\nversion: v1.0.0\n", "secret.spec": debian,
		"acme/edge.spec": "extends: ./base.spec\n", "acme/base.spec": "extends: debian-12\n",
	})
	o := local.Options{File: "kairos.spec", Arch: "amd64", Contexts: map[string]string{"acme": "acme"}}
	_, doc, err := local.Resolve(t.Context(), o)
	require.NoError(t, err)
	var paths []string
	for _, src := range doc.Sources {
		path, _ := o.Path(src)
		paths = append(paths, path)
	}
	assert.Equal(t, []string{"kairos.spec", filepath.Join("acme", "edge.spec"), filepath.Join("acme", "base.spec"), ""}, paths)

	write(t, map[string]string{"acme/.dockerignore": "base.spec\n"})
	_, err = local.Plan(t.Context(), o)
	require.EqualError(t, err, "acme/edge.spec:1:10: extends: the named context acme has no base.spec", "as in a build")

	require.NoError(t, os.Remove("acme/.dockerignore"))
	require.NoError(t, os.Remove("acme/base.spec"))
	require.NoError(t, os.Symlink("../secret.spec", "acme/base.spec"))
	_, err = local.Plan(t.Context(), o)
	require.ErrorContains(t, err, "acme/edge.spec:1:10: read the spec that extends names: ")
}
