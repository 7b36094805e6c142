// Package engine brings its own BuildKit, so that a build needs neither Docker nor a daemon.
//
// It is unmodified BuildKit behind its own client API: the control service is reached through client.Client, the same
// type that talks to a remote buildkitd. Whatever runs against a daemon therefore runs here unchanged.
//
// The engine is a child process of the same program, which must call Main first in its main function. So it has
// variables, signals, mounts and a temporary directory of its own. Both processes share a pair of connected sockets:
// no port is opened, and no socket has a name. The child ends with its parent, even a killed one.
//
// BuildKit's worker, control, solver and cache packages promise no stable API. This is the only package that may
// import them; an upgrade of BuildKit has to be checked here and nowhere else.
//
// The engine works on Linux and as root only. Elsewhere New says so and what to do instead.
package engine

import "io"

// Options configure an Engine. Root is required, everything else has a default.
type Options struct {
	// Root is the state directory: cache, databases, running containers. It must be an absolute path on a file
	// system that can carry overlayfs, and is created with mode 0700. One engine at a time can use it.
	Root string

	// Runc is the path of the runc binary; empty looks it up in PATH and in the usual sbin directories.
	Runc string

	// Log receives the engine's diagnostics and what frontend containers write to standard error.
	// Nil discards. Writes are serialised, and end when Close returns.
	Log io.Writer `json:"-"`

	// Mirrors maps a registry host to the hosts that are asked before it, for example
	// "docker.io": {"localhost:5000"}. Loopback hosts are spoken to in plain HTTP, all others with TLS.
	Mirrors map[string][]string

	// KeepBytes limits the build cache. Zero leaves it to BuildKit's default, which depends on the size and the
	// free space of the file system.
	KeepBytes int64

	// MaxParallelism limits the steps that run at the same time; zero means one for each CPU.
	MaxParallelism int
}
