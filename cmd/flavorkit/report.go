package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/client"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"

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
	var page bytes.Buffer
	if err := report.Write(&page, b); err != nil {
		return err
	}
	return errors.Wrap(os.WriteFile(f.report, page.Bytes(), 0o644), "write the report")
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
