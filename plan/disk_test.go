package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/test/spectest"
)

func TestDisk(t *testing.T) {
	for _, c := range []struct {
		name, disk string
		want       plan.Disk
		made       []string
	}{
		{name: "default", disk: "{}", want: plan.Disk{Layout: "recovery", Compression: "zstd", Level: 3}, made: []string{"efi", "oem", "recovery"}},
		{
			name: "full", disk: "{layout: full, size: 8GiB, compression: xz}",
			want: plan.Disk{Layout: "full", MiB: 8192, Compression: "xz", Level: 6},
			made: []string{"efi", "oem", "recovery", "state", "persistent"},
		},
		{name: "not compressed", disk: "{compression: none}", want: plan.Disk{Layout: "recovery", Compression: "none"}, made: []string{"efi", "oem", "recovery"}},
		{
			name: "BIOS", disk: "{firmware: bios, compression: none}",
			want: plan.Disk{Layout: "recovery", Compression: "none"}, made: []string{"bios", "oem", "recovery"},
		},
		{
			name: "any firmware", disk: "{firmware: both, compression: none}",
			want: plan.Disk{Layout: "recovery", Compression: "none"}, made: []string{"bios", "efi", "oem", "recovery"},
		},
		{name: "own level", disk: "{level: 19, size: 480MiB}", want: plan.Disk{Layout: "recovery", MiB: 480, Compression: "zstd", Level: 19}, made: []string{"efi", "oem", "recovery"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := spectest.MustPlan(t, debian+"artifacts: {disk: "+c.disk+"}\n", nil, "amd64").Disk
			var made []string
			ids := map[string]bool{d.GUID: true, d.Image: true}
			for _, p := range d.Partitions {
				if !p.FirstBoot {
					made = append(made, p.Name)
				}
				ids[p.GUID], ids[p.UUID] = true, true
				if p.Name == "bios" {
					continue
				}
				assert.LessOrEqual(t, len(p.Label), map[string]int{"vfat": 11, "ext4": 16}[p.Filesystem], "label of %s", p.Name)
			}
			assert.Equal(t, c.made, made)
			assert.Len(t, ids, 2+2*len(d.Partitions), "no identifier stands for two things")
			assert.Contains(t, texts(d.Tools.Packages), "e2fsprogs")
			assert.NotContains(t, texts(d.Tools.Packages), "qemu-utils")
			c.want.GUID, c.want.Image, c.want.Partitions, c.want.Tools, c.want.Convert = d.GUID, d.Image, d.Partitions, d.Tools, d.Convert
			assert.Equal(t, c.want, d)
		})
	}
}

// TestDiskTooSmall checks what is known before the system is built.
func TestDiskTooSmall(t *testing.T) {
	for disk, want := range map[string]string{
		"{size: 479MiB}":             "kairos.spec:3:26: artifacts.disk.size: 479MiB is too small for the partitions; write at least 480MiB and room for the system, or leave it out",
		"{size: 2GiB, layout: full}": "kairos.spec:3:26: artifacts.disk.size: 2GiB is too small for the partitions; write at least 2292MiB and room for the system, or leave it out",
	} {
		_, err := spectest.Plan(debian+"artifacts: {disk: "+disk+"}\n", nil, "amd64")
		require.EqualError(t, err, want)
	}
}

func TestNoBIOS(t *testing.T) {
	_, err := spectest.Plan(debian+"artifacts: {disk: {firmware: bios}}\n", nil, "arm64")
	require.EqualError(t, err, "kairos.spec:3:30: artifacts.disk.firmware: arm64 has no BIOS; write efi, or remove it")
}
