// Package report writes a page about a build: what was built and why, what took how long, and what
// came of it. The page is one HTML file that needs nothing from elsewhere.
package report

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/trace"
	"github.com/flavorkit/flavorkit/internal/draw"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/plan/sbom"
)

//go:embed page.html.tmpl
var pageText string

// Build is what a page is about.
type Build struct {
	// Target that was built.
	Target string
	// Version of flavorkit.
	Version string
	Systems []System
	Record  trace.Record
	Files   []File
	Images  []Image
}

// System is a system of a build.
type System struct {
	Plan *plan.Plan
	// Reasons are those of everything in it; may be empty.
	Reasons []plan.Reason
	// Bill is what it is made of; empty if it was not built.
	Bill sbom.Document
}

// File is a file that the build wrote.
type File struct {
	Name string
	// Size in bytes.
	Size int64
	// Text is the end of a file with text, such as the log of a boot test.
	Text string
}

// Write writes the page.
func Write(w io.Writer, b Build) error {
	p := page{Build: b, Took: trace.Seconds(b.Record.Duration()), Path: trace.Seconds(0), Began: when(b.Record.Began)}
	p.steps()
	if err := p.draw(); err != nil {
		return err
	}
	t, err := template.New("page").Funcs(template.FuncMap{"size": size, "groups": groups, "licenses": licenses, "unlicensed": unlicensed, "join": func(all []string) string { return strings.Join(all, ", ") }, "seconds": trace.Seconds, "lines": lines}).Parse(pageText)
	if err != nil {
		return errors.Wrap(err, "read the template of the report")
	}
	return errors.Wrap(t.Execute(w, p), "write the report")
}

// page is what the template shows.
type page struct {
	Build
	Began, Took string
	// Path is the length of the critical path, and Parts are its steps.
	Path  string
	Parts []part
	Use   trace.Use
	Steps []step
	// Checks are the steps that let a result pass or not.
	Checks []step
	// Broken are the steps that failed, with their output.
	Broken []broken

	Graph, Timeline template.HTML
	Treemaps        []treemap
}

type part struct {
	Name, Took string
}

type broken struct {
	Name, Error, Log string
}

// step is a line of the progress output: one or several vertices.
type step struct {
	Name     string
	State    trace.State
	Took     time.Duration
	Bytes    int64
	Critical bool
	inputs   []int
	runs     []trace.Run
}

type treemap struct {
	Image
	Total   int64
	Picture template.HTML
}

// steps sums the vertices of each step up.
func (p *page) steps() {
	r := p.Record
	p.Use = r.Use()
	byDigest := map[string]trace.Step{}
	for _, s := range r.Steps {
		byDigest[s.Digest.String()] = s
		if s.State() == trace.Failed {
			p.Broken = append(p.Broken, broken{draw.Clean(s.Name), lines(s.Error), lines(s.Log)})
		}
	}
	critical := map[string]bool{}
	var path time.Duration
	for _, part := range r.CriticalPath() {
		critical[r.Steps[part.Step].Digest.String()] = true
		path += part.Duration()
	}
	p.Path = trace.Seconds(path)
	p.Parts = parts(r)
	for _, shown := range r.Picture() {
		s := step{Name: draw.Clean(shown.Name), inputs: shown.Inputs}
		var vertices []trace.Step
		for _, d := range shown.Vertices {
			vertices = append(vertices, byDigest[d.String()])
			s.Critical = s.Critical || critical[d.String()]
		}
		sum := trace.Together(vertices)
		s.State, s.Took, s.Bytes, s.runs = sum.State, sum.Took, sum.Bytes, sum.Runs
		p.Steps = append(p.Steps, s)
		if _, title, ok := strings.Cut(shown.Name, "] "); ok && strings.HasPrefix(title, "check ") {
			p.Checks = append(p.Checks, s)
		}
	}
}

// parts are those of the critical path, joined if they follow each other in one step.
func parts(r trace.Record) []part {
	type sum struct {
		step int
		took time.Duration
	}
	var sums []sum
	for _, c := range r.CriticalPath() {
		if n := len(sums); n > 0 && sums[n-1].step == c.Step {
			sums[n-1].took += c.Duration()
			continue
		}
		sums = append(sums, sum{c.Step, c.Duration()})
	}
	var all []part
	for _, s := range sums {
		all = append(all, part{draw.Clean(r.Steps[s.step].Name), trace.Seconds(s.took)})
	}
	return all
}

// look of a step in the pictures.
func (s step) look() draw.Look {
	look := s.State.Look()
	if s.Critical && look == draw.Plain {
		return draw.Critical
	}
	return look
}

// note is a word about a step in the pictures.
func (s step) note() string {
	if s.State == trace.Ran {
		return trace.Seconds(s.Took)
	}
	return string(s.State)
}

// shortest is the time in which a step is no bar of the timeline.
const shortest = 100 * time.Millisecond

func (p *page) draw() (err error) {
	nodes := make([]draw.Node, len(p.Steps))
	var bars []draw.Bar
	for i, s := range p.Steps {
		nodes[i] = draw.Node{Name: s.Name, Note: s.note(), Look: s.look(), Inputs: s.inputs}
		if s.Took < shortest && s.State != trace.Failed {
			continue
		}
		bar := draw.Bar{Name: s.Name, Note: s.note(), Look: s.look()}
		for _, run := range s.runs {
			if run.Duration() >= shortest/10 || s.State == trace.Failed {
				bar.Spans = append(bar.Spans, [2]float64{run.Start.Sub(p.Record.Began).Seconds(), run.End.Sub(p.Record.Began).Seconds()})
			}
		}
		bars = append(bars, bar)
	}
	slices.SortStableFunc(bars, func(a, b draw.Bar) int { return cmp.Compare(begin(a), begin(b)) })
	if p.Graph, err = picture(func(w io.Writer) error {
		return draw.Graph(w, "The steps of the build, from inputs at the top to the result at the bottom. The table below has the same steps.", nodes)
	}); err != nil {
		return err
	}
	if p.Timeline, err = picture(func(w io.Writer) error {
		return draw.Timeline(w, "When each step ran. The table of steps has the times.", p.Record.Duration().Seconds(), func(s float64) string {
			return trace.Seconds(time.Duration(s * float64(time.Second)))
		}, bars)
	}); err != nil {
		return err
	}
	for _, image := range p.Images {
		m := treemap{Image: image}
		var areas []draw.Area
		for _, l := range image.Layers {
			m.Total += l.Size
			areas = append(areas, draw.Area{Name: l.Made, Note: size(l.Size), Size: l.Size})
		}
		if m.Picture, err = picture(func(w io.Writer) error {
			return draw.Treemap(w, "The layers of the image by size. The table below has the same layers.", areas)
		}); err != nil {
			return err
		}
		p.Treemaps = append(p.Treemaps, m)
	}
	return nil
}

// begin of a bar.
func begin(b draw.Bar) float64 {
	if len(b.Spans) == 0 {
		return 0
	}
	return b.Spans[0][0]
}

// picture returns an SVG for the page. Package draw has escaped all text in it.
func picture(write func(io.Writer) error) (template.HTML, error) {
	var b bytes.Buffer
	err := write(&b)
	return template.HTML(b.String()), err
}

// group is reasons of one kind.
type group struct {
	Title   string
	Reasons []plan.Reason
}

// groups sorts reasons by kind and, for packages, by stage. They keep their order.
func groups(reasons []plan.Reason) []group {
	var all []group
	for _, r := range reasons {
		title := strings.ToUpper(r.Kind[:1]) + r.Kind[1:] + "s"
		if r.Stage != "" {
			title += " of " + r.Stage
		}
		i := slices.IndexFunc(all, func(g group) bool { return g.Title == title })
		if i < 0 {
			i = len(all)
			all = append(all, group{Title: title})
		}
		all[i].Reasons = append(all[i].Reasons, r)
	}
	return all
}

// escape is a sequence that sets colors or moves the cursor of a terminal (ECMA-48, 5.4).
const escape = `\x1b\[[0-?]*[ -/]*[@-~]`

// lines is output of a program without what is for terminals.
func lines(text string) string {
	all := strings.Split(regexp.MustCompile(escape).ReplaceAllString(text, ""), "\n")
	for i, line := range all {
		all[i] = draw.Clean(line)
	}
	return strings.Join(all, "\n")
}

// size in bytes, for people.
func size(bytes int64) string {
	if bytes == 0 {
		return ""
	}
	return units.BytesSize(float64(bytes))
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

// Count of steps in a state, for the template.
func (p page) Count(state string) int {
	n := 0
	for _, s := range p.Steps {
		if string(s.State) == state {
			n++
		}
	}
	return n
}

// Title of the page: what was built.
func (p page) Title() string {
	var names []string
	for _, s := range p.Systems {
		names = append(names, s.Plan.File)
	}
	return cmp.Or(strings.Join(names, ", "), p.Record.Name, "build")
}

// Status in a word or two.
func (p page) Status() string {
	if p.Record.Error != "" {
		return "failed"
	}
	return fmt.Sprintf("built in %s", p.Took)
}
