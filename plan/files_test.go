package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flavorkit/flavorkit/test/spectest"
)

// TestFiles goes without groups of files of packages, in the userland only: the kernel's stage and
// the tools may need them.
func TestFiles(t *testing.T) {
	const names, loader = "/*lib/udev/hwdb.d/20-OUI.hwdb", "/usr/lib/grub/*-efi/monolithic/*"
	p := spectest.MustPlan(t, debian, nil, "amd64")
	assert.Subset(t, p.Userland.Exclude, []string{"/usr/share/doc/*", names, loader})
	assert.NotContains(t, p.Kernel.Exclude, names)
	assert.NotContains(t, p.ISO.Tools.Exclude, loader)

	p = spectest.MustPlan(t, debian+"packages: {files: {hwdb: true}}\n", nil, "amd64")
	assert.NotContains(t, p.Userland.Exclude, names)
	assert.Contains(t, p.Userland.Exclude, loader)

	p = spectest.MustPlan(t, debian+"packages: {files: {hwdb: false}}\n", nil, "amd64")
	assert.Contains(t, p.Userland.Exclude, names)
}
