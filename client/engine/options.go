// Package engine is a built-in BuildKit, so that a build needs neither Docker nor a daemon.
//
// It is unmodified BuildKit behind its own client API, client.Client, which is also the client of a
// remote buildkitd. So code for a daemon runs here unchanged.
//
// The engine is a child process of the same program, which must call Main first in its main
// function. So it has its own global variables, signals, mounts and temporary directory. The
// processes share a pair of connected sockets: there are no open ports and no named sockets. The
// child ends with its parent, even if the parent is killed.
//
// BuildKit's worker, control, solver and cache packages have no stable API. This is the only
// package that may import them, so an upgrade of BuildKit must only be checked here.
//
// The engine works only on Linux and as root. Otherwise the error of New says what to do instead.
package engine

import "io"

// Options configure an Engine. Root is required, everything else has a default.
type Options struct {
	// Root is the state directory: cache, databases, running containers. It must be an absolute
	// path on a file system that can carry overlayfs, and is created with mode 0700. One engine at
	// a time can use it.
	Root string

	// Runc is the path of the runc binary; empty looks it up in PATH and in the usual sbin
	// directories.
	Runc string

	// Log receives the engine's diagnostics and what frontend containers write to standard error.
	// Nil discards. Writes are serialized, and end when Close returns.
	Log io.Writer `json:"-"`

	// Mirrors maps a registry host to the hosts that are asked before it, for example "docker.io":
	// {"localhost:5000"}. Loopback hosts are spoken to in plain HTTP, all others with TLS.
	Mirrors map[string][]string

	// KeepBytes limits the build cache. Zero leaves it to BuildKit's default, which depends on the
	// size and the free space of the file system.
	KeepBytes int64

	// MaxParallelism limits the steps that run at the same time; zero means one for each CPU.
	MaxParallelism int
}
