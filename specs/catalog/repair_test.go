package catalog_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestRepair has COS_STATE as a power cut at each step of an upgrade leaves it: files and the
// labels inside them, which reach the disk in any order.
func TestRepair(t *testing.T) {
	for _, program := range []string{"mke2fs", "tune2fs", "blkid", "grub-editenv"} {
		testkit.Need(t, program, "run hack/deps.sh test")
	}
	// An image by its file name, label and what is in it.
	const (
		oldActive, oldPassive = "COS_ACTIVE old", "COS_PASSIVE older"
		newImage              = "COS_ACTIVE new"
	)
	type images map[string]string
	for _, tt := range []struct {
		name         string
		before, want images
	}{
		{
			name:   "before the renames",
			before: images{"active": oldActive, "passive": oldPassive, "transition": newImage},
			want:   images{"active": oldActive, "passive": oldPassive, "transition": newImage},
		},
		{
			name:   "the label came before the rename",
			before: images{"active": "COS_PASSIVE old", "passive": oldPassive, "transition": newImage},
			want:   images{"active": oldActive, "passive": oldPassive, "transition": newImage},
		},
		{
			name:   "the rename came before the label",
			before: images{"passive": oldActive, "transition": newImage},
			want:   images{"active": oldActive, "transition": newImage},
		},
		{
			name:   "between the renames",
			before: images{"passive": "COS_PASSIVE old", "transition": newImage},
			want:   images{"passive": "COS_PASSIVE old", "transition": newImage},
		},
		{
			name:   "all renames and no label",
			before: images{"active": newImage, "passive": oldActive},
			want:   images{"active": newImage, "passive": "COS_PASSIVE old"},
		},
		{
			name:   "after all",
			before: images{"active": newImage, "passive": "COS_PASSIVE old"},
			want:   images{"active": newImage, "passive": "COS_PASSIVE old"},
		},
		{
			name:   "installed, without a passive image",
			before: images{"active": oldActive},
			want:   images{"active": oldActive},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			state := t.TempDir()
			dir := filepath.Join(state, "cOS")
			require.NoError(t, os.Mkdir(dir, 0o755))
			for name, image := range tt.before {
				label, content, _ := strings.Cut(image, " ")
				root := t.TempDir()
				require.NoError(t, os.WriteFile(filepath.Join(root, content), nil, 0o644))
				run(t, "mke2fs", "-q", "-t", "ext2", "-L", label, "-d", root, filepath.Join(dir, name+".img"), "256k")
			}
			run(t, "sh", "overlay/common/usr/lib/kairos/grub-state", "repair", state)
			got := images{}
			files, err := filepath.Glob(filepath.Join(dir, "*.img"))
			require.NoError(t, err)
			for _, file := range files {
				list := strings.Fields(run(t, "debugfs", "-R", "ls -p /", file))
				content := strings.Split(list[len(list)-1], "/")[5]
				got[strings.TrimSuffix(filepath.Base(file), ".img")] = strings.TrimSpace(run(t, "blkid", "-p", "-s", "LABEL", "-o", "value", file)) + " " + content
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	out, err := cmd.Output()
	require.NoError(t, err, "%s %v", program, args)
	return string(out)
}
