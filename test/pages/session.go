package pages

import (
	"strings"
	"testing"
)

// Step is a command of a transcript, with what it has printed.
type Step struct{ Command, Output string }

// Session returns the steps of all transcripts of a page. Those before the first that needs root
// need no BuildKit.
func Session(t testing.TB, page string) (before, after []Step) {
	t.Helper()
	var all []Step
	for _, b := range Blocks(t, page) {
		for line := range strings.Lines(b.Text) {
			if command, ok := strings.CutPrefix(line, prompt); ok {
				all = append(all, Step{Command: strings.TrimSuffix(command, "\n")})
			} else if len(all) > 0 {
				all[len(all)-1].Output += line
			}
		}
	}
	for i, step := range all {
		if strings.HasPrefix(step.Command, "sudo ") {
			return all[:i], all[i:]
		}
	}
	t.Fatalf("no step of %s needs root", page)
	return nil, nil
}

// prompt begins a line that a reader types.
const prompt = "$ "

// Record returns the text of a page with other outputs for steps that it has.
func Record(text string, steps []Step) string {
	var out strings.Builder
	i, skip := 0, false
	for line := range strings.Lines(text) {
		command, typed := strings.CutPrefix(line, prompt)
		switch {
		case typed && i < len(steps) && strings.TrimSuffix(command, "\n") == steps[i].Command:
			out.WriteString(line + steps[i].Output)
			i, skip = i+1, true
		case typed, strings.HasPrefix(line, "```"):
			skip = false
			out.WriteString(line)
		case !skip:
			out.WriteString(line)
		}
	}
	return out.String()
}
