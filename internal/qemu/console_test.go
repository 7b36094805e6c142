package qemu

import (
	"bytes"
	"context"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeMachine returns a console and the machine's end of its line.
func fakeMachine(t *testing.T, slowdown float64, fatal *regexp.Regexp, log io.Writer) (*Console, net.Conn) {
	t.Helper()
	near, far := net.Pipe()
	c := newConsole(near, slowdown, fatal)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.pump(near, log)
		c.end(errors.New("the VM is off"))
	}()
	t.Cleanup(func() {
		near.Close()
		far.Close()
		<-done
	})
	return c, far
}

func say(t *testing.T, far io.Writer, text string) {
	t.Helper()
	_, err := io.WriteString(far, text)
	assert.NoError(t, err) // others than the test's own goroutine say something too
}

func TestExpectMovesOn(t *testing.T) {
	var log bytes.Buffer
	c, far := fakeMachine(t, 1, nil, &log)
	go say(t, far, "Welcome to \x1b[1mKairos\x1b[0m v1.2\r\nkairos-1a2b login: ")

	match, err := c.Expect(t.Context(), regexp.MustCompile(`Kairos (v[\d.]+)(-dirty)?`), time.Minute)
	require.NoError(t, err)
	require.Equal(t, []string{"Kairos v1.2", "v1.2", ""}, match)

	match, err = c.Expect(t.Context(), regexp.MustCompile(`(?m)^(\S+) login: $`), time.Minute)
	require.NoError(t, err)
	require.Equal(t, "kairos-1a2b", match[1])

	_, err = c.Expect(t.Context(), regexp.MustCompile(`login`), time.Millisecond)
	require.Error(t, err, "what was matched once does not match again")
	require.Equal(t, "Welcome to Kairos v1.2\nkairos-1a2b login: ", c.Text())
	require.Contains(t, log.String(), "\x1b[1m", "the log is what was printed")
}

func TestExpectAcrossWrites(t *testing.T) {
	c, far := fakeMachine(t, 1, nil, nil)
	go func() {
		for _, b := range "[\x1b[32m  OK  \x1b[0m] Reached target\r\n" {
			say(t, far, string(b))
		}
	}()
	_, err := c.Expect(t.Context(), regexp.MustCompile(`\[  OK  \] Reached target\n`), time.Minute)
	require.NoError(t, err)
}

func TestExpectTimesOut(t *testing.T) {
	c, far := fakeMachine(t, 2, nil, nil)
	say(t, far, strings.Repeat("early\r\n", 10)+strings.Repeat("\x1b[31mlate\x1b[0m\r\n", tailLines))
	_, err := c.Expect(t.Context(), regexp.MustCompile(`login:`), 10*time.Millisecond)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, `waiting for "login:" for 20ms (10ms × 2): context deadline exceeded`)
	require.Equal(t, tailLines, strings.Count(err.Error(), "\n    late"))
	require.NotContains(t, err.Error(), "early")
}

func TestExpectCancelled(t *testing.T) {
	c, _ := fakeMachine(t, 1, nil, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Expect(ctx, regexp.MustCompile(`login:`), time.Minute)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "showed nothing")
}

func TestExpectFailsWhenTheMachineEnds(t *testing.T) {
	c, far := fakeMachine(t, 1, nil, nil)
	go func() {
		say(t, far, "reboot: Power down\r\n")
		far.Close()
	}()
	_, err := c.Expect(t.Context(), regexp.MustCompile(`login:`), time.Minute)
	require.EqualError(t, err,
		"waiting for \"login:\": the VM is off; the console ended with\n    reboot: Power down")

	_, err = c.Expect(t.Context(), regexp.MustCompile(`Power down`), time.Minute)
	require.NoError(t, err, "what came before the end can still be matched")
}

func TestExpectFailsOnFatal(t *testing.T) {
	c, far := fakeMachine(t, 1, KernelPanic(), nil)
	go say(t, far, "good\r\n[    1.5] Kernel panic - not syncing: VFS\r\nlogin:\r\n")
	_, err := c.Expect(t.Context(), regexp.MustCompile(`good`), time.Minute)
	require.NoError(t, err, "it came before the panic")
	_, err = c.Expect(t.Context(), regexp.MustCompile(`login:`), time.Minute)
	require.ErrorContains(t, err, `the console shows "Kernel panic - not syncing: VFS"`)
}

func TestSendPressesEnter(t *testing.T) {
	c, far := fakeMachine(t, 1, nil, nil)
	go func() { _ = c.Send("root\n") }()
	got := make([]byte, 5)
	_, err := io.ReadFull(far, got)
	require.NoError(t, err)
	require.Equal(t, "root\r", string(got))
}
