package trace

import (
	"encoding/json"
	"fmt"
	"time"
)

// chromeTrace is a trace in the Trace Event Format of Chrome, which Perfetto opens too
// (https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU).
type chromeTrace struct {
	Unit   string        `json:"displayTimeUnit"`
	Events []chromeEvent `json:"traceEvents"`
}

type chromeEvent struct {
	Name     string `json:"name"`
	Category string `json:"cat,omitempty"`
	// Phase is X for a complete event, M for metadata, s and f for the ends of an arrow.
	Phase string `json:"ph"`
	// Time and Duration are in microseconds.
	Time     float64  `json:"ts"`
	Duration *float64 `json:"dur,omitempty"`
	Process  int      `json:"pid"`
	Thread   int      `json:"tid"`
	// ID joins the ends of an arrow.
	ID int `json:"id,omitempty"`
	// Bind is e for an arrow that ends at the event around it.
	Bind string         `json:"bp,omitempty"`
	Args map[string]any `json:"args,omitempty"`
}

// Chrome returns the record in the Trace Event Format: the critical path, and below it the runs of
// steps in lanes. Arrows lead from the last run of a step to what takes it.
func (r Record) Chrome() ([]byte, error) {
	const process, pathThread = 1, 0
	t := chromeTrace{Unit: "ms"}
	name := func(kind string, thread int, name string) {
		t.Events = append(t.Events, chromeEvent{Name: kind, Phase: "M", Process: process, Thread: thread, Args: map[string]any{"name": name}})
	}
	at := func(when time.Time) float64 { return float64(when.Sub(r.Began)) / float64(time.Microsecond) }
	event := func(p Part, thread int) chromeEvent {
		took := at(p.End) - at(p.Start)
		s := r.Steps[p.Step]
		return chromeEvent{Name: s.Name, Category: string(s.State()), Phase: "X", Time: at(p.Start), Duration: &took, Process: process, Thread: thread}
	}
	name("process_name", 0, r.Name)
	name("thread_name", pathThread, "critical path")
	lanes := r.lanes()
	for lane := range r.Use().Lanes {
		name("thread_name", lane+1, fmt.Sprintf("lane %d", lane+1))
	}
	for _, p := range r.CriticalPath() {
		t.Events = append(t.Events, event(p, pathThread))
	}
	inputs := r.Inputs()
	last := map[int]placed{} // run of a step
	for _, p := range lanes {
		e := event(p.Part, p.lane+1)
		e.Args = r.args(p.Step, inputs[p.Step])
		t.Events = append(t.Events, e)
		last[p.Step] = p
	}
	arrows := 0
	for n, from := range inputs {
		to, ran := last[n]
		for _, in := range from {
			source, also := last[in]
			if !ran || !also || source.End.After(to.Start) {
				continue
			}
			arrows++
			ends := chromeEvent{Name: "input", Category: "input", Process: process, ID: arrows}
			start, end := ends, ends
			start.Phase, start.Time, start.Thread = "s", at(source.Start), source.lane+1
			end.Phase, end.Bind, end.Time, end.Thread = "f", "e", at(to.Start), to.lane+1
			t.Events = append(t.Events, start, end)
		}
	}
	data, err := json.MarshalIndent(t, "", " ")
	return append(data, '\n'), err
}

// Names of the details of a step.
const (
	argDigest = "digest"
	argState  = "state"
	argBytes  = "bytes"
	argError  = "error"
)

// args are the details of a step.
func (r Record) args(n int, inputs []int) map[string]any {
	s := r.Steps[n]
	args := map[string]any{argDigest: s.Digest, argState: s.State()}
	if len(inputs) > 0 {
		names := make([]string, len(inputs))
		for i, in := range inputs {
			names[i] = r.Steps[in].Name
		}
		args["inputs"] = names
	}
	if s.Bytes > 0 {
		args[argBytes] = s.Bytes
	}
	if s.Error != "" {
		args[argError] = s.Error
	}
	return args
}
