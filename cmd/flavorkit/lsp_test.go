package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mainEnv makes the test binary the command itself.
const mainEnv = "FLAVORKIT_TEST_MAIN"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(readerEnv) != "":
		os.Exit(readerMain(filepath.Base(os.Args[0]), os.Args[1:]))
	case os.Getenv(mainEnv) != "":
		main()
		return
	}
	os.Exit(m.Run())
}

// editor is a process of flavorkit lsp.
type editor struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
}

func startEditor(t *testing.T, args ...string) *editor {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, append([]string{"lsp"}, args...)...)
	cmd.Env = append(os.Environ(), mainEnv+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return &editor{t, cmd, stdin, bufio.NewReader(stdout)}
}

func (e *editor) send(body string) {
	e.t.Helper()
	_, err := fmt.Fprintf(e.stdin, "Content-Length: %d\r\n\r\n%s", len(body), body)
	require.NoError(e.t, err)
}

// receive reads a message.
func (e *editor) receive() (m struct {
	Method string
	Result any
	Params struct {
		Diagnostics []struct {
			Code            string
			CodeDescription struct{ Href string }
		}
	}
}) {
	e.t.Helper()
	header, err := textproto.NewReader(e.stdout).ReadMIMEHeader()
	require.NoError(e.t, err)
	length, err := strconv.Atoi(header.Get("Content-Length"))
	require.NoError(e.t, err)
	body := make([]byte, length)
	_, err = io.ReadFull(e.stdout, body)
	require.NoError(e.t, err)
	require.NoError(e.t, json.Unmarshal(body, &m))
	return m
}

// rest is what else the process prints, and its exit code.
func (e *editor) rest() (rest string, code int) {
	e.t.Helper()
	data, err := io.ReadAll(e.stdout)
	require.NoError(e.t, err)
	_ = e.cmd.Wait() // the code tells
	return string(data), e.cmd.ProcessState.ExitCode()
}

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}`

// TestLanguageServer talks to the command as an editor does. Nothing but the protocol is on stdout.
func TestLanguageServer(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "acme", "kairos.spec"), "extends: debian-12\nname: acme\n")
	e := startEditor(t, "--arch", "amd64", "--build-context", "acme="+filepath.Join(dir, "acme"))
	e.send(initialize)
	assert.NotNil(t, e.receive().Result)
	e.send(`{"jsonrpc":"2.0","method":"initialized","params":{}}`)
	uri := "file://" + filepath.ToSlash(dir) + "/kairos.spec"
	e.send(`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"` + uri + `","version":1,"text":"# syntax=x\nextends: acme\nversion: v1\n"}}}`)
	m := e.receive()
	assert.Equal(t, "textDocument/publishDiagnostics", m.Method)
	require.Len(t, m.Params.Diagnostics, 1)
	assert.Equal(t, "InvalidValue", m.Params.Diagnostics[0].Code)
	assert.Equal(t, "https://github.com/flavorkit/flavorkit/blob/main/docs/rules/mistakes.md#invalidvalue", m.Params.Diagnostics[0].CodeDescription.Href)
	e.send(`{"jsonrpc":"2.0","id":2,"method":"shutdown"}`)
	assert.Nil(t, e.receive().Result)
	e.send(`{"jsonrpc":"2.0","method":"exit"}`)
	rest, code := e.rest()
	assert.Empty(t, rest)
	assert.Zero(t, code)
}

// TestLanguageServerWithoutShutdown has the exit code that the protocol asks for.
func TestLanguageServerWithoutShutdown(t *testing.T) {
	e := startEditor(t)
	e.cmd.Stderr = nil
	e.send(initialize)
	e.receive()
	e.send(`{"jsonrpc":"2.0","method":"exit"}`)
	rest, code := e.rest()
	assert.Empty(t, rest)
	assert.Equal(t, 1, code)
}
