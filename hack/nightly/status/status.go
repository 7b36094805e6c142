package status

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"
)

// State is how a stage ended.
type State string

// States of a stage.
const (
	Passed State = "passed"
	Failed State = "failed"
	// Unreachable: a registry, release or repository that the stage needs did not answer.
	Unreachable State = "unreachable"
	// Skipped: a stage that it needs has not passed.
	Skipped State = "skipped"
)

func states() []State { return []State{Passed, Failed, Unreachable, Skipped} }

// Result is how a stage of an entry ended.
type Result struct {
	Entry string `json:"entry"`
	Stage Stage  `json:"stage"`
	State State  `json:"state"`
	// Date at which the stage began.
	Date time.Time `json:"date"`
	// Log is the address of the log, if it is kept somewhere.
	Log string `json:"log,omitempty"`
	// Note says why it did not pass.
	Note string `json:"note,omitempty"`
	// Substitutes are the images and programs that were not the real ones. Such a result is not part
	// of the status.
	Substitutes []string `json:"substitutes,omitempty"`
}

// Last is the last result of a stage of an entry.
type Last struct {
	Result
	// Passed is when the stage has passed last.
	Passed time.Time `json:"passed,omitzero"`
	// Red is true if the stage failed when it could run last. It stays so while something is
	// unreachable, so that it is reported once.
	Red bool `json:"red,omitempty"`
}

// Status has the last result of every stage of every entry: docs/status.json.
type Status struct {
	Results []Last `json:"results"`
}

// Read reads a status. A key that it does not know is an error.
func Read(file string) (*Status, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, errors.Wrap(err, "read the status")
	}
	var s Status
	if err := strict(data, &s); err != nil {
		return nil, errors.Wrap(err, file)
	}
	for _, e := range s.Results {
		if err := e.check(); err != nil {
			return nil, errors.Wrap(err, file)
		}
	}
	return &s, nil
}

// ReadResults reads the results below a directory, each from a file of its own.
func ReadResults(dir string) ([]Result, error) {
	var all []Result
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".json" {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var r Result
		if err := strict(data, &r); err != nil {
			return errors.Wrap(err, file)
		}
		if err := r.check(); err != nil {
			return errors.Wrap(err, file)
		}
		all = append(all, r)
		return nil
	})
	return all, errors.Wrap(err, "read the results")
}

// strict decodes JSON in which every key is known.
func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func (r Result) check() error {
	switch {
	case r.Entry == "":
		return errors.New("the result is of no entry")
	case !slices.Contains(Stages(), r.Stage):
		return errors.Errorf("unknown stage %q", r.Stage)
	case !slices.Contains(states(), r.State):
		return errors.Errorf("unknown state %q", r.State)
	case r.Date.IsZero():
		return errors.New("the result has no date")
	case r.Log != "" && !strings.HasPrefix(r.Log, "https://"):
		return errors.Errorf("the log %q is no link", r.Log)
	}
	return nil
}

// Write writes a value as JSON.
func Write(file string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}

// Merge puts results into the status, of which the newest counts, and removes what no entry goes
// through any more. It returns the stages that have turned red. Results of substitutes do not
// count. A result of an unknown entry, or of a stage that the entry does not go through, is an
// error.
func (s *Status) Merge(results []Result, entries []Entry) (red []Last, err error) {
	before := map[string]Last{}
	for _, e := range s.Results {
		before[e.key()] = e
	}
	newest := map[string]Result{}
	for _, r := range results {
		if len(r.Substitutes) > 0 {
			continue
		}
		if last, ok := newest[r.key()]; !ok || r.Date.After(last.Date) {
			newest[r.key()] = r
		}
	}
	s.Results = nil
	for _, c := range entries {
		for _, stage := range c.Stages {
			key := Result{Entry: c.Name, Stage: stage}.key()
			e, ran := before[key]
			r, runs := newest[key]
			delete(newest, key)
			if runs && !r.Date.Before(e.Date) {
				wasRed := e.Red
				e.Result, ran = r, true
				e.Date = e.Date.UTC()
				switch r.State {
				case Passed:
					e.Passed, e.Red = e.Date, false
				case Failed:
					e.Red = true
				}
				if e.Red && !wasRed {
					red = append(red, e)
				}
			}
			if ran {
				s.Results = append(s.Results, e)
			}
		}
	}
	for key := range newest {
		return nil, errors.Errorf("no entry of the matrix goes through %s", key)
	}
	return red, nil
}

func (r Result) key() string { return r.Entry + " " + string(r.Stage) }

// never is what a stage that has no result shows.
const never = "never ran"

// Page is the page about the status, in Markdown: a line for each entry and a column for each stage.
func (s *Status) Page(entries []Entry) string {
	last := map[string]Last{}
	for _, e := range s.Results {
		last[e.key()] = e
	}
	var b strings.Builder
	b.WriteString("| entry |")
	for _, stage := range Stages() {
		fmt.Fprintf(&b, " %s |", stage)
	}
	b.WriteString("\n|---" + strings.Repeat("|---", len(Stages())) + "|\n")
	for _, c := range entries {
		fmt.Fprintf(&b, "| `%s` |", c.Name)
		for _, stage := range Stages() {
			text := never
			if e, ok := last[Result{Entry: c.Name, Stage: stage}.key()]; ok {
				text = e.text()
			} else if !slices.Contains(c.Stages, stage) {
				text = "–"
			}
			fmt.Fprintf(&b, " %s |", text)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// text is the text in the table.
func (e Last) text() string {
	text := string(e.State)
	if e.Log != "" {
		text = "[" + text + "](" + e.Log + ")"
	}
	if e.State == Failed {
		text = "**" + text + "**"
	}
	text += " " + e.Date.Format(time.DateOnly)
	if e.State != Passed && !e.Passed.IsZero() {
		text += ", passed " + e.Passed.Format(time.DateOnly)
	}
	return text
}

// Flavor sums up the last results of all entries of a flavor, such as "passed 2026-11-26".
func (s *Status) Flavor(flavor string, entries []Entry) string {
	of, want, passed := map[string]bool{}, 0, 0
	for _, c := range entries {
		if c.Flavor == flavor {
			of[c.Name] = true
			want += len(c.Stages)
		}
	}
	var last time.Time
	stages := map[State][]string{}
	for _, e := range s.Results {
		if !of[e.Entry] {
			continue
		}
		if e.Date.After(last) {
			last = e.Date
		}
		if e.State == Passed {
			passed++
		}
		if !slices.Contains(stages[e.State], string(e.Stage)) {
			stages[e.State] = append(stages[e.State], string(e.Stage))
		}
	}
	if len(stages) == 0 {
		return never
	}
	day := " " + last.Format(time.DateOnly)
	for _, state := range []State{Failed, Unreachable, Skipped} {
		if names := stages[state]; len(names) > 0 {
			slices.SortFunc(names, func(a, b string) int {
				return cmp.Compare(slices.Index(Stages(), Stage(a)), slices.Index(Stages(), Stage(b)))
			})
			return string(state) + ": " + strings.Join(names, ", ") + day
		}
	}
	if passed < want {
		return fmt.Sprintf("%d of %d passed%s", passed, want, day)
	}
	return string(Passed) + day
}

// Report is the text of an issue about stages that have turned red.
func Report(red []Last) string {
	var b strings.Builder
	b.WriteString("These stages passed, or never ran, and failed last night:\n\n")
	for _, e := range red {
		log := e.Log
		if log == "" {
			log = "no log"
		}
		fmt.Fprintf(&b, "* `%s`, %s: %s (%s)\n", e.Entry, e.Stage, cmp.Or(oneLine(e.Note), "no note"), log)
	}
	b.WriteString("\ndocs/status.md has the others.\n")
	return b.String()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
