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

// snapshotterName is BuildKit's name for containerd's overlay snapshotter; its worker directory is called after it.
const snapshotterName = "overlayfs"

// layout names the places under the state directory that are mounted on or swept, and the engine's cgroup.
// BuildKit's runc worker decides on the directories' names; TestSweepAfterKill notices if they change.
type layout struct {
	root        string
	executor    string // one bundle directory for each running container
	cacheMounts string // mount points of writable layers shared between steps
	snapshots   string // the layers themselves
	netns       string // network namespaces kept alive by bind mounts
	tmp         string // temporary files, and mount points for copies and exports
	probe       string // scratch space of the overlay check
	cgroup      string // parent of all containers' cgroups, below the mount point of each hierarchy
}

// newLayout derives the layout of a state directory that exists. The cgroup's name contains the directory's
// identity, not just its path: containers that share the host's cgroups may use the same path for different engines.
func newLayout(root string) (layout, error) {
	var st unix.Stat_t
	if err := unix.Stat(root, &st); err != nil {
		return layout{}, errors.Wrapf(err, "reading the state directory %s", root)
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
