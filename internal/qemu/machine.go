package qemu

import (
	"context"
	"net"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pkg/errors"
)

// Machine is a running VM. Only one goroutine at a time may use it, except for Close, which can be
// called at any time.
type Machine struct {
	*Console

	setup   *setup
	process *process
	control *control
	done    chan struct{} // closed when QEMU has ended and its files are removed
}

// Start boots a VM. It runs until the guest powers off, ctx is canceled or Close is called. Then
// its private files are removed. If a program or firmware is not installed, the error is a
// [*MissingError].
func Start(ctx context.Context, o Options) (*Machine, error) {
	s, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	m, err := start(ctx, s)
	if err != nil {
		s.remove()
		return nil, err
	}
	return m, nil
}

func start(ctx context.Context, s *setup) (*Machine, error) {
	// QEMU connects to us, so we need not poll.
	consoles, err := listen(s.dir, "console")
	if err != nil {
		return nil, err
	}
	defer consoles.Close()
	controls, err := listen(s.dir, "control")
	if err != nil {
		return nil, err
	}
	defer controls.Close()

	s.launch.console = socketConsole(consoles.Addr().String(), controls.Addr().String())
	p, err := spawn(ctx, s.qemu, arguments(s.options, s.launch), s.dir, syscall.SIGKILL, nil, nil)
	if err != nil {
		return nil, err
	}
	m := &Machine{setup: s, process: p, done: make(chan struct{})}
	if err := m.connect(ctx, consoles, controls); err != nil {
		p.stop()
		<-p.done
		return nil, err
	}
	return m, nil
}

// connect accepts QEMU's two connections, and starts a goroutine that waits for the end of the VM.
func (m *Machine) connect(ctx context.Context, consoles, controls net.Listener) error {
	line, err := m.accept(consoles)
	if err != nil {
		return err
	}
	conn, err := m.accept(controls)
	if err != nil {
		line.Close()
		return err
	}
	m.control, err = newControl(ctx, conn)
	if err != nil {
		line.Close()
		conn.Close()
		return m.explain(err)
	}
	if err := m.grow(ctx); err != nil {
		line.Close()
		conn.Close()
		return err
	}
	o := m.setup.options
	m.Console = newConsole(line, o.slowdown(m.setup.accel), o.Fatal)
	go func() {
		defer close(m.done)
		m.pump(line, o.Log)
		<-m.process.done
		line.Close()
		conn.Close()
		m.setup.remove()
		if m.process.err != nil {
			m.end(m.process.err)
		} else {
			m.end(errors.New("the VM is off"))
		}
	}()
	return nil
}

// grow resizes disks, and continues a VM that was paused for that.
func (m *Machine) grow(ctx context.Context) error {
	if !m.setup.launch.paused {
		return nil
	}
	for i, d := range m.setup.launch.disks {
		if !d.grows() {
			continue
		}
		size := map[string]any{"device": diskName(i), "size": int64(d.SizeMiB) << 20}
		if err := m.control.execute(ctx, "block_resize", size); err != nil {
			return errors.Wrapf(err, "grow %s to %d MiB", d.Path, d.SizeMiB)
		}
	}
	return m.control.execute(ctx, "cont", nil)
}

// accept waits until QEMU connects or ends.
func (m *Machine) accept(l net.Listener) (net.Conn, error) {
	accepted := make(chan struct{})
	defer close(accepted)
	go func() {
		select {
		case <-m.process.done:
			l.Close()
		case <-accepted:
		}
	}()
	conn, err := l.Accept()
	if err != nil {
		return nil, m.explain(errors.Wrap(err, "wait for qemu"))
	}
	return conn, nil
}

// explain replaces the error of a connection to QEMU by the error of QEMU, if that is the cause.
func (m *Machine) explain(err error) error {
	select {
	case <-m.process.done:
		if m.process.err != nil {
			return m.process.err
		}
		return errors.New("qemu ended at once")
	case <-time.After(time.Second):
		return err
	}
}

// Accelerator returns how the VM runs, KVM or TCG, and why.
func (m *Machine) Accelerator() (accel Accel, reason string) { return m.setup.accel, m.setup.reason }

// Wait waits until the VM is off: because the guest powered off, or rebooted with
// [Options.NoReboot], or because it was closed. It returns an error if QEMU fails, or if the
// timeout within, multiplied by the VM's slowdown, expires.
func (m *Machine) Wait(ctx context.Context, within time.Duration) error {
	limit := time.Duration(float64(within) * m.slowdown)
	expired := time.NewTimer(limit)
	defer expired.Stop()
	select {
	case <-m.done:
		if m.process.err != nil {
			return m.failure("waiting for the machine to switch off", m.process.err)
		}
		return nil
	case <-ctx.Done():
		return m.failure("waiting for the machine to switch off", context.Cause(ctx))
	case <-expired.C:
		return m.failure("waiting for the machine to switch off for "+limit.String(), context.DeadlineExceeded)
	}
}

// PowerDown presses the power button. The guest decides what to do; Wait for it.
func (m *Machine) PowerDown(ctx context.Context) error {
	return m.control.execute(ctx, "system_powerdown", nil)
}

// Registers returns the state of the first processor, from QEMU's monitor command "info registers".
// It shows where a silent VM is.
func (m *Machine) Registers(ctx context.Context) (string, error) {
	var text string
	err := m.control.query(ctx, "human-monitor-command", map[string]any{"command-line": "info registers"}, &text)
	return text, err
}

// Close stops the VM, like a power cut, and waits until it has ended. It can be called more than
// once.
func (m *Machine) Close() {
	m.process.stop()
	<-m.done
}

// listen makes a socket. macOS allows 104 bytes for its path, Linux 108.
func listen(dir, name string) (net.Listener, error) {
	path := filepath.Join(dir, name)
	if len(path) > 103 {
		return nil, errors.Errorf("the path of the socket %s is longer than 103 bytes; choose a shorter temporary directory", path)
	}
	l, err := net.Listen("unix", path)
	return l, errors.Wrap(err, "virtual machine")
}
