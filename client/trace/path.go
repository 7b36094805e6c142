package trace

import (
	"cmp"
	"slices"
	"time"
)

// Part is a run that others waited for.
type Part struct {
	// Step is its number.
	Step int
	Run
}

// CriticalPath returns the runs that the build had to wait for, the first first: from the last run
// back to the input that was ready last, and so on. Only what is on it makes a build shorter. Time
// between two parts is that of BuildKit itself, and of steps that waited for a free core.
func (r Record) CriticalPath() []Part {
	inputs := r.Inputs()
	last := -1
	for i, s := range r.Steps {
		if len(s.Runs) > 0 && (last < 0 || s.end().After(r.Steps[last].end())) {
			last = i
		}
	}
	if last < 0 {
		return nil
	}
	runs := r.Steps[last].Runs
	parts := []Part{{last, runs[len(runs)-1]}}
	for {
		next, ok := r.before(parts[len(parts)-1], inputs)
		if !ok {
			slices.Reverse(parts)
			return parts
		}
		parts = append(parts, next)
	}
}

// before returns the run that a part waited for: the last to end of those that its step takes, and
// of its own earlier ones. A run that goes on beside it, as when an image is downloaded when it is
// needed, counts until the part begins. Steps that did not run stand for their inputs.
func (r Record) before(p Part, inputs [][]int) (last Part, ok bool) {
	seen := map[int]bool{}
	var look func(n int)
	look = func(n int) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, run := range r.Steps[n].Runs {
			if !run.Start.Before(p.Start) {
				continue
			}
			if run.End.After(p.Start) {
				run.End = p.Start
			}
			if !ok || run.End.After(last.End) {
				last, ok = Part{n, run}, true
			}
		}
		if n == p.Step || len(r.Steps[n].Runs) == 0 {
			for _, in := range inputs[n] {
				look(in)
			}
		}
	}
	look(p.Step)
	return last, ok
}

// placed is a run of a step in a lane.
type placed struct {
	Part
	lane int
}

// lanes places runs in as few lanes as hold them without overlap, in order of time.
func (r Record) lanes() []placed {
	var all []placed
	for i, s := range r.Steps {
		for _, run := range s.Runs {
			all = append(all, placed{Part: Part{i, run}})
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End))
	})
	var free []time.Time // by lane
	for i := range all {
		lane := slices.IndexFunc(free, func(t time.Time) bool { return !t.After(all[i].Start) })
		if lane < 0 {
			lane = len(free)
			free = append(free, time.Time{})
		}
		free[lane], all[i].lane = all[i].End, lane
	}
	return all
}

// Use is how a build used its builder.
type Use struct {
	// Lanes is the highest number of steps at the same time.
	Lanes int
	// Busy is the time of all runs, and None the time in which no step ran.
	Busy, None time.Duration
	// Idle is the time of cores without a step, all together; of lanes if the number of cores is not
	// known.
	Idle time.Duration
}

// Use returns how the build used its builder.
func (r Record) Use() Use {
	type event struct {
		at    time.Time
		delta int
	}
	var events []event
	var u Use
	for _, p := range r.lanes() {
		events = append(events, event{p.Start, 1}, event{p.End, -1})
		u.Lanes, u.Busy = max(u.Lanes, p.lane+1), u.Busy+p.Duration()
	}
	slices.SortFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
	cores, running, at := cmp.Or(r.Cores, u.Lanes), 0, r.Began
	for _, e := range append(events, event{at: r.Ended}) {
		span := e.at.Sub(at)
		u.Idle += time.Duration(max(0, cores-running)) * span
		if running == 0 {
			u.None += span
		}
		running, at = running+e.delta, e.at
	}
	return u
}
