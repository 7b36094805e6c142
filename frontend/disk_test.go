package frontend_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/golden"
	"github.com/flavorkit/flavorkit/internal/graphtest"
	"github.com/flavorkit/flavorkit/internal/spectest"
)

var diskTargets = []string{"img", "img-image", "qcow2", "vhd", "netboot"}

const (
	richDisk = debian + "artifacts: {disk: {layout: full, size: 4GiB, compression: xz, level: 2, cloudConfig: {content: sentinel-disk}}}\n"
	packImg  = "[disk] write kairos-debian-12-core-amd64-generic-v1.0.0.img.zst"
)

// TestDiskGraphs has the graphs of disks and netboot for one flavor: what they
// add to the image is the same for all.
func TestDiskGraphs(t *testing.T) {
	for _, target := range diskTargets {
		t.Run(target, func(t *testing.T) {
			g := graphtest.Generate(t, spectest.MustPlan(t, debian, nil, "amd64"), target)
			golden.Check(t, filepath.Join("../testdata/targets/debian-12-amd64-"+target+".txt"), g.String())
		})
	}
	t.Run("full", func(t *testing.T) {
		g := graphtest.Generate(t, spectest.MustPlan(t, richDisk, nil, "arm64"), "img")
		golden.Check(t, filepath.Join("../testdata/targets/debian-12-arm64-img-full.txt"), g.String())
	})
}

func TestDiskVertices(t *testing.T) {
	for _, target := range diskTargets {
		for _, v := range graphtest.Generate(t, spectest.MustPlan(t, richDisk, nil, "amd64"), target).Vertices() {
			checkVertex(t, v)
		}
	}
}

// TestDiskDependencies changes one thing of a spec, as TestDependencies does for
// the ISO.
func TestDiskDependencies(t *testing.T) {
	const before = debian + "artifacts: {disk: {cloudConfig: {content: a}}}\n"
	const together = "[disk] put the disk together"
	for _, c := range []struct {
		name, from, to string
		want           []string
	}{
		{name: "cloud-config of the disk", from: "content: a", to: "content: b", want: []string{"[disk] take artifacts.disk.cloudConfig from the spec", together, packImg}},
		{name: "level", from: "disk: {", to: "disk: {level: 4, ", want: []string{packImg}},
		{name: "options of the ISO", from: "disk: {", to: "iso: {level: 4}, disk: {"},
		{
			name: "size", from: "disk: {", to: "disk: {size: 20GiB, ",
			want: []string{"[disk] measure the root filesystem", "[disk] make a filesystem image of the system", "[disk] checked image", together, packImg},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			was := graphtest.Generate(t, spectest.MustPlan(t, before, nil, "amd64"), "img")
			is := graphtest.Generate(t, spectest.MustPlan(t, strings.Replace(before, c.from, c.to, 1), nil, "amd64"), "img")
			assert.ElementsMatch(t, c.want, was.Changed(is))
		})
	}
}

// TestDiskOfBoard has no disk that would not start.
func TestDiskOfBoard(t *testing.T) {
	p := spectest.MustPlan(t, "extends: opensuse-arm-rpi\nversion: v1.0.0\n", nil, "arm64")
	for _, target := range []string{"img", "img-image", "qcow2", "vhd"} {
		_, err := graphtest.Try(p, target)
		require.Error(t, err)
		assert.Contains(t, err.Error(), "model: a disk for it needs U-Boot and the firmware of the board, which is not put on it yet")
	}
}
