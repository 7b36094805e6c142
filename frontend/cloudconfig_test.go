package frontend

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestUserWarnings warns about media and disks whose machines the agent will not take care of.
func TestUserWarnings(t *testing.T) {
	const (
		refuses = "kairos-agent will refuse to install, to upgrade and to reset"
		locked  = refuses + ", and nobody can log in"
		ignored = refuses + " (it ignores the user in cloudConfig)"
		nobody  = "no user in it is in the group admin: "
		missing = "is missing, and with it a user in the group admin: "
	)
	var none, admin = specs.CloudConfig{Header: true}, specs.CloudConfig{Header: true, Admin: true}
	p := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\n", nil, "amd64")
	for _, c := range []struct {
		name, target string
		configs      cloudConfigs
		want         string
	}{
		{"an image has none", "image", cloudConfigs{key.CloudConfig: none}, ""},
		{"netboot has none", "netboot", nil, ""},
		{"the installer asks", "iso", nil, ""},
		{"a user on the medium", "iso", cloudConfigs{key.ISOCloudConfig: admin}, ""},
		{"no user on the medium", "iso", cloudConfigs{key.ISOCloudConfig: none, key.DiskCloudConfig: admin}, nobody + locked},
		{"no user on the medium, one in the image", "iso", cloudConfigs{key.ISOCloudConfig: none, key.CloudConfig: admin}, nobody + ignored},
		{"a user on the disk", "img", cloudConfigs{key.DiskCloudConfig: admin}, ""},
		{"no user on the disk", "qcow2", cloudConfigs{key.DiskCloudConfig: none}, nobody + locked},
		{"nothing on the disk", "img-image", cloudConfigs{key.ISOCloudConfig: admin}, missing + locked},
		{"nothing on the disk, a user in the image", "vhd", cloudConfigs{key.CloudConfig: admin}, missing + ignored},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := TargetByName(c.target)
			require.NoError(t, err)
			var got string
			for _, d := range (subject{plan: p, configs: c.configs, catalog: spectest.Catalog(t), target: at}).warnings() {
				got += d.Message
			}
			assert.Equal(t, c.want, got)
		})
	}
}
