package trace

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/docker/go-units"
	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/draw"
)

// Read reads a trace in any of the formats, or the progress of a build in BuildKit's rawjson. The record
// has the steps that the build looked at. Traces do not tell what steps take, nor their output.
func Read(data []byte) (Record, error) {
	readers := []func([]byte) (Record, error){readProgress}
	for _, f := range Formats() {
		readers = append(readers, f.Read)
	}
	for _, read := range readers {
		if r, err := read(data); err == nil && slices.ContainsFunc(r.Steps, func(s Step) bool { return len(s.Runs) > 0 }) {
			return r, nil
		}
	}
	return Record{}, errors.New("it is no trace of a build, or no step ran in it")
}

// readProgress reads status updates, one in each line. Lines that are none are left out: a build says
// other things beside them.
func readProgress(data []byte) (Record, error) {
	var all Recorder
	for line := range bytes.Lines(data) {
		var s client.SolveStatus
		if bytes.HasPrefix(line, []byte("{")) && json.Unmarshal(line, &s) == nil {
			all.Watch(&s)
		}
	}
	r := all.Record()
	for _, s := range r.Steps {
		if s.State() == Failed {
			r.Error = cmp.Or(r.Error, s.Name+": "+s.Error)
		}
	}
	return r, nil
}

// seen is a run of a step in a trace.
type seen struct {
	step  Step
	state State
	run   Run
}

// record joins the runs of each step.
func record(all []seen) Record {
	var r Record
	at := map[digest.Digest]int{}
	for _, s := range all {
		n, ok := at[s.step.Digest]
		if !ok {
			n = len(r.Steps)
			at[s.step.Digest] = n
			r.Steps = append(r.Steps, s.step)
		}
		step := &r.Steps[n]
		step.Cached, step.Error = s.state == Cached, cmp.Or(step.Error, s.step.Error)
		step.Runs = append(step.Runs, s.run)
		r.include(s.run.Start)
		r.include(s.run.End)
	}
	slices.SortStableFunc(r.Steps, func(a, b Step) int { return a.Runs[0].Start.Compare(b.Runs[0].Start) })
	return r
}

// readChrome reads what Chrome writes. The times count from 1970, because the format has no date.
func readChrome(data []byte) (Record, error) {
	var t chromeTrace
	if err := json.Unmarshal(data, &t); err != nil {
		return Record{}, err
	}
	at := func(micros float64) time.Time {
		return time.Unix(0, 0).Add(time.Duration(micros * float64(time.Microsecond)))
	}
	var all []seen
	for _, e := range t.Events {
		d, _ := e.Args[argDigest].(string)
		if d == "" || e.Duration == nil {
			continue // the name of a lane, a part of the critical path, or an arrow
		}
		state, _ := e.Args[argState].(string)
		failure, _ := e.Args[argError].(string)
		bytes, _ := e.Args[argBytes].(float64)
		all = append(all, seen{
			Step{Digest: digest.Digest(d), Name: e.Name, Error: failure, Bytes: int64(bytes)}, State(state), Run{at(e.Time), at(e.Time + *e.Duration)},
		})
	}
	return record(all), nil
}

// readOTLP reads what OTLP writes. That differs from protobuf's JSON, whose ids have another form.
func readOTLP(data []byte) (Record, error) {
	var t struct {
		ResourceSpans []struct {
			ScopeSpans []struct {
				Spans []struct {
					Name       string `json:"name"`
					Start      string `json:"startTimeUnixNano"`
					End        string `json:"endTimeUnixNano"`
					Attributes []struct {
						Key   string `json:"key"`
						Value struct {
							Text   string `json:"stringValue"`
							Number string `json:"intValue"`
						} `json:"value"`
					} `json:"attributes"`
					Status struct {
						Message string `json:"message"`
					} `json:"status"`
				} `json:"spans"`
			} `json:"scopeSpans"`
		} `json:"resourceSpans"`
	}
	if err := json.Unmarshal(data, &t); err != nil {
		return Record{}, err
	}
	number := func(text string) int64 {
		n, _ := strconv.ParseInt(text, 10, 64) // none is zero
		return n
	}
	var all []seen
	for _, resource := range t.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				s := seen{step: Step{Name: span.Name, Error: span.Status.Message}, run: Run{time.Unix(0, number(span.Start)), time.Unix(0, number(span.End))}}
				for _, a := range span.Attributes {
					switch a.Key {
					case attrDigest:
						s.step.Digest = digest.Digest(a.Value.Text)
					case attrState:
						s.state = State(a.Value.Text)
					case attrBytes:
						s.step.Bytes = number(a.Value.Number)
					}
				}
				if s.step.Digest != "" { // the build itself has none
					all = append(all, s)
				}
			}
		}
	}
	return record(all), nil
}

// Sum is what became of several steps together.
type Sum struct {
	State State
	Took  time.Duration
	Bytes int64
	Runs  []Run
}

// Together sums steps up. Its state is the worst; that of no step is Unused.
func Together(steps []Step) Sum {
	s := Sum{State: Unused}
	found := map[State]bool{}
	for _, v := range steps {
		found[v.State()] = true
		s.Took, s.Bytes = s.Took+v.Duration(), s.Bytes+v.Bytes
		s.Runs = append(s.Runs, v.Runs...)
	}
	for _, state := range []State{Cached, Ran, Canceled, Failed} {
		if found[state] {
			s.State = state
		}
	}
	return s
}

// String is what became of the steps, in a few words.
func (s Sum) String() string {
	text := string(s.State)
	if s.State == Ran {
		text = Seconds(s.Took)
	}
	if s.Bytes > 0 {
		text += ", " + units.BytesSize(float64(s.Bytes))
	}
	return text
}

// Look of a step with the state in pictures.
func (s State) Look() draw.Look {
	switch s {
	case Failed:
		return draw.Failed
	case Cached, Unused, Canceled:
		return draw.Cached
	default:
		return draw.Plain
	}
}
