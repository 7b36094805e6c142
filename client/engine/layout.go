//go:build linux

package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

// snapshotterName is BuildKit's name for containerd's overlay snapshotter; the worker's directory
// is named after it.
const snapshotterName = "overlayfs"

// layout has the directories in the state directory that have mounts or are swept, and the engine's
// cgroup. BuildKit's runc worker chooses the names of the directories; TestSweepAfterKill fails if
// they change.
type layout struct {
	root        string
	executor    string // one bundle directory per running container
	cacheMounts string // mount points of writable layers shared between steps
	snapshots   string // the layers themselves
	netns       string // network namespaces kept alive by bind mounts
	tmp         string // temporary files, and mount points for copies and exports
	probe       string // scratch space of the overlay check
	cgroup      string // parent of all containers' cgroups, below the mount point of each hierarchy
}

// newLayout returns the layout of an existing state directory. The name of the cgroup contains the
// identity of the directory, not just its path: containers that share the host's cgroups may use
// the same path for different engines.
func newLayout(root string) (layout, error) {
	var st unix.Stat_t
	if err := unix.Stat(root, &st); err != nil {
		return layout{}, errors.Wrapf(err, "read the state directory %s", root)
	}
	id := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%d", root, st.Dev, st.Ino))
	w := filepath.Join(root, "runc-"+snapshotterName)
	return layout{
		root:        root,
		executor:    filepath.Join(w, "executor"),
		cacheMounts: filepath.Join(w, "cachemounts"),
		snapshots:   filepath.Join(w, "snapshots", "snapshots"),
		netns:       filepath.Join(root, "net"),
		tmp:         filepath.Join(root, "tmp"),
		probe:       filepath.Join(root, "probe"),
		cgroup:      "flavorkit-" + hex.EncodeToString(id[:6]),
	}, nil
}
