package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/report"
	"github.com/flavorkit/flavorkit/client/trace"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan"
)

// TestRecordFlags reports mistakes before a build starts.
func TestRecordFlags(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "kairos.spec", good)
	for _, c := range []commandLine{
		{line: "build --trace-format otlp", code: exitUsage, stderr: "flavorkit: --trace-format needs --trace\n"},
		{line: "build --trace t.json --trace-format olpt", code: exitUsage, stderr: "flavorkit: unknown format \"olpt\"; did you mean \"otlp\"?\n"},
		{line: "build --trace none/t.json", code: exitUsage, stderr: "flavorkit: --trace: there is no directory none\n"},
		{line: "matrix build --trace .", code: exitUsage, stderr: "flavorkit: --trace: . is a directory; name a file in it\n"},
		{line: "build --report none/r.html", code: exitUsage, stderr: "flavorkit: --report: there is no directory none\n"},
	} {
		t.Run(c.line, c.run)
	}
}

// TestWriteRecord writes the trace and the report of a build that failed, and of one that wrote a
// log.
func TestWriteRecord(t *testing.T) {
	t.Chdir(t.TempDir())
	var log bytes.Buffer
	target, err := frontend.TargetByName("test")
	require.NoError(t, err)
	f := &buildFlags{report: "report.html"}
	f.Log, f.target = &log, target
	f.records = recordFlags{trace: "trace.jsonl", format: trace.FormatOf("trace.jsonl"), recorder: new(trace.Recorder)}
	began, ended := time.Unix(1, 0), time.Unix(3, 0)
	f.records.recorder.Watch(&client.SolveStatus{Vertexes: []*client.Vertex{{Digest: digest.FromString("a"), Name: "[test] boot", Started: &began, Completed: &ended}}})
	systems := []report.System{{Plan: &plan.Plan{File: "edge"}}}
	read := func(file string) string {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		return string(data)
	}

	require.NoError(t, f.writeRecord(f.record(systems, errors.New("no space")), systems, nil))
	assert.Contains(t, read("trace.jsonl"), "no space")
	assert.Contains(t, read("report.html"), "no space")
	assert.Contains(t, log.String(), "critical path: 2.0s\n")

	write(t, "edge.test.log", strings.Repeat("x", textLimit)+"login: ")
	write(t, "edge.iso", "medium")
	require.NoError(t, f.writeRecord(f.record(systems, nil), systems, []string{"edge.test.log", "edge.iso"}))
	page := read("report.html")
	assert.Contains(t, page, "xlogin: </pre>")
	assert.NotContains(t, page, "medium")
	assert.NotContains(t, page, strings.Repeat("x", textLimit))
}

// TestReport writes the page of a build that buildx made, from its progress.
func TestReport(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "kairos.spec", good)
	write(t, "build.json", `{"vertexes":[{"digest":"sha256:a","name":"[rootfs] check the root filesystem","started":"2026-01-01T00:00:00Z","completed":"2026-01-01T00:00:09Z"}]}`+"\nnothing\n")
	code, stdout, stderr := flavorkit(t.Context(), "report", "build.json", "--arch", "amd64", "--target", "iso")
	require.Zero(t, code, stderr)
	assert.Equal(t, "report.html\n", stdout)
	page, err := os.ReadFile("report.html")
	require.NoError(t, err)
	for _, part := range []string{"<dd>iso</dd>", "kairos-debian-12-core-amd64-generic", "[rootfs] check the root filesystem", "9.0s", "kairos.spec:"} {
		assert.Contains(t, string(page), part)
	}
	for _, c := range []commandLine{
		{line: "report", code: exitUsage},
		{line: "report none.json", code: exitFailed, stderr: "flavorkit: read the trace: open none.json: no such file or directory\n"},
		{line: "report kairos.spec", code: exitFailed, stderr: "flavorkit: read kairos.spec: it is no trace of a build, or no step ran in it\n"},
		{line: "report build.json none.spec", code: exitFailed, stderr: "flavorkit: no spec none.spec; create one with 'flavorkit init', or name yours with -f\n"},
		{line: "report build.json -o .", code: exitUsage, stderr: "flavorkit: --output: . is a directory; name a file in it\n"},
		{line: "report build.json --target iso2", code: exitUsage},
	} {
		t.Run(c.line, c.run)
	}
}
