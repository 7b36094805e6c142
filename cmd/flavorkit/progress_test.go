package main

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStep checks that only long work is shown.
func TestStep(t *testing.T) {
	for _, tt := range []struct {
		name, mode string
		takes      time.Duration
		fails      error
		shown      []string // parts of what is printed
	}{
		{"short", "plain", time.Second, nil, nil},
		{"long", "plain", 3 * time.Second, nil, []string{"#1 read edge.iso\n", "#1 DONE 3.0s\n"}},
		{"long and wrong", "plain", 3 * time.Second, errors.New("it is none"), []string{"#1 read edge.iso\n", "#1 ERROR: it is none\n"}},
		{"long and quiet", "quiet", 3 * time.Second, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				cmd := &cobra.Command{}
				cmd.SetErr(&out)
				got, err := step(cmd, tt.mode, "read edge.iso", func() (int, error) {
					time.Sleep(tt.takes)
					return 7, tt.fails
				})
				assert.Equal(t, tt.fails, err)
				assert.Equal(t, 7, got)
				if tt.shown == nil {
					assert.Empty(t, out.String())
				}
				for _, text := range tt.shown {
					assert.Contains(t, out.String(), text)
				}
			})
		})
	}
	_, err := step(&cobra.Command{}, "loud", "", func() (int, error) { return 0, nil })
	var usage *usageError
	require.ErrorAs(t, err, &usage)
}
