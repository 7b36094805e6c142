package integration

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/test/testkit"
)

var update = flag.Bool("update", false, "write the budgets anew instead of comparing with them")

const (
	// budgetFile has the sizes of the system of the README, in bytes, by name.
	budgetFile = "testdata/budget/debian-12-amd64.yaml"
	// growth is how much larger a size may be than its budget.
	growth = 0.02
	// partPrefix is before the names of the parts of a root filesystem. They have no budget of their
	// own: they tell what has grown.
	partPrefix = "root/"
)

// withinBudget fails the test if a size is more than 2 % over its budget, and says what has grown.
// With -update it writes the sizes as budgets.
func withinBudget(t *testing.T, sizes map[string]int64) {
	t.Helper()
	file := filepath.Join(testkit.RepoRoot(t), budgetFile)
	shared.budgetMu.Lock()
	defer shared.budgetMu.Unlock()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	budget := map[string]int64{}
	require.NoError(t, yaml.Unmarshal(data, &budget))
	if *update {
		maps.DeleteFunc(budget, func(name string, _ int64) bool {
			_, whole := sizes["root"]
			return whole && strings.HasPrefix(name, partPrefix)
		})
		maps.Copy(budget, sizes)
		data, err = yaml.Marshal(budget)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, data, 0o644))
		return
	}
	for name, size := range sizes {
		if strings.HasPrefix(name, partPrefix) {
			continue
		}
		require.Contains(t, budget, name)
		assert.LessOrEqual(t, size, budget[name]+int64(growth*float64(budget[name])),
			"%s has grown from %d to %d bytes. If that is right, run the test with -update. What has grown:\n%s", name, budget[name], size, grown(budget, sizes))
	}
}

// grown lists the ten sizes that have grown most.
func grown(budget, sizes map[string]int64) string {
	names := slices.SortedFunc(maps.Keys(sizes), func(a, b string) int {
		return cmp.Compare(sizes[b]-budget[b], sizes[a]-budget[a])
	})
	var list strings.Builder
	for _, name := range names[:min(10, len(names))] {
		if more := sizes[name] - budget[name]; more > 0 {
			fmt.Fprintf(&list, "  %+9d  %s\n", more, name)
		}
	}
	return list.String()
}

// imageSizes returns the sizes of an image in an OCI archive: as it is in a registry, its initramfs,
// and its files, unpacked, in all and by directories.
func imageSizes(t *testing.T, archive string) map[string]int64 {
	t.Helper()
	sizes, files := map[string]int64{}, map[string]int64{}
	layers := manifest(t, archive, arch).Layers
	for _, l := range layers {
		sizes["image"] += l.Size
	}
	inLayers(t, archive, layers, func(h *tar.Header) {
		name := path.Clean(h.Name)
		if gone, ok := strings.CutPrefix(path.Base(name), ".wh."); ok {
			gone = path.Join(path.Dir(name), gone)
			maps.DeleteFunc(files, func(name string, _ int64) bool { return name == gone || strings.HasPrefix(name, gone+"/") })
			return
		}
		files[name] = h.Size
	})
	for name, size := range files {
		parts := strings.Split(path.Dir(name), "/")
		sizes["root"] += size
		sizes[partPrefix+strings.Join(parts[:min(3, len(parts))], "/")] += size
	}
	sizes["initramfs"] = files["boot/initrd"]
	require.NotZero(t, sizes["initramfs"])
	maps.DeleteFunc(sizes, func(name string, size int64) bool { return strings.HasPrefix(name, partPrefix) && size < 1<<20 })
	return sizes
}

// inLayers calls a function for every file in the layers of an OCI archive, the lowest layer first.
func inLayers(t *testing.T, archive string, layers []ocispecs.Descriptor, each func(*tar.Header)) {
	t.Helper()
	f, err := os.Open(archive)
	require.NoError(t, err)
	defer f.Close()
	for _, l := range layers {
		_, err := f.Seek(0, io.SeekStart)
		require.NoError(t, err)
		r := tar.NewReader(f)
		for h := new(tar.Header); h.Name != blob(l); {
			h, err = r.Next()
			require.NoError(t, err)
		}
		unzipped, err := gzip.NewReader(r)
		require.NoError(t, err)
		for files := tar.NewReader(unzipped); ; {
			h, err := files.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			each(h)
		}
	}
}
