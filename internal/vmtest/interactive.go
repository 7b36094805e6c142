package vmtest

import (
	"context"
	"io"
	"os"
	"syscall"

	"github.com/pkg/errors"
	"golang.org/x/term"
)

// Interactive boots a machine with its serial console on stdin and stdout and returns when it is off. Ctrl-a x ends
// it, Ctrl-a c changes to QEMU's monitor and back, Ctrl-a h lists more; Ctrl-c goes to the guest. A terminal is in raw
// mode meanwhile and is restored in any case.
func Interactive(ctx context.Context, o Options, stdin io.Reader, stdout io.Writer) error {
	s, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer s.remove()

	if f, ok := stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		state, err := term.GetState(int(f.Fd()))
		if err != nil {
			return errors.Wrap(err, "reading the state of the terminal")
		}
		defer func() { _ = term.Restore(int(f.Fd()), state) }()
	}
	if o.Log != nil {
		stdout = io.MultiWriter(stdout, o.Log)
	}
	s.launch.console = terminalConsole()
	// On SIGTERM QEMU restores the terminal, on SIGKILL it could not.
	p, err := spawn(ctx, s.qemu, arguments(s.options, s.launch), syscall.SIGTERM, stdin, stdout)
	if err != nil {
		return err
	}
	<-p.done
	return p.err
}
