package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestCheckLooksAtFiles has a spec that is right, and files beside it that are
// right, doubtful and wrong.
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
