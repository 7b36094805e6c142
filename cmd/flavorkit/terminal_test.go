package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// terminal is a process of flavorkit on a terminal of its own.
type terminal struct {
	t    *testing.T
	keys *os.File
	done chan error

	mu     sync.Mutex
	screen bytes.Buffer
}

// onTerminal starts flavorkit in a directory.
func onTerminal(t *testing.T, dir string, args ...string) *terminal {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = keys.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	side, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	defer side.Close()

	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), mainEnv+"=1", "HOME="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	x := &terminal{t: t, keys: keys, done: make(chan error, 1)}
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		for piece := make([]byte, 4096); ; {
			n, err := keys.Read(piece)
			x.mu.Lock()
			x.screen.Write(piece[:n])
			x.mu.Unlock()
			if err != nil {
				return // the process has ended, and all that it wrote is read
			}
		}
	}()
	go func() {
		err := cmd.Wait()
		<-shown
		x.done <- err
	}()
	return x
}

func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.screen.String()
}

// sees waits for a text.
func (x *terminal) sees(text string) {
	x.t.Helper()
	if !assert.Eventually(x.t, func() bool { return strings.Contains(x.text(), text) }, time.Minute, 10*time.Millisecond) {
		x.t.Fatalf("the screen has no %q:\n%s", text, x.text())
	}
}

// types presses keys.
func (x *terminal) types(keys string) {
	x.t.Helper()
	_, err := x.keys.WriteString(keys)
	require.NoError(x.t, err)
}

// ends waits for the end of the process and of its output, and returns its exit code.
func (x *terminal) ends() int {
	x.t.Helper()
	select {
	case err := <-x.done:
		if exit := (*exec.ExitError)(nil); err != nil && assert.ErrorAs(x.t, err, &exit) {
			return exit.ExitCode()
		}
		return 0
	case <-time.After(time.Minute):
		x.t.Fatalf("the process does not end:\n%s", x.text())
		return -1
	}
}

// TestInitOnTerminal answers the questions of init on a terminal.
func TestInitOnTerminal(t *testing.T) {
	dir := t.TempDir()
	x := onTerminal(t, dir, "init", "--arch", "amd64", "--kernel", "debian-12", "--model", "generic", "--init", "systemd", "--kubernetes", "none", "--target", "iso")
	x.sees("[debian-12] > ")
	x.types("debain-12\n")
	x.sees(`did you mean "debian-12"?`)
	x.types("debian-12\n")
	x.sees("Name of a user, who can log in and become root; nothing for none\r\n> ")
	x.types("me\n")
	x.sees("SSH key of the user: a file, a key, or github:NAME\r\n> ")
	x.types("github:me\n")
	x.sees("[ask] > ")
	x.types("2\n")
	x.sees("wrote kairos.spec and cloud-config.yaml; build it with: flavorkit build . ")
	assert.Zero(t, x.ends())
	text := read(t, filepath.Join(dir, "cloud-config.yaml"))
	assert.Contains(t, text, "github:me")
	assert.Contains(t, text, "reboot: true")
}

// TestInitInterrupted presses Ctrl-C, and Ctrl-D, at a question: nothing is written.
func TestInitInterrupted(t *testing.T) {
	for name, c := range map[string]struct {
		keys, says string
		code       int
	}{
		"Ctrl-C": {"\x03", "flavorkit: interrupted", exitInterrupted},
		"Ctrl-D": {"\x04", "the input ended before the last question", exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			x := onTerminal(t, dir, "init")
			x.sees("[debian-12] > ")
			x.types(c.keys)
			x.sees(c.says)
			assert.Equal(t, c.code, x.ends())
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}

// TestReadOnly writes where nobody can: before any question, and with a message that names the
// place.
func TestReadOnly(t *testing.T) {
	x := onTerminal(t, t.TempDir(), "init", "/sys")
	x.sees("flavorkit: write the spec into /sys: ")
	assert.Equal(t, exitFailed, x.ends())
	assert.NotContains(t, x.text(), "> ", "nothing is asked")
	for _, args := range [][]string{
		{"bake", "-o", "/sys/docker-bake.json"}, {"man", "/sys/man"},
	} {
		code, stdout, stderr := flavorkit(t.Context(), args...)
		assert.Equal(t, exitFailed, code, args)
		assert.Empty(t, stdout)
		assert.Regexp(t, "^flavorkit: .*/sys/.*\n$", stderr)
	}
}

// TestNoColor shows a step with colors, and without where NO_COLOR asks for that.
func TestNoColor(t *testing.T) {
	for _, value := range []string{"", "1"} {
		t.Run("NO_COLOR="+value, func(t *testing.T) {
			t.Setenv("NO_COLOR", value)
			dir := t.TempDir()
			pipe := filepath.Join(dir, "pipe")
			require.NoError(t, syscall.Mkfifo(pipe, 0o600))
			x := onTerminal(t, dir, "inspect", "pipe") // which waits for somebody who writes
			x.sees("read pipe")
			require.NoError(t, os.WriteFile(pipe, []byte("no system"), 0o600))
			assert.Equal(t, exitFailed, x.ends())
			assert.Equal(t, value == "", strings.Contains(x.text(), "\x1b[3"), x.text())
		})
	}
}
