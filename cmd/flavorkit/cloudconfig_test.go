package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/frontend"
)

// TestCloudConfig shows the steps of all cloud-configs of a system: those of the catalog, one of
// which the spec replaces, of the spec, and of its medium.
func TestCloudConfig(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"kairos.spec": `extends: debian-12
version: v1.0.0
cloudConfig: oem.yaml
artifacts: {iso: {cloudConfig: medium.yaml}}
files:
- {path: /usr/local/cloud-config/50_late.yaml, content: "stages: {network.after: [{name: late, commands: [a, b]}]}"}
- {path: /system/oem/31_hosts.yaml, from: hosts.yaml}
- {path: /oem, from: more}
`,
		"oem.yaml":    "stages:\n  network.after:\n  - name: hello\n    if: '[ -e /x ]'\n    commands: [date]\n  boto: [{commands: [x]}]\n",
		"medium.yaml": "#cloud-config\nusers: [{name: ann, groups: [admin]}]\nstages:\n  network.after: [{hostname: edge}]\n",
		"hosts.yaml":  "stages: {initramfs: [{name: my hosts, hosts: {}}]}\n",
		"more/a.yaml": "stages: {}\n",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	code, stdout, stderr := flavorkit(t.Context(), "cloud-config", dir, "--stage", "network.after,boto")
	require.Zero(t, code, stderr)
	assert.Equal(t, `network.after
  /system/oem/90_spec.yaml:3  hello  [cloudConfig]
    if: [ -e /x ]
    commands (1)
  /oem/90_custom.yaml:4  [artifacts.iso.cloudConfig]
    hostname
  /usr/local/cloud-config/50_late.yaml:1  late  [files[0]]
    commands (2)

boto (no machine runs this stage)
  /system/oem/90_spec.yaml:6  [cloudConfig]
    commands (1)

Not looked into, because they are directories: files[2]
`, stdout)

	code, stdout, stderr = flavorkit(t.Context(), "cloud-config", dir, "--format", "json")
	require.Zero(t, code, stderr)
	var all frontend.MachineSteps
	require.NoError(t, json.Unmarshal([]byte(stdout), &all))
	assert.Equal(t, []string{"files[2]"}, all.Unread)
	assert.Equal(t, "rootfs.before", all.Steps[0].Stage)
	assert.Equal(t, "catalog", all.Steps[0].Origin)
	hosts := slices.DeleteFunc(slices.Clone(all.Steps), func(s frontend.MachineStep) bool { return s.File != "/system/oem/31_hosts.yaml" })
	require.Len(t, hosts, 1, "the file of the spec replaces that of the catalog")
	assert.Equal(t, "my hosts", hosts[0].Name)

	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--stage", "bot"}, exitUsage, `unknown stage "bot"; did you mean "boot"?`},
		{[]string{"--format", "yaml"}, exitUsage, `unknown format "yaml"`},
		{[]string{"-f", "none.spec"}, exitFailed, "no spec"},
	} {
		code, _, stderr := flavorkit(t.Context(), append([]string{"cloud-config", dir}, c.args...)...)
		assert.Equal(t, c.code, code)
		assert.Contains(t, stderr, c.want)
	}
	write(t, filepath.Join(dir, "hosts.yaml"), "stages: [\n")
	code, _, stderr = flavorkit(t.Context(), "cloud-config", dir)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "hosts.yaml:")
}
