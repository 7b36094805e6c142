package trace

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/flavorkit/flavorkit/internal/draw"
	"github.com/flavorkit/flavorkit/test/golden"
)

func read(t *testing.T, name string) Record {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	require.NoError(t, err)
	var r Record
	require.NoError(t, json.Unmarshal(data, &r))
	again, err := json.Marshal(r)
	require.NoError(t, err)
	var same Record
	require.NoError(t, json.Unmarshal(again, &same))
	assert.Equal(t, r, same, "a JSON round trip changes nothing")
	return r
}

// TestFormats has the traces and the summary of a build, of one that failed and of one without steps.
func TestFormats(t *testing.T) {
	for _, name := range []string{"build", "failed", "empty"} {
		t.Run(name, func(t *testing.T) {
			r := read(t, name)
			golden.Check(t, filepath.Join("testdata", name+".txt"), r.Summary())
			for _, f := range Formats() {
				data, err := f.Write(r)
				require.NoError(t, err)
				assert.True(t, json.Valid(data))
				golden.Check(t, filepath.Join("testdata", name+"."+f.Name), string(data))
				checkRead(t, r, data)
			}
			data, err := r.OTLP()
			require.NoError(t, err)
			assert.Equal(t, 1, strings.Count(string(data), "\n"), "a file of OTLP has one trace a line")
			// Ids in base64 are as valid, so this reads all but their values.
			require.NoError(t, protojson.Unmarshal(data, &tracepb.TracesData{}))
		})
	}
}

// checkRead reads a trace again: it has every step that ran.
func checkRead(t *testing.T, r Record, data []byte) {
	t.Helper()
	type known struct {
		Name, Error string
		State       State
		Took        time.Duration
		Bytes       int64
	}
	list := func(steps []Step) (all []known) {
		for _, s := range steps {
			if len(s.Runs) > 0 {
				all = append(all, known{s.Name, s.Error, s.State(), s.Duration().Round(time.Microsecond), s.Bytes})
			}
		}
		return all
	}
	back, err := Read(data)
	if len(list(r.Steps)) == 0 {
		require.ErrorContains(t, err, "it is no trace of a build")
		return
	}
	require.NoError(t, err)
	assert.ElementsMatch(t, list(r.Steps), list(back.Steps))
	assert.WithinDuration(t, back.Began.Add(r.Duration()), back.Ended, time.Millisecond)
}

func TestReadMistakes(t *testing.T) {
	for _, text := range []string{"", "{}", "[]", `{"traceEvents":[{"ph":"M"}]}`, `{"resourceSpans":[{}]}`, "text"} {
		_, err := Read([]byte(text))
		require.ErrorContains(t, err, "it is no trace of a build", text)
	}
}

// TestReadFailure has the first step that failed as the error of the build.
func TestReadFailure(t *testing.T) {
	r, err := Read([]byte(`{"vertexes":[{"digest":"sha256:a","name":"[rootfs] check","started":"2026-01-01T00:00:00Z","completed":"2026-01-01T00:00:01Z","error":"exit code: 1"}]}`))
	require.NoError(t, err)
	assert.Equal(t, "[rootfs] check: exit code: 1", r.Error)
}

func TestTogether(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	ran := Step{Runs: []Run{{at(0), at(2)}}, Bytes: 2 << 20}
	cached := Step{Runs: []Run{{at(2), at(2)}}, Cached: true}
	for _, c := range []struct {
		steps []Step
		want  string
		look  draw.Look
	}{
		{nil, "not needed", draw.Cached},
		{[]Step{cached, {}}, "cached", draw.Cached},
		{[]Step{cached, ran, ran}, "4.0s, 4MiB", draw.Plain},
		{[]Step{{Error: "context canceled"}, ran}, "canceled, 2MiB", draw.Cached},
		{[]Step{{Error: "exit code: 1"}, {Error: "context canceled"}}, "failed", draw.Failed},
	} {
		sum := Together(c.steps)
		assert.Equal(t, c.want, sum.String())
		assert.Equal(t, c.look, sum.State.Look())
	}
}

func TestFormatOf(t *testing.T) {
	for file, want := range map[string]string{"a/trace.json": "chrome", "trace.jsonl": "otlp", "trace": "chrome", "": "chrome"} {
		assert.Equal(t, want, FormatOf(file).Name, file)
	}
}

// TestCriticalPath follows what was ready last: not the userland, and through a step that did not
// run.
func TestCriticalPath(t *testing.T) {
	r := read(t, "build")
	var names []string
	for _, p := range r.CriticalPath() {
		names = append(names, r.Steps[p.Step].Name)
	}
	assert.Equal(t, []string{
		"[base] debian:12-slim", "[base] debian:12-slim", "[debian-12/kernel] install linux-image-amd64",
		"[debian-12/initramfs] make the initramfs with dracut", "[rootfs] check the root filesystem",
		"[rootfs] checked root filesystem", "exporting to oci image format",
	}, names)
}

// TestBeside counts an input that goes on beside what takes it until that begins.
func TestBeside(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	base, install := digest.FromString("base"), digest.FromString("install")
	r := Record{Began: at(0), Ended: at(10), Cores: 4, Steps: []Step{
		{Digest: base, Runs: []Run{{at(0), at(6)}}},
		{Digest: install, Inputs: []digest.Digest{base}, Runs: []Run{{at(2), at(9)}}},
	}}
	assert.Equal(t, []Part{{0, Run{at(0), at(2)}}, {1, Run{at(2), at(9)}}}, r.CriticalPath())
	// Two seconds with 3 idle cores, four with 2, three with 3, one with 4.
	assert.Equal(t, Use{Lanes: 2, Busy: 13 * time.Second, None: time.Second, Idle: 27 * time.Second}, r.Use())
}

// TestRecorder joins the updates of a step, keeps the end of its log, and ends what was interrupted.
func TestRecorder(t *testing.T) {
	at := func(s int) *time.Time { when := time.Unix(int64(s), 0); return &when }
	base, install := digest.FromString("base"), digest.FromString("install")
	vertex := func(d digest.Digest, start, end *time.Time, cached bool) *client.SolveStatus {
		v := &client.Vertex{Digest: d, Name: "a", Started: start, Completed: end, Cached: cached}
		if d == install {
			v.Name, v.Inputs = "b", []digest.Digest{base}
		}
		return &client.SolveStatus{Vertexes: []*client.Vertex{v}}
	}
	var r Recorder
	progress := bytes.NewBufferString("Building with another builder\n{no json\n")
	for _, s := range []*client.SolveStatus{
		vertex(base, nil, nil, false),
		vertex(install, nil, nil, false),
		vertex(base, at(1), nil, false),
		{Statuses: []*client.VertexStatus{{ID: "layer", Vertex: base, Current: 10}, {ID: "other", Vertex: base, Current: 5}}},
		{Statuses: []*client.VertexStatus{{ID: "layer", Vertex: base, Current: 20}}},
		vertex(base, at(1), at(2), false),
		vertex(base, at(3), nil, true),
		vertex(base, at(3), at(4), true),
		vertex(install, at(4), nil, false),
		{Logs: []*client.VertexLog{{Vertex: install, Data: []byte(strings.Repeat("x", logLimit))}, {Vertex: install, Data: []byte("end\xff")}}},
	} {
		r.Watch(s)
		line, err := json.Marshal(s)
		require.NoError(t, err)
		progress.Write(append(line, '\n'))
	}
	got := r.Record()
	require.Len(t, got.Steps, 2)
	read, err := Read(progress.Bytes())
	require.NoError(t, err)
	assert.True(t, got.Ended.Equal(read.Ended))
	assert.Equal(t, got.Steps[1].Log, read.Steps[1].Log)
	assert.Equal(t, got.Steps[1].Inputs, read.Steps[1].Inputs)
	assert.Equal(t, got.Steps[0].Duration(), read.Steps[0].Duration())
	log := got.Steps[1].Log
	got.Steps[1].Log = ""
	assert.Equal(t, Record{Began: *at(1), Ended: *at(4), Steps: []Step{
		{Digest: base, Name: "a", Runs: []Run{{*at(1), *at(2)}, {*at(3), *at(4)}}, Cached: true, Bytes: 25},
		{Digest: install, Name: "b", Inputs: []digest.Digest{base}, Runs: []Run{{*at(4), *at(4)}}},
	}}, got)
	assert.True(t, strings.HasSuffix(log, "xend\ufffd"))
	assert.Len(t, log, logLimit+len("\ufffd")-1)
	assert.Equal(t, Cached, got.Steps[0].State())
	assert.Equal(t, Record{}, new(Recorder).Record(), "nothing was seen")
}

// TestPicture joins exports to the result.
func TestPicture(t *testing.T) {
	steps := read(t, "build").Picture()
	var result string
	for _, s := range steps {
		if s.Name == "exporting to oci image format" {
			require.Len(t, s.Inputs, 1)
			result = steps[s.Inputs[0]].Name
		}
		assert.NotContains(t, s.Name, "[internal]")
	}
	assert.Equal(t, "[rootfs] checked root filesystem", result)
}
