package frontend_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flavorkit/flavorkit/test/golden"
	"github.com/flavorkit/flavorkit/test/graphtest"
	"github.com/flavorkit/flavorkit/test/spectest"
)

var diskTargets = []string{"img", "img-image", "qcow2", "vhd", "vmdk", "gce", "netboot"}

const (
	richDisk = debian + "artifacts: {disk: {layout: full, size: 4GiB, compression: xz, level: 2, cloudConfig: {content: sentinel-disk}}}\n"
	firmware = "[debian-12/firmware] add the firmware of the board"
	packImg  = "[disk] write kairos-debian-12-core-amd64-generic-v1.0.0.img.zst"
)

// TestDiskGraphs compares the graphs of disks and netboot for one flavor: they add the same to
// every image.
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

// TestDiskDependencies changes one thing of a spec, as TestDependencies does for the ISO.
func TestDiskDependencies(t *testing.T) {
	const before = debian + "artifacts: {disk: {cloudConfig: {content: a}}}\n"
	const together = "[disk] assemble the disk"
	for _, c := range []struct {
		name, from, to string
		want           []string
	}{
		{name: "cloud-config of the disk", from: "content: a", to: "content: b", want: []string{"[disk] copy artifacts.disk.cloudConfig from the spec", together, packImg}},
		{name: "level", from: "disk: {", to: "disk: {level: 4, ", want: []string{packImg}},
		{name: "options of the ISO", from: "disk: {", to: "iso: {level: 4}, disk: {"},
		{
			name: "size", from: "disk: {", to: "disk: {size: 20GiB, ",
			want: []string{"[disk] measure the root filesystem", "[disk] checked sizes", "[disk] make a filesystem image of the system", "[disk] checked image", together, packImg},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			was := graphtest.Generate(t, spectest.MustPlan(t, before, nil, "amd64"), "img")
			is := graphtest.Generate(t, spectest.MustPlan(t, strings.Replace(before, c.from, c.to, 1), nil, "amd64"), "img")
			assert.ElementsMatch(t, c.want, was.Changed(is))
		})
	}
}

// TestDiskOfBoard checks disks with board firmware, with and without a hybrid MBR.
func TestDiskOfBoard(t *testing.T) {
	const board = "extends: alpine-arm-rpi\nversion: v1.0.0\nmodel: rpi3\n"
	was := graphtest.Generate(t, spectest.MustPlan(t, board, nil, "arm64"), "img")
	golden.Check(t, filepath.Join("../testdata/targets/alpine-arm-rpi-arm64-rpi3-img.txt"), was.String())
	for _, v := range was.Vertices() {
		checkVertex(t, v)
	}
	is := graphtest.Generate(t, spectest.MustPlan(t, strings.Replace(board, "extends: alpine-arm-rpi", "extends: debian-12", 1), nil, "arm64"), "img")
	assert.NotContains(t, was.Changed(is), firmware, "the same for all userlands")
	is = graphtest.Generate(t, spectest.MustPlan(t, strings.Replace(board, "rpi3", "rpi4", 1), nil, "arm64"), "img")
	assert.Contains(t, was.Changed(is), firmware)

	const trees = "take the device trees of the kernel"
	assert.NotContains(t, was.String(), trees)
	five := graphtest.Generate(t, spectest.MustPlan(t, "extends: alpine\nversion: v1.0.0\nmodel: rpi5\n", nil, "arm64"), "img")
	assert.Contains(t, five.String(), trees)
	for _, v := range five.Vertices() {
		checkVertex(t, v)
	}
}
