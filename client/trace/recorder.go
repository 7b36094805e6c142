package trace

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"
)

// logLimit is the number of bytes that are kept of the output of a step.
const logLimit = 64 << 10

// Recorder makes a record from status updates. The zero Recorder is ready to use, and several
// builds can use one.
type Recorder struct {
	mu    sync.Mutex
	steps []*recorded
	known map[digest.Digest]*recorded
}

type recorded struct {
	Step
	log []byte
	// bytes by the id of what is transferred.
	bytes map[string]int64
	// open is the start of a run that has not ended.
	open *time.Time
}

// Watch takes an update in. It keeps nothing of it.
func (r *Recorder) Watch(s *client.SolveStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range s.Vertexes {
		r.step(v.Digest).update(v)
	}
	for _, t := range s.Statuses {
		r.step(t.Vertex).bytes[t.ID] = t.Current
	}
	for _, l := range s.Logs {
		step := r.step(l.Vertex)
		step.log = append(step.log, l.Data...)
		if over := len(step.log) - logLimit; over > 0 {
			step.log = step.log[over:]
		}
	}
}

// step returns a step, and adds an unknown one.
func (r *Recorder) step(d digest.Digest) *recorded {
	s, ok := r.known[d]
	if !ok {
		s = &recorded{Step: Step{Digest: d}, bytes: map[string]int64{}}
		if r.known == nil {
			r.known = map[digest.Digest]*recorded{}
		}
		r.known[d] = s
		r.steps = append(r.steps, s)
	}
	return s
}

// update takes the state of a vertex in. Updates of a run begin at the same time.
func (s *recorded) update(v *client.Vertex) {
	s.Name, s.Group, s.Inputs = v.Name, v.ProgressGroup, slices.Clone(v.Inputs)
	s.Cached, s.Error = v.Cached, v.Error
	if v.Started == nil {
		return
	}
	began := *v.Started
	if v.Completed == nil {
		s.open = &began
		return
	}
	s.open = nil
	run := Run{began, *v.Completed}
	for i := range s.Runs {
		if s.Runs[i].Start.Equal(began) {
			s.Runs[i] = run
			return
		}
	}
	at := len(s.Runs)
	for at > 0 && s.Runs[at-1].Start.After(began) {
		at--
	}
	s.Runs = slices.Insert(s.Runs, at, run)
}

// Record returns what was seen so far. A run that has not ended ends with the last other event, as
// when a build is interrupted.
func (r *Recorder) Record() Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all Record
	for _, s := range r.steps {
		if s.open != nil {
			all.include(*s.open)
		}
		for _, run := range s.Runs {
			all.include(run.Start)
			all.include(run.End)
		}
	}
	for _, s := range r.steps {
		step := s.Step
		step.Runs = slices.Clone(s.Runs)
		if s.open != nil {
			step.Runs = append(step.Runs, Run{*s.open, all.Ended})
		}
		for _, n := range s.bytes {
			step.Bytes += n
		}
		step.Log = strings.ToValidUTF8(string(s.log), "\ufffd")
		all.Steps = append(all.Steps, step)
	}
	return all
}

// include widens the time of the build.
func (r *Record) include(t time.Time) {
	if r.Began.IsZero() || t.Before(r.Began) {
		r.Began = t
	}
	if t.After(r.Ended) {
		r.Ended = t
	}
}
