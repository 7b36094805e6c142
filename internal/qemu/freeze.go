//go:build unix

package qemu

import (
	"os"
	"syscall"

	"github.com/pkg/errors"
)

// WhileFrozen stops the VM between two instructions and calls do. Its disks then contain what they
// would contain after a power cut at that moment, without the data that QEMU still has in memory.
func (m *Machine) WhileFrozen(do func() error) error {
	if err := m.process.signal(syscall.SIGSTOP); err != nil {
		return errors.Wrap(err, "freeze the VM")
	}
	err := do()
	if e := m.process.signal(syscall.SIGCONT); err == nil && e != nil {
		err = errors.Wrap(e, "continue the VM")
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
