//go:build unix

package qemu

import (
	"os"
	"syscall"

	"github.com/pkg/errors"
)

// WhileFrozen holds the machine between two instructions and calls do. Then its disks hold what they would hold if the
// power was cut at that moment: what QEMU still has in memory is not on them.
func (m *Machine) WhileFrozen(do func() error) error {
	if err := m.process.signal(syscall.SIGSTOP); err != nil {
		return errors.Wrap(err, "freezing the machine")
	}
	err := do()
	if e := m.process.signal(syscall.SIGCONT); err == nil && e != nil {
		err = errors.Wrap(e, "letting the machine go on")
	}
	return err
}

// signal sends a signal to the process.
func (p *process) signal(s syscall.Signal) error {
	select {
	case <-p.done:
		return os.ErrProcessDone
	default:
		return p.handle.Signal(s)
	}
}
