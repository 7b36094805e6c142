package qemu

import (
	"context"
	"io"
	"os"
	"syscall"

	"github.com/pkg/errors"
	"golang.org/x/term"
)

// Interactive boots a VM with its serial console on stdin and stdout, and returns when it is off.
// Ctrl-a x stops it, Ctrl-a c switches to QEMU's monitor and back, Ctrl-a h lists more; Ctrl-c goes
// to the guest. A terminal is in raw mode meanwhile and is always restored.
func Interactive(ctx context.Context, o Options, stdin io.Reader, stdout io.Writer) error {
	s, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer s.remove()
	if s.launch.paused {
		return errors.New("a disk cannot be grown in an interactive VM")
	}

	keys, ok := stdin.(*os.File)
	if !ok {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		defer r.Close()
		// Do not wait for it: it may be in a Read of stdin that never returns.
		go func() {
			defer w.Close()
			_, _ = io.Copy(w, stdin)
		}()
		keys = r
	}
	if terminal := int(keys.Fd()); term.IsTerminal(terminal) {
		state, err := term.GetState(terminal)
		if err != nil {
			return errors.Wrap(err, "read the state of the terminal")
		}
		defer func() { _ = term.Restore(terminal, state) }()
	}
	if o.Log != nil {
		stdout = io.MultiWriter(stdout, o.Log)
	}
	s.launch.console = terminalConsole()
	// On SIGTERM QEMU restores the terminal; on SIGKILL it cannot.
	p, err := spawn(ctx, s.qemu, arguments(s.options, s.launch), s.dir, syscall.SIGTERM, keys, stdout)
	if err != nil {
		return err
	}
	<-p.done
	return p.err
}
