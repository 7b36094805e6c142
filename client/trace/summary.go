package trace

import (
	"fmt"
	"strings"
	"time"
)

// shown is the part of a build below which the summary leaves a step of the critical path out.
const shown = 0.01

// Summary says in a few lines how long the build took, what it had to wait for, and how busy the
// builder was.
func (r Record) Summary() string {
	count := map[State]int{}
	for _, s := range r.Steps {
		count[s.State()]++
	}
	var counts []string
	for _, state := range []State{Ran, Cached, Unused, Failed, Canceled} {
		if n := count[state]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if len(counts) == 0 {
		return "no step ran\n"
	}
	var text strings.Builder
	whole := r.Duration()
	fmt.Fprintf(&text, "steps: %s, in %s\n", strings.Join(counts, ", "), Seconds(whole))

	var path, rest time.Duration
	var lines []string
	short := 0
	for _, p := range r.CriticalPath() {
		path += p.Duration()
		if p.Duration() < time.Duration(shown*float64(whole)) {
			short++
			rest += p.Duration()
			continue
		}
		lines = append(lines, fmt.Sprintf("  %8s  %s", Seconds(p.Duration()), r.Steps[p.Step].Name))
	}
	fmt.Fprintf(&text, "critical path: %s\n", Seconds(path))
	for _, line := range lines {
		text.WriteString(line + "\n")
	}
	if short > 0 {
		fmt.Fprintf(&text, "  %8s  %d short steps\n", Seconds(rest), short)
	}
	u := r.Use()
	average := 0.0
	if whole > 0 {
		average = u.Busy.Seconds() / whole.Seconds()
	}
	fmt.Fprintf(&text, "steps at the same time: %.1f on average, %d at most, none for %s\n", average, u.Lanes, Seconds(u.None))
	if r.Cores > 0 {
		fmt.Fprintf(&text, "cores: %d, idle for %s together\n", r.Cores, Seconds(u.Idle))
	} else {
		fmt.Fprintf(&text, "lanes: %d, idle for %s together\n", u.Lanes, Seconds(u.Idle))
	}
	return text.String()
}

// Seconds writes a duration as BuildKit's progress output does, and long ones with minutes.
func Seconds(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}
