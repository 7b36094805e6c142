package integration

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestRebuild counts the vertices that run after a change.
func TestRebuild(t *testing.T) {
	t.Parallel()
	c := embedded(t)
	iso(t) // warms the cache
	const name = "kairos-debian-12-core-amd64-generic-"

	tests := []struct {
		name string
		spec string
		// ran lists exactly the vertices that run.
		ran []string
	}{
		{
			name: "nothing changed",
			spec: debianSpec,
		},
		{
			name: "cloud-config of the medium",
			spec: debianSpec + "artifacts: {iso: {cloudConfig: {content: '#cloud-config'}}}\n",
			ran:  []string{"[iso] write " + name + "v1.0.0.iso"},
		},
		{
			name: "cloud-config of the image",
			spec: debianSpec + "cloudConfig: {content: '#cloud-config'}\n",
			ran: []string{
				"[compat] check that kernel, initramfs and userland fit",
				"[iso] checked squashfs",
				"[iso] pack the root filesystem with zstd",
				"[iso] write " + name + "v1.0.0.iso",
				"[rootfs] check the root filesystem",
			},
		},
		{
			name: "version", // one that no other test builds
			spec: strings.Replace(debianSpec, "v1.0.0", "v1.5.0", 1),
			ran: []string{
				"[compat] check that kernel, initramfs and userland fit",
				"[iso] checked squashfs",
				"[iso] pack the root filesystem with zstd",
				"[iso] write " + name + "v1.5.0.iso",
				"[rootfs] check the root filesystem",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, map[string]string{"kairos.spec": tt.spec})
			o.Target = "iso"
			r := watch(&o)
			build(t, c, o)
			assert.Equal(t, tt.ran, r.ran())
		})
	}
}
