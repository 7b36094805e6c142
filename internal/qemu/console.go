package qemu

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"
)

// tailLines is the number of console lines that an error shows.
const tailLines = 40

// Console is the host's end of a VM's serial line. It keeps the output as plain text, without
// escape sequences and with lines ending in \n. Only one goroutine at a time may wait on it.
type Console struct {
	out      io.Writer
	slowdown float64
	fatal    *regexp.Regexp

	mu      sync.Mutex
	clean   cleaner
	text    []byte // append-only
	seen    int    // everything before was matched by Expect or Run
	ended   error  // why the output ended; nil while it is open
	changed chan struct{}
}

func newConsole(out io.Writer, slowdown float64, fatal *regexp.Regexp) *Console {
	return &Console{out: out, slowdown: slowdown, fatal: fatal, changed: make(chan struct{})}
}

// Expect waits until the console output after the previous match matches re, and returns the match
// and its groups. The timeout within is multiplied by the VM's slowdown. When it expires, the error
// is [context.DeadlineExceeded]. Every error shows the last lines of the console.
func (c *Console) Expect(ctx context.Context, re *regexp.Regexp, within time.Duration) ([]string, error) {
	var match []string
	err := c.await(ctx, fmt.Sprintf("waiting for %q", re), within, func(text []byte) (from, to int) {
		at := re.FindSubmatchIndex(text)
		if at == nil {
			return 0, -1
		}
		match = make([]string, len(at)/2)
		for i := range match {
			if at[2*i] >= 0 {
				match[i] = string(text[at[2*i]:at[2*i+1]])
			}
		}
		return at[0], at[1]
	})
	if err != nil {
		return nil, err
	}
	return match, nil
}

// Send types text. A newline is the Enter key, which a terminal sends as a carriage return.
func (c *Console) Send(text string) error {
	_, err := io.WriteString(c.out, strings.ReplaceAll(text, "\n", "\r"))
	if err != nil {
		return c.failure("typing on the console", err)
	}
	return nil
}

// Text returns the whole console output so far.
func (c *Console) Text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.text)
}

// await waits until find returns a span of the unseen text, and moves past it. A span that ends
// before it starts means that there is no match yet.
func (c *Console) await(
	ctx context.Context, what string, within time.Duration, find func(text []byte) (from, to int),
) error {
	limit := time.Duration(float64(within) * c.slowdown)
	expired := time.NewTimer(limit)
	defer expired.Stop()
	for {
		c.mu.Lock()
		unseen, ended, changed := c.text[c.seen:], c.ended, c.changed
		c.mu.Unlock()

		from, to := find(unseen)
		if c.fatal != nil {
			if at := c.fatal.FindIndex(unseen); at != nil && (to < from || at[0] < from) {
				return c.failure(what, fmt.Errorf("the console shows %q", unseen[at[0]:at[1]]))
			}
		}
		if to >= from {
			c.mu.Lock()
			c.seen += to
			c.mu.Unlock()
			return nil
		}
		if ended != nil {
			return c.failure(what, ended)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return c.failure(what, context.Cause(ctx))
		case <-expired.C:
			if c.slowdown != 1 {
				what += fmt.Sprintf(" for %s (%s × %g)", limit, within, c.slowdown)
			} else {
				what += fmt.Sprintf(" for %s", limit)
			}
			return c.failure(what, context.DeadlineExceeded)
		}
	}
}

// pump reads from the VM until it closes the line. log may be nil; its errors are ignored.
func (c *Console) pump(in io.Reader, log io.Writer) {
	buf := make([]byte, 16<<10)
	for {
		n, err := in.Read(buf)
		if n > 0 {
			if log != nil {
				_, _ = log.Write(buf[:n])
			}
			c.mu.Lock()
			c.text = c.clean.clean(c.text, buf[:n])
			c.wake()
			c.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// end ends the output with a reason.
func (c *Console) end(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = why
	c.wake()
}

// wake makes waiters check again. The caller holds mu.
func (c *Console) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *Console) failure(what string, cause error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &consoleError{what: what, cause: cause, tail: lastLines(c.text, tailLines)}
}

// consoleError is an error with the last lines of the console.
type consoleError struct {
	what  string
	cause error
	tail  string
}

func (e *consoleError) Error() string {
	if e.tail == "" {
		return e.what + ": " + e.cause.Error() + "; the console showed nothing"
	}
	return e.what + ": " + e.cause.Error() + "; the console ended with\n" + e.tail
}

func (e *consoleError) Unwrap() error { return e.cause }

// lastLines returns up to n lines, indented, without empty lines at the end.
func lastLines(text []byte, n int) string {
	text = bytes.TrimRight(text, "\n \t")
	if len(text) == 0 {
		return ""
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return "    " + strings.Join(lines, "\n    ")
}
