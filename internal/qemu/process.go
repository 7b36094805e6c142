package qemu

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pkg/errors"
)

// killGrace is the time that QEMU has to write back its caches after SIGTERM.
const killGrace = 5 * time.Second

// process is a running QEMU.
type process struct {
	handle *os.Process
	stop   context.CancelFunc
	done   chan struct{}
	err    error // how it ended; valid after done
}

// spawn starts a program with temporary files in dir. It is stopped when ctx is canceled or stop is
// called, and gets the signal when this program ends.
func spawn(
	ctx context.Context, path string, args []string, dir string, signal syscall.Signal, stdin *os.File, stdout io.Writer,
) (*process, error) {
	own, stop := context.WithCancel(ctx)
	var stderr headBuffer
	cmd := exec.CommandContext(own, path, args...)
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	if stdin != nil { // a nil *os.File would be a non-nil io.Reader
		cmd.Stdin = stdin
	}
	cmd.SysProcAttr = dieWithParent(signal)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = killGrace

	p := &process{stop: stop, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux sends the signal when the thread that started the process ends, so keep this one.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		defer close(p.done)
		defer stop()
		err = cmd.Wait()
		switch {
		case ctx.Err() != nil:
			err = context.Cause(ctx)
		case own.Err() != nil: // stopped on purpose
			err = nil
		}
		said := strings.TrimSpace(stderr.String())
		if said == "" {
			said = filepath.Base(path)
		}
		p.err = errors.Wrap(err, said)
	}()
	if err := <-started; err != nil {
		stop()
		return nil, errors.Wrap(err, "start qemu")
	}
	p.handle = cmd.Process
	return p, nil
}

// headBuffer keeps the first few KiB of what is written to it.
type headBuffer struct {
	mu   sync.Mutex
	data []byte
}

func (b *headBuffer) Write(p []byte) (int, error) {
	const limit = 8 << 10
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(b.data, p[:min(len(p), limit-len(b.data))]...)
	return len(p), nil
}

func (b *headBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.data)
}
