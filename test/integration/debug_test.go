package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

// debugger is an editor that talks the debug adapter protocol with buildx dap.
type debugger struct {
	t        *testing.T
	in       io.Writer
	messages chan message
	// pending came before anyone waited for them.
	pending []message
	seq     int
}

// message is one of the protocol, with what this test reads of it.
type message struct {
	Seq     int             `json:"seq"`
	Type    string          `json:"type"`
	Command string          `json:"command,omitempty"`
	Event   string          `json:"event,omitempty"`
	Success bool            `json:"success,omitempty"`
	Message string          `json:"message,omitempty"`
	Request int             `json:"request_seq,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
	// Arguments are those of a request.
	Arguments json.RawMessage `json:"arguments,omitempty"`
}

// debug starts a build that an editor follows.
func debug(t *testing.T, b *testkit.BuildxCLI, args ...string) *debugger {
	t.Helper()
	in, out := b.Start(append([]string{"dap", "build"}, args...)...)
	d := &debugger{t: t, in: in, messages: make(chan message, 1000)}
	go func() {
		defer close(d.messages)
		for r := bufio.NewReader(out); ; {
			header, err := textproto.NewReader(r).ReadMIMEHeader()
			if err != nil {
				return
			}
			length, err := strconv.Atoi(header.Get("Content-Length"))
			if err != nil {
				return
			}
			body := make([]byte, length)
			if _, err := io.ReadFull(r, body); err != nil {
				return
			}
			var m message
			if json.Unmarshal(body, &m) == nil {
				d.messages <- m
			}
		}
	}()
	d.ask("initialize", map[string]any{"adapterID": "test", "supportsRunInTerminalRequest": true})
	d.ask("launch", map[string]any{})
	d.event("initialized")
	return d
}

func (d *debugger) send(m map[string]any) {
	d.t.Helper()
	d.seq++
	m["seq"] = d.seq
	body, err := json.Marshal(m)
	require.NoError(d.t, err)
	_, err = fmt.Fprintf(d.in, "Content-Length: %d\r\n\r\n%s", len(body), body)
	require.NoError(d.t, err)
}

// next returns the next message that is wanted.
func (d *debugger) next(what string, wanted func(m message) bool) message {
	d.t.Helper()
	if at := slices.IndexFunc(d.pending, wanted); at >= 0 {
		m := d.pending[at]
		d.pending = slices.Delete(d.pending, at, at+1)
		return m
	}
	var log []string
	for timeout := time.After(2 * time.Minute); ; {
		select {
		case m, ok := <-d.messages:
			if !ok {
				d.t.Fatalf("buildx ended before %s:\n%s", what, strings.Join(log, "\n"))
			}
			if wanted(m) {
				return m
			}
			d.pending = append(d.pending, m)
			log = append(log, fmt.Sprintf("%s %s%s %s", m.Type, m.Event, m.Command, m.Body))
		case <-timeout:
			d.t.Fatalf("no %s:\n%s", what, strings.Join(log, "\n"))
		}
	}
}

// ask sends a request and returns the answer.
func (d *debugger) ask(command string, arguments any) message {
	d.t.Helper()
	d.send(map[string]any{"type": "request", "command": command, "arguments": arguments})
	m := d.next("answer to "+command, func(m message) bool { return m.Type == "response" && m.Request == d.seq })
	require.True(d.t, m.Success, "%s: %s", command, m.Message)
	return m
}

func (d *debugger) event(name string) message {
	d.t.Helper()
	return d.next("event "+name, func(m message) bool { return m.Type == "event" && m.Event == name })
}

// stopped waits until the build pauses and returns the reason, and the frames: name and line.
func (d *debugger) stopped() (thread int, reason string, frames []string) {
	d.t.Helper()
	var where struct {
		Reason   string `json:"reason"`
		ThreadID int    `json:"threadId"`
	}
	require.NoError(d.t, json.Unmarshal(d.event("stopped").Body, &where))
	var stack struct {
		StackFrames []struct {
			Name string `json:"name"`
			Line int    `json:"line"`
		} `json:"stackFrames"`
	}
	require.NoError(d.t, json.Unmarshal(d.ask("stackTrace", map[string]any{"threadId": where.ThreadID}).Body, &stack))
	for _, f := range stack.StackFrames {
		frames = append(frames, fmt.Sprintf("%d %s", f.Line, f.Name))
	}
	return where.ThreadID, where.Reason, frames
}

// shell opens a shell in the step that the build is paused at, as an editor does, and returns what
// a line typed into it prints.
func (d *debugger) shell(line string) string {
	d.t.Helper()
	d.send(map[string]any{"type": "request", "command": "evaluate", "arguments": map[string]any{"expression": "exec", "context": "repl"}})
	m := d.next("terminal", func(m message) bool { return m.Type == "request" && m.Command == "runInTerminal" })
	d.send(map[string]any{"type": "response", "request_seq": m.Seq, "success": true, "command": m.Command, "body": map[string]any{}})
	var run struct {
		Args []string `json:"args"`
	}
	require.NoError(d.t, json.Unmarshal(m.Arguments, &run))
	require.NotEmpty(d.t, run.Args)
	// The terminal would run buildx dap attach, which forwards this socket.
	terminal, err := net.Dial("unix", run.Args[len(run.Args)-1])
	require.NoError(d.t, err)
	defer terminal.Close()
	require.NoError(d.t, terminal.SetReadDeadline(time.Now().Add(2*time.Minute)))
	in := bufio.NewReader(terminal)
	said, err := in.ReadString('#') // what is typed before the prompt is lost
	require.NoError(d.t, err, said)
	_, err = fmt.Fprintf(terminal, "%s; exit\n", line)
	require.NoError(d.t, err)
	text, err := io.ReadAll(in)
	require.NoError(d.t, err, string(text))
	return string(text)
}

// debugBuild stops a build at a line of its spec, and looks into a step that fails. The daemon has
// built all before it.
func debugBuild(t *testing.T, buildx *testkit.BuildxCLI, spec string, args []string) {
	t.Helper()
	text, err := os.ReadFile(spec)
	require.NoError(t, err)
	limited := filepath.Join(filepath.Dir(spec), "limited.spec")
	require.NoError(t, os.WriteFile(limited, append(text, "size: {root: 1MiB}\n"...), 0o644))
	line := strings.Count(string(text), "\n") + 1

	d := debug(t, buildx, append([]string{"--build-arg=FLAVORKIT_DEBUG=1", "-f", limited}, args...)...)
	d.ask("setBreakpoints", map[string]any{"source": map[string]any{"path": limited}, "breakpoints": []any{map[string]any{"line": line}}})
	d.ask("configurationDone", nil)
	thread, reason, frames := d.stopped()
	assert.Equal(t, "breakpoint", reason)
	require.NotEmpty(t, frames)
	assert.Contains(t, frames[0], fmt.Sprintf("%d ", line))
	assert.Contains(t, d.shell("cat /etc/os-release"), "Debian")

	d.ask("continue", map[string]any{"threadId": thread})
	_, reason, frames = d.stopped()
	assert.Equal(t, "exception", reason)
	require.NotEmpty(t, frames)
}
