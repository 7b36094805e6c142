//go:build linux

package engine

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A step on the host's network resolves names as the host does, also through resolvers that only
// listen on a loopback address. The child has a mount namespace of its own, in which it can have
// another resolv.conf.
func TestResolvConf(t *testing.T) {
	root := requireEngine(t)
	for name, conf := range map[string]string{
		"systemd-resolved": "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch example.org\n",
		"dnsmasq":          "nameserver 127.0.0.1\n",
		"mixed":            "nameserver 127.0.0.1\nnameserver 192.0.2.1\n",
	} {
		t.Run(name, func(t *testing.T) {
			file, out := filepath.Join(t.TempDir(), "resolv.conf"), t.TempDir()
			require.NoError(t, os.WriteFile(file, []byte(conf), 0o644))
			c := child(t, "resolv.conf", root, file, out)
			c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
			msg, err := c.CombinedOutput()
			require.NoError(t, err, "%s", msg)
			require.Empty(t, string(msg), "a build without a log says nothing")
			require.ElementsMatch(t, strings.Split(conf, "\n"), strings.Split(readFile(t, out, "resolv.conf"), "\n"))
		})
	}
}

// childResolvConf exports the resolv.conf that a step sees. Its arguments are the state directory,
// the file to use as the host's /etc/resolv.conf, and the directory to export to.
func childResolvConf(ctx context.Context, args []string) error {
	host, err := filepath.EvalSymlinks("/etc/resolv.conf")
	if err != nil {
		return err
	}
	if err := unix.Mount(args[1], host, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	e, err := New(ctx, Options{Root: args[0]})
	if err != nil {
		return err
	}
	defer e.Close()
	// The file's name is in the step to keep the cache from answering.
	_, err = solve(ctx, e.Client(), step([]string{"copy", "/etc/resolv.conf", "/resolv.conf", args[1]}).Root(), args[2])
	return err
}
