package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/client"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/client/report"
	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/client/trace"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan"
)

// reasons says why everything is in the systems, one list for each plan.
func reasons(ctx context.Context, c *client.Client, o solve.Options) (all [][]plan.Reason, err error) {
	err = solve.Ask(ctx, c, o, frontend.ExplainRequest, func(res *gwclient.Result) error {
		return errors.Wrap(json.Unmarshal(res.Metadata[frontend.ResultJSON], &all), "read the reasons")
	})
	return all, err
}

// writeReport writes the report of a build that made the files.
func (f *buildFlags) writeReport(r trace.Record, systems []report.System, files []string) error {
	b := report.Build{Target: f.target.Name, Version: version, Systems: systems, Record: r}
	for _, name := range files {
		file, err := describe(name)
		if err != nil {
			return err
		}
		b.Files = append(b.Files, file)
		if f.target.IsImage() && strings.HasSuffix(name, ".tar") {
			images, err := report.ReadImages(name)
			if err != nil {
				return err
			}
			b.Images = append(b.Images, images...)
		}
	}
	return writePage(f.report, b)
}

// writePage writes the page of a build to a file.
func writePage(file string, b report.Build) error {
	var page bytes.Buffer
	if err := report.Write(&page, b); err != nil {
		return err
	}
	return errors.Wrap(os.WriteFile(file, page.Bytes(), 0o644), "write the report")
}

const reportHelp = `Write a page about a build that has ended, as 'flavorkit build --report' does. TRACE
is what docker buildx printed with --progress rawjson, or a file that
'flavorkit build --trace' has written. The system and its reasons are those of the
spec; what the build wrote is not known.

Only the output of --progress rawjson tells what each step takes and what it printed.`

func reportCommand() *cobra.Command {
	var f lookFlags
	var target, output string
	cmd := &cobra.Command{
		Use:   "report TRACE [CONTEXT | SPEC]",
		Short: "Write a page about a build that has ended",
		Long:  reportHelp,
		Example: `  docker buildx build -f kairos.spec --progress rawjson . 2> build.json
  flavorkit report build.json -o report.html`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := findTarget(target)
			if err != nil {
				return err
			}
			if err := checkFile("output", output); err != nil {
				return err
			}
			record, err := readTrace(args[0])
			if err != nil {
				return err
			}
			var system report.System
			if system.Plan, err = f.plan(cmd, args[1:]); err != nil {
				return err
			}
			if system.Reasons, err = local.Explain(cmd.Context(), f.options()); err != nil {
				return frontend.Locate(err)
			}
			record.Name = system.Plan.File
			if err := writePage(output, report.Build{Target: t.Name, Version: version, Systems: []report.System{system}, Record: record}); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), output)
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&target, "target", "", "what was built: "+targetNames())
	cmd.Flags().StringVarP(&output, "output", "o", "report.html", "the file to write")
	return cmd
}

// textLimit is the number of bytes that a report has of a file with text, from its end.
const textLimit = 256 << 10

// describe describes a file that was built. Results and logs are in the report.
func describe(name string) (report.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return report.File{}, errors.Wrap(err, "read what was built")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return report.File{}, errors.Wrap(err, "read what was built")
	}
	file := report.File{Name: name, Size: info.Size()}
	if info.IsDir() || !slices.Contains([]string{".txt", ".log"}, filepath.Ext(name)) {
		return file, nil
	}
	if over := file.Size - textLimit; over > 0 {
		if _, err := f.Seek(over, io.SeekStart); err != nil {
			return report.File{}, errors.Wrap(err, "read what was built")
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, textLimit))
	file.Text = string(text)
	return file, errors.Wrap(err, "read what was built")
}
