package solve

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/pkg/errors"
)

// QuietProgress is the progress output that shows warnings only.
const QuietProgress = string(progressui.QuietMode)

// ProgressModes are the kinds of progress output; the first is the default.
func ProgressModes() []string {
	return []string{
		string(progressui.AutoMode), string(progressui.PlainMode), string(progressui.TtyMode), string(progressui.RawJSONMode), QuietProgress,
	}
}

// CheckProgress returns an error for an unknown kind of progress output.
func CheckProgress(w io.Writer, mode string) error {
	_, err := NewProgress(w, mode)
	return err
}

// NewProgress returns what shows the progress of a build, or of what has steps like one, until the
// channel is closed.
func NewProgress(w io.Writer, mode string) (func(chan *client.SolveStatus) error, error) {
	if mode == "" {
		mode = string(progressui.AutoMode)
	}
	display, err := progressui.NewDisplay(w, progressui.DisplayMode(mode))
	switch {
	case err != nil && mode == string(progressui.TtyMode):
		return nil, errors.Errorf("progress %q needs a terminal; plain needs none", mode)
	case err != nil:
		return nil, errors.Errorf("progress %q is none of %s", mode, strings.Join(ProgressModes(), ", "))
	}
	return func(status chan *client.SolveStatus) error {
		// The display keeps running after a build is canceled, to show how it ends.
		warnings, err := display.UpdateFrom(context.Background(), status)
		if mode != string(progressui.RawJSONMode) {
			showWarnings(w, warnings)
		}
		return err
	}, nil
}

// showWarnings lists the warnings of a build at its end. A display drops warnings about steps that
// have ended, or shows them far above the end.
func showWarnings(w io.Writer, warnings []client.VertexWarning) {
	shown := map[string]bool{}
	for _, warning := range warnings {
		if text := string(warning.Short); !shown[text] {
			shown[text] = true
			fmt.Fprintf(w, "warning: %s\n", text)
		}
	}
}
