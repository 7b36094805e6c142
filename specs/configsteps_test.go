package specs_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
)

// TestSteps reads steps with conditions and with aliases, and what yip makes of keys of cloud-init.
func TestSteps(t *testing.T) {
	c, err := specs.ReadCloudConfig(&specs.Source{Name: "c.yaml", Data: []byte(`#cloud-config
hostname: edge
users:
- name: ann
  groups: [admin]
runcmd: [date, id]
stages:
  network.after:
  - &wait
    name: Wait
    if: |
      [ -e /run/a ]
      [ -e /run/b ]
    if_files: {any: [/x, /y], none: [/z]}
    commands: [a, b, c]
  - only_arch: amd64
    hostname: other
    files: [{path: /etc/a}]
  boot:
  - *wait
  fs: nothing
`)})
	require.NoError(t, err)
	wait := []string{"if: [ -e /run/a ]; [ -e /run/b ]", "if_files: any /x, /y, none /z"}
	assert.Equal(t, []specs.Step{
		{Stage: "initramfs", Name: "keys of cloud-init", Does: []string{"hostname"}, Line: 2},
		{Stage: "boot", Name: "keys of cloud-init", Does: []string{"users (1)", "runcmd (2)"}, Line: 3},
		{Stage: "network.after", Name: "Wait", Conditions: wait, Does: []string{"commands (3)"}, Line: 9},
		{Stage: "network.after", Conditions: []string{"only_arch: amd64"}, Does: []string{"hostname", "files (1)"}, Line: 16},
		{Stage: "boot", Name: "Wait", Conditions: wait, Does: []string{"commands (3)"}, Line: 20},
	}, c.Steps)

	c, err = specs.ReadCloudConfig(&specs.Source{Name: "c.yaml", Data: []byte("hostname: edge\n")})
	require.NoError(t, err)
	assert.Empty(t, c.Steps, "no machine reads it without the first line")
	assert.Equal(t, []string{"rootfs.before", "rootfs", "rootfs.after"}, specs.Stages()[:3])
	for _, stage := range specs.Stages() {
		runs, _ := specs.RunsStage(stage)
		assert.True(t, runs, stage)
	}
}
