package qemu

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

// fakeTerminal runs a real shell behind a console. Like a tty it turns carriage return into newline
// on the way in and the other way round on the way out, and it echoes as an 80 column line editor
// does. noise may change each piece of the shell's output.
func fakeTerminal(t *testing.T, shell []string, noise func(piece []byte) []byte) *Console {
	t.Helper()
	testkit.Need(t, shell[0], "run hack/deps.sh test")
	c, far := fakeMachine(t, 1, nil, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, shell[0], shell[1:]...)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	go func() {
		in := bufio.NewReader(far)
		for {
			line, err := in.ReadString('\r')
			if err != nil {
				return
			}
			line = strings.TrimSuffix(line, "\r")
			_, _ = io.WriteString(far, "\x1b[?2004hroot@kairos:~# "+wrap(line)+"\r\n\x1b[?2004l\r")
			_, _ = io.WriteString(stdin, line+"\n")
		}
	}()
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := stdout.Read(buf)
			piece := bytes.ReplaceAll(buf[:n], []byte("\n"), []byte("\r\n"))
			if noise != nil {
				piece = noise(piece)
			}
			if _, werr := far.Write(piece); err != nil || werr != nil {
				return
			}
		}
	}()
	return c
}

// wrap breaks a line every 80 columns as readline does.
func wrap(line string) string {
	var b strings.Builder
	for i, r := range line {
		if i > 0 && i%80 == 0 {
			b.WriteString(" \r")
		}
		b.WriteRune(r)
	}
	return b.String()
}

func TestRun(t *testing.T) {
	for name, shell := range map[string][]string{
		"sh":      {"sh"},
		"bash":    {"bash"},
		"busybox": {"busybox", "sh"},
	} {
		t.Run(name, func(t *testing.T) {
			c := fakeTerminal(t, shell, nil)
			for name, tc := range map[string]struct {
				command string
				want    Result
			}{
				"output":        {"echo hello", Result{Output: "hello"}},
				"nothing":       {"true", Result{}},
				"exit code":     {"echo no >&2; exit 7", Result{Output: "no", ExitCode: 7}},
				"syntax error":  {"echo 'a' | (", Result{ExitCode: 2}},
				"quotes":        {`printf '%s' "it's \"100%\" \$HOME"`, Result{Output: `it's "100%" $HOME`}},
				"several lines": {"for i in 1 2; do\n  echo $i\ndone\n", Result{Output: "1\n2"}},
				"here document": {"cat <<'EOF'\nit's\nEOF", Result{Output: "it's"}},
				"reads nothing": {"cat; read x; echo $?", Result{Output: "1"}},
				"long":          {"echo " + strings.Repeat("x", 3000), Result{Output: strings.Repeat("x", 3000)}},
				"utf-8":         {"printf '→é'", Result{Output: "→é"}},
				"empty lines":   {`printf '\n\na\n\n\n'`, Result{Output: "\n\na"}},
				"escapes":       {`printf '\033[31mred\033[0m\ttab'`, Result{Output: "\x1b[31mred\x1b[0m\ttab"}},
				"dos line ends": {`printf 'a\r\nb\r\n'`, Result{Output: "a\r\nb\r"}},
			} {
				t.Run(name, func(t *testing.T) {
					got, err := c.Run(t.Context(), tc.command, time.Minute)
					require.NoError(t, err)
					if name == "syntax error" { // each shell has its own words for it
						got.Output = ""
					}
					require.Equal(t, tc.want, got)
				})
			}
		})
	}
}

func TestRunInNoise(t *testing.T) {
	const message = "[   12.345678] usb 1-1: new high-speed USB device\r\n"
	for name, noise := range map[string]func() func([]byte) []byte{
		"before and after": func() func([]byte) []byte {
			return func(p []byte) []byte { return []byte(message + string(p) + message) }
		},
		"in the middle": func() func([]byte) []byte {
			return func(p []byte) []byte { return []byte(string(p[:len(p)/2]) + message + string(p[len(p)/2:])) }
		},
		"in the first end mark": func() func([]byte) []byte {
			return func(p []byte) []byte { return bytes.Replace(p, []byte(">"), []byte(">"+message), 1) }
		},
		"in the start mark": func() func([]byte) []byte {
			return func(p []byte) []byte { return bytes.Replace(p, []byte("<"), []byte(message+"<"), 1) }
		},
		"something else, twice": func() func([]byte) []byte {
			times := 0
			return func(p []byte) []byte {
				if times++; times > 2 {
					return p
				}
				return []byte(string(p[:len(p)/2]) + "[  OK  ] Started" + string(p[len(p)/2:]))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := fakeTerminal(t, []string{"sh"}, noise())
			for range 2 {
				got, err := c.Run(t.Context(), "seq 1 40; exit 3", time.Minute)
				require.NoError(t, err)
				require.Equal(t, 3, got.ExitCode)
				require.Len(t, strings.Fields(got.Output), 40)
				require.True(t, strings.HasPrefix(got.Output, "1\n2\n3\n") && strings.HasSuffix(got.Output, "\n39\n40"))
			}
		})
	}
}

func TestRunFails(t *testing.T) {
	c := fakeTerminal(t, []string{"sh"}, nil)
	_, err := c.Run(t.Context(), "echo a\tb", time.Minute)
	require.ErrorContains(t, err, `control character '\t'`)
	_, err = c.Run(t.Context(), "echo "+strings.Repeat("x", maxTyped), time.Minute)
	require.ErrorContains(t, err, "too long to type")
	_, err = c.Run(t.Context(), "sleep 60", 50*time.Millisecond)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, `running "sleep 60" for 50ms`)
}
