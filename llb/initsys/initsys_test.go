package initsys_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/initsys"
	"github.com/flavorkit/flavorkit/plan"
)

func TestLinks(t *testing.T) {
	for _, c := range []struct {
		system plan.System
		want   map[string]string
	}{
		{
			plan.System{Init: "systemd", Enable: map[string][]string{"ssh.service": {"multi-user.target"}}, Mask: []string{"x.service"}},
			map[string]string{
				"/etc/systemd/system/default.target":                      "/usr/lib/systemd/system/multi-user.target",
				"/etc/systemd/system/multi-user.target.wants/ssh.service": "/usr/lib/systemd/system/ssh.service",
				"/etc/systemd/system/x.service":                           "/dev/null",
			},
		},
		{
			plan.System{Init: "openrc", Enable: map[string][]string{"sshd": {"boot", "default"}}},
			map[string]string{
				"/etc/runlevels/boot/sshd":    "/etc/init.d/sshd",
				"/etc/runlevels/default/sshd": "/etc/init.d/sshd",
			},
		},
	} {
		t.Run(c.system.Init, func(t *testing.T) {
			entries, err := initsys.Links(c.system)
			require.NoError(t, err)
			got := map[string]string{}
			for _, e := range entries {
				got[e.Path] = e.Target
			}
			assert.Equal(t, c.want, got)
		})
	}
	_, err := initsys.Links(plan.System{Init: "runit"})
	assert.EqualError(t, err, `no init system is called "runit"`)
}
