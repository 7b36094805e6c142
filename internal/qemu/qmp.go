package qemu

import (
	"context"
	"encoding/json"
	"net"
	"sync"
	"time"

	"github.com/pkg/errors"
)

// control is a client of QMP, QEMU's control protocol: one JSON object per line, and one request at
// a time.
type control struct {
	mu   sync.Mutex
	conn net.Conn
	dec  *json.Decoder
}

// controlMessage is a greeting, a response or an event.
type controlMessage struct {
	Greeting json.RawMessage `json:"QMP"`
	Event    string          `json:"event"`
	Return   json.RawMessage `json:"return"`
	Error    *struct {
		Desc string `json:"desc"`
	} `json:"error"`
}

// newControl waits for the greeting and ends the negotiation.
func newControl(ctx context.Context, conn net.Conn) (*control, error) {
	c := &control{conn: conn, dec: json.NewDecoder(conn)}
	err := c.within(ctx, func() error {
		var m controlMessage
		if err := c.dec.Decode(&m); err != nil {
			return err
		}
		if m.Greeting == nil {
			return errors.New("no greeting")
		}
		return nil
	})
	if err != nil {
		return nil, errors.Wrap(err, "read the greeting of qemu's monitor")
	}
	return c, c.execute(ctx, "qmp_capabilities", nil)
}

// execute runs a command and ignores its result.
func (c *control) execute(ctx context.Context, command string, arguments map[string]any) error {
	return c.query(ctx, command, arguments, &json.RawMessage{})
}

// query runs a command and stores its return value in result.
func (c *control) query(ctx context.Context, command string, arguments map[string]any, result any) error {
	request := map[string]any{"execute": command}
	if arguments != nil {
		request["arguments"] = arguments
	}
	err := c.within(ctx, func() error {
		if err := json.NewEncoder(c.conn).Encode(request); err != nil {
			return err
		}
		for {
			var m controlMessage
			if err := c.dec.Decode(&m); err != nil {
				return err
			}
			if m.Error != nil {
				return errors.New(m.Error.Desc)
			}
			if m.Return != nil {
				return json.Unmarshal(m.Return, result)
			}
		}
	})
	return errors.Wrapf(err, "qemu monitor command %s", command)
}

// within runs f, which uses the connection, and interrupts it when ctx ends. The connection cannot
// be used after that.
func (c *control) within(ctx context.Context, f func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := f(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	return nil
}
