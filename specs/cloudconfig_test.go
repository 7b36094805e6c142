package specs_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
)

func TestReadCloudConfig(t *testing.T) {
	const header = "#cloud-config\n"
	tests := []struct {
		name, text string
		want       specs.CloudConfig
	}{
		{"nothing", "", specs.CloudConfig{}},
		{"the header alone", header, specs.CloudConfig{Header: true}},
		{"a header further down", "# mine\n" + header + "hostname: x\n", specs.CloudConfig{Header: true}},
		{"a header in Windows' way", "#cloud-config\r\nhostname: x\r\n", specs.CloudConfig{Header: true}},
		{"no header", "hostname: x\n", specs.CloudConfig{}},
		{"almost a header", "#cloud-config: yes\n", specs.CloudConfig{}},
		{"an admin in a stage", header + "stages: {initramfs: [{name: x}, {users: {me: {groups: [video, admin]}}}]}\n", specs.CloudConfig{Header: true, Admin: true}},
		{"an admin by the primary group", header + "stages: {boot: [{users: {me: {primary_group: admin}}}]}\n", specs.CloudConfig{Header: true, Admin: true}},
		{"an admin in the way of cloud-init", header + "users:\n- name: me\n  groups: [admin]\n", specs.CloudConfig{Header: true, Admin: true}},
		{"groups in one text", header + "users:\n- name: me\n  groups: video, admin\n", specs.CloudConfig{Header: true, Admin: true}},
		{"a user", header + "stages: {initramfs: [{users: {me: {groups: [administrators]}}}]}\n", specs.CloudConfig{Header: true}},
		{"no user wanted", header + "install: {auto: true, nousers: true}\n", specs.CloudConfig{Header: true, Admin: true}},
		{"stages of another kind", header + "stages: later\nusers: me\n", specs.CloudConfig{Header: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := &specs.Source{Name: "user.yaml", Data: []byte(tt.text)}
			got, err := specs.ReadCloudConfig(src)
			require.NoError(t, err)
			tt.want.Source = src
			got.Stages, got.Steps, got.Unread, got.Doubts = nil, nil, nil, nil // TestReadCloudConfigWords, TestSteps, TestDoubts
			assert.Equal(t, tt.want, got)
		})
	}
}

// TestReadCloudConfigWords finds stages, and passwords in clear in both places for users.
func TestReadCloudConfigWords(t *testing.T) {
	text := "users:\n- {name: a, passwd: one}\n- {name: b, passwd: $6$x}\nstages:\n  boot:\n  - users:\n      c: {passwd: two words}\n  fs: []\npasswd: three\n"
	got, err := specs.ReadCloudConfig(&specs.Source{Name: "user.yaml", Data: []byte(text)})
	require.NoError(t, err)
	words := func(list []specs.Word) (all []string) {
		for _, w := range list {
			all = append(all, w.Range.String()+" "+w.Text)
		}
		return all
	}
	assert.Equal(t, []string{"user.yaml:2:21 one", "user.yaml:7:19 two words"}, words(got.Passwords))
	assert.Equal(t, []string{"user.yaml:5:3 boot", "user.yaml:8:3 fs"}, words(got.Stages))
	assert.Equal(t, []string{"user.yaml:1:1 users"}, words(got.Unread))

	text = "# mine\n#cloud-config\nusers: []\nstages:\n  boot:\n  - systemctl: {}\n    timesyncd: {}\n  - {if: a, systemctl: {}}\n  - {only_service_manager: systemd, systemctl: {}}\n"
	got, err = specs.ReadCloudConfig(&specs.Source{Name: "user.yaml", Data: []byte(text)})
	require.NoError(t, err)
	assert.Equal(t, []string{"user.yaml:6:5 systemctl", "user.yaml:7:5 timesyncd"}, words(got.Systemd))
	assert.Empty(t, got.Unread)
}

// TestReadCloudConfigInSpec points at the key that a text of several lines was written for.
func TestReadCloudConfigInSpec(t *testing.T) {
	spec := &specs.Source{Name: "kairos.spec", Data: []byte("version: v1.0.0\ncloudConfig: {content: \"a:\\n\\tb: c\"}\n")}
	at := specs.Range{Source: spec, Start: specs.Position{Line: 2, Column: 14}, End: specs.Position{Line: 2, Column: 14}}
	_, err := specs.ReadCloudConfig(&specs.Source{Name: "kairos.spec", Data: []byte("a:\n\tb: c\n"), Lines: []specs.Range{at}})
	require.Error(t, err)
	assert.Contains(t, err.Error(), "kairos.spec:2:14: is not YAML: ")
	var found specs.Diagnostics
	require.ErrorAs(t, err, &found)
	assert.Same(t, spec, found[0].Range.Source)
}

func TestReadCloudConfigMistakes(t *testing.T) {
	tests := []struct{ name, text, err string }{
		{"not YAML", "#cloud-config\nstages:\n\tinitramfs:\n", "user.yaml:3:1: is not YAML: the line begins with a tab; indent with spaces, YAML takes no tabs"},
		{"a script", "#!/bin/sh\necho hello\n", "user.yaml:2:1: is not a mapping; a cloud-config has keys such as stages and install"},
		{"two documents", "a: b\n---\nc: d\n", "user.yaml:2:1: a second YAML document begins; keep one document in a file, and put the other in one of its own"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := specs.ReadCloudConfig(&specs.Source{Name: "user.yaml", Data: []byte(tt.text)})
			require.Error(t, err)
			assert.Equal(t, tt.err, err.Error())
		})
	}
}
