//go:build linux

package engine

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/plugins/snapshots/overlay/overlayutils"
	"github.com/moby/sys/userns"
	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

// checkPrivilege requires the real root: inside a user namespace, neither the mounts nor the
// cgroups would work.
func checkPrivilege() error {
	if os.Geteuid() != 0 {
		return errors.New("the built-in engine needs root: run with sudo, " +
			"or point --builder / BUILDKIT_HOST at a running BuildKit")
	}
	if userns.RunningInUserNS() {
		return errors.New("the built-in engine does not work as root of a user namespace (a rootless container): " +
			"run it on the host with sudo, or point --builder / BUILDKIT_HOST at a running BuildKit")
	}
	return nil
}

// findRunc returns the path of the runc binary. Debian installs it to /usr/sbin, which is not in
// everybody's PATH.
func findRunc(path string) (string, error) {
	candidates := []string{"runc", "/usr/sbin/runc", "/usr/local/sbin/runc"}
	if path != "" {
		candidates = []string{path}
	}
	for _, c := range candidates {
		if p, err := exec.LookPath(c); err == nil {
			return filepath.Abs(p)
		}
	}
	if path != "" {
		return "", errors.Errorf("no runc at %s: correct the path, or leave it out to find runc in PATH", path)
	}
	return "", errors.New("the built-in engine needs runc: install it with apt-get install runc (Debian, Ubuntu), " +
		"dnf install runc (Fedora), apk add runc (Alpine) or zypper install runc (openSUSE), " +
		"or point --builder / BUILDKIT_HOST at a running BuildKit")
}

// prepareRoot creates the state directory and returns its path without symbolic links, as mounts
// and runc show it.
func prepareRoot(root string) (string, error) {
	if !filepath.IsAbs(root) {
		return "", errors.Errorf("the engine's state directory must be an absolute path, not %q", root)
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", stateDirError(root, err)
	}
	resolved, err := filepath.EvalSymlinks(root)
	if err != nil {
		return "", stateDirError(root, err)
	}
	// They separate overlayfs' mount options, and containerd does not escape them.
	if strings.ContainsAny(resolved, ":,\\") {
		return "", errors.Errorf("the engine's state directory %s contains one of \":\", \",\" and \"\\\", "+
			"which overlayfs cannot mount: choose another one", resolved)
	}
	return resolved, nil
}

// stateDirError says what to do when the state directory cannot be written.
func stateDirError(root string, err error) error {
	if errors.Is(err, unix.EROFS) {
		return errors.Errorf("the engine's state directory %s is on a read-only file system: "+
			"choose one that can be written", root)
	}
	return errors.Wrap(err, "preparing the engine's state directory")
}

// checkOverlay mounts an overlay, because there is no other way to know whether the filesystem
// supports it.
func checkOverlay(l layout) error {
	err := overlayutils.Supported(l.probe)
	if rmErr := os.Remove(l.probe); err == nil && rmErr != nil {
		return stateDirError(l.root, rmErr)
	}
	if err == nil {
		return nil
	}
	var st unix.Statfs_t
	if unix.Statfs(l.root, &st) == nil && st.Type == unix.OVERLAYFS_SUPER_MAGIC {
		return errors.Wrapf(err, "the engine's state directory %s is itself on overlayfs, as in a container: "+
			"put it on a volume or on another file system", l.root)
	}
	return errors.Wrapf(err, "overlayfs does not work in the engine's state directory %s: put it on ext4, btrfs or "+
		"xfs (with ftype=1), allow mounts if this is a container, and load the overlay kernel module", l.root)
}
