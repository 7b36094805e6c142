package qemu

import (
	"bufio"
	"context"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestControl(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	got := make(chan string, 4)
	go func() {
		in := bufio.NewReader(far)
		_, _ = io.WriteString(far, `{"QMP": {"version": {}, "capabilities": []}}`+"\n")
		for _, answer := range []string{
			`{"return": {}}`,
			`{"event": "RESUME", "data": {}}` + "\n" + `{"return": {}}`,
			`{"return": "RIP=fff0"}`,
			`{"error": {"class": "GenericError", "desc": "no such file"}}`,
		} {
			line, _ := in.ReadString('\n')
			got <- line
			_, _ = io.WriteString(far, answer+"\n")
		}
	}()

	c, err := newControl(t.Context(), near)
	require.NoError(t, err)
	require.JSONEq(t, `{"execute": "qmp_capabilities"}`, <-got)
	require.NoError(t, c.execute(t.Context(), "system_powerdown", nil))
	require.JSONEq(t, `{"execute": "system_powerdown"}`, <-got)
	var text string
	require.NoError(t, c.query(t.Context(), "human-monitor-command", nil, &text))
	require.Equal(t, "RIP=fff0", text)
	<-got
	err = c.execute(t.Context(), "screendump", map[string]any{"filename": "/a"})
	require.EqualError(t, err, "qemu monitor command screendump: no such file")
	require.JSONEq(t, `{"execute": "screendump", "arguments": {"filename": "/a"}}`, <-got)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, c.execute(ctx, "quit", nil), context.Canceled)
}
