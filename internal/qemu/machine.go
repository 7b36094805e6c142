package qemu

import (
	"context"
	"net"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pkg/errors"
)

// Machine is a virtual machine that was started. Its methods do not mix with those of another goroutine, except
// Close, which may come at any time.
type Machine struct {
	*Console

	setup   *setup
	process *process
	control *control
	done    chan struct{} // closed when QEMU and everything of it is gone
}

// Start boots a machine. It runs until the guest switches itself off, ctx is cancelled or Close is called; whichever
// it is, its private files are removed. A program or firmware that is not installed is a [*MissingError].
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
	// QEMU connects to us, so there is nothing to poll for.
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

// connect takes QEMU's two connections and hands the machine over to a goroutine that sees it to its end.
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
			m.end(errors.New("the machine is off"))
		}
	}()
	return nil
}

// grow gives disks the size that they are to have, and lets a machine go that was held for that.
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
			return errors.Wrapf(err, "growing %s to %d MiB", d.Path, d.SizeMiB)
		}
	}
	return m.control.execute(ctx, "cont", nil)
}

// accept waits for a connection from QEMU, or for its end.
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
		return nil, m.explain(errors.Wrap(err, "waiting for qemu"))
	}
	return conn, nil
}

// explain replaces the error of a connection to QEMU by that of QEMU itself, if that is its cause.
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

// Accelerator says how the machine runs, KVM or TCG, and why that was chosen.
func (m *Machine) Accelerator() (accel Accel, reason string) { return m.setup.accel, m.setup.reason }

// Wait waits until the machine is off, because the guest switched it off, rebooted with [Options.NoReboot], or it was
// closed. An error says that QEMU failed or that within, stretched by the machine's slowdown, is over.
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

// PowerDown presses the power button. What follows is up to the guest; Wait for it.
func (m *Machine) PowerDown(ctx context.Context) error {
	return m.control.execute(ctx, "system_powerdown", nil)
}

// Registers describes the state of the first processor, as QEMU's monitor command "info registers" does: where a machine
// is that says nothing.
func (m *Machine) Registers(ctx context.Context) (string, error) {
	var text string
	err := m.control.query(ctx, "human-monitor-command", map[string]any{"command-line": "info registers"}, &text)
	return text, err
}

// Close ends the machine, as if its plug was pulled, and waits until it is gone. Closing twice does no harm.
func (m *Machine) Close() {
	m.process.stop()
	<-m.done
}

// listen makes a socket. Its path has to fit into the 104 bytes that macOS allows, 108 on Linux.
func listen(dir, name string) (net.Listener, error) {
	path := filepath.Join(dir, name)
	if len(path) > 103 {
		return nil, errors.Errorf("path of socket %s is longer than 103 bytes, choose a shorter temporary directory", path)
	}
	l, err := net.Listen("unix", path)
	return l, errors.Wrap(err, "virtual machine")
}
