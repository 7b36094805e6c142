package lsp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/client/lsp"
)

// patience is how long the tests wait for an answer.
const patience = time.Minute

// client is an editor. It writes and reads messages itself, so that a mistake of the server's
// library shows.
type client struct {
	t   *testing.T
	dir string
	in  io.WriteCloser
	ids int
	// messages from the server, in their order.
	messages chan message
	// ended is what Serve returned.
	ended chan error
	log   bytes.Buffer
}

type message struct {
	ID     *int            `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// start starts a server for files in a directory of their own.
func start(t *testing.T, files map[string]string) *client {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	cat, err := local.Catalog(t.Context(), local.Options{})
	require.NoError(t, err)
	c := serve(t, dir, lsp.Options{
		Local: local.Options{Arch: "amd64", Catalog: cat}, Version: "v1.2.3",
		Now: func() (time.Time, error) { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), nil },
	})
	for name, text := range files {
		c.write(name, text)
	}
	return c
}

func serve(t *testing.T, dir string, o lsp.Options) *client {
	t.Helper()
	c := &client{t: t, dir: dir, messages: make(chan message, 100), ended: make(chan error, 1)}
	o.Log = &c.log
	in, out := io.Pipe()
	answers, write := io.Pipe()
	c.in = out
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		c.ended <- lsp.Serve(ctx, in, write, o)
		write.Close()
	}()
	go c.read(bufio.NewReader(answers))
	t.Cleanup(func() {
		cancel()
		out.Close()
	})
	return c
}

func (c *client) read(r *bufio.Reader) {
	defer close(c.messages)
	for {
		header, err := textproto.NewReader(r).ReadMIMEHeader()
		if err != nil {
			return
		}
		length, err := strconv.Atoi(header.Get("Content-Length"))
		if err != nil {
			c.t.Errorf("the server wrote the header %v", header)
			return
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			c.t.Errorf("read a message: %v", err)
			return
		}
		var m message
		if err := json.Unmarshal(body, &m); err != nil {
			c.t.Errorf("the server wrote %s: %v", body, err)
			return
		}
		c.messages <- m
	}
}

func (c *client) write(name, text string) {
	c.t.Helper()
	file := filepath.Join(c.dir, name)
	require.NoError(c.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(c.t, os.WriteFile(file, []byte(text), 0o644))
}

func (c *client) uri(name string) string { return "file://" + filepath.ToSlash(c.dir) + "/" + name }

func (c *client) send(m map[string]any) {
	c.t.Helper()
	m["jsonrpc"] = "2.0"
	body, err := json.Marshal(m)
	require.NoError(c.t, err)
	_, err = fmt.Fprintf(c.in, "Content-Length: %d\r\n\r\n%s", len(body), body)
	require.NoError(c.t, err)
}

func (c *client) notify(method string, params any) {
	c.t.Helper()
	c.send(map[string]any{"method": method, "params": params})
}

// ask sends a request.
func (c *client) ask(method string, params any) (id int) {
	c.t.Helper()
	c.ids++
	c.send(map[string]any{"id": c.ids, "method": method, "params": params})
	return c.ids
}

// next waits for a message.
func (c *client) next() message {
	c.t.Helper()
	select {
	case m, ok := <-c.messages:
		require.True(c.t, ok, "the server has ended: %s", c.log.String())
		return m
	case <-time.After(patience):
		require.Fail(c.t, "the server does not answer")
		return message{}
	}
}

// answer waits for the response to a request.
func (c *client) answer(id int) message {
	c.t.Helper()
	m := c.next()
	require.NotNil(c.t, m.ID, "%+v", m)
	require.Equal(c.t, id, *m.ID)
	return m
}

// call sends a request and waits for its response.
func (c *client) call(method string, params any) message {
	c.t.Helper()
	return c.answer(c.ask(method, params))
}

func (c *client) initialize() message {
	c.t.Helper()
	m := c.call("initialize", map[string]any{"processId": nil, "rootUri": nil, "capabilities": map[string]any{}})
	c.notify("initialized", map[string]any{})
	return m
}

func (c *client) open(name, text string) {
	c.t.Helper()
	c.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": c.uri(name), "languageId": "yaml", "version": 1, "text": text}})
}

func (c *client) change(name string, version int, text string) {
	c.t.Helper()
	c.notify("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": c.uri(name), "version": version},
		"contentChanges": []any{map[string]any{"text": text}},
	})
}

// at are the parameters of a request about a position: that of | in a line of the text.
func (c *client) at(name, text string) map[string]any {
	c.t.Helper()
	before, _, ok := strings.Cut(text, "|")
	require.True(c.t, ok)
	line := strings.Count(before, "\n")
	return c.position(name, line, len(before)-strings.LastIndex(before, "\n")-1)
}

// about types a text into kairos.spec and asks for something at its |.
func (c *client) about(method string, version int, marked string) message {
	c.t.Helper()
	c.change("kairos.spec", version, strings.Replace(marked, "|", "", 1))
	require.Equal(c.t, "textDocument/publishDiagnostics", c.next().Method)
	return c.call("textDocument/"+method, c.at("kairos.spec", marked))
}

func (c *client) position(name string, line, character int) map[string]any {
	return map[string]any{"textDocument": map[string]any{"uri": c.uri(name)}, "position": map[string]any{"line": line, "character": character}}
}

// found waits for the diagnostics of files, and returns them by file.
func (c *client) found(names ...string) map[string]string {
	c.t.Helper()
	all := map[string]string{}
	for range names {
		m := c.next()
		require.Equal(c.t, "textDocument/publishDiagnostics", m.Method)
		var p struct {
			URI         string `json:"uri"`
			Diagnostics []struct {
				Range struct {
					Start, End struct{ Line, Character int }
				}
				Severity      int
				Code, Message string
			}
		}
		require.NoError(c.t, json.Unmarshal(m.Params, &p))
		var lines []string
		for _, d := range p.Diagnostics {
			r := d.Range
			lines = append(lines, fmt.Sprintf("%d:%d-%d:%d %s %s", r.Start.Line, r.Start.Character, r.End.Line, r.End.Character, d.Code, d.Message))
		}
		name := strings.TrimPrefix(p.URI, c.uri(""))
		require.Contains(c.t, names, name)
		all[name] = strings.Join(lines, "\n")
	}
	return all
}

// end shuts the server down as the protocol says.
func (c *client) end() {
	c.t.Helper()
	m := c.call("shutdown", nil)
	require.Nil(c.t, m.Error)
	c.notify("exit", nil)
	require.NoError(c.t, c.wait())
}

// wait waits for the end of the server.
func (c *client) wait() error {
	c.t.Helper()
	select {
	case err := <-c.ended:
		return err
	case <-time.After(patience):
		require.Fail(c.t, "the server does not end")
		return nil
	}
}
